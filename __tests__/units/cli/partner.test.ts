// The text that is copied for the partner goes to a stranger as far as we know: nothing of the record may be in it.
import { reasons, senderAdviceFor } from '../../../lib/refusals/reasons'
import { clientAuthErrorReasons, type OAuthClient } from '../../../lib'
import { explainPasted } from '../../../cli/page/pasted'
import type { Server } from '../../../cli/files'
import { basic, issuer, keyAssertion, keyFor, makeKey, secretAssertion, tokenEndpoint } from '../../support/assertions'
import { brokenAssertions, ec, recordFor } from '../../support/broken-assertions'

async function partnerText(input: string, client: OAuthClient, more: Partial<Server['options']> = {}): Promise<string> {
  const getClient = (id: string) => (id === client.client_id ? client : undefined)
  const shown = await explainPasted({ input }, { options: { issuer, getClient, ...more }, knowsClients: true })
  if (!('partner' in shown)) throw new Error(shown.problem.message)
  return shown.partner
}

const secret = 'the-registered-secret'
const registeredKey = { ...makeKey('ES256', 'registered-kid').jwk }
const by = (key = ec, claims = {}) => keyAssertion(key, { clientId: 'bank', claims })
const bank = recordFor({ registered: { jwks: { keys: [registeredKey] } } })

// Threat 51: the text for the partner tells what is registered
test.each<[string, string, OAuthClient, Partial<Server['options']>, RegExp]>([
  ['the registered keys', by(), bank, {}, /registered-kid/],
  ['the registered alg', by(), { ...recordFor({}), token_endpoint_auth_signing_alg: 'PS384' }, {}, /PS384/],
  ['the registered method', secretAssertion('x'.repeat(32), { clientId: 'bank' }), bank, {}, /private.key/],
  [
    'that all secrets have expired',
    `Authorization: ${basic('shop', 'x')}`,
    { client_id: 'shop', client_secret: secret, client_secret_expires_at: 1 },
    {},
    /expired|registered-secret/
  ],
  [
    'the length of the secret',
    secretAssertion('short', { clientId: 'shop' }),
    { client_id: 'shop', client_secret: 'short', token_endpoint_auth_method: 'client_secret_jwt' },
    {},
    /\b5\b/
  ],
  ['what is registered in place of keys', by(), recordFor({ registered: { jwks: [] as never } }), {}, /an array/],
  ['that no keys are registered', by(), recordFor({ registered: { jwks: undefined } }), {}, /neither/],
  [
    'the older audiences of the client',
    by(ec, { aud: 'https://login.example.net' }),
    recordFor({}),
    { legacyAudiences: () => [tokenEndpoint] },
    /as\.example\.com\/token/
  ],
  ['an option of the server', by(ec, { aud: tokenEndpoint }), recordFor({}), {}, /legacyAudiences|operator/]
])('does not tell %s', async (_name, input, client, options, secrets) => {
  const text = await partnerText(input, client, options)
  expect(text).toMatch(/ is refused:\n\n1\. .*(\n {3}.*)*\n {3}What to change: [A-Z].*\.$/s)
  expect(text).not.toMatch(secrets)
})

test.each(brokenAssertions.filter(({ isUsed }) => isUsed !== true))(
  '$name: one sentence says what to change',
  async ({ assertion, ...broken }) => {
    const text = await partnerText(assertion(), recordFor(broken))
    expect(text.match(/What to change: [A-Z][^;]*\./g)).toHaveLength(text.match(/^\d+\. /gm)!.length)
    expect(text).not.toMatch(/option|record/)
  }
)

test.each(clientAuthErrorReasons)('%s: the advice is for the sender, in one sentence', (reason) => {
  const facts = [{}, { received: tokenEndpoint, expected: issuer }, ...['tls', 'url', 'dns'].map((why) => ({ why }))]
  for (const detail of facts) {
    const advice = senderAdviceFor(reason, detail)
    expect(advice).toMatch(/^[A-Z][^;]*[^.\s]\.$/)
    expect(advice).not.toMatch(/\boption|legacyAudiences|bodyLimit|maxEntries|verifySecret|getClient|let the operator/i)
  }
  expect(reasons[reason].advice).toMatch(/\.$/)
})

test('what was sent is told: it is the sender that has to find it again', async () => {
  expect(await partnerText(by(keyFor('RS256')), bank)).toContain('Received: {"kid":"RS256-key","alg":"RS256"}')
  expect(await partnerText(by(ec, { aud: tokenEndpoint }), recordFor({}))).toContain(
    `Expected: ${issuer}\n   Received: ${tokenEndpoint}`
  )
})

// The FAPI rows of fixtures/authentication.json, from the OpenID Foundation's conformance suite: those of FAPI 2
// under `fapi2`, those of FAPI 1 with the older audiences allowed. One fixed rule for `aud` cannot pass both.
import { fapi2, type OAuthClient } from '../../lib'
import corpus from '../fixtures/authentication.json'
import { assertionForm, issuer, keyAssertion, keyFor, now, secretAssertion, tokenEndpoint } from '../support/assertions'
import { post, tokenServer, type Options } from '../support/token-server'

type Row = (typeof corpus.cases)[number]

const fapi1: Options = {
  methods: ['private_key_jwt'],
  algorithms: ['PS256', 'ES256'],
  legacyAudiences: [tokenEndpoint, `${issuer}/par`]
}
const key = keyFor('PS256')
const client: OAuthClient = {
  client_id: 'client',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk, keyFor('ES256').jwk, { ...keyFor('RS256').jwk, alg: 'RS256' }] }
}

const texts = ({ source, standardsRef, profile }: Row) => `${source} ${standardsRef} ${profile}`
const ofFapi2 = corpus.cases.filter((row) => /fapi2/i.test(texts(row)))
const ofFapi1 = corpus.cases.filter((row) => /fapi1|fapi-ciba/i.test(texts(row)))

const filled = (value: unknown): unknown => {
  if (value === '<client_id>') return client.client_id
  const seconds = /^now([+-]\d+)$/.exec(String(value))?.[1]
  return seconds === undefined ? value : now() + Number(seconds)
}

/** The row's form. Rows that are not about RS256 itself are signed with PS256, which the profiles ask for. */
function formOf({ request, title }: Row): Record<string, string> {
  const assertion = 'assertion' in request ? request.assertion : undefined
  if (assertion === undefined) return { client_id: client.client_id }
  const claims = Object.fromEntries(Object.entries(assertion.claims).map(([name, value]) => [name, filled(value)]))
  if (claims.jti === '<fresh>') delete claims.jti
  const signingKey = title.includes('RS256') ? keyFor('RS256') : key
  return assertionForm(keyAssertion(signingKey, { clientId: client.client_id, claims }))
}

async function judge(options: Options, row: Row): Promise<void> {
  const { status, body } = await post(tokenServer(options, client), formOf(row))
  if (row.expected.outcome === 'accept') {
    expect([status, body.client_id]).toEqual([200, client.client_id])
  } else {
    expect([400, 401]).toContain(status)
    expect([row.expected.error].flat()).toContain(body.error)
  }
}

test('there are FAPI rows, and each is one that a token request can be made of', () => {
  expect([ofFapi2.length, ofFapi1.length]).toEqual([7, 13])
})

test.each(ofFapi2.map((row) => [row.id, row.title, row] as const))('FAPI 2 %s: %s', async (_id, _title, row) => {
  await judge(fapi2, row)
})

test.each(ofFapi1.map((row) => [row.id, row.title, row] as const))('FAPI 1 %s: %s', async (_id, _title, row) => {
  await judge(fapi1, row)
})

const clientId = client.client_id
const withClaims = (claims: Record<string, unknown>, alg = 'PS256') =>
  assertionForm(keyAssertion(keyFor(alg), { clientId, claims }))

test.each([
  ['PS256', withClaims({}), undefined],
  ['ES256', withClaims({}, 'ES256'), undefined],
  ['RS256', withClaims({}, 'RS256'), 'must be one of PS256, ES256, EdDSA, Ed25519'],
  ['an HMAC', assertionForm(secretAssertion('s'.repeat(32), { clientId })), 'alg'],
  ['the issuer in an array', withClaims({ aud: [issuer] }), 'aud'],
  ['no jti', withClaims({ jti: undefined }), 'jti'],
  ['300 s of life', withClaims({ exp: now() + 300 }), undefined],
  ['400 s of life', withClaims({ exp: now() + 400 }), 'exp'],
  ['a secret', { client_id: clientId, client_secret: 'secret' }, 'method'],
  ['an id alone', { client_id: clientId }, 'credentials']
])('the profile and %s', async (_what, form, word) => {
  const { status, body } = await post(tokenServer(fapi2, client), form)
  // Without Basic among the methods the refusal is 400 (RFC 6749 §5.2).
  expect(status).toBe(word === undefined ? 200 : 400)
  if (word !== undefined) expect(body.error_description).toContain(word)
})

// explain says what the server does of a request as it was sent: type, encoding and text of its body among it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import {
  clientAuth,
  type ClientAuthError,
  createClientAuthenticator,
  createJwksFetcher,
  type RejectedEvent
} from '../../lib'
import { assertionForm, basic, issuer, keyAssertion, keyFor } from '../support/assertions'
import { nameOf, optionsOf, uriCases } from '../support/jwks-uri-cases'
import { clientsOf, tokenServer } from '../support/token-server'

const key = keyFor('ES256')
const secret = 'a secret of more than thirty-two octets'
const records = [
  { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } },
  { client_id: 'shop', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' }
]

const server = tokenServer({}, ...records).listen(0, '127.0.0.1')
beforeAll(() => once(server, 'listening'))
afterAll(() => server.close())
const { explain } = clientAuth({ issuer, getClient: clientsOf(...records).getClient })

/** The reason by which the server refuses a request, or `accepted`. */
function sent(headers: Record<string, string>, body: Buffer): Promise<string> {
  const reasons: string[] = []
  const hear = (event: unknown) => reasons.push((event as RejectedEvent).reason)
  subscribe('oauth-client-auth:rejected', hear)
  return new Promise<string>((resolve, reject) => {
    const { port } = server.address() as AddressInfo
    const outgoing = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/token', headers }, (answer) => {
      answer.resume().on('end', () => {
        resolve(answer.statusCode === 200 ? 'accepted' : (reasons[0] ?? `status ${answer.statusCode}`))
      })
    })
    outgoing.on('error', reject).end(body)
  }).finally(() => unsubscribe('oauth-client-auth:rejected', hear))
}

const form = 'application/x-www-form-urlencoded'
const types: Record<string, string | undefined> = {
  'no type': undefined,
  'the type of a form': form,
  'in capitals': form.toUpperCase(),
  'with a space behind': `${form} `,
  'charset utf-8': `${form}; charset=utf-8`,
  'charset UTF-8 in quotes': `${form};charset="UTF-8"`,
  'charset iso-8859-1': `${form};charset=ISO-8859-1`,
  'an unknown parameter': `${form}; boundary=x`,
  'the type twice': `${form}, ${form}`,
  'a type that only begins so': `${form}x`,
  'another type first': `text/plain, ${form}`,
  json: 'application/json',
  text: 'text/plain',
  multipart: 'multipart/form-data; boundary=x',
  'no type at all': 'urlencoded',
  empty: ''
}
const bodies: Record<string, () => { text: string; authorization?: string }> = {
  'an assertion': () => ({
    text: new URLSearchParams(assertionForm(keyAssertion(key, { clientId: 'bank' }))).toString()
  }),
  'a secret': () => ({ text: new URLSearchParams({ client_id: 'post', client_secret: secret }).toString() }),
  'Basic and a body': () => ({ text: 'grant_type=client_credentials', authorization: basic('shop', secret) }),
  'Basic and no body': () => ({ text: '', authorization: basic('shop', secret) }),
  'no credentials': () => ({ text: 'grant_type=client_credentials' }),
  'a JSON text': () => ({ text: JSON.stringify({ client_id: 'post', client_secret: secret }) }),
  'a parameter twice': () => ({ text: `client_id=post&client_id=post&client_secret=${encodeURIComponent(secret)}` })
}

describe.each(Object.entries(types))('%s', (_type, contentType) => {
  test.each(Object.entries(bodies))('%s: explain gives the reason of the server', async (_name, made) => {
    const { text, authorization } = made()
    const headers = {
      'content-length': String(text.length),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(authorization === undefined ? {} : { authorization })
    }
    const { accepted, reason } = await explain({ headers, body: text })
    expect(accepted ? 'accepted' : reason).toBe(await sent(headers, Buffer.from(text)))
  })
})

/** Each URL of the corpus that is refused before a server is asked. */
const refusedUris = uriCases.filter(
  ({ stage, dns }) => stage === 'url' || (stage === 'dns' && !JSON.stringify(dns).includes('HANG'))
)

test('there are many such URLs', () => {
  expect(refusedUris.length).toBeGreaterThan(50)
})

test.each(refusedUris.map((one) => [nameOf(one), one] as const))(
  'the jwks_uri of %s: explain gives the reason of the server',
  async (_name, one) => {
    const record = { client_id: 'remote', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: one.url }
    const make = () =>
      createClientAuthenticator({ issuer, getClient: () => record, keySets: createJwksFetcher(optionsOf(one)) })
    const request = { headers: {}, body: assertionForm(keyAssertion(key, { clientId: 'remote' })) }
    const outcome = await make()(request).then(
      () => 'accepted',
      ({ reason }: ClientAuthError) => reason
    )
    const { accepted, reason } = await make().explain(request, { fetch: true })
    expect(accepted ? 'accepted' : reason).toBe(outcome)
  }
)

test('a compressed body: the encoding is what is wrong', async () => {
  const { text } = bodies['a secret']!()
  const headers = { 'content-type': form, 'content-encoding': 'gzip' }
  expect(await sent(headers, gzipSync(text))).toBe('body_unreadable')
  const { reason, findings } = await explain({ headers, body: '\x1f?? what a terminal shows of it' })
  expect(reason).toBe('body_unreadable')
  expect(findings.find(({ result }) => result === 'failed')).toMatchObject({ received: 'gzip' })
})

test('the type that came stands in the explanation, and in the detail of the refusal', async () => {
  const { findings, clientId } = await explain({
    headers: { 'content-type': 'application/json', authorization: basic('shop', secret) },
    body: '{}'
  })
  const failed = findings.filter(({ result }) => result === 'failed')
  expect(failed).toMatchObject([{ reason: 'body_content_type', received: 'application/json', expected: form }])
  expect(clientId).toBe('shop')
})

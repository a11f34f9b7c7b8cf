import { randomUUID, type KeyObject } from 'node:crypto'
import {
  checkClientOptions,
  checkRequestOptions,
  methods,
  secondsOf,
  type TestAlgorithm,
  type TestAssertionOptions,
  type TestClientMethod,
  type TestClientOptions,
  type TestClientRecord,
  type TestRequest,
  type TestRequestOptions,
  type TestTamper
} from './options'
import { encode, jws, newKeyPair, newSecret, publicJwk } from './signing'

/** A client for tests: see {@link createTestClient}. */
export interface TestClient<M extends TestClientMethod = TestClientMethod> {
  /** What your `getClient` returns for it. */
  readonly record: TestClientRecord<M>
  /**
   * A new request to a token endpoint, right but for the differences given.
   * @throws TypeError for a difference that the method does not have, such as `claims` where nothing is signed
   */
  readonly request: (options?: TestRequestOptions) => TestRequest
  /**
   * The client assertion alone: a new compact JWS.
   * @throws TypeError where the method has no assertion
   */
  readonly assertion: (options?: TestAssertionOptions) => string
}

/** What the client proves itself with. */
interface Credential {
  readonly alg: TestAlgorithm | undefined
  /** The secret, or the private key. */
  readonly key: KeyObject | string
  readonly record: Partial<TestClientRecord>
  readonly header: Record<string, unknown>
}

function newCredential(options: TestClientOptions): Credential {
  const { method, kid = 'key-1', modulusLength } = options
  const alg = options.alg ?? methods[method].defaultAlg
  const registered = alg === undefined ? {} : { token_endpoint_auth_signing_alg: alg }
  if (method === 'private_key_jwt' && alg !== undefined) {
    const { privateKey, publicKey } = newKeyPair(alg, modulusLength)
    const jwks = { keys: [publicJwk(alg, kid, publicKey)] }
    return { alg, key: privateKey, record: { ...registered, jwks }, header: { alg, kid } }
  }
  const secret = newSecret()
  const record = method === 'none' ? {} : { ...registered, client_secret: secret }
  return { alg, key: secret, record, header: { alg } }
}

/** Right but for one bit, or for a claim that was not signed. */
function spoil(assertion: string, claims: Record<string, unknown>, tamper: TestTamper | undefined): string {
  const [header, payload, signature] = assertion.split('.') as [string, string, string]
  if (tamper === 'claims') return [header, encode({ ...claims, tampered: true }), signature].join('.')
  if (tamper !== 'signature') return [header, payload, signature].join('.')
  const octets = Buffer.from(signature, 'base64url')
  octets[0] = (octets[0] ?? 0) ^ 1
  return [header, payload, octets.toString('base64url')].join('.')
}

/** RFC 6749 §2.3.1: each half form-encoded, then base64. */
export function basic(id: string, secret: string): string {
  const encoded = [id, secret].map((half) => new URLSearchParams({ half }).toString().slice('half='.length))
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`
}

/** The form fields of an assertion (RFC 7521 §4.2). */
export const assertionForm = (client_assertion: string) => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion
})

/** The whole request, without what is `undefined` in it. */
function requestOf(
  params: NonNullable<TestRequestOptions['params']>,
  headers: NonNullable<TestRequestOptions['headers']>
): TestRequest {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value ?? []].flat()) form.append(name, one)
  }
  const sent = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) sent.delete(name.toLowerCase())
    else sent.set(name.toLowerCase(), value)
  }
  return { method: 'POST', headers: Object.fromEntries(sent), body: form.toString(), form }
}

/**
 * Makes a client with a fresh key or secret, its record for `getClient`, and requests that it sends: right ones, and
 * ones with any claim, header or parameter changed. For tests only: the key is made anew by each call and never
 * leaves memory. A second test client with the same `client_id` is an impostor.
 *
 * @throws TypeError for options from which no client can be made
 * @example
 * const bank = createTestClient({ client_id: 'bank', method: 'private_key_jwt', issuer: 'https://as.example.com' })
 * const authenticate = createClientAuthenticator({ issuer, getClient: () => bank.record })
 * const { headers, form } = bank.request({ claims: { exp: undefined } })
 * await authenticate({ headers, body: form }) // rejects with the reason assertion_exp
 */
export function createTestClient<M extends TestClientMethod>(options: TestClientOptions<M>): TestClient<M> {
  checkClientOptions(options)
  const { client_id, method, issuer, now: clock = () => new Date() } = options
  const own = newCredential(options)

  function sign({ claims, header, now = clock(), tamper }: TestAssertionOptions): string {
    const iat = secondsOf(now)
    const usual = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat, exp: iat + 60 }
    const payload = { ...usual, ...claims }
    const { key } = tamper === 'key' || tamper === 'secret' ? newCredential(options) : own
    const fullHeader = { ...own.header, ...header }
    const alg = fullHeader.alg === 'none' ? 'none' : String(own.alg)
    return spoil(jws(fullHeader, payload, alg, key), payload, tamper)
  }

  function credentialsOf(options: TestRequestOptions): Pick<TestRequestOptions, 'params' | 'headers'> {
    if (method === 'none') return { params: { client_id } }
    if (own.alg !== undefined) return { params: assertionForm(sign(options)) }
    const client_secret = options.tamper === 'secret' ? newSecret() : String(own.record.client_secret)
    return method === 'client_secret_post'
      ? { params: { client_id, client_secret } }
      : { headers: { authorization: basic(client_id, client_secret) } }
  }

  return {
    record: { client_id, token_endpoint_auth_method: method, ...own.record } as TestClientRecord<M>,
    assertion(options = {}) {
      checkRequestOptions('assertion', method, options)
      return sign(options)
    },
    request(options = {}) {
      checkRequestOptions('request', method, options)
      const { params, headers } = credentialsOf(options)
      return requestOf(
        { grant_type: 'client_credentials', ...params, ...options.params },
        { 'content-type': 'application/x-www-form-urlencoded', ...headers, ...options.headers }
      )
    }
  }
}

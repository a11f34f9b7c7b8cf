// Limits at their very edge, and facts that a small slip in the code would lose without a refusal telling it.
import {
  createClientAuthenticator,
  type AuthenticatorOptions,
  type ClientAuthError,
  type JwkSet,
  type OAuthClient
} from '../../../lib'
import { assertionForm, issuer, keyAssertion, keyFor, makeKey, secretAssertion } from '../../support/assertions'

const start = 1_800_000_000
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'] as const
// The clock alone stands still.
beforeAll(() =>
  jest.useFakeTimers({ now: start * 1000, doNotFake: [...timers, 'nextTick', 'queueMicrotask', 'hrtime'] })
)
afterAll(() => jest.useRealTimers())

const key = keyFor('ES256')
const keyClient: OAuthClient = {
  client_id: 'c',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk] }
}
type Options = Partial<AuthenticatorOptions>
type Body = Record<string, string>

const ask = async (client: OAuthClient, body: Body, options: Options = {}) => {
  const authenticate = createClientAuthenticator({
    issuer,
    getClient: (id) => (id === 'c' ? client : null),
    ...options
  })
  return authenticate({ headers: {}, body })
}
const errorOf = (client: OAuthClient, body: Body, options?: Options): Promise<ClientAuthError | undefined> =>
  ask(client, body, options).then(
    () => undefined,
    (error: unknown) => error as ClientAuthError
  )
const reasonOf = async (...asked: Parameters<typeof errorOf>): Promise<string> =>
  (await errorOf(...asked))?.reason ?? 'accepted'

describe('times of an assertion, to the second', () => {
  const claimed = (claims: Record<string, unknown>) => assertionForm(keyAssertion(key, { clientId: 'c', claims }))

  test.each([
    ['exp at the end of the leeway', { exp: start - 30 }, 'assertion_expired'],
    ['exp a second before it', { exp: start - 29 }, 'accepted'],
    ['exp at the longest life and the leeway', { exp: start + 3630 }, 'accepted'],
    ['exp a second later', { exp: start + 3631 }, 'assertion_lifetime'],
    ['nbf at the leeway', { exp: start + 60, nbf: start + 30 }, 'accepted'],
    ['nbf a second later', { exp: start + 60, nbf: start + 31 }, 'assertion_not_yet_valid'],
    ['iat at the leeway', { exp: start + 60, iat: start + 30 }, 'accepted'],
    ['iat a second later', { exp: start + 60, iat: start + 31 }, 'assertion_not_yet_valid'],
    ['exp at the greatest number of seconds', { exp: 1e11 }, 'assertion_lifetime'],
    ['exp over it: milliseconds', { exp: 1e11 + 1 }, 'assertion_milliseconds']
  ])('%s', async (_name, claims, reason) => {
    expect(await reasonOf(keyClient, claimed(claims))).toBe(reason)
  })
})

describe('the end of a secret, to the second', () => {
  const post = { client_id: 'c', client_secret: 'the secret' }
  const record = (members: Partial<OAuthClient>): OAuthClient => ({
    client_id: 'c',
    token_endpoint_auth_method: 'client_secret_post',
    client_secret: 'the secret',
    ...members
  })

  test.each([
    ['a second later', start + 1, 'accepted'],
    ['now', start, 'no_live_secret'],
    ['0: never', 0, 'accepted'],
    ['in milliseconds', 1e11 + 1, 'no_live_secret']
  ])('it ends %s', async (_name, end, reason) => {
    expect(await reasonOf(record({ client_secret_expires_at: end }), post)).toBe(reason)
    expect(await reasonOf(record({ client_secret: [{ value: 'the secret', expires_at: end }] }), post)).toBe(reason)
  })
})

describe('lengths', () => {
  const record: OAuthClient = { client_id: 'c', token_endpoint_auth_method: 'client_secret_post' }
  const long = (length: number) => 's'.repeat(length)

  test('a secret of 1,024 characters, and one more', async () => {
    const sent = (length: number) => ({ client_id: 'c', client_secret: long(length) })
    expect(await reasonOf({ ...record, client_secret: long(1024) }, sent(1024))).toBe('accepted')
    expect(await reasonOf({ ...record, client_secret: long(1025) }, sent(1025))).not.toBe('accepted')
  })

  test('an assertion of 16,384 characters, and one more', async () => {
    // Unpadded base64url has no length of 1 mod 4: the header makes up for it.
    const sized = (length: number) => {
      for (let header = 0; header < 4; header++)
        for (let claim = 11_000; claim < 12_500; claim++) {
          const more = { header: { x: long(header) }, claims: { x: long(claim) } }
          const token = keyAssertion(key, { clientId: 'c', ...more })
          if (token.length === length) return token
          if (token.length < length - 16) claim += Math.floor(((length - 16 - token.length) * 3) / 4)
          if (token.length > length) break
        }
      throw new Error(`no assertion has ${length} characters`)
    }
    expect(await reasonOf(keyClient, assertionForm(sized(16_384)))).toBe('accepted')
    expect(await reasonOf(keyClient, assertionForm(sized(16_385)))).not.toBe('accepted')
  })

  test.each([
    [31, 'secret_too_short'],
    [32, 'accepted']
  ])('HS256 with a secret of %s octets: %s', async (length, reason) => {
    const client = { ...record, client_secret: long(length), token_endpoint_auth_method: 'client_secret_jwt' }
    expect(await reasonOf(client, assertionForm(secretAssertion(long(length), { clientId: 'c' })))).toBe(reason)
  })
})

describe('keys', () => {
  const others = Array.from({ length: 8 }, (_, index) => makeKey('ES256', `other ${index}`).jwk)
  const fresh = () => assertionForm(keyAssertion(key, { clientId: 'c', header: { kid: undefined } }))

  test('without kid the eighth key is tried, and the ninth is not', async () => {
    const at = (place: number): OAuthClient => ({
      ...keyClient,
      jwks: { keys: [...others.slice(0, place - 1), key.jwk, ...others.slice(place - 1)] }
    })
    expect(await reasonOf(at(8), fresh())).toBe('accepted')
    expect(await reasonOf(at(9), fresh())).toBe('signature_mismatch')
  })

  test.each([
    ['the same x with another y', { y: key.jwk['x'] }],
    ['another x with the same y', { x: makeKey('ES256').jwk['x'] }],
    ['for encryption', { use: 'enc' }],
    ['for another algorithm', { alg: 'ES384' }],
    ['for another operation', { key_ops: ['encrypt'] }]
  ])('a known key is not found for one that is %s', async (_name, members) => {
    expect(await reasonOf(keyClient, fresh())).toBe('accepted')
    const changed = { ...keyClient, jwks: { keys: [{ ...key.jwk, ...members }] } }
    expect(await reasonOf(changed, fresh())).toBe('no_matching_key')
    expect(await reasonOf(keyClient, fresh())).toBe('accepted')
  })

  test('RSA: the same n with another e is another key', async () => {
    const rsa = keyFor('RS256')
    const token = () => assertionForm(keyAssertion(rsa, { clientId: 'c' }))
    expect(await reasonOf({ ...keyClient, jwks: { keys: [rsa.jwk] } }, token())).toBe('accepted')
    const other = { ...keyClient, jwks: { keys: [{ ...rsa.jwk, e: 'Aw' }] } }
    expect(await reasonOf(other, token())).toBe('signature_mismatch')
  })

  const asks = async (set: JwkSet, body: Body) => {
    const asked: unknown[] = []
    const keySets = { get: (_uri: string, options?: unknown) => Promise.resolve((asked.push(options), set)) }
    const client = { ...keyClient, jwks: undefined, jwks_uri: 'https://c.example.com/jwks' }
    return { reason: await reasonOf(client, body, { keySets }), looks: asked.length }
  }
  const forged = (header: Record<string, unknown>) =>
    assertionForm(keyAssertion(makeKey('ES256', key.kid), { clientId: 'c', header }))

  test('a newer set is asked for by an unknown kid, or without kid, and not by a known one', async () => {
    const set = { keys: [key.jwk] }
    expect(await asks(set, forged({}))).toEqual({ reason: 'signature_mismatch', looks: 1 })
    expect(await asks(set, forged({ kid: undefined }))).toEqual({ reason: 'signature_mismatch', looks: 2 })
    expect(await asks(set, forged({ kid: 'unknown' }))).toEqual({ reason: 'no_matching_key', looks: 2 })
    expect(await asks(set, fresh())).toEqual({ reason: 'accepted', looks: 1 })
  })
})

describe('facts', () => {
  const legacyAudiences = ['https://as.example.com/token', 'https://as.example.com/par']
  const elsewhere = (typ?: string) =>
    assertionForm(keyAssertion(key, { clientId: 'c', claims: { aud: 'https://other.example.com' }, header: { typ } }))

  test('a wrong aud tells the issuer and the legacy audiences, or the issuer alone where typ is strict', async () => {
    const told = async (typ?: string) => (await errorOf(keyClient, elsewhere(typ), { legacyAudiences }))?.detail
    expect(await told()).toMatchObject({
      expected: [issuer, ...legacyAudiences],
      received: 'https://other.example.com'
    })
    expect(await told('client-authentication+jwt')).toMatchObject({ expected: [issuer] })
  })

  test('a refused post request tells whose it was', async () => {
    const client = { client_id: 'c', client_secret: 'right', token_endpoint_auth_method: 'client_secret_post' }
    const wrong = await errorOf(client, { client_id: 'c', client_secret: 'wrong' })
    expect(wrong).toMatchObject({ reason: 'secret_mismatch', clientId: 'c' })
    const unknown = await errorOf(client, { client_id: 'nobody', client_secret: 'wrong' })
    expect(unknown).toMatchObject({ reason: 'unknown_client', clientId: 'nobody' })
  })
})

// Assertion rules: RFC 7521 §5.2, RFC 7523 §3, OIDC Core §9, RFC 8725.
import crypto from 'node:crypto'
import { createClientAuthenticator, type ClientAuthOptions, type OAuthClient } from '../../../lib'
import {
  assertionForm,
  basic,
  issuer,
  jws,
  keyAssertion,
  keyFor,
  makeKey,
  now,
  secretAssertion,
  tokenEndpoint
} from '../../support/assertions'

const key = keyFor('ES256')
const secret = 'a shared secret of sixty-four octets and a few more, for HS512 too'
const keyClient: OAuthClient = {
  client_id: 'key',
  jwks: { keys: [key.jwk] },
  token_endpoint_auth_method: 'private_key_jwt'
}
const secretClient: OAuthClient = {
  client_id: 'hmac',
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_jwt'
}

type Options = Partial<ClientAuthOptions>
const lookedUp: string[] = []

/** Resolves to 'ok', or to the reason of the refusal. */
async function outcome(token: string, options: Options = {}, ...clients: OAuthClient[]): Promise<string> {
  const records = [...clients, keyClient, secretClient]
  const getClient = (id: string) => {
    lookedUp.push(id)
    return records.find(({ client_id }) => client_id === id)
  }
  const authenticate = createClientAuthenticator({ issuer, getClient, ...options })
  return authenticate({ headers: {}, body: assertionForm(token) }).then(
    () => 'ok',
    (error: { reason?: string; code: string; status: number }) => {
      if (error.reason === undefined) throw error as unknown as Error
      expect([error.code, error.status]).toEqual(['invalid_client', options.methods === undefined ? 401 : 400])
      return error.reason
    }
  )
}

type Claims = Record<string, unknown>
const tokenWith = (claims: Claims, header: Claims = {}) => keyAssertion(key, { clientId: 'key', claims, header })

const legacy: Options = { legacyAudiences: [tokenEndpoint] }
const typed = { typ: 'client-authentication+jwt' }
const big = (text: string) => (token: string) => {
  const [head = '', body = '', signature] = token.split('.')
  const claims = Buffer.from(body, 'base64url')
    .toString()
    .replace(/"exp":\d+/, `"exp":${text}`)
  return [head, Buffer.from(claims).toString('base64url'), signature].join('.')
}

// Decided by the request alone: no look-up happens for a refusal.
const requestRows: [name: string, token: () => string, reason: string, options?: Options][] = [
  ['alg none', () => jws({ alg: 'none' }, {}, 'none', ''), 'assertion_alg'],
  ['alg missing', () => jws({}, {}, 'ES256', key.privateKey), 'assertion_alg'],
  ['alg no string', () => jws({ alg: ['ES256'] }, {}, 'ES256', key.privateKey), 'assertion_alg'],
  ['alg of the prototype', () => tokenWith({}, { alg: 'constructor' }), 'assertion_alg'],
  ['alg not among the server’s', () => tokenWith({}), 'assertion_alg', { algorithms: ['RS256', 'HS256'] }],
  [
    'HS256 where client_secret_jwt is off',
    () => secretAssertion(secret, { clientId: 'hmac' }),
    'assertion_alg',
    { methods: ['private_key_jwt'] }
  ],
  ['typ at+jwt', () => tokenWith({}, { typ: 'at+jwt' }), 'assertion_typ'],
  ['typ no string', () => tokenWith({}, { typ: 1 }), 'assertion_typ'],
  ['typ empty', () => tokenWith({}, { typ: '' }), 'assertion_typ'],
  ['typ JWT', () => tokenWith({}, { typ: 'JWT' }), 'ok'],
  ['typ application/jwt', () => tokenWith({}, { typ: 'application/JWT' }), 'ok'],
  ['typ client-authentication+jwt', () => tokenWith({}, { typ: 'Client-Authentication+JWT' }), 'ok'],
  [
    'typ application/client-authentication+jwt',
    () => tokenWith({}, { typ: 'application/client-authentication+jwt' }),
    'ok'
  ],
  ['typ oauth-client-auth+jwt', () => tokenWith({}, { typ: 'OAuth-Client-Auth+JWT' }), 'ok'],
  ['typ application/oauth-client-auth+jwt', () => tokenWith({}, { typ: 'application/oauth-client-auth+jwt' }), 'ok'],
  ['typ oauth-client-auth', () => tokenWith({}, { typ: 'oauth-client-auth' }), 'assertion_typ'],
  // Threat 3: an unknown `crit` is ignored (CVE-2025-59420, CVE-2026-32597)
  ['crit', () => tokenWith({}, { crit: ['x'], x: 1 }), 'assertion_crit'],
  ['crit empty', () => tokenWith({}, { crit: [] }), 'assertion_crit'],
  // Threat 3: `b64: false` (CVE-2026-48525)
  ['b64 false', () => tokenWith({}, { b64: false, crit: ['b64'] }), 'assertion_crit'],
  ['b64 false without crit', () => tokenWith({}, { b64: false }), 'assertion_crit'],
  ['kid no string', () => tokenWith({}, { kid: 1 }), 'assertion_malformed'],
  ['sub missing', () => tokenWith({ sub: undefined }), 'assertion_subject'],
  ['sub an object', () => tokenWith({ sub: { $gt: '' } }), 'assertion_subject'],
  ['sub an array', () => tokenWith({ sub: ['key'] }), 'assertion_subject'],
  ['sub too long', () => tokenWith({ sub: 'x'.repeat(1025), iss: 'x'.repeat(1025) }), 'assertion_subject'],
  ['sub with a control character', () => tokenWith({ sub: 'a\n', iss: 'a\n' }), 'assertion_subject'],
  ['iss missing', () => tokenWith({ iss: undefined }), 'assertion_subject'],
  ['iss another', () => tokenWith({ iss: 'other' }), 'assertion_subject'],
  // Threat 13: `iss` an array
  ['iss an array', () => tokenWith({ iss: ['key'] }), 'assertion_subject'],
  ['aud missing', () => tokenWith({ aud: undefined }), 'assertion_audience'],
  ['aud the issuer in an array', () => tokenWith({ aud: [issuer] }), 'ok'],
  [
    'aud the issuer in an array, strings only',
    () => tokenWith({ aud: [issuer] }),
    'assertion_audience',
    { stringAudience: true }
  ],
  ['aud the issuer as a string, strings only', () => tokenWith({}), 'ok', { stringAudience: true }],
  // Threat 8: an audience beside the issuer (CVE-2025-27370, CVE-2025-27371)
  ['aud the issuer and another', () => tokenWith({ aud: [issuer, 'https://other.example'] }), 'assertion_audience'],
  ['aud the issuer twice', () => tokenWith({ aud: [issuer, issuer] }), 'assertion_audience'],
  ['aud the issuer with a slash', () => tokenWith({ aud: `${issuer}/` }), 'assertion_audience'],
  ['aud in other case', () => tokenWith({ aud: issuer.toUpperCase() }), 'assertion_audience'],
  // Threat 8: the token endpoint as audience
  ['aud the token endpoint', () => tokenWith({ aud: tokenEndpoint }), 'assertion_audience'],
  // Threat 8: an audience compared by its prefix
  ['aud a prefix', () => tokenWith({ aud: 'https://as.example' }), 'assertion_audience'],
  ['aud empty array', () => tokenWith({ aud: [] }), 'assertion_audience'],
  ['aud a number', () => tokenWith({ aud: 1 }), 'assertion_audience'],
  ['legacy: aud the token endpoint', () => tokenWith({ aud: tokenEndpoint }), 'ok', legacy],
  ['legacy: aud the issuer', () => tokenWith({}), 'ok', legacy],
  ['legacy: aud any element', () => tokenWith({ aud: ['https://other.example', tokenEndpoint] }), 'ok', legacy],
  [
    'legacy: aud with an element that is no string',
    () => tokenWith({ aud: [tokenEndpoint, 1] }),
    'assertion_audience',
    legacy
  ],
  // Threat 8: an audience compared by its path
  [
    'legacy: aud of another host with the same path',
    () => tokenWith({ aud: 'https://evil.example/token' }),
    'assertion_audience',
    legacy
  ],
  [
    'legacy: the explicit typ forces the strict rule',
    () => tokenWith({ aud: tokenEndpoint }, typed),
    'assertion_audience',
    legacy
  ],
  ['legacy: the explicit typ with the issuer', () => tokenWith({}, typed), 'ok', legacy],
  [
    'legacy: strings only',
    () => tokenWith({ aud: [tokenEndpoint] }),
    'assertion_audience',
    { ...legacy, stringAudience: true }
  ],
  ['exp missing', () => tokenWith({ exp: undefined }), 'assertion_exp'],
  // Threat 13: `exp` a string
  ['exp a string', () => tokenWith({ exp: String(now() + 60) }), 'assertion_exp'],
  ['exp null', () => tokenWith({ exp: null }), 'assertion_exp'],
  // Threat 13: 1e400, infinity
  ['exp 1e400', () => big('1e400')(tokenWith({})), 'assertion_exp'],
  ['exp -1e400', () => big('-1e400')(tokenWith({})), 'assertion_exp'],
  // Threat 13: times in milliseconds
  ['exp in milliseconds', () => tokenWith({ exp: Date.now() + 60_000 }), 'assertion_milliseconds'],
  ['iat in milliseconds', () => tokenWith({ iat: Date.now() }), 'assertion_milliseconds'],
  ['exp past, within the leeway', () => tokenWith({ exp: now() - 25 }), 'ok'],
  ['exp past the leeway', () => tokenWith({ exp: now() - 31 }), 'assertion_expired'],
  ['exp past, no leeway', () => tokenWith({ exp: now() - 1 }), 'assertion_expired', { clockTolerance: 0 }],
  ['exp a fraction', () => tokenWith({ exp: now() + 60.5 }), 'ok'],
  ['exp at the longest life', () => tokenWith({ exp: now() + 3625 }), 'ok'],
  ['exp past the longest life', () => tokenWith({ exp: now() + 3640 }), 'assertion_lifetime'],
  [
    'exp past a shorter life',
    () => tokenWith({ exp: now() + 100 }),
    'assertion_lifetime',
    { maxAssertionLifetime: 60 }
  ],
  ['nbf ahead, within the leeway', () => tokenWith({ nbf: now() + 25 }), 'ok'],
  ['nbf ahead', () => tokenWith({ nbf: now() + 40 }), 'assertion_not_yet_valid'],
  ['nbf a string', () => tokenWith({ nbf: 'soon' }), 'assertion_not_yet_valid'],
  ['nbf null', () => tokenWith({ nbf: null }), 'assertion_not_yet_valid'],
  ['iat ahead, within the leeway', () => tokenWith({ iat: now() + 25.5 }), 'ok'],
  ['iat ahead', () => tokenWith({ iat: now() + 40 }), 'assertion_not_yet_valid'],
  ['iat an array', () => tokenWith({ iat: [1] }), 'assertion_not_yet_valid'],
  ['jti missing', () => tokenWith({ jti: undefined }), 'ok'],
  ['jti missing though required', () => tokenWith({ jti: undefined }), 'assertion_jti', { requireJti: true }],
  ['jti empty', () => tokenWith({ jti: '' }), 'assertion_jti'],
  ['jti a number', () => tokenWith({ jti: 7 }), 'assertion_jti'],
  ['jti null', () => tokenWith({ jti: null }), 'assertion_jti'],
  [
    'hashed secrets rule out client_secret_jwt',
    () => secretAssertion(secret, { clientId: 'hmac' }),
    'secret_hashed',
    { verifySecret: () => true }
  ]
]

test.each(requestRows.map(([name, ...row]) => [name, row] as const))('%s', async (_name, [token, reason, options]) => {
  lookedUp.length = 0
  expect(await outcome(token(), options)).toBe(reason)
  if (reason !== 'ok') expect(lookedUp).toEqual([])
})

test('the message says what is wrong, and what is expected', async () => {
  const authenticate = createClientAuthenticator({ issuer, getClient: () => keyClient })
  const told = async (claims: Claims) =>
    authenticate({ headers: {}, body: assertionForm(tokenWith(claims)) }).catch((error: Error) => error.message)
  expect(await told({ aud: tokenEndpoint })).toContain(issuer)
  expect(await told({ exp: Date.now() })).toContain('milliseconds')
  expect(await told({ exp: now() - 100 })).toContain('expired')
  expect(await told({ iss: 'x' })).toContain('iss')
  expect(await told({ exp: now() + 9999 })).toContain('3600')
})

// Decided with what is registered: one and the same answer for all refusals.
const rs = keyFor('RS256')
const ed = keyFor('EdDSA')
const other = makeKey('ES256', key.kid)
const jwks = (...keys: { jwk: unknown }[]) => ({ keys: keys.map(({ jwk }) => jwk) }) as NonNullable<OAuthClient['jwks']>
const registered = (fields: Partial<OAuthClient>): OAuthClient => ({ ...keyClient, client_id: 'other', ...fields })
const by =
  (signer: typeof key, header: Claims = {}) =>
  () =>
    keyAssertion(signer, { clientId: 'other', header })
const hmac =
  (value: string, alg = 'HS256') =>
  () =>
    secretAssertion(value, { clientId: 'other' }, alg)
const secretMethod = { token_endpoint_auth_method: 'client_secret_jwt' }
const short = '18 bytes of secret'

const clientRows: [name: string, client: Partial<OAuthClient>, token: () => string, reason: string][] = [
  ['a good assertion', {}, by(key), 'ok'],
  ['an unknown client', { client_id: 'nobody' }, by(key), 'unknown_client'],
  ['an unknown client, RSA', { client_id: 'nobody' }, by(rs), 'unknown_client'],
  ['an unknown client, EdDSA', { client_id: 'nobody' }, by(ed), 'unknown_client'],
  ['an unknown client, HMAC', { client_id: 'nobody' }, hmac(secret), 'unknown_client'],
  [
    'registered for another method',
    { token_endpoint_auth_method: 'client_secret_jwt' },
    by(key),
    'method_not_registered'
  ],
  [
    'registered for no method: client_secret_basic',
    { token_endpoint_auth_method: undefined },
    by(key),
    'method_not_registered'
  ],
  [
    'registered for a list with the method',
    { token_endpoint_auth_method: ['client_secret_basic', 'private_key_jwt'] },
    by(key),
    'ok'
  ],
  [
    'registered for a list without the method',
    { token_endpoint_auth_method: ['client_secret_basic'] },
    by(key),
    'method_not_registered'
  ],
  ['the registered alg', { token_endpoint_auth_signing_alg: 'ES256' }, by(key), 'ok'],
  // Threat 1: an algorithm other than the registered one (CVE-2026-33322)
  ['another alg than the registered one', { token_endpoint_auth_signing_alg: 'PS256' }, by(key), 'alg_not_registered'],
  ['signed by another key under the same kid', {}, by(other), 'signature_mismatch'],
  ['unknown kid', {}, by(key, { kid: 'unknown' }), 'no_matching_key'],
  ['no kid, one key', {}, by(key, { kid: undefined }), 'ok'],
  ['no kid, several keys', { jwks: jwks(other, key) }, by(key, { kid: undefined }), 'ok'],
  ['a kid that two keys share', { jwks: jwks(other, key) }, by(key), 'ok'],
  [
    'no kid, no key verifies',
    { jwks: jwks(other, makeKey('ES256', 'x')) },
    by(key, { kid: undefined }),
    'signature_mismatch'
  ],
  [
    'the ninth of nine fitting keys is not tried',
    { jwks: jwks(...Array.from({ length: 8 }, (_, i) => makeKey('ES256', `k${i}`)), key) },
    by(key, { kid: undefined }),
    'signature_mismatch'
  ],
  ['the key is for encryption', { jwks: { keys: [{ ...key.jwk, use: 'enc' }] } }, by(key), 'no_matching_key'],
  ['the key is for another alg', { jwks: { keys: [{ ...rs.jwk, alg: 'PS256' }] } }, by(rs), 'no_matching_key'],
  ['the key has no alg', { jwks: { keys: [{ ...rs.jwk, alg: undefined }] } }, by(rs), 'ok'],
  ['a key of RSA-1024', { jwks: jwks(makeKey('RS256', 'weak', 1024)) }, by(key, { kid: 'weak' }), 'no_matching_key'],
  [
    'a private key in the set',
    { jwks: { keys: [key.jwk, { ...key.privateKey.export({ format: 'jwk' }), kty: 'EC' }] } },
    by(key),
    'jwks_invalid'
  ],
  ['a symmetric key in the set', { jwks: { keys: [key.jwk, { kty: 'oct', k: 'AAAA' }] } }, by(key), 'jwks_invalid'],
  ['jwks as JSON text', { jwks: JSON.stringify(jwks(key)) as unknown as OAuthClient['jwks'] }, by(key), 'jwks_invalid'],
  ['jwks and jwks_uri', { jwks_uri: 'https://client.example/jwks' }, by(key), 'keys_not_registered'],
  ['neither jwks nor jwks_uri', { jwks: undefined }, by(key), 'keys_not_registered'],
  ['jwks null and jwks_uri null', { jwks: null, jwks_uri: null }, by(key), 'keys_not_registered'],
  [
    'a jwks_uri that the guard refuses',
    { jwks: null, jwks_uri: 'https://127.0.0.1/jwks' },
    by(key),
    'jwks_unavailable'
  ],
  [
    'a key in the header',
    {},
    () => keyAssertion(other, { clientId: 'other', header: { jwk: other.jwk } }),
    'signature_mismatch'
  ],
  ['the public key as HMAC secret', {}, hmac(JSON.stringify(key.jwk)), 'method_not_registered'],
  ['client_secret_jwt', { ...secretMethod, client_secret: secret }, hmac(secret), 'ok'],
  ['client_secret_jwt HS384', { ...secretMethod, client_secret: secret }, hmac(secret, 'HS384'), 'ok'],
  ['client_secret_jwt HS512', { ...secretMethod, client_secret: secret }, hmac(secret, 'HS512'), 'ok'],
  ['client_secret_jwt, UTF-8 secret', { ...secretMethod, client_secret: 'é'.repeat(16) }, hmac('é'.repeat(16)), 'ok'],
  [
    'client_secret_jwt, wrong secret',
    { ...secretMethod, client_secret: secret },
    hmac(`${secret}x`),
    'signature_mismatch'
  ],
  [
    'client_secret_jwt, another alg than registered',
    { ...secretMethod, client_secret: secret, token_endpoint_auth_signing_alg: 'HS512' },
    hmac(secret),
    'alg_not_registered'
  ],
  ['client_secret_jwt, no secret', { ...secretMethod, client_secret: undefined }, hmac(''), 'no_live_secret'],
  ['client_secret_jwt, empty secret', { ...secretMethod, client_secret: '' }, hmac(''), 'no_live_secret'],
  [
    'client_secret_jwt, expired secret',
    { ...secretMethod, client_secret: secret, client_secret_expires_at: 1 },
    hmac(secret),
    'no_live_secret'
  ],
  [
    'client_secret_jwt, the older of two secrets',
    { ...secretMethod, client_secret: ['x'.repeat(32), secret] },
    hmac(secret),
    'ok'
  ],
  // Threat 14: short HMAC secrets
  [
    'client_secret_jwt, short secret, right',
    { ...secretMethod, client_secret: short },
    hmac(short),
    'secret_too_short'
  ],
  [
    'client_secret_jwt, short secret, wrong',
    { ...secretMethod, client_secret: short },
    hmac('another short one!'),
    'signature_mismatch'
  ],
  [
    'client_secret_jwt, 32 octets for HS512',
    { ...secretMethod, client_secret: 'x'.repeat(32) },
    hmac('x'.repeat(32), 'HS512'),
    'secret_too_short'
  ]
]

test.each(clientRows)('%s', async (_name, client, token, reason) => {
  expect(await outcome(token(), {}, registered(client))).toBe(reason)
})

test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
  '%s is verified, and one changed bit is not',
  async (alg) => {
    const signer = keyFor(alg)
    const client = registered({ jwks: { keys: [signer.jwk] } })
    const token = by(signer)()
    const forged = token.slice(0, -5) + (token.at(-5) === 'A' ? 'B' : 'A') + token.slice(-4)
    expect(await outcome(forged, {}, client)).toBe('signature_mismatch')
    expect(await outcome(token, {}, client)).toBe('ok')
  }
)

test('how long a fetched set may be is its fetcher’s business; an inline one has 100 keys at most', async () => {
  const long = { keys: [...Array.from({ length: 150 }, (_, i) => ({ ...key.jwk, kid: `k${i}` })), key.jwk] }
  const keySets = { get: () => Promise.resolve(long) }
  const byUri = registered({ jwks: null, jwks_uri: 'https://client.example/jwks' })
  expect(await outcome(by(key)(), { keySets }, byUri)).toBe('ok')
  expect(await outcome(by(key)(), {}, registered({ jwks: long }))).toBe('jwks_invalid')
})

test('a change of a record in place counts at once', async () => {
  const client = registered({ jwks: { keys: [key.jwk] } })
  expect(await outcome(by(key)(), {}, client)).toBe('ok')
  client.jwks?.keys.pop()
  expect(await outcome(by(key)(), {}, client)).toBe('no_matching_key')
})

describe('the audience per client', () => {
  const legacyAudiences = ({ client_id }: OAuthClient) => (client_id === 'old' ? [tokenEndpoint] : [])
  const old = registered({ client_id: 'old' })
  const token = (clientId: string, claims: Claims = {}, signer = key, header: Claims = {}) =>
    keyAssertion(signer, { clientId, claims, header })

  test.each([
    ['the old partner with the token endpoint', () => token('old', { aud: tokenEndpoint }), 'ok'],
    ['the old partner with the issuer', () => token('old'), 'ok'],
    ['a new partner with the token endpoint', () => token('key', { aud: tokenEndpoint }), 'assertion_audience'],
    ['a new partner with the issuer', () => token('key'), 'ok'],
    ['a new partner with the issuer and another', () => token('key', { aud: [issuer, 'x'] }), 'assertion_audience'],
    ['judged after the signature', () => token('old', { aud: 'https://evil.example' }, other), 'signature_mismatch'],
    [
      'the explicit typ is judged before',
      () => token('old', { aud: tokenEndpoint }, other, typed),
      'assertion_audience'
    ]
  ])('%s', async (_name, make, reason) => {
    expect(await outcome(make(), { legacyAudiences }, old)).toBe(reason)
  })

  test('is asked for where an assertion is judged by it, and nowhere else', async () => {
    const asked: string[] = []
    const ask = ({ client_id: id }: OAuthClient) => {
      asked.push(id)
      return undefined as unknown as string[] // a record without the field that only old partners have
    }
    expect(await outcome(keyAssertion(key, { clientId: 'key', header: typed }), { legacyAudiences: ask })).toBe('ok')
    const shop = { client_id: 'shop', client_secret: 'a secret of the shop' }
    const authenticate = createClientAuthenticator({ issuer, getClient: () => shop, legacyAudiences: ask })
    const sent = { headers: { authorization: basic('shop', shop.client_secret) } }
    expect(await authenticate(sent)).toMatchObject({ method: 'client_secret_basic' })
    expect(await authenticate.explain(sent)).toMatchObject({ accepted: true })
    expect(asked).toEqual([])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
      'broken'
    ],
    ['returns no list', () => 'https://as.example.com/token' as unknown as string[], 'legacyAudiences must return'],
    ['returns an empty string', () => [''], 'legacyAudiences must return']
  ])('a function that %s is the server’s error', async (_name, broken, words) => {
    await expect(outcome(token('key'), { legacyAudiences: broken })).rejects.toThrow(words)
  })
})

// Threat 45: keys that are imported again at each request
test('a key is imported once, for all requests and algorithms', async () => {
  const fresh = makeKey('RS256', 'rsa', 2048)
  const client: OAuthClient = { ...keyClient, client_id: 'new', jwks: { keys: [{ ...fresh.jwk, alg: undefined }] } }
  const imports = jest.spyOn(crypto, 'createPublicKey')
  try {
    for (const alg of ['RS256', 'PS256', 'RS256', 'RS512'])
      expect(await outcome(keyAssertion({ ...fresh, alg }, { clientId: 'new' }), {}, client)).toBe('ok')
    expect(imports).toHaveBeenCalledTimes(1)
  } finally {
    imports.mockRestore()
  }
})

test('fifty requests at once with a key that is new: all are let in', async () => {
  const fresh = makeKey('RS256', 'rsa', 2048)
  const client: OAuthClient = { ...keyClient, client_id: 'new', jwks: { keys: [fresh.jwk] } }
  const answers = Array.from({ length: 50 }, () => outcome(keyAssertion(fresh, { clientId: 'new' }), {}, client))
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['ok']))
})

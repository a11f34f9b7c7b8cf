import { randomUUID } from 'node:crypto'
import type { ClientAuthErrorReason, OAuthClient } from '../../lib'
import { assertionForm, issuer, keyAssertion, keyFor, now, secretAssertion, tokenEndpoint } from './assertions'

/** An assertion that is refused, and what `explain` must say of it. */
export interface BrokenAssertion {
  name: string
  reason: ClientAuthErrorReason
  /** What the failed finding holds as `expected` and `received`. */
  expected: unknown
  received: unknown
  /** Words of the advice that no other cause of the same reason has. */
  advice: string
  assertion: () => string
  /** What the client is registered with, in place of its EC key. */
  registered?: Partial<OAuthClient>
  /** Sent once before. */
  isUsed?: boolean
}

export const ec = keyFor('ES256')
export const rsa = keyFor('RS256')

const by = (claims = {}, header = {}, key = ec) => keyAssertion(key, { clientId: 'bank', claims, header })
const withClaims =
  (claims = {}, header = {}) =>
  () =>
    by(claims, header)

const requestId = randomUUID()
const audience = (name: string, aud: unknown, advice: string): BrokenAssertion => ({
  name,
  reason: 'assertion_audience',
  expected: [issuer],
  received: aud,
  advice,
  assertion: withClaims({ aud })
})
const keySet = (name: string, jwks: unknown, expected: unknown, advice: string, kid = ec.kid): BrokenAssertion => ({
  name,
  reason: 'no_matching_key',
  expected,
  received: { kid, alg: 'ES256' },
  advice,
  assertion: withClaims({}, { kid }),
  registered: { jwks: jwks as { keys: [] } }
})
const badSet = (name: string, jwks: unknown, received: RegExp, advice: string): BrokenAssertion => ({
  name,
  reason: 'jwks_invalid',
  expected: 'a JWK Set of public keys',
  received: expect.stringMatching(received),
  advice,
  assertion: withClaims(),
  registered: { jwks: jwks as { keys: [] } }
})

const { kty, crv, x, y } = ec.jwk as Record<string, string>
const pem = '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n'

/** The four-and-twenty of real integrations, but for the `jwks_uri` with a self-signed certificate. */
export const brokenAssertions: readonly BrokenAssertion[] = [
  audience('aud is the token endpoint', tokenEndpoint, 'in place of the endpoint URL'),
  audience('aud has a slash at its end', `${issuer}/`, 'differ by a slash at the end'),
  audience('aud is an array', [issuer, tokenEndpoint], 'not as an array'),
  audience('aud is another host', 'https://login.example.net', 'addressed to another host'),
  audience('aud only begins like the issuer', `${issuer}.example.net`, 'only begins like it'),
  {
    name: 'exp in milliseconds',
    reason: 'assertion_milliseconds',
    expected: 'seconds since the epoch',
    received: expect.any(Number),
    advice: 'Divide the time by 1000',
    assertion: () => by({ exp: Date.now() + 60_000 })
  },
  {
    name: 'expired',
    reason: 'assertion_expired',
    expected: 'at most 30 s before now',
    received: expect.any(Number),
    advice: 'Make a new assertion for each request',
    assertion: () => by({ exp: now() - 3600 })
  },
  {
    name: 'not yet valid',
    reason: 'assertion_not_yet_valid',
    expected: 'at most 30 s after now',
    received: expect.any(Number),
    advice: 'ahead of that of the server',
    assertion: () => by({ nbf: now() + 300, exp: now() + 600 })
  },
  {
    name: 'valid for a day',
    reason: 'assertion_lifetime',
    expected: 'at most 3600 s after now',
    received: expect.any(Number),
    advice: 'expire sooner',
    assertion: () => by({ exp: now() + 86_400 })
  },
  {
    name: 'iss is not sub',
    reason: 'assertion_subject',
    expected: 'iss = sub = client_id',
    received: { iss: 'https://bank.example', sub: 'bank' },
    advice: 'Set iss and sub to the client_id',
    assertion: withClaims({ iss: 'https://bank.example' })
  },
  {
    name: 'sub is made for each request',
    reason: 'assertion_subject',
    expected: 'iss = sub = client_id',
    received: { iss: 'bank', sub: requestId },
    advice: 'the value made for each request is jti',
    assertion: withClaims({ sub: requestId })
  },
  {
    name: 'exp is missing',
    reason: 'assertion_exp',
    expected: 'a number of seconds since the epoch',
    received: 'none',
    advice: 'Add exp',
    assertion: withClaims({ exp: undefined })
  },
  {
    name: 'jti is empty',
    reason: 'assertion_jti',
    expected: 'a non-empty string',
    received: '',
    advice: 'a random UUID',
    assertion: withClaims({ jti: '' })
  },
  {
    name: 'typ is that of an access token',
    reason: 'assertion_typ',
    expected: ['JWT', 'client-authentication+jwt', 'oauth-client-auth+jwt', 'or none'],
    received: 'at+jwt',
    advice: 'an access token does not authenticate a client',
    assertion: withClaims({}, { typ: 'at+jwt' })
  },
  {
    name: 'crit demands an extension',
    reason: 'assertion_crit',
    expected: 'neither crit nor b64',
    received: ['exp'],
    advice: 'Leave crit and b64 out',
    assertion: withClaims({}, { crit: ['exp'] })
  },
  {
    name: 'HS256 where a key is registered',
    reason: 'method_not_registered',
    expected: 'private_key_jwt',
    received: 'client_secret_jwt',
    advice: 'Sign with the private key',
    assertion: () => secretAssertion('a secret of at least thirty-two octets', { clientId: 'bank' })
  },
  keySet(
    'an unknown kid',
    { keys: [ec.jwk] },
    [{ kid: ec.kid, kty: 'EC', alg: 'ES256', fault: 'has another kid' }],
    'under the kid that the assertion names',
    'bank-2027'
  ),
  {
    name: 'RS256 where an EC key is registered',
    reason: 'no_matching_key',
    expected: [{ kid: rsa.kid, kty: 'EC', alg: undefined, fault: 'is not for RS256' }],
    received: { kid: rsa.kid, alg: 'RS256' },
    advice: 'fits the registered key',
    assertion: () => by({}, {}, rsa),
    registered: { jwks: { keys: [{ kty, crv, x, y, kid: rsa.kid }] } }
  },
  keySet(
    'the key is for encryption',
    { keys: [{ ...ec.jwk, use: 'enc' }] },
    [{ kid: ec.kid, kty: 'EC', alg: 'ES256', fault: 'is not for signatures (use)' }],
    'a key for encryption verifies no signature'
  ),
  badSet('keys as PEM', { keys: [pem] }, /PEM/, 'Convert the PEM to a JWK'),
  badSet('keys as text', JSON.stringify({ keys: [ec.jwk] }), /a text/, 'Parse the text'),
  badSet(
    'a private key in the set',
    { keys: [{ ...ec.jwk, d: 'a-private-value-that-nobody-may-read' }] },
    /ES256-key has d$/,
    'the private key has been given away'
  ),
  {
    name: 'used before',
    reason: 'assertion_replayed',
    expected: 'an assertion that was not used before',
    received: 'one that was',
    advice: 'new jti for each request',
    assertion: withClaims(),
    isUsed: true
  }
]

/** The record of the client that sends a broken assertion. */
export const recordFor = ({ registered }: Pick<BrokenAssertion, 'registered'>): OAuthClient => ({
  client_id: 'bank',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [ec.jwk] },
  ...registered
})

export const formOf = (token: string): URLSearchParams => new URLSearchParams(assertionForm(token))

import { inspect, isDeepStrictEqual } from 'node:util'
import { ClientAuthError, createClientAuthenticator, type AuthenticatedClient, type OAuthClient } from '../../../lib'
import { issuer, JWT_BEARER, keyFor } from '../assertions'
import type { Options } from '../token-server'

export const keys = { ec: keyFor('ES256'), ed: keyFor('EdDSA'), rsa: keyFor('PS256'), stranger: keyFor('ES384') }
export const secrets = {
  plain: 'a plain secret of well over thirty-two octets',
  odd: 'sécret & 100% : open + now, über alles, and longer',
  old: 'an old secret, over thirty-two octets as well',
  hmac: 'the key of every HMAC here, of sixty-four octets or more, I promise'
}

const signing = { token_endpoint_auth_method: 'private_key_jwt' }
/** Sound records, one of each kind. */
export const records: readonly OAuthClient[] = [
  { client_id: 'basic', client_secret: secrets.plain },
  { client_id: 'odd id: 50% + &=', client_secret: secrets.odd },
  { client_id: 'post', client_secret: secrets.plain, token_endpoint_auth_method: 'client_secret_post' },
  {
    client_id: 'rotating',
    client_secret: [secrets.plain, { value: secrets.odd }, { value: secrets.old, expires_at: 1 }],
    token_endpoint_auth_method: ['client_secret_basic', 'client_secret_post']
  },
  { client_id: 'hmac', client_secret: secrets.hmac, token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'keys', jwks: { keys: [keys.ec.jwk, keys.ed.jwk, keys.rsa.jwk] }, ...signing },
  { client_id: 'one key', jwks: { keys: [keys.ec.jwk] }, ...signing, token_endpoint_auth_signing_alg: 'ES256' },
  { client_id: 'secret and key', client_secret: secrets.hmac, jwks: { keys: [keys.ec.jwk] }, ...signing },
  { client_id: 'public', token_endpoint_auth_method: 'none' }
]

/** What a request presents, beside what the package makes of it. */
export interface Presented {
  authorization?: unknown
  body?: unknown
}

/** How one request ended. */
export type Outcome =
  | { result: AuthenticatedClient }
  | { refused: ClientAuthError }
  /** Passed on to the application's error handler. */
  | { thrown: Error }

/** Fails with words: `expect` would cost more than the request itself. */
export function must(holds: boolean, what: string, ...seen: unknown[]): asserts holds {
  if (!holds) throw new Error(`${what}: ${inspect(seen, { depth: 5 })}`)
}

/** `getClient` must see nothing but 1 to 1024 printable ASCII characters. */
export function mustBeBounded(id: unknown): void {
  must(typeof id === 'string' && id.length > 0 && id.length <= 1024 && !/[^ -~]/.test(id), 'the look-up saw', id)
}

export const findRecord = (id: unknown): OAuthClient | undefined => {
  mustBeBounded(id)
  return records.find((record) => record.client_id === id)
}

const wireText = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/

/** Every answer is well-formed OAuth JSON with the headers of its kind. */
export function mustBeWellFormed(status: number, headers: Record<string, unknown>, body: unknown): void {
  const { error, error_description: words, ...more } = Object(body) as Record<string, unknown>
  const expected: Record<string, readonly unknown[]> = {
    400: ['invalid_request', 'invalid_client'],
    401: ['invalid_client'],
    413: ['invalid_request']
  }
  must(expected[status]?.includes(error) === true, 'an answer that nobody expects', status, body)
  must(typeof words === 'string' && wireText.test(words), 'unsafe words', words)
  must(isDeepStrictEqual(more, {}), 'more than OAuth JSON', more)
  must(headers['cache-control'] === 'no-store' && headers.pragma === 'no-cache', 'an answer that caches keep', headers)
  must((status === 401) === (headers['www-authenticate'] !== undefined), 'the challenge', status, headers)
}

const shown = (error: Error): string =>
  [inspect(error, { depth: Infinity, showHidden: true }), error.stack, JSON.stringify(error)].join('\n')

/** No secret, assertion or header value in whatever leaves the package. */
export function mustNotLeak(error: Error, { authorization, body }: Presented): void {
  const text = shown(error)
  const { client_secret, client_assertion } = Object(body) as Record<string, unknown>
  const hidden = [authorization, String(authorization).slice(6), client_secret, client_assertion]
  // Short ones occur in any text, and an id may be told
  const isTold = (value: unknown) =>
    (error instanceof ClientAuthError && value === error.clientId) || value === JWT_BEARER
  const leak = [...hidden, ...Object.values(secrets)].find(
    (value) => typeof value === 'string' && value.length >= 24 && text.includes(value) && !isTold(value)
  )
  must(leak === undefined, 'leaked', leak, text)
}

function check(error: ClientAuthError): void {
  const headers = Object.fromEntries(Object.entries(error.headers).map(([name, value]) => [name.toLowerCase(), value]))
  mustBeWellFormed(error.status, headers, JSON.parse(JSON.stringify(error)))
}

/** An authenticator that never rejects, and whose refusals are all in good form. */
export function authenticator(options: Options = {}) {
  const authenticate = createClientAuthenticator({ issuer, getClient: findRecord, ...(options as object) })
  let refusals = 0
  return async ({ authorization, body }: Presented): Promise<Outcome> => {
    try {
      return { result: await authenticate({ headers: { authorization } as Record<string, string>, body }) }
    } catch (error) {
      must(error instanceof Error, 'rejected with something that is no Error', error)
      // Printing an error costs ten times what the request does
      if (refusals++ % 8 === 0) mustNotLeak(error, { authorization, body })
      if (!(error instanceof ClientAuthError)) return { thrown: error }
      check(error)
      return { refused: error }
    }
  }
}

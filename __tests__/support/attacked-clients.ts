// Clients of every kind, and what must never let anybody in as one of them.
import { issuer, keyAssertion, keyFor, makeKey, now } from './assertions'
import { post, tokenServer, type Options } from './token-server'
import type { OAuthClient } from '../../lib'

export const key = keyFor('ES256')
export const rsa = keyFor('RS256')
export const attacker = makeKey('ES256', 'attacker')
export const secret = 'a shared secret of sixty-four octets and a few more, for HS512 too'
export const both = { client_secret: secret, jwks: { keys: [key.jwk, rsa.jwk] } }
export const everyMethod = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt']

export const clients: OAuthClient[] = [
  { client_id: 'basic', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'key', ...both, token_endpoint_auth_method: 'private_key_jwt' },
  { client_id: 'hmac', ...both, token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'moving', ...both, token_endpoint_auth_method: everyMethod },
  { client_id: 'keys only', jwks: { keys: [key.jwk] }, token_endpoint_auth_method: everyMethod },
  { client_id: 'empty', client_secret: '', token_endpoint_auth_method: everyMethod },
  { client_id: 'empty among', client_secret: ['', secret], token_endpoint_auth_method: everyMethod }
]

export const good = (clientId: string) => keyAssertion(key, { clientId })
export const claimsOf = (clientId: string) => ({ iss: clientId, sub: clientId, aud: issuer, exp: now() + 60 })

export type Attack = [name: string, form: () => Record<string, string> | string, headers?: Record<string, string>]

/** Nothing of these may ever be let in, whoever the client is and whatever it is registered for. */
export async function mustBeRefused(form: Record<string, string> | string, headers = {}, options: Options = {}) {
  const answer = await post(tokenServer(options, ...clients), form, headers)
  expect([answer.status, answer.body]).toEqual([
    expect.any(Number),
    { error: expect.any(String), error_description: expect.any(String) }
  ])
  expect([400, 401]).toContain(answer.status)
}

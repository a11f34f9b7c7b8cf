import { given } from '../basics/given'
import type { ClientAuthMethod, OAuthClient } from '../types'
import { isRegisteredFor } from './registered-methods'
import { decoySecret } from './stored-secrets'

/** Real records have `{}` as the key set of a client without keys. */
const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !('keys' in value) && Object.keys(value).length === 0

/** Where a client's keys are: inline, behind a URI, or, against RFC 7591 §2, both or neither. */
export const keySourceOf = ({ jwks, jwks_uri: uri }: Partial<OAuthClient>) => {
  const set = given(jwks)
  return { jwks: isEmptyObject(set) ? undefined : set, uri: given(uri) }
}

/** The only algorithm that the client may use, where one is registered (OIDC Registration §2). */
export const registeredAlg = ({ token_endpoint_auth_signing_alg: alg }: Partial<OAuthClient>): string | undefined =>
  given(alg)

/**
 * Stand-in record for an unknown client, so that refusing it takes as long as refusing a known one. It has no keys, so a
 * decoy key is used.
 */
export const nobody: OAuthClient = Object.freeze({
  client_id: '',
  client_secret: decoySecret,
  jwks: Object.freeze({ keys: [] })
})

/** The method, among those that the credentials may mean and the server accepts, that the client is registered for. */
export const methodOf = (
  methods: readonly ClientAuthMethod[],
  accepted: ReadonlySet<string>,
  client: OAuthClient
): ClientAuthMethod | undefined => {
  for (const method of methods) if (accepted.has(method) && isRegisteredFor(client, method)) return method
  return undefined
}

/** RFC 8705 §3.4: whether access tokens must be bound. What is no boolean counts as yes: a careless record fails closed. */
export const wantsBoundTokens = ({ tls_client_certificate_bound_access_tokens: bound }: OAuthClient): boolean =>
  ![undefined, false].includes(given(bound))

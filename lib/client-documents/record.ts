import { deepFrozen } from '../basics/deep-frozen'
import { hostFault, urlFault } from '../guarded-fetch/guard'
import { usableKeySet } from '../jwt/jwk-set'
import { owned, type RecordOwner } from '../methods/record-owner'
import type { OAuthClient } from '../types'
import { type DocumentSubject, listMembers, needsKeys, textMembers } from './document-rules'

/**
 * The record of a client that nobody registered: what its document says, as far as it was judged. Whatever else the
 * document holds is left out, since a URL that nobody judged would be fetched by some other part of a server.
 */
export interface ClientDocument extends OAuthClient {
  client_name?: string
  client_uri?: string
  logo_uri?: string
  tos_uri?: string
  policy_uri?: string
  redirect_uris?: readonly string[]
  grant_types?: readonly string[]
  response_types?: readonly string[]
  scope?: string
  contacts?: readonly string[]
  application_type?: string
  software_id?: string
  software_version?: string
}

/** URLs for people. One that is not a public https URL is left out, and the client works on. */
const uriMembers = ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri']
const asIs = [...textMembers, ...listMembers, 'redirect_uris', 'tls_client_certificate_bound_access_tokens']

/** A fragment is for the browser: nothing else differs from a URL that may be fetched. */
function isForPeople(value: unknown): boolean {
  if (typeof value !== 'string') return false
  const page = value.replace(/#[\x21-\x7e]*$/, '')
  return urlFault(page) === undefined && hostFault(new URL(page).hostname) === undefined
}

/** The record that a document which keeps the rules registers. */
export function recordOf(subject: DocumentSubject, by: RecordOwner): ClientDocument {
  const { url, members, methods } = subject
  const pick = (names: readonly string[], test = (value: unknown): boolean => value !== undefined) =>
    Object.fromEntries(names.map((name) => [name, members[name]] as const).filter(([, value]) => test(value)))
  const { jwks, jwks_uri: uri, token_endpoint_auth_signing_alg: alg } = members
  const keys = () => (jwks === undefined ? { jwks_uri: uri as string } : { jwks: usableKeySet(jwks) })
  const record = {
    client_id: url,
    ...pick(asIs),
    ...pick(uriMembers, isForPeople),
    token_endpoint_auth_method: methods.length === 1 ? String(methods[0]) : methods,
    ...(alg !== undefined && methods.includes('private_key_jwt')
      ? { token_endpoint_auth_signing_alg: alg as string }
      : {}),
    ...(needsKeys(subject) ? keys() : {})
  }
  return owned(deepFrozen(record), by)
}

import { given } from '../basics/given'
import { distance } from '../basics/option-fixes'

/** Where a member of the metadata is defined, for the members about client authentication. */
const sources: Readonly<Record<string, string>> = {
  client_id: 'RFC 7591',
  client_secret: 'RFC 7591',
  client_secret_expires_at: 'RFC 7591',
  jwks: 'RFC 7591',
  jwks_uri: 'RFC 7591',
  token_endpoint_auth_method: 'RFC 7591',
  token_endpoint_auth_methods_supported: 'OpenID RP Metadata Choices',
  token_endpoint_auth_signing_alg: 'OpenID Connect Registration',
  tls_client_auth_subject_dn: 'RFC 8705',
  tls_client_auth_san_dns: 'RFC 8705',
  tls_client_auth_san_uri: 'RFC 8705',
  tls_client_auth_san_ip: 'RFC 8705',
  tls_client_auth_san_email: 'RFC 8705',
  tls_client_certificate_bound_access_tokens: 'RFC 8705'
}

/** Names in use, or near at hand, that are not merely misspelt: Open Banking's directories had the first. */
const otherNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    tlsclientauthdn: 'tls_client_auth_subject_dn',
    tlsclientauthsandnsname: 'tls_client_auth_san_dns',
    certificateboundaccesstokens: 'tls_client_certificate_bound_access_tokens',
    tokenendpointauthenticationmethod: 'token_endpoint_auth_method',
    tokenendpointauthalg: 'token_endpoint_auth_signing_alg',
    tokenendpointauthsigningalgorithm: 'token_endpoint_auth_signing_alg',
    secret: 'client_secret'
  })
)

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '')

const plainSources = Object.keys(sources).map((right) => ({ right, plainRight: plain(right) }))

/** Whether two plain names are one, give or take a slip of the finger in a long one. */
function isSpelling(name: string, right: string): boolean {
  const slips = right.length > 6 ? (right.length < 10 ? 1 : 2) : 0
  // Names may be as long as a body: the distance is computed of those alone that can be near
  return name === right || (Math.abs(name.length - right.length) <= slips && distance(name, right) <= slips)
}

/** The right name for a member of another name; `undefined` where none is meant. */
function rightName(other: string): string | undefined {
  if (Object.hasOwn(sources, other)) return undefined
  const name = plain(other)
  return otherNames.get(name) ?? plainSources.find(({ plainRight }) => isSpelling(name, plainRight))?.right
}

/**
 * The first member whose name is not read: it would be ignored, so that a client seems to be registered and is refused
 * at each request, or is let in without what the member demands.
 */
export function misnamed(metadata: Readonly<Record<string, unknown>>): string | undefined {
  for (const [other, value] of Object.entries(metadata)) {
    const name = given(value) === undefined ? undefined : rightName(other)
    if (name !== undefined && metadata[name] !== value)
      return `${other} is not read: ${String(sources[name])} calls it ${name}.`
  }
  return undefined
}

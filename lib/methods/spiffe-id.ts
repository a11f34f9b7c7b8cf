/** SPIFFE-ID §2: a trust domain and a path of segments, within 2,048 octets. */
const pattern = /^(spiffe:\/\/[a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/

/**
 * The trust domain of a SPIFFE ID, as a key of `trustedIssuers`, or `undefined` for any other value. Strict, since a
 * parser that forgives (a port, a user, `%2e%2e`, an empty segment) would read another identity than the issuer meant.
 */
export function trustDomainOf(id: unknown): string | undefined {
  if (typeof id !== 'string' || id.length > 2048) return undefined
  const [, trustDomain, path = ''] = pattern.exec(id) ?? []
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? undefined : trustDomain
}

/** Whether a text is a trust domain alone. */
export const isTrustDomain = (text: string): boolean => trustDomainOf(text) === text

/** What a registered `spiffe_id` stands for: one ID, or with `/*` at its end all with whole segments below. */
const withoutWildcard = (registered: string): string => registered.replace(/\/\*$/, '')

/** The trust domain of a registered `spiffe_id`, or `undefined` where it is none. */
export const registeredTrustDomain = (registered: unknown): string | undefined =>
  typeof registered === 'string' ? trustDomainOf(withoutWildcard(registered)) : undefined

/** Whether a SPIFFE ID is the registered one or, where that ends in `/*`, lies below it (draft §5.1). */
export function fitsSpiffeId(id: string, registered: unknown): boolean {
  if (registeredTrustDomain(registered) === undefined) return false
  const base = withoutWildcard(String(registered))
  return base === registered ? id === base : id.startsWith(`${base}/`)
}

/**
 * The trust domain of a SPIFFE ID (SPIFFE-ID §2), as a key of `trustedIssuers`, or `undefined` for any other value.
 * Strict, since a parser that forgives (a port, a user, `%2e%2e`, an empty segment) reads another identity than was meant.
 */
export function trustDomainOf(id: unknown): string | undefined {
  if (typeof id !== 'string' || id.length > 2048) return undefined
  const [, trustDomain, path = ''] = /^(spiffe:\/\/[a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/.exec(id) ?? []
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? undefined : trustDomain
}

const withoutWildcard = (registered: string): string => registered.replace(/\/\*$/, '')

/** The trust domain of a registered `spiffe_id`, exact or with `/*` at its end; `undefined` where it is none. */
export const registeredTrustDomain = (registered: unknown): string | undefined =>
  typeof registered === 'string' ? trustDomainOf(withoutWildcard(registered)) : undefined

/** Whether a SPIFFE ID is the registered one or, where that ends in `/*`, has whole segments below it (draft §5.1). */
export function fitsSpiffeId(id: string, registered: string): boolean {
  const base = withoutWildcard(registered)
  return base === registered ? id === base : id.startsWith(`${base}/`)
}

import { given } from '../basics/given'
import type { ClientAuthMethod, OAuthClient } from '../types'

type MethodMember = 'token_endpoint_auth_method' | 'token_endpoint_auth_methods_supported'

/** A member, unless it is that of every object: then a dependency of the application polluted their prototype. */
function memberOf(client: Partial<OAuthClient>, name: MethodMember): unknown {
  const value = client[name]
  if (value === undefined || Object.hasOwn(client, name)) return value // as of most records
  let holder = Object.getPrototypeOf(client) as object | null
  while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder) as object | null
  return holder === Object.prototype ? undefined : value
}

/**
 * The method, or the methods, of a record of the application's own. The singular member stands alone: the plural never
 * widens it (OpenID RP Metadata Choices). Without both it is RFC 7591's default.
 */
export function registeredMethod(client: Partial<OAuthClient>): unknown {
  const one = memberOf(client, 'token_endpoint_auth_method')
  const offered = memberOf(client, 'token_endpoint_auth_methods_supported')
  if (given(one) !== undefined) return one
  if (given(offered) === undefined) return 'client_secret_basic'
  return Array.isArray(offered) ? offered : []
}

/** Whether a client is registered for a method. */
export function isRegisteredFor(client: OAuthClient, method: string): boolean {
  const methods = registeredMethod(client)
  return Array.isArray(methods) ? methods.includes(method) : methods === method
}

/**
 * The methods that a client document may register. Secrets cannot be published, and with `tls_client_auth` the client
 * would choose a name that an authority of the operator vouches for.
 */
export const documentMethods = ['private_key_jwt', 'self_signed_tls_client_auth', 'none'] as const

/**
 * The methods that a client document registers, of those that the server accepts; none where its members contradict
 * each other or nothing fits. `none` is registered beside a method with a key only where it is the
 * `token_endpoint_auth_method`: else anybody could come as this client without its key.
 */
export function methodsOfDocument(
  one: unknown,
  choices: unknown,
  accepted: readonly ClientAuthMethod[]
): readonly ClientAuthMethod[] {
  const offered: unknown[] = Array.isArray(choices) ? choices : []
  if (choices === undefined) offered.push(one ?? 'none') // RFC 7591's default, a secret, is forbidden here
  if (one !== undefined && !offered.includes(one)) return []
  const usable = [...new Set(offered)].filter((method) => accepted.some((known) => known === method))
  const methods = usable as ClientAuthMethod[]
  if (one === 'none' && methods.includes(one)) return methods
  const named = methods.filter((method) => method === one)
  if (named.length > 0) return named
  const keyed = methods.filter((method) => method !== 'none')
  return keyed.length > 0 ? keyed : methods
}

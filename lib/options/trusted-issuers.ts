import * as check from '../basics/option-checks'
import { isObject } from '../basics/is-object'
import { usableKeySet } from '../jwt/jwk-set'
import { discoveryUrl } from '../methods/issuer-keys'
import type { KnownIssuer } from '../methods/method'
import { trustDomainOf } from '../methods/spiffe-id'
import type { ClientAuthMethod, JwkSet, KeySets, TrustedIssuer } from '../types'

/** The rule for the whole option. Each entry is checked by {@link knownIssuers}. */
export const isIssuerMap = check.optionRule("an object by issuer, such as { 'https://idp.example.com': {} }", isObject)

const rules = {
  jwks: check.optionRule('a JWK Set: { keys: [ … ] }', isObject),
  jwks_uri: check.isText,
  audience: check.isText,
  reusable: check.isBoolean,
  maxLifetime: check.isNumber('seconds', 1, 604_800)
}

/** An https URL without user, query and fragment (OIDC Discovery §3). Never plain http: keys come from there. */
const isHttpsIssuer = (issuer: string): boolean => /^https:\/\/[^\s?#@\\]+$/.test(issuer) && URL.canParse(issuer)

/** Says why the keys of an issuer cannot be had, in words that follow "which", or `undefined` if they can. */
function keysFault(issuer: string, { jwks, jwks_uri: uri }: TrustedIssuer, keySets: KeySets): string | undefined {
  const isSpiffe = issuer.startsWith('spiffe:')
  if (jwks !== undefined)
    return uri === undefined ? jwksFault(jwks, isSpiffe) : 'has jwks and jwks_uri: keep one of them'
  if (isSpiffe && uri === undefined) return 'needs jwks or jwks_uri: nothing can be derived from a trust domain'
  if (uri === undefined && keySets.document === undefined)
    return 'needs jwks or jwks_uri: the option "keySets" has no method document, by which its keys could be discovered'
  try {
    keySets.check?.(uri ?? discoveryUrl(issuer))
    return undefined
  } catch (error) {
    return `cannot have its keys fetched: ${(error as Error).message}`
  }
}

function jwksFault(jwks: JwkSet, isSpiffe: boolean): string | undefined {
  try {
    const { keys } = usableKeySet(jwks, undefined, [isSpiffe ? 'jwt-svid' : 'sig'])
    return keys.length > 0 ? undefined : `has jwks without a usable key${isSpiffe ? ' that has use: jwt-svid' : ''}`
  } catch (error) {
    return `has jwks that cannot be used: ${(error as Error).message}`
  }
}

/** The trusted issuers, by name, completed; throws a `TypeError` for one that cannot be meant. */
export function knownIssuers(
  caller: string,
  methods: readonly ClientAuthMethod[],
  server: { issuer: string; keySets: KeySets },
  trustedIssuers: Readonly<Record<string, TrustedIssuer>> = {}
): ReadonlyMap<string, KnownIssuer> {
  const option = `${caller}: option "trustedIssuers"`
  const known = Object.entries(trustedIssuers).map(([issuer, entry]): [string, KnownIssuer] => {
    const fail = (words: string): never => {
      throw new TypeError(`${option} has "${issuer}", which ${words}`)
    }
    check.checkOptions(`${option} has "${issuer}"`, entry, rules, '{ jwks_uri }')
    if (!isHttpsIssuer(issuer) && trustDomainOf(issuer) !== issuer)
      fail('must be an https URL without query, or a trust domain such as spiffe://example.org, without port and path')
    if (issuer === server.issuer) fail('is this server: its access tokens would authenticate clients')
    const fault = keysFault(issuer, entry, server.keySets)
    if (fault !== undefined) fail(fault)
    const method = issuer.startsWith('spiffe:') ? 'spiffe_jwt' : 'federated_jwt'
    if (!methods.includes(method)) fail(`needs ${method} among the "methods"`)
    const { jwks, jwks_uri: jwksUri, audience = server.issuer, reusable = false, maxLifetime = 3600 } = entry
    return [issuer, Object.freeze({ issuer, method, jwks, jwksUri, audience, reusable, maxLifetime })]
  })
  const method = methods.find((name) => name === 'federated_jwt' || name === 'spiffe_jwt')
  if (method !== undefined && known.length === 0)
    throw new TypeError(`${option} names no issuer, but "methods" has ${method}: give { issuer: {} }`)
  return new Map(known)
}

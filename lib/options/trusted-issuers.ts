import * as check from '../basics/option-checks'
import { isObject } from '../jwt/jwk'
import { usableKeySet } from '../jwt/jwk-set'
import { discoveryUrl } from '../methods/issuer-keys'
import type { KnownIssuer } from '../methods/method'
import { isTrustDomain } from '../methods/spiffe-id'
import type { ClientAuthMethod, JwkSet, KeySets, TrustedIssuer } from '../types'

const optionName = 'trustedIssuers'

/** The rule for the whole option. Each entry is checked by {@link knownIssuers}. */
export const isIssuerMap = check.optionRule("an object by issuer, such as { 'https://idp.example.com': {} }", (value) =>
  isObject(value)
)

const rules = {
  jwks: check.optionRule('a JWK Set: { keys: [ … ] }', isObject),
  jwks_uri: check.isText,
  audience: check.isText,
  reusable: check.isBoolean,
  maxLifetime: check.isNumber('seconds', 1, 604_800)
}

/** An https URL without query and fragment, as OIDC Discovery §3 wants it. Never plain http: keys come from there. */
function isHttpsIssuer(issuer: string): boolean {
  if (!/^https:\/\/[\x21-\x7e]+$/.test(issuer) || !URL.canParse(issuer)) return false
  const { username, password } = new URL(issuer)
  return !/[?#]/.test(issuer) && username === '' && password === ''
}

/** What an entry cannot be, in words that follow its name; `undefined` where it can. */
function entryFault(issuer: string, entry: TrustedIssuer, ownIssuer: string, keySets: KeySets): string | undefined {
  const isSpiffe = issuer.startsWith('spiffe:')
  if (isSpiffe ? !isTrustDomain(issuer) : !isHttpsIssuer(issuer))
    return 'must be an https URL without query and fragment, or a trust domain such as spiffe://example.org, without port and path'
  // Its access tokens and ID tokens would authenticate clients.
  if (issuer === ownIssuer) return 'is the issuer of this server: leave it out'
  const { jwks, jwks_uri: uri } = entry
  if (jwks !== undefined && uri !== undefined) return 'has jwks and jwks_uri: keep one of them'
  if (jwks !== undefined) return jwksFault(jwks, isSpiffe)
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
    if (usableKeySet(jwks, undefined, [isSpiffe ? 'jwt-svid' : 'sig']).keys.length > 0) return undefined
    return `has jwks without a usable public key${isSpiffe ? ' that has use: jwt-svid' : ''}`
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
  const fail = (words: string): never => {
    throw new TypeError(`${caller}: option "${optionName}" ${words}`)
  }
  const known = Object.entries(trustedIssuers).map(([issuer, entry]): [string, KnownIssuer] => {
    check.checkOptions(`${caller}: ${optionName}["${issuer}"]`, entry, rules)
    const fault = entryFault(issuer, entry, server.issuer, server.keySets)
    if (fault !== undefined) fail(`has "${issuer}", which ${fault}`)
    const method = issuer.startsWith('spiffe:') ? 'spiffe_jwt' : 'federated_jwt'
    if (!methods.includes(method)) fail(`has "${issuer}", which needs ${method} among the "methods"`)
    const { jwks, jwks_uri: jwksUri, audience = server.issuer, reusable = false, maxLifetime = 3600 } = entry
    return [issuer, Object.freeze({ issuer, method, jwks, jwksUri, audience, reusable, maxLifetime })]
  })
  const method = methods.find((name) => name === 'federated_jwt' || name === 'spiffe_jwt')
  if (method !== undefined && known.length === 0)
    fail(`is missing: "methods" has ${method}, so name the issuers it trusts`)
  return new Map(known)
}

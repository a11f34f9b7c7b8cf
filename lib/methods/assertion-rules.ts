import { isSeconds } from './secret'
import { isClientId } from '../request/credentials'
import { refuse } from '../errors'

/** The server's rules for assertions, from its options. */
export interface AssertionPolicy {
  readonly issuer: string
  /** Further audiences, or `undefined` where they depend on the client. */
  readonly legacyAudiences: readonly string[] | undefined
  readonly algorithms: readonly string[]
  readonly clockTolerance: number
  readonly maxAssertionLifetime: number
  readonly requireJti: boolean
  readonly stringAudience: boolean
}

/** The two decoded parts of an assertion. */
export interface DecodedAssertion {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

type Header = DecodedAssertion['header']
type Claims = DecodedAssertion['claims']

/** RFC 7515 §4.1.9: media types, compared in any case and with `application/` implied. */
const isMediaType = (typ: unknown, subtype: string): boolean =>
  typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === subtype

/** RFC 7523bis: this typ promises the strict audience. */
const isExplicitlyTyped = ({ typ }: Header): boolean => isMediaType(typ, 'client-authentication+jwt')

export function judgeHeader(header: Header, algorithms: readonly string[]): string {
  const { alg, typ } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    return refuse('assertion_alg', `The alg of client_assertion must be one of ${algorithms.join(', ')}.`)
  }
  // RFC 8725 §3.11: a JWT of another kind, such as an access token, is no client assertion.
  if (typ !== undefined && !isMediaType(typ, 'jwt') && !isExplicitlyTyped(header)) refuse('assertion_typ')
  // RFC 7515 §4.1.11, RFC 7797 §6: none is understood. Keys in the header (jwk, jku, x5u, x5c) are never read.
  if (header.crit !== undefined || header.b64 !== undefined) refuse('assertion_crit')
  if (header.kid !== undefined && typeof header.kid !== 'string') refuse('assertion_malformed', 'kid must be a string.')
  return alg
}

/** RFC 7523 §3 items 1 and 2; RFC 7521 §4.2: client_id, if sent, names the same client. */
export function judgeSubject({ iss, sub }: Claims, clientId: string | undefined): string {
  if (!isClientId(sub)) return refuse('assertion_subject', 'sub of client_assertion must be the client_id.')
  if (iss !== sub) refuse('assertion_subject', 'iss and sub of client_assertion differ: both must be the client_id.')
  if (clientId !== undefined && clientId !== sub) {
    refuse('assertion_subject', 'sub of client_assertion differs from the client_id in the request.')
  }
  return sub
}

/** JSON knows 1e400, which is no date (RFC 7519 §2). */
const isDate = (value: unknown): value is number => Number.isFinite(value)

const isMilliseconds = (value: unknown): boolean => isDate(value) && !isSeconds(value)

/** RFC 7523 §3 items 4 to 6. */
function judgeTimes({ exp, nbf, iat }: Claims, policy: AssertionPolicy, now: number): void {
  if (!isDate(exp)) return refuse('assertion_exp')
  if (isMilliseconds(exp) || isMilliseconds(nbf) || isMilliseconds(iat)) refuse('assertion_milliseconds')
  if (exp <= now - policy.clockTolerance) refuse('assertion_expired')
  if (exp > now + policy.maxAssertionLifetime + policy.clockTolerance) {
    refuse('assertion_lifetime', `The exp of client_assertion may lie at most ${policy.maxAssertionLifetime} s ahead.`)
  }
  judgeStart('nbf', nbf, now + policy.clockTolerance)
  judgeStart('iat', iat, now + policy.clockTolerance)
}

function judgeStart(name: string, time: unknown, latest: number): void {
  if (time === undefined) return
  if (!isDate(time)) {
    return refuse('assertion_not_yet_valid', `${name} of client_assertion must be a number of seconds.`)
  }
  if (time > latest) refuse('assertion_not_yet_valid', `${name} of client_assertion lies in the future.`)
}

function judgeJti({ jti }: Claims, required: boolean): void {
  if ((jti !== undefined || required) && (typeof jti !== 'string' || jti === '')) refuse('assertion_jti')
}

/** Judges the claims at `now`, in whole seconds since the epoch; the audience only where it is the same for every client. */
export function judgeClaims(assertion: DecodedAssertion, policy: AssertionPolicy, now: number): void {
  judgeTimes(assertion.claims, policy, now)
  judgeJti(assertion.claims, policy.requireJti)
  if (policy.legacyAudiences !== undefined) judgeAudience(assertion, policy, policy.legacyAudiences)
  else if (isExplicitlyTyped(assertion.header)) judgeAudience(assertion, policy, [])
}

/**
 * RFC 7523 §3 item 3 as RFC 7523bis tightens it: the issuer as the sole value. With `legacy` values, any
 * element may equal the issuer or one of them, unless the typ promises the strict rule. Compared as
 * strings (RFC 7519 §4.1.3, RFC 3986 §6.2.1): a path or a prefix never matches (CVE-2025-27370).
 */
export function judgeAudience(
  { header, claims: { aud } }: DecodedAssertion,
  policy: AssertionPolicy,
  legacy: readonly string[]
): void {
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const strict = legacy.length === 0 || isExplicitlyTyped(header)
  const fits = strict
    ? values.length === 1 && values[0] === policy.issuer
    : values.some((value) => value === policy.issuer || legacy.includes(value as string))
  if (!fits || !values.every((value) => typeof value === 'string') || (policy.stringAudience && Array.isArray(aud))) {
    refuse(
      'assertion_audience',
      `The aud of client_assertion must be the issuer alone, as one string: ${policy.issuer}`
    )
  }
}

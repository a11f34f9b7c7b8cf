import { printable, printableId } from '../basics/printable'
import { algorithms as supported } from '../jwt/algorithms'
import type { AssertionCredentials } from '../request/credentials'
import { clientIdFault, isClientId, maxText } from '../request/syntax'
import type { Rule } from '../refusals/rules'
import { type AssertionRule, type Claimed, isAudienceList, type Policy, type PresentedAssertion } from './method'
import { ownerOf } from './record-owner'
import { timeRules } from './time-rules'

const jwsOf = ({ credentials }: PresentedAssertion) => credentials.jws

/** RFC 7515 §4.1.9: media types, compared in any case and with `application/` implied. */
const isOfType = (typ: unknown, types: readonly string[]): boolean =>
  typeof typ === 'string' && types.includes(typ.toLowerCase().replace(/^application\//, ''))

/** RFC 10070: such a typ promises the strict audience. A profile may have one of its own (§4), as client documents do. */
export const explicitTypes = ['client-authentication+jwt', 'oauth-client-auth+jwt']
const isExplicitlyTyped = (subject: PresentedAssertion): boolean => isOfType(jwsOf(subject).typ, explicitTypes)

const methodRule: AssertionRule = {
  check: 'method',
  reason: 'method_not_supported',
  spec: 'RFC 8414 §2',
  holds: ({ policy }) => policy.algorithms.length > 0,
  detail: ({ policy }) => ({ expected: [...policy.methods], received: 'client_assertion' })
}

/** What the header must be, with the algorithms and the types (in lower case) of one kind of assertions. */
export const headerRules = (algorithms: readonly string[], types: readonly string[]): readonly AssertionRule[] => [
  {
    check: 'alg',
    reason: 'assertion_alg',
    spec: 'RFC 8725 §3.1',
    holds: (subject) => algorithms.includes(jwsOf(subject).alg as string),
    canJudge: () => algorithms.length > 0,
    words: () => `The alg of client_assertion must be one of ${algorithms.join(', ')}.`,
    detail: (subject) => ({ expected: algorithms, received: printable(jwsOf(subject).alg) })
  },
  {
    // An access token or an ID token is no client assertion.
    check: 'typ',
    reason: 'assertion_typ',
    spec: 'RFC 8725 §3.11, RFC 10070 §4',
    holds: (subject) => jwsOf(subject).typ === undefined || isOfType(jwsOf(subject).typ, types),
    words: () => `The typ of client_assertion must be ${typesInWords(types).join(' or ')}, or be left out.`,
    detail: (subject) => ({
      expected: [...typesInWords(types), 'or none'],
      received: printable(jwsOf(subject).typ)
    })
  },
  {
    // No extension is understood. Keys in the header (jwk, jku, x5u, x5c) are never read.
    check: 'crit and b64',
    reason: 'assertion_crit',
    spec: 'RFC 7515 §4.1.11, RFC 7797 §6',
    holds: (subject) => !jwsOf(subject).isCritical,
    detail: (subject) => ({
      expected: 'neither crit nor b64',
      received: printable(jwsOf(subject).header.crit ?? 'b64')
    })
  },
  {
    check: 'kid',
    reason: 'assertion_malformed',
    spec: 'RFC 7515 §4.1.4',
    holds: (subject) => ['undefined', 'string'].includes(typeof jwsOf(subject).kid),
    words: () => 'kid must be a string.',
    detail: (subject) => ({ expected: 'a string', received: printable(jwsOf(subject).kid) })
  }
]

/** JWT and JOSE are written in capitals (RFC 7519 §5.1). */
const typesInWords = (types: readonly string[]): readonly string[] =>
  types.map((type) => (type.includes('+') ? type : type.toUpperCase()))

/** An id that no client is known to have: it may be a secret in the wrong place. */
const shownName = (name: unknown): unknown => (typeof name === 'string' ? printableId(name) : printable(name))

const subjectDetail = (subject: PresentedAssertion) => {
  const { iss, sub } = jwsOf(subject)
  const { formClientId } = subject.credentials
  const sent = formClientId === undefined ? {} : { client_id: printableId(formClientId) }
  return { expected: 'iss = sub = client_id', received: { iss: shownName(iss), sub: shownName(sub), ...sent } }
}

/** RFC 7523 §3 items 1 and 2; RFC 7521 §4.2: client_id, if sent, names the same client. */
const subjectRules: readonly AssertionRule[] = [
  {
    check: 'sub',
    reason: 'assertion_subject',
    spec: 'RFC 7523 §3 item 2',
    holds: (subject) => isClientId(jwsOf(subject).sub),
    words: (subject) => {
      const { sub } = jwsOf(subject)
      const isLong = typeof sub === 'string' && sub.length > maxText
      return `sub of client_assertion ${isLong ? String(clientIdFault(sub)) : 'must be the client_id'}.`
    },
    detail: subjectDetail
  },
  {
    check: 'iss = sub',
    reason: 'assertion_subject',
    spec: 'RFC 7523 §3 items 1 and 2',
    holds: (subject) => jwsOf(subject).iss === jwsOf(subject).sub,
    canJudge: (subject) => isClientId(jwsOf(subject).sub),
    words: () => 'iss and sub of client_assertion differ: both must be the client_id.',
    detail: subjectDetail
  },
  {
    check: 'sub = client_id',
    reason: 'assertion_subject',
    spec: 'RFC 7521 §4.2',
    holds: (subject) => [undefined, jwsOf(subject).sub].includes(subject.credentials.formClientId),
    canJudge: (subject) => isClientId(jwsOf(subject).sub),
    words: () => 'sub of client_assertion differs from the client_id in the request.',
    detail: subjectDetail
  }
]

/** `isOptional`: whether the assertion may do without `jti`. */
export const jtiRule = (isOptional: (subject: PresentedAssertion) => boolean): AssertionRule => ({
  check: 'jti',
  reason: 'assertion_jti',
  spec: 'RFC 7523 §3 item 7, OIDC Core §9',
  holds: (subject) => {
    const { jti } = jwsOf(subject)
    return jti === undefined ? isOptional(subject) : typeof jti === 'string' && jti !== ''
  },
  detail: (subject) => ({ expected: 'a non-empty string', received: printable(jwsOf(subject).jti) })
})

/** An array, or a string as one of one element (RFC 7519 §4.1.3). */
export const audienceOf = (subject: PresentedAssertion): readonly unknown[] => {
  const { aud } = jwsOf(subject)
  return Array.isArray(aud) ? aud : [aud]
}

/**
 * RFC 7523 §3 item 3 as RFC 10070 tightens it: the issuer as the sole value. With legacy values any element may equal
 * the issuer or one of them; there are none where the typ promises the strict rule. Compared as strings (RFC 7519 §4.1.3,
 * RFC 3986 §6.2.1): a path or a prefix never matches (CVE-2025-27370).
 */
function audienceFits(subject: PresentedAssertion, legacy: readonly string[]): boolean {
  const { issuer, stringAudience } = subject.policy
  const { aud } = jwsOf(subject)
  if (typeof aud === 'string') return aud === issuer || legacy.includes(aud)
  const values = audienceOf(subject)
  if (stringAudience || !values.every((value) => typeof value === 'string')) return false
  if (legacy.length === 0) return values.length === 1 && values[0] === issuer
  return values.some((value) => value === issuer || legacy.includes(value))
}

/**
 * Where `legacyAudiences` is a function, only an explicit typ is judged before the client is known, and every other
 * assertion after the proof ({@link clientAudienceRule}).
 */
const audienceRule: AssertionRule = {
  check: 'aud',
  reason: 'assertion_audience',
  spec: 'RFC 10070 §4, RFC 7523 §3 item 3',
  holds: (subject) => {
    const legacy = isExplicitlyTyped(subject) ? [] : subject.policy.legacyAudiences
    return legacy === undefined || audienceFits(subject, legacy)
  },
  words: ({ policy }) => `The aud of client_assertion must be the issuer alone, as one string: ${policy.issuer}`,
  detail: (subject) => ({
    expected: [subject.policy.issuer, ...(isExplicitlyTyped(subject) ? [] : (subject.policy.legacyAudiences ?? []))],
    received: printable(jwsOf(subject).aud)
  })
}

/**
 * A client from a document talks to any server, also to hostile ones: among several audiences one may be another
 * server's, which could use the assertion here (CVE-2025-27370). `legacyAudiences` may allow such a client other values,
 * but its `aud` must hold one value only. Clients of the application's own records are not concerned.
 */
export const soleAudienceRule: Rule<Claimed<AssertionCredentials>> = {
  check: 'sole aud of a client document',
  reason: 'assertion_audience',
  spec: 'RFC 10070',
  holds: (subject) => audienceOf(subject).length === 1 || ownerOf(subject.client) === undefined,
  applies: (subject) => ownerOf(subject.client) !== undefined,
  words: ({ policy }) => `For this client the aud of client_assertion must be one value: ${policy.issuer}`,
  detail: (subject) => ({ expected: [subject.policy.issuer], received: printable(jwsOf(subject).aud) })
}

/** A hash as HMAC key would let the hash pass for the secret. */
const hashedRule: AssertionRule = {
  check: 'hashed secrets',
  reason: 'secret_hashed',
  spec: 'OIDC Core §10.1',
  holds: (subject) => subject.policy.verifySecret === undefined || supported.get(jwsOf(subject).alg)?.kty !== 'oct',
  detail: () => ({ expected: 'private_key_jwt', received: 'client_secret_jwt' })
}

/** RFC 7523 §3: all that the assertion and the server's options decide, in the order in which it is judged. */
export const assertionRules = ({ algorithms, audiencesOf }: Policy): readonly AssertionRule[] => [
  methodRule,
  ...headerRules(algorithms, ['jwt', ...explicitTypes]),
  ...subjectRules,
  ...timeRules(({ policy }) => policy.maxAssertionLifetime),
  jtiRule(({ policy }) => !policy.requireJti),
  audiencesOf ? { ...audienceRule, applies: isExplicitlyTyped } : audienceRule,
  hashedRule
]

/** `aud` after the proof, by the further audiences of this client. An explicit typ allows none: it is judged before. */
export const clientAudienceRule: AssertionRule = {
  ...audienceRule,
  applies: (subject) => !isExplicitlyTyped(subject)
}

/** What a `legacyAudiences` function returned, or a `TypeError` for the application's log. */
function audienceList(value: unknown): readonly string[] {
  if (isAudienceList(value)) return value
  throw new TypeError('legacyAudiences must return an array of audience strings')
}

/**
 * After the proof: with the audiences that a `legacyAudiences` function gives this client. It is called only where
 * {@link clientAudienceRule} is among the rules and judges by them.
 */
export function withAudiences(claimed: Claimed, provenRules: readonly unknown[]): Claimed {
  const { credentials, client, policy } = claimed
  const isJudged = credentials.kind === 'assertion' && !isOfType(credentials.jws.typ, explicitTypes)
  if (policy.audiencesOf === undefined || !isJudged || !provenRules.includes(clientAudienceRule)) return claimed
  return { ...claimed, policy: { ...policy, legacyAudiences: audienceList(policy.audiencesOf(client)) } }
}

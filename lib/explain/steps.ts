import { algorithms } from '../jwt/algorithms'
import type { Claimed, Method, Presented, ProofStep } from '../methods/method'
import { type Credentials, issuerMethods, type Received } from '../request/credentials'
import { isClientId, isSecret } from '../request/syntax'
import { contentTypeRule, hasUtf8Escapes, unparsedRules } from '../request/content-type'
import { isUnread } from '../request/form'
import { headerValues } from '../request/headers'
import { cacheTimesOf } from '../guarded-fetch/cached-document'
import { failure, type Finding, findings, isFailed, isPassed, notChecked } from './findings'
import type { Fault, Rule } from '../refusals/rules'
import type { ClientAuthMethod, ClientAuthRequest, JwkSet, KeySets } from '../types'

/** What a look-up in the cache alone rejects with: nothing is known about the keys. */
export const notCached = new Error('the key set is not in the cache')

/** Answers from the cache alone. */
export const cachedOnly = (keySets: KeySets): KeySets => ({
  document: () => Promise.reject(notCached),
  get: (uri) => {
    const set = keySets.cached?.(uri)
    return set === undefined ? Promise.reject(notCached) : Promise.resolve(set)
  }
})

/**
 * A body that is still text, as in a request that was pasted, is read as `clientAuth` reads it. Where it is no form, only
 * the headers are left to be read: they may name the client.
 */
export function readText(request: ClientAuthRequest): { request: ClientAuthRequest; findings: readonly Finding[] } {
  const { headers, body } = request
  if (typeof body !== 'string') {
    // Nobody has read it: the type that it has may be why.
    const isTyped = isUnread(request) && headerValues(headers, 'content-type').length > 0
    const unread = isTyped ? findings([contentTypeRule], { headers, isEmpty: false, isUtf8: true }) : []
    return { request, findings: unread.filter(isFailed) }
  }
  const made = findings(unparsedRules, { headers, isEmpty: body === '', isUtf8: hasUtf8Escapes(body) })
  if (made.some(isFailed)) return { request: { headers, body: {} }, findings: made }
  return { request: { ...request, body: body === '' ? undefined : new URLSearchParams(body) }, findings: made }
}

/** Whether there is one set of credentials to judge, also where the request breaks a rule. */
export function hasCredentials({ mechanism, jws, basic, form }: Received, read: readonly Finding[]): boolean {
  if (mechanism === 'assertion') return jws !== undefined
  if (mechanism === 'basic') return basic?.fault === undefined && basic?.secret !== ''
  if (mechanism === 'post') return isClientId(form.client_id) && isSecret(form.client_secret)
  return read.every(isPassed)
}

/** The ids under which the client may be registered. They differ only where a rule of the assertion is broken. */
export function namedIds(credentials: Credentials): readonly string[] {
  const isOwnAssertion =
    credentials.kind === 'assertion' && !credentials.methods.some((method) => issuerMethods.includes(method))
  if (!isOwnAssertion) return [credentials.clientId].filter(isClientId)
  return [...new Set([credentials.clientId, credentials.jws.iss, credentials.formClientId])].filter(isClientId)
}

/**
 * Nobody knows what certificate came with a request that was pasted: then no rule about it can be judged, but the one
 * that asks for a certificate only of clients with bound tokens.
 */
export const judgeable = <S extends Presented>(
  rules: readonly Rule<S>[],
  { certificate }: Presented
): readonly Rule<S>[] =>
  certificate.found.kind !== 'unknown'
    ? rules
    : rules.map((rule) => {
        if (!rule.reason.startsWith('certificate_')) return rule
        return { ...rule, canJudge: (subject) => rule.reason === 'certificate_required' && rule.holds(subject) }
      })

/** Whether there is something to verify with: the client's own, for a method of its own, by a known algorithm. */
export function canProve({ credentials, policy, certificate }: Claimed, recorded: readonly Finding[]): boolean {
  if (!recorded.every((finding) => isPassed(finding) || finding.reason === 'alg_not_registered')) return false
  if (certificate.found.kind === 'unknown' && credentials.kind === 'bare') return false
  if (credentials.kind !== 'assertion') return true
  const algorithm = algorithms.get(credentials.jws.alg)
  // A MAC cannot be verified with the hash of a secret.
  return algorithm !== undefined && (algorithm.kty !== 'oct' || policy.verifySecret === undefined)
}

const issuerReasons: readonly unknown[] = [
  'assertion_alg',
  'assertion_issuer',
  'assertion_malformed',
  'assertion_subject'
]

/** Whether issuer and algorithm of a token are known: whatever else is wrong with it, its signature can be verified. */
export const canProveIssuer = (judged: readonly Finding[]): boolean =>
  !judged.some(({ reason }) => issuerReasons.includes(reason))

/** What a proof consists of, as far as it can be told apart. */
export type ProofParts = readonly ProofStep[] | readonly Rule<Claimed>[]

/** The part of the proof that belongs to one method; all of it where it is not known which method that is. */
export const partsOf = (
  { proofOf, proofSteps }: Method<Credentials>,
  method: ClientAuthMethod | undefined
): ProofParts => (method && proofOf?.(method)) ?? proofSteps

/** Whether a proof is rules alone, each of which can be judged. */
export const isRules = (proof: ProofParts): proof is readonly Rule<Claimed>[] =>
  proof.every((part) => 'holds' in part) && proof.length > 0

/** When the set in the cache was fetched, and until when it is used, in words that follow it. */
export function timesInWords(set: JwkSet | undefined): string {
  const { fetchedAt, freshUntil } = cacheTimesOf(set ?? {})
  const text = (date?: Date) => String(date?.toISOString().replace(/\.\d+/, ''))
  return fetchedAt === undefined ? '' : `, fetched ${text(fetchedAt)} and used until ${text(freshUntil)}`
}

/** A cached set may be older than the one that `authenticate` would fetch for an unknown key. */
export const cacheNote = (set: JwkSet | undefined): string =>
  `Only the key set in the cache was looked at${timesInWords(set)}: ask with fetch.`

/** Each step of a proof: passed up to the one that failed, and not checked after it. */
export function proofFindings(steps: readonly ProofStep[], fault: Fault | undefined, note?: string): Finding[] {
  if (fault === undefined) return steps.map(({ check, spec }) => ({ check, spec, result: 'passed' }))
  const failed = steps.findIndex(({ reasons }) => reasons.includes(fault.reason))
  return steps.flatMap((step, index): Finding[] => {
    if (index > failed) return notChecked([step])
    if (index < failed) return [{ check: step.check, spec: step.spec, result: 'passed' }]
    const finding = failure(step, fault)
    return [note === undefined ? finding : { ...finding, advice: `${finding.advice} ${note}` }]
  })
}

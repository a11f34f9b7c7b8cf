import { adviceFor } from './advice'
import { attempt } from './attempt'
import type { ClientAuthErrorReason, Detail } from './errors'

/** Why a request is refused, before it becomes an error. `undefined` in its place means that nothing is wrong. */
export interface Fault {
  readonly reason: ClientAuthErrorReason
  /** For the wire, where more may be told than the reason's own words. */
  readonly message?: string | undefined
  /** The facts, for the log. A function, so that nobody pays for facts that nobody reads. */
  readonly detail?: (() => Detail) | undefined
  readonly cause?: unknown
}

/** One rule about a subject `S`. Both `authenticate` and `explain` use the same lists of rules. */
export interface Rule<S> {
  /** What is checked, in a word or two, as `explain` prints it. */
  readonly check: string
  readonly reason: ClientAuthErrorReason
  /** The text that demands it, such as `RFC 7523 §3 item 4`. */
  readonly spec: string
  /** Whether the subject keeps the rule. Has no effect and does not throw. */
  readonly holds: (subject: S) => boolean
  /**
   * Whether the rule can be judged although an earlier one has failed. Asked by `explain` alone: `firstFault` stops
   * at the first failure. Default: always.
   */
  readonly canJudge?: (subject: S) => boolean
  /** For the wire; default the words of the reason. */
  readonly words?: (subject: S) => string
  /** For the log and for `explain`: what was expected and what was received. */
  readonly detail?: (subject: S) => Detail
}

/** What `explain` says of one check. */
export interface Finding {
  /** What was checked, such as `aud`. */
  readonly check: string
  /** The text that demands it. */
  readonly spec: string
  /** `not_checked`: it cannot be known because of an earlier failure, or was not asked for. */
  readonly result: 'passed' | 'failed' | 'not_checked'
  /** Where failed: the reason that `authenticate` gives if this is the first failure. */
  readonly reason?: ClientAuthErrorReason
  /** Where failed: what would have been accepted. */
  readonly expected?: unknown
  /** Where failed: what came. Strings from outside are cut to 256 printable characters. */
  readonly received?: unknown
  /** Where failed: all facts, `expected` and `received` among them. */
  readonly detail?: Detail
  /** Where failed: what the sender or the operator has to change, in one sentence. Where not checked: how it can be. */
  readonly advice?: string
}

/** The rule's failure as a fault. */
const faultOf = <S>({ reason, words, detail }: Rule<S>, subject: S): Fault => ({
  reason,
  message: words?.(subject),
  detail: detail && (() => detail(subject))
})

/** The first rule that the subject breaks, as a fault. */
export function firstFault<S>(rules: readonly Rule<S>[], subject: S): Fault | undefined {
  for (const rule of rules) if (!rule.holds(subject)) return faultOf(rule, subject)
  return undefined
}

/** The same, but all rules are judged, so that the time does not tell which one is broken. */
export function firstFaultOfAll<S>(rules: readonly Rule<S>[], subject: S): Fault | undefined {
  let broken: Rule<S> | undefined
  for (const rule of rules) if (!rule.holds(subject)) broken ??= rule
  return broken && faultOf(broken, subject)
}

const named = ({ check, spec }: { check: string; spec: string }) => ({ check, spec })

/** A fault as the finding of one check. */
export function failure(
  check: { check: string; spec: string },
  { reason, detail }: Fault
): Finding & { advice: string } {
  const facts = detail && attempt(detail) // a field of the client's record may throw when it is read
  return {
    ...named(check),
    result: 'failed',
    reason,
    ...(facts && 'expected' in facts ? { expected: facts.expected } : {}),
    // Stands there as undefined where the claim is missing
    ...(facts && 'received' in facts ? { received: facts.received } : {}),
    ...(facts === undefined ? {} : { detail: facts }),
    advice: adviceFor(reason, facts)
  }
}

/** Checks that nothing is known about, and how it can be known. */
export const notChecked = (checks: readonly { check: string; spec: string }[], advice?: string): Finding[] =>
  checks.map((check) => ({ ...named(check), result: 'not_checked', ...(advice === undefined ? {} : { advice }) }))

export const isPassed = ({ result }: Finding): boolean => result === 'passed'
export const isFailed = ({ result }: Finding): boolean => result === 'failed'

/** Every rule judged that can be, also after a failure. */
export const findings = <S>(rules: readonly Rule<S>[], subject: S): Finding[] =>
  rules.map((rule): Finding => {
    if (rule.canJudge?.(subject) === false) return { ...named(rule), result: 'not_checked' }
    return rule.holds(subject) ? { ...named(rule), result: 'passed' } : failure(rule, faultOf(rule, subject))
  })

import type { ClientAuthErrorReason } from './reasons'
import type { Detail } from './reasons/reason'

/** Why a request is refused, before it becomes an error. `undefined` in its place means that nothing is wrong. */
export interface Fault {
  readonly reason: ClientAuthErrorReason
  /** For the wire, where more may be told than the reason's own words. */
  readonly message?: string | undefined
  /** The facts, for the log. A function, so that nobody pays for facts that nobody reads. */
  readonly detail?: (() => Detail | undefined) | undefined
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
   * Whether the rule is about this subject at all: `explain` leaves out the others. A rule holds for a subject that it
   * is not about. Default: it is about all.
   */
  readonly applies?: (subject: S) => boolean
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

/** The rule's failure as a fault. */
export const faultOf = <S>({ reason, words, detail }: Rule<S>, subject: S): Fault => ({
  reason,
  message: words?.(subject),
  detail: detail && (() => detail(subject))
})

/** The first rule that the subject breaks, as a fault. */
export function firstFault<S>(rules: readonly Rule<S>[], subject: S): Fault | undefined {
  for (const rule of rules) if (!rule.holds(subject)) return faultOf(rule, subject)
  return undefined
}

/** The same, but all rules are judged: the time of a refusal must not tell which rule was broken. */
export function firstFaultInEqualTime<S>(rules: readonly Rule<S>[], subject: S): Fault | undefined {
  let broken: Rule<S> | undefined
  for (const rule of rules) if (!rule.holds(subject)) broken ??= rule
  return broken && faultOf(broken, subject)
}

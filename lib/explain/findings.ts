import { attempt } from '../basics/attempt'
import { defined } from '../basics/defined'
import { adviceFor, reasons, senderAdviceFor, type ClientAuthErrorReason } from '../refusals/reasons'
import type { Detail } from '../refusals/reasons/reason'
import { type Fault, faultOf, type Rule } from '../refusals/rules'

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
  /** Where failed: what the sender has to change. Holds nothing of the record, so it may be sent to the partner. */
  readonly forSender?: string
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
    ...(facts && 'received' in facts ? { received: facts.received ?? 'none' } : {}),
    ...defined({ detail: facts }),
    advice: adviceFor(reason, facts),
    forSender: senderAdviceFor(reason, facts)
  }
}

const isReason = (text: string): text is ClientAuthErrorReason => Object.hasOwn(reasons, text)

/** A refusal that a log tells, as a finding; `undefined` for what is no reason of ours. */
export function findingOfLog(reason: string, detail: Detail = {}) {
  if (!isReason(reason)) return undefined
  return { ...failure({ check: 'refusal', spec: 'from the log' }, { reason, detail: () => detail }), reason }
}

/** Checks that nothing is known about, and how it can be known. */
export const notChecked = (checks: readonly { check: string; spec: string }[], advice?: string): Finding[] =>
  checks.map((check) => ({ ...named(check), result: 'not_checked', ...defined({ advice }) }))

/** The members of a finding that hold values from outside, or may quote them. */
export const factsOf = ({ check: _check, spec: _spec, result: _result, reason: _reason, ...facts }: Finding) => facts

export const isPassed = ({ result }: Finding): boolean => result === 'passed'
export const isFailed = ({ result }: Finding): boolean => result === 'failed'

/** The rules that are about this subject. */
export const applicable = <S>(rules: readonly Rule<S>[], subject: S): Rule<S>[] =>
  rules.filter(({ applies }) => applies?.(subject) !== false)

/** Every rule judged that can be, also after a failure. */
export const findings = <S>(rules: readonly Rule<S>[], subject: S): Finding[] =>
  applicable(rules, subject).map((rule): Finding => {
    if (rule.canJudge?.(subject) === false) return { ...named(rule), result: 'not_checked' }
    return rule.holds(subject) ? { ...named(rule), result: 'passed' } : failure(rule, faultOf(rule, subject))
  })

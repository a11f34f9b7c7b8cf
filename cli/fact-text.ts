import { type Finding, isSeconds } from '../lib/explain/for-cli'
import { inline } from './text'
import { date } from './times'

const timeReasons: readonly unknown[] = ['assertion_expired', 'assertion_lifetime', 'assertion_not_yet_valid']

/** Whether a fact is a time, and no length or count. Seconds since the epoch mean nothing to a reader without the date. */
export const isTime = ({ reason }: Finding, name: string, value: unknown): value is number =>
  isSeconds(value) &&
  (['exp', 'nbf', 'iat', 'rememberedUntil'].includes(name) || (name === 'received' && timeReasons.includes(reason)))

/** A fact of a finding as people read it: printable ASCII. What was received keeps its form, since that may be the fault. */
export function factText(finding: Finding, name: string, value: unknown): string {
  if (value === '') return '(empty)'
  // A number in quotation marks is the fault of some claims
  if (name === 'received' && typeof value === 'string' && String(finding.expected).includes('number'))
    return inline(JSON.stringify(value))
  if (name === 'expected' && Array.isArray(value)) return value.map(inline).join(', ')
  return isTime(finding, name, value) ? `${value} (${date(value)})` : inline(value)
}

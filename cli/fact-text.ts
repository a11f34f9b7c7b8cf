import type { Finding } from '../lib/explain/for-cli'
import { inline } from './text'
import { date } from './times'

const timeReasons: readonly unknown[] = ['assertion_expired', 'assertion_lifetime', 'assertion_not_yet_valid']

/** Seconds since the epoch mean nothing to a reader, so the date stands beside them. */
const withDates = (text: string): string =>
  text.replace(/\b\d{10}(\.\d+)?\b/g, (seconds) => `${seconds} (${date(Number(seconds))})`)

/** A fact of a finding as people read it: printable ASCII. What was received keeps its form, since that may be the fault. */
export function factText({ reason, expected }: Finding, name: string, value: unknown): string {
  if (value === '') return '(empty)'
  // A number in quotation marks is the fault of some claims
  if (name === 'received' && typeof value === 'string' && String(expected).includes('number'))
    return inline(JSON.stringify(value))
  if (name === 'expected' && Array.isArray(value)) return value.map(inline).join(', ')
  return timeReasons.includes(reason) ? withDates(inline(value)) : inline(value)
}

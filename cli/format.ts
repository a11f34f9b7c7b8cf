import { type Finding, isSeconds } from '../lib/explain/for-cli'
import type { Report } from './report'
import { timeline } from './timeline'
import { date, duration, fromNow, inWords } from './times'

/** What the program can emphasise; each as it is where there are no colours. */
export interface Styles {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly faint: (text: string) => string
}

/** Text from outside as a terminal may show it: no control character, and nothing that reverses the writing. */
export const safe = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A value as one line of JSON that a terminal may show; a string without its quotes. */
export const inline = (value: unknown): string =>
  safe(typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value))

const marks = { passed: '✓', failed: '✗', not_checked: '·' } as const

/** The facts about times, which are numbers of seconds, in words. */
function fact(name: string, value: unknown, now: number): { label: string; text: string } {
  if (value === '') return { label: name, text: '(empty)' }
  // What was received keeps its form, since that may be the fault.
  if (name === 'expected' && Array.isArray(value)) return { label: name, text: value.map(inline).join(', ') }
  if (typeof value !== 'number' || !isSeconds(value)) return { label: name, text: inline(value) }
  const [, label] = /^seconds(\w+)$/.exec(name) ?? []
  if (label !== undefined) return { label: label.toLowerCase(), text: duration(value) }
  return {
    label: name === 'rememberedUntil' ? 'until' : name,
    text: `${value}  ${date(value)}, ${fromNow(value, now)}`
  }
}

const detailLine = (label: string, text: string): string => `      ${label.padEnd(9)} ${text}`

/** One check: a line, and, where it failed, what was expected, what came and what to change. */
export function formatFinding(finding: Finding, { good, bad, faint }: Styles, now: number): string[] {
  const { check, spec, result, reason, detail = {}, advice } = finding
  const paint = { passed: good, failed: bad, not_checked: faint }[result]
  const lines = [`  ${paint(marks[result])} ${check}${reason === undefined ? '' : `: ${bad(reason)}`}  ${faint(spec)}`]
  const facts =
    result === 'failed' && 'received' in detail ? { ...detail, received: detail.received ?? 'none' } : detail
  for (const [name, value] of Object.entries(facts).filter(([key]) => key !== 'now')) {
    const items =
      Array.isArray(value) && value.some((item) => typeof item === 'object') ? (value as unknown[]) : [value]
    items.forEach((item, index) => {
      const { label, text } = fact(name, item, now)
      lines.push(detailLine(index === 0 ? label : '', text))
    })
  }
  if (advice !== undefined) lines.push(detailLine('advice', advice))
  return lines
}

function formatAssertion({ header, claims, times }: NonNullable<Report['assertion']>, { faint }: Styles): string[] {
  const member = ([name, value]: [string, unknown]) => {
    const claim = times.claims.find((one) => one.name === name)
    const words = claim === undefined ? '' : faint(`  ${date(claim.time)}, ${inWords(name, claim.time, times.now)}`)
    return `    ${safe(name).padEnd(8)} ${inline(value)}${words}`
  }
  const drawing = times.claims.length === 0 ? [] : ['', ...timeline(times).map((line) => `  ${line}`)]
  const legend = times.claims.length === 0 ? [] : [faint(`  ═ valid, ┄ within the leeway of ${times.leeway} s`)]
  return [
    ...['', '  header', ...Object.entries(header).map(member)],
    ...['', '  claims', ...Object.entries(claims).map(member)],
    ...drawing,
    ...legend
  ]
}

function verdict({ explanation: { accepted, reason }, isClientKnown }: Report, { good, bad }: Styles): string {
  if (accepted) return good('accepted')
  if (reason !== undefined) return bad(`refused: ${reason}`)
  return isClientKnown
    ? 'not refused, but not everything could be checked'
    : 'not refused by what the request alone decides; give --client or --config to check the rest'
}

/** The whole report, as lines. */
export function formatReport(report: Report, styles: Styles): string[] {
  const { explanation, now, assertion } = report
  const { method = 'unknown', clientId = 'none named', findings } = explanation
  return [
    `  method   ${method}`,
    `  client   ${inline(clientId)}`,
    `  as of    ${date(now)}`,
    `  verdict  ${verdict(report, styles)}`,
    '',
    ...findings.flatMap((finding) => formatFinding(finding, styles, now)),
    ...(assertion === undefined ? [] : formatAssertion(assertion, styles))
  ]
}

import { type Finding, isSeconds } from '../lib/explain/for-cli'
import { factText, isTime } from './fact-text'
import type { Report } from './report'
import { partnerSentence } from './partner'
import { inline, safe, wrapped } from './text'
import { timeline } from './timeline'
import { date, duration, fromNow, inWords } from './times'

/** What the program can emphasise; each as it is where there are no colours. */
export interface Styles {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly faint: (text: string) => string
  /** For what is neither: not everything could be checked. */
  readonly open: (text: string) => string
}

const marks = { passed: '✓', failed: '✗', not_checked: '·' } as const

/** The facts about times, which are numbers of seconds, in words. */
function fact(finding: Finding, name: string, value: unknown, now: number): { label: string; text: string } {
  const [, label] = /^seconds(\w+)$/.exec(name) ?? []
  if (label !== undefined && isSeconds(value)) return { label: label.toLowerCase(), text: duration(value) }
  if (!isTime(finding, name, value)) return { label: name, text: factText(finding, name, value) }
  return {
    label: name === 'rememberedUntil' ? 'until' : name,
    text: `${value}  ${date(value)}, ${fromNow(value, now)}`
  }
}

const detailLines = (label: string, text: string): string[] => wrapped(`      ${label.padEnd(9)} ${text}`, 16)

/** One check: a line, and, where it failed, what was expected, what came and what to change. */
function formatFinding(finding: Finding, { good, bad, faint }: Styles, now: number): string[] {
  const { check, spec, result, reason, detail = {}, advice } = finding
  const paint = { passed: good, failed: bad, not_checked: faint }[result]
  const title = reason === undefined ? check : `${check}: ${bad(reason)}`
  const lines = wrapped(`  ${paint(marks[result])} ${title}  ${faint(spec)}`, 4)
  const facts =
    result === 'failed' && 'received' in detail ? { ...detail, received: detail.received ?? 'none' } : detail
  for (const [name, value] of Object.entries(facts).filter(([key]) => key !== 'now')) {
    const items =
      Array.isArray(value) && value.some((item) => typeof item === 'object') ? (value as unknown[]) : [value]
    items.forEach((item, index) => {
      const { label, text } = fact(finding, name, item, now)
      lines.push(...detailLines(index === 0 ? label : '', text))
    })
  }
  if (advice !== undefined) lines.push(...detailLines('advice', advice))
  return lines
}

function formatAssertion({ header, claims, times }: NonNullable<Report['assertion']>, { faint }: Styles): string[] {
  const member = ([name, value]: [string, unknown]) => {
    const claim = times.claims.find((one) => one.name === name)
    const words = claim === undefined ? '' : faint(`  ${date(claim.time)}, ${inWords(name, claim.time, times.now)}`)
    return wrapped(`    ${safe(name).padEnd(8)} ${inline(value)}${words}`, 13)
  }
  const drawing = [
    ...['', ...timeline(times).map((line) => `  ${line}`)],
    faint(`  ═ valid, ┄ within the leeway of ${times.leeway} s`)
  ]
  return [
    ...['', '  header', ...Object.entries(header).flatMap(member)],
    ...['', '  claims', ...Object.entries(claims).flatMap(member)],
    ...(times.claims.length === 0 ? [] : drawing)
  ]
}

function verdict({ explanation, isClientKnown, late }: Report, { good, bad, open }: Styles): string[] {
  const { accepted, reason } = explanation
  if (late !== undefined) return wrapped(`           ${late}`, 11).map((line) => open(line.trim()))
  if (accepted) return [good('accepted')]
  if (reason !== undefined) return [bad(`refused: ${reason}`)]
  return isClientKnown
    ? [open('not refused, but not everything could be checked')]
    : [open('not refused by what the request alone decides;'), 'give --client or --config to check the rest']
}

/** A part of the report, with an empty line before it. */
const section = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines])

/** The whole report, as lines: what failed, what to send the partner, how many checks passed; with `all`, every check. */
export function formatReport(report: Report, styles: Styles, { all = false, issuer = '' } = {}): string[] {
  const { explanation, now, assertion, notes } = report
  const { method = 'unknown', clientId = 'none named', findings } = explanation
  const partner = partnerSentence(report, issuer)
  const of = (result: Finding['result']) => findings.filter((finding) => finding.result === result)
  const open = of('not_checked')
  const shown = all ? findings : [...of('failed'), ...open.filter(({ advice }) => advice !== undefined)]
  const counts = `  ${of('passed').length} passed${open.length === 0 ? '' : `, ${open.length} not checked`} (--all shows them)`
  return [
    `  method   ${method}`,
    `  client   ${inline(clientId)}`,
    `  as of    ${date(now)}`,
    `  verdict  ${verdict(report, styles).join(`\n${' '.repeat(11)}`)}`,
    ...notes.flatMap((note) => wrapped(`  note     ${note}`, 11)),
    ...section(shown.flatMap((finding) => formatFinding(finding, styles, now))),
    ...section(partner === '' ? [] : wrapped(`  partner  ${partner}`, 11)),
    ...section(shown.length === findings.length ? [] : [styles.faint(counts)]),
    ...(assertion === undefined ? [] : formatAssertion(assertion, styles))
  ]
}

import type { Finding } from '../../lib/explain/for-cli'
import type { JwksReport } from '../jwks/report'
import type { Report } from '../report'
import { date, draw, inWords, type Drawing } from '../times'
import { factText } from '../fact-text'
import { partnerText } from '../partner'
import { inline } from '../text'

/** One check, with its facts as text. */
interface FindingView {
  readonly check: string
  readonly spec: string
  readonly result: Finding['result']
  readonly reason?: string
  /** Names and values, in the order in which they are read. */
  readonly facts: readonly (readonly [name: string, text: string])[]
  readonly advice?: string
}

/** A time, to be read beside the drawing. */
interface TimeView {
  readonly name: string
  readonly date: string
  readonly words: string
}

/** All that the page shows of a request. Every text is printable ASCII, whatever was pasted. */
export interface PageView {
  readonly accepted: boolean
  readonly verdict: string
  readonly method: string
  readonly client: string
  readonly asOf: string
  readonly findings: readonly FindingView[]
  readonly assertion?: { readonly header: readonly string[]; readonly claims: readonly string[] }
  readonly times?: { readonly leeway: number; readonly drawing: Drawing; readonly list: readonly TimeView[] }
  readonly keys?: JwksReport
  readonly partner: string
}

function findingView(finding: Finding): FindingView {
  const { check, spec, result, reason, detail, advice } = finding
  const facts = Object.entries(detail ?? {}).filter(([name]) => name !== 'now')
  return {
    check,
    spec,
    result,
    ...(reason === undefined ? {} : { reason }),
    facts: facts.map(([name, value]) => [spaced(name), factText(finding, name, value)] as const),
    ...(advice === undefined ? {} : { advice })
  }
}

/** `secondsLate` as people write it. */
const spaced = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** One member a line. */
const members = (object: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(object).map(([name, value]) => `${inline(JSON.stringify(name))}: ${inline(JSON.stringify(value))}`)

function verdictOf({ explanation: { accepted, reason, findings } }: Report): string {
  if (accepted) return 'Accepted: every check is passed.'
  const failed = findings.filter(({ result }) => result === 'failed').length
  if (reason === undefined) return 'Not refused, but not everything could be checked.'
  return `Refused: ${reason}. ${failed} of ${findings.length} checks failed.`
}

function timesView({ assertion, now }: Report): Pick<PageView, 'times'> {
  if (assertion === undefined || assertion.times.claims.length === 0) return {}
  const { times } = assertion
  const list = times.claims.map(({ name, time }) => ({ name, date: date(time), words: inWords(name, time, now) }))
  return {
    times: { leeway: times.leeway, drawing: draw(times), list: [...list, { name: 'now', date: date(now), words: '' }] }
  }
}

/** What the page shows. */
export function viewOf(report: Report, issuer: string, keys: JwksReport | undefined): PageView {
  const { explanation, assertion, now } = report
  return {
    accepted: explanation.accepted,
    verdict: verdictOf(report),
    method: explanation.method ?? 'unknown',
    client: inline(explanation.clientId ?? 'none named'),
    asOf: date(now),
    findings: explanation.findings.map(findingView),
    ...(assertion === undefined
      ? {}
      : { assertion: { header: members(assertion.header), claims: members(assertion.claims) } }),
    ...timesView(report),
    ...(keys === undefined ? {} : { keys }),
    partner: partnerText(report, issuer)
  }
}

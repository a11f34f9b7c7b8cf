import type { Finding } from '../../lib/explain/for-cli'
import type { JwksReport } from '../jwks/report'
import type { Report } from '../report'
import { date, draw, inWords, type Drawing } from '../times'
import { factText } from '../fact-text'
import { partnerText } from '../partner'
import { inline } from '../text'

/** One check, with its facts as text: names and values, in the order in which they are read. */
interface FindingView extends Pick<Finding, 'check' | 'spec' | 'result'> {
  readonly reason: Finding['reason']
  readonly facts: readonly (readonly [name: string, text: string])[]
  readonly advice: Finding['advice']
}

/** The times of an assertion: drawn, and each to be read beside the drawing. */
interface TimesView {
  readonly leeway: number
  readonly drawing: Drawing
  readonly list: readonly { readonly name: string; readonly date: string; readonly words: string }[]
}

/** All that the page shows of a request. Every text is printable ASCII, whatever was pasted. */
export interface PageView {
  /** `open`: nothing failed, but not everything could be checked, or it is too old by now. */
  readonly state: 'accepted' | 'refused' | 'open'
  /** The sentence that helps most: what to change, where something is to be changed. */
  readonly headline: string
  /** The verdict behind it, and how the rest can be checked. */
  readonly small: readonly string[]
  readonly method: string
  readonly client: string
  readonly asOf: string
  readonly findings: readonly FindingView[]
  readonly assertion: { readonly header: readonly string[]; readonly claims: readonly string[] } | undefined
  readonly times: TimesView | undefined
  readonly keys: JwksReport | undefined
  readonly partner: string
}

function findingView(finding: Finding): FindingView {
  const { check, spec, result, reason, detail, advice } = finding
  const facts = Object.entries(detail ?? {}).filter(([name]) => name !== 'now')
  const texts = facts.map(([name, value]) => [spaced(name), factText(finding, name, value)] as const)
  return { check, spec, result, reason, facts: texts, advice }
}

/** `secondsLate` as people write it. */
const spaced = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** One member a line. */
const members = (object: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(object).map(([name, value]) => `${inline(JSON.stringify(name))}: ${inline(JSON.stringify(value))}`)

/** The page has fields where the command has options. */
const forPage = (text: string): string =>
  text
    .replace('--at TIME judges', 'The field Time judges')
    .replace('ask with fetch', 'check the box Fetch')
    .replace(/--(?=cert|from)/, 'the command explain with --')

function verdictOf(report: Report): Pick<PageView, 'state' | 'headline' | 'small'> {
  const { isClientKnown, notes, late, explanation } = report
  const { accepted, reason, findings } = explanation
  const failed = findings.filter(({ result }) => result === 'failed')
  if (accepted && late === undefined)
    return { state: 'accepted', headline: 'Accepted: every check is passed.', small: notes }
  if (reason !== undefined) {
    const count = `Refused: ${reason}. ${failed.length} of ${findings.length} checks failed.`
    return { state: 'refused', headline: String(failed[0]?.advice), small: [count, ...notes] }
  }
  const ways = findings.flatMap(({ result, advice }) => (result === 'not_checked' ? [advice ?? ''] : []))
  const record = isClientKnown ? '' : 'Give the client record to check the rest.'
  const small = [...new Set([record, ...ways, ...notes])].filter((one) => one !== '')
  const told = late ?? 'not refused, but not everything could be checked'
  return { state: 'open', headline: `${told.charAt(0).toUpperCase()}${told.slice(1)}.`, small }
}

function timesView({ assertion, now }: Report): TimesView | undefined {
  if (assertion === undefined || assertion.times.claims.length === 0) return undefined
  const { times } = assertion
  const list = times.claims.map(({ name, time }) => ({ name, date: date(time), words: inWords(name, time, now) }))
  return { leeway: times.leeway, drawing: draw(times), list: [...list, { name: 'now', date: date(now), words: '' }] }
}

/** What the page shows. */
export function viewOf(report: Report, issuer: string, keys: JwksReport | undefined): PageView {
  const { explanation, assertion, now } = report
  const { state, headline, small } = verdictOf(report)
  return {
    ...{ state, headline: forPage(headline), small: small.map(forPage) },
    method: explanation.method ?? 'unknown',
    client: inline(explanation.clientId ?? 'none named'),
    asOf: date(now),
    findings: explanation.findings.map(findingView),
    assertion: assertion && { header: members(assertion.header), claims: members(assertion.claims) },
    times: timesView(report),
    keys,
    partner: partnerText(report, issuer)
  }
}

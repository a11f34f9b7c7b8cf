import { adviceFor, factsForSender, type Finding } from '../lib/explain/for-cli'
import { factText } from './fact-text'
import type { Report } from './report'
import { inline } from './text'
import { date } from './times'

/** The facts of a finding that its sender may see. */
function factsFor(finding: Finding, issuer: string) {
  const { reason, expected, received } = finding
  if (reason === undefined) return []
  // The older audiences that some clients may still use are the operator's own affair
  const shown = factsForSender(reason)
  const wanted = reason === 'assertion_audience' ? issuer : shown === 'all' ? expected : undefined
  return [
    ...(wanted === undefined ? [] : [`Expected: ${factText(finding, 'expected', wanted)}`]),
    ...(received === undefined || shown === 'none' ? [] : [`Received: ${factText(finding, 'received', received)}`])
  ]
}

/** The checks that failed, each piece of advice once. */
const failures = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(
    ({ result, forSender }, at) =>
      result === 'failed' && findings.findIndex((one) => one.forSender === forSender) === at
  )

/** What to send the partner, in one line: what came and what to change, for each check that failed. */
export const partnerSentence = ({ explanation: { findings }, late }: Report, issuer: string): string =>
  [
    ...(late === undefined ? [] : [`The assertion was ${late}. ${adviceFor('assertion_expired')}`]),
    ...failures(findings).map((finding) =>
      [String(finding.forSender), ...factsFor(finding, issuer).map((fact) => `${fact}.`)].join(' ')
    )
  ].join(' ')

/** Of what is compared with the record, only what the sender sent; and the sender's part of the advice alone. */
function paragraph(finding: Finding, index: number, issuer: string): string {
  const { check, spec, forSender } = finding
  const title = `${index + 1}. ${check} (${spec})`
  const facts = factsFor(finding, issuer).map((fact) => `   ${fact}`)
  return [title, ...facts, `   What to change: ${String(forSender)}`].join('\n')
}

/** A text that tells the client's developer what to change. Holds nothing of the record, and no advice for the operator. */
export function partnerText({ explanation, now, late }: Report, issuer: string): string {
  const { accepted, clientId, method, findings } = explanation
  const failed = failures(findings)
  const who = [
    ...(clientId === undefined ? [] : [`client ${inline(clientId)}`]),
    ...(method === undefined ? [] : [method])
  ].join(', ')
  const about = `A request to ${inline(issuer)}${who === '' ? '' : ` (${who})`}, judged as of ${date(now)}`
  if (late !== undefined) return `${about}: ${late}. ${adviceFor('assertion_expired')}`
  if (accepted) return `${about}, passes every check. Whether its assertion was used before was not checked.`
  if (failed.length === 0) return `${about}, breaks no rule that could be checked.`
  return [`${about}, is refused:`, ...failed.map((finding, index) => paragraph(finding, index, issuer))].join('\n\n')
}

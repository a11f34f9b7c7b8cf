import type { Finding } from '../../rules'
import { inline } from '../format'
import type { Report } from '../report'
import { date } from '../times'
import { factText } from './fact-text'

function paragraph(finding: Finding, index: number): string {
  const { check, spec, expected, received, advice } = finding
  const facts = [
    ...(expected === undefined ? [] : [`   Expected: ${factText(finding, 'expected', expected)}`]),
    ...(received === undefined ? [] : [`   Received: ${factText(finding, 'received', received)}`]),
    ...(advice === undefined ? [] : [`   What to change: ${advice}`])
  ]
  return [`${index + 1}. ${check} (${spec})`, ...facts].join('\n')
}

/** A text that tells the client's developer what to change. Holds nothing that the request does not show or break. */
export function partnerText({ explanation, now }: Report, issuer: string): string {
  const { accepted, clientId, method, findings } = explanation
  const failed = findings.filter(({ result }) => result === 'failed')
  const who = [
    ...(clientId === undefined ? [] : [`client ${inline(clientId)}`]),
    ...(method === undefined ? [] : [method])
  ].join(', ')
  const about = `A request to ${inline(issuer)}${who === '' ? '' : ` (${who})`}, judged as of ${date(now)}`
  if (accepted) return `${about}, passes every check. Whether its assertion was used before was not checked.`
  if (failed.length === 0) return `${about}, breaks no rule that could be checked.`
  return [`${about}, is refused:`, ...failed.map(paragraph)].join('\n\n')
}

import { printable } from '../basics/printable'
import type { Detail } from '../refusals/reasons/reason'
import type { FederatedIdentity } from '../types'

/** What a part of a subject is called, by all that stands before it: Kubernetes, GitHub, GitLab, SPIFFE. */
const parts: readonly (readonly [before: RegExp, name: string])[] = [
  [/^system:serviceaccount:$/, 'namespace'],
  [/^system:serviceaccount:[^:]+:$/, 'service account'],
  [/^repo:[^:]*$/, 'repository'],
  [/^repo:[^:]+:ref:refs\/heads\//, 'branch'],
  [/^repo:[^:]+:ref:refs\/tags\//, 'tag'],
  [/^repo:[^:]+:environment:/, 'environment'],
  [/^repo:[^:]+:/, 'kind of run'],
  [/^project_path:[^:]*$/, 'project'],
  [/^project_path:.*:ref:/, 'branch or tag'],
  [/^spiffe:\/\/./, 'path']
]

/** How much two subjects have in common, up to the last `:` or `/`. */
function commonStart(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, length).replace(/[^:/]*$/, '')
}

/** For the log: the part in which a subject differs from the registered one of its issuer that is most like it. */
export function difference(registered: readonly FederatedIdentity[], { issuer, subject }: FederatedIdentity): Detail {
  const ofIssuer = registered.filter((one) => one.issuer === issuer)
  const starts = ofIssuer.map((one) => ({ one: one.subject, start: commonStart(one.subject, subject) }))
  const [nearest] = starts.sort((a, b) => b.start.length - a.start.length)
  if (nearest === undefined) return {}
  const { one, start } = nearest
  const rest = (text: string) => printable(text.slice(start.length))
  const part = parts.find(([before]) => before.test(start))?.[1]
  return { differs: { part, expected: rest(one), received: rest(subject) } }
}

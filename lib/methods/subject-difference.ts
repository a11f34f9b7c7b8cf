import { printable } from '../basics/printable'
import type { Detail } from '../refusals/reasons/reason'

/** What a part of a subject is called, by all that stands before it: Kubernetes, GitHub, GitLab, SPIFFE. */
const parts: readonly (readonly [before: RegExp, name: string])[] = [
  [/^system:serviceaccount:$/, 'namespace'],
  [/^system:serviceaccount:[^:]+:$/, 'service account'],
  [/^repo:[^:]*$/, 'repository'],
  [/^repo:[^:]+:$/, 'kind of run'],
  [/^repo:[^:]+:ref:refs\/heads\//, 'branch'],
  [/^repo:[^:]+:ref:refs\/tags\//, 'tag'],
  [/^repo:[^:]+:environment:/, 'environment'],
  [/^project_path:[^:]*$/, 'project'],
  [/^project_path:[^:]+:ref_type:.*:ref:/, 'branch or tag'],
  [/^spiffe:\/\/$/, 'trust domain'],
  [/^spiffe:\/\/./, 'path']
]

/** How much two subjects have in common, up to the last `:` or `/`. */
function commonStart(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, length).replace(/[^:/]*$/, '')
}

/** For the log: the part in which a subject differs from the registered one that is most like it. */
export function subjectDifference(registered: readonly string[], subject: string): Detail {
  const [nearest] = registered
    .map((one) => ({ one, start: commonStart(one, subject) }))
    .sort((a, b) => b.start.length - a.start.length)
  if (nearest === undefined) return {}
  const { one, start } = nearest
  const part = parts.find(([before]) => before.test(start))?.[1]
  const rest = (text: string) => printable(text.slice(start.length))
  return { differs: { part, expected: rest(one), received: rest(subject) } }
}

import { attempt, type ClientAuthMethod, type Finding, findingOfLog, isObject } from '../lib/explain/for-cli'
import type { Input } from './pasted-request'
import { safeMessage } from './text'
import { UsageError } from './usage'

type Members = Record<string, unknown>

/** A log holds what strangers sent, and its texts are printed as they are. */
const harmless = (_name: string, value: unknown): unknown => {
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, one]) => [safeMessage(name), one]))
  return typeof value === 'string' ? safeMessage(value) : value
}

const read = (text: string): unknown => attempt(() => JSON.parse(text, harmless) as unknown)

/** The refusals in a log: in JSON, or in lines of it, whatever a collector of logs puts before each. */
function refusalsIn(text: string, lines: readonly string[]): Members[] {
  const whole = read(text)
  const all = whole === undefined ? lines.map((line) => read(line.slice(line.indexOf('{')))) : [whole].flat()
  return all.filter(isObject).filter(({ reason }) => typeof reason === 'string')
}

/** Whether a text holds what {@link readLog} reads. */
export const isLog = (text: string, lines: readonly string[]): boolean => refusalsIn(text, lines).length > 0

const own = (line: Members, names: readonly string[]): Members =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(line, name)).map((name) => [name, line[name]]))

/** What is told of one check: in the words of the line, which may know more, or in ours for its facts. */
function findingIn(line: Members): Finding[] {
  const facts = isObject(line.detail) ? line.detail : own(line, ['expected', 'received'])
  const finding = findingOfLog(String(line.reason), facts)
  const words = ['check', 'spec', 'advice', 'forSender'].filter((name) => typeof line[name] === 'string')
  return finding === undefined ? [] : [{ ...finding, ...own(line, words) }]
}

/** A line that `recordRefusals`, or the logger of docs/events.md, has written. */
export function readLog(text: string, lines: readonly string[]): Input {
  const refusals = refusalsIn(text, lines)
  const [line = {}] = refusals
  if (refusals.length > 1) throw new UsageError(`INPUT holds ${refusals.length} lines of a log: give one of them.`)
  const recorded = Array.isArray(line.findings) ? line.findings.filter(isObject).flatMap(findingIn) : []
  const findings = recorded.length > 0 ? recorded : findingIn(line)
  const reason = findings[0]?.reason
  if (reason === undefined)
    throw new UsageError('INPUT looks like a line of a log, but holds no reason of this package.')
  const { clientId, method } = line
  const client = typeof clientId === 'string' ? { clientId } : {}
  const how = /^\w{1,40}$/.test(String(method)) ? { method: method as ClientAuthMethod } : {}
  return { headers: {}, body: undefined, log: { accepted: false, reason, ...client, ...how, findings } }
}

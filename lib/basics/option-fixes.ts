import { types } from 'node:util'

/** What was given, without its content: an option may hold a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (types.isPromise(value)) return 'a promise'
  if (types.isMap(value)) return 'a Map'
  if (value instanceof URL) return 'a URL object'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return `a value of type ${typeof value}`
}

/** Levenshtein distance, for "did you mean". */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of Array.from(a).entries()) {
    let [left, diagonal] = [i, Infinity]
    row = row.map((above, j) => {
      left = Math.min(left + 1, above + 1, diagonal + (letter === b[j - 1] ? 0 : 1))
      diagonal = above
      return left
    })
  }
  return Number(row.at(-1))
}

const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')

/** The known name that a misspelt one is nearest to, if it is near at all. */
export function nearest(name: string, known: readonly string[], most: number): string | undefined {
  const scored = known.map((candidate) => ({ candidate, score: distance(plain(name), plain(candidate)) }))
  const [best] = scored.sort((a, b) => a.score - b.score)
  return best !== undefined && best.score <= most ? best.candidate : undefined
}

/** What to write instead of a wrong value; `undefined` where there is no better hint than the rule's own words. */
export type Fix = (value: unknown) => string | undefined

export const fixFunction: Fix = (value) => {
  if (types.isPromise(value)) return 'give the function itself, not what it returns'
  if (types.isMap(value)) return 'write (id) => map.get(id)'
  return undefined
}

export const fixObject =
  (example: string): Fix =>
  (value) => {
    if (types.isPromise(value)) return 'await it first'
    return typeof value === 'function' || typeof value === 'string' ? `write ${example}` : undefined
  }

const sendCommand = '{ sendCommand: (args) => client.sendCommand(args) }'

/** Where a database, its client or its URL is given as `replayStore`: which function makes a store of it. */
export const fixStore: Fix = (value) => {
  const has = (name: string) => typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function'
  if (has('sendCommand') || has('customCommand')) return `write createRedisReplayStore(${sendCommand})`
  if (has('prepare')) return 'write createSqliteReplayStore({ database })'
  if (typeof value !== 'string') return fixObject('createMemoryReplayStore()')(value)
  return `for Redis write createRedisReplayStore(${sendCommand}), for a file createSqliteReplayStore({ database })`
}

export const fixSeconds =
  (min: number, max: number): Fix =>
  (value) => {
    const seconds = Number(value) / 1000
    const looksLikeMilliseconds = typeof value === 'number' && value > max && seconds >= min && seconds <= max
    return looksLikeMilliseconds ? `${value} looks like milliseconds: write ${seconds}` : undefined
  }

/** Long for a number of seconds, round as milliseconds, and no whole hours. */
export const doubtSeconds: Fix = (value) => {
  const seconds = Number(value)
  if (!(seconds > 3600) || seconds % 1000 !== 0 || seconds % 3600 === 0) return undefined
  return `${seconds} of them are ${(seconds / 3600).toFixed(1)} hours: if milliseconds are meant, write ${seconds / 1000}`
}

export const fixWords =
  (known: readonly string[]): Fix =>
  (value) => {
    if (typeof value === 'string') return `write ["${nearest(value, known, 1) ?? known[0]}"]`
    const wrong: unknown = Array.isArray(value) ? value.find((one) => !known.includes(one as string)) : undefined
    // One letter makes ES256 another algorithm: a short name is suggested only for another case or punctuation
    const found = typeof wrong === 'string' ? nearest(wrong, known, wrong.length > 8 ? 2 : 0) : undefined
    return found === undefined ? undefined : `did you mean "${found}"?`
  }

/** `new URL(…)` writes a slash behind a bare host, which the issuer of such a host does not have. */
export const fixUrl: Fix = (value) =>
  value instanceof URL ? `write it as text, "${value.href.replace(/^([^/]+\/\/[^/]+)\/$/, '$1')}"` : undefined

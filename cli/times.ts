import { isSeconds } from '../lib/explain/for-cli'

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1]
] as const

/** A length of time in words: its two largest units, such as `4 h 12 min`. */
export function duration(seconds: number): string {
  let rest = Math.round(Math.abs(seconds))
  const first = units.findIndex(([, size]) => rest >= size)
  if (first < 0) return '0 s'
  const words: string[] = []
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) words.push(`${count} ${unit}`)
  }
  return words.join(' ')
}

/** Where a time lies, such as `4 h 12 min before now`. */
export function fromNow(time: number, now: number): string {
  if (Math.abs(time - now) < 0.5) return 'now'
  return `${duration(time - now)} ${time < now ? 'before' : 'after'} now`
}

/** A time as a date in UTC, to the second. Times that no calendar holds are told as the number. */
export function date(time: number): string {
  const milliseconds = time * 1000
  if (Math.abs(milliseconds) > 8.64e15) return String(time)
  return new Date(milliseconds).toISOString().replace(/T(.{8}).*/, ' $1 UTC')
}

const claimNames = ['nbf', 'iat', 'exp'] as const

/** Times in seconds since the epoch. */
export interface Times {
  readonly now: number
  /** The leeway, in seconds. */
  readonly leeway: number
  /** The claims that are times in seconds; others cannot be drawn. */
  readonly claims: readonly { readonly name: 'nbf' | 'iat' | 'exp'; readonly time: number }[]
}

/** The times of an assertion. */
export const timesOf = (claims: Readonly<Record<string, unknown>>, now: number, leeway: number): Times => ({
  now,
  leeway,
  claims: claimNames
    .map((name) => ({ name, time: claims[name] }))
    .filter((claim): claim is Times['claims'][number] => isSeconds(claim.time))
})

/** A time claim in words. */
export function inWords(name: string, time: number, now: number): string {
  const where = fromNow(time, now)
  if (name === 'exp') return time <= now ? `expired ${where}` : `expires ${where}`
  if (name === 'iat') return `issued ${where}`
  return time <= now ? `valid since ${where}` : `valid from ${where}`
}

/** A drawing of times on a line from 0 to 1. */
export interface Drawing {
  readonly points: readonly { readonly name: string; readonly at: number }[]
  /** Where the assertion is valid: from `nbf` or `iat`, or from the left end, to `exp`. Absent without `exp`. */
  readonly valid?: { readonly from: number; readonly to: number }
  /** Where only the leeway accepts it, before and after `valid`. */
  readonly leeway?: { readonly from: number; readonly to: number }
}

/** Times as numbers to draw with: all points within 0 to 1, with a margin of a tenth on each side. */
export function draw({ now, leeway, claims }: Times): Drawing {
  const timeOf = (name: string) => claims.find((claim) => claim.name === name)?.time
  const exp = timeOf('exp')
  const start = timeOf('nbf') ?? timeOf('iat')
  const ends = [now, ...claims.map(({ time }) => time), ...(exp === undefined ? [] : [exp + leeway])]
  if (start !== undefined) ends.push(start - leeway)
  const [first, last] = [Math.min(...ends), Math.max(...ends)]
  const margin = (last - first || 1) / 10
  const place = (time: number) => (time - first + margin) / (last - first + 2 * margin)
  const points = [...claims, { name: 'now', time: now }].map(({ name, time }) => ({ name, at: place(time) }))
  points.sort((a, b) => a.at - b.at)
  if (exp === undefined || (start !== undefined && start > exp)) return { points }
  return {
    points,
    valid: { from: start === undefined ? 0 : place(start), to: place(exp) },
    leeway: { from: start === undefined ? 0 : place(start - leeway), to: place(exp + leeway) }
  }
}

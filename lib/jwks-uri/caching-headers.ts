import type { IncomingHttpHeaders } from 'node:http'

/** How long an answer is fresh, in seconds (RFC 9111 §4.2), as a private cache reads it: no `s-maxage`. */
export function lifetime(headers: IncomingHttpHeaders, now: number): number | undefined {
  const control = headers['cache-control'] ?? ''
  const age = /^\d+$/.test(headers.age ?? '') ? Number(headers.age) : 0
  if (/(?:^|,) *(?:no-store|no-cache) *(?:,|$)/i.test(control)) return 0
  const maxAge = /(?:^|,) *max-age=(\d+) *(?:,|$)/i.exec(control)?.[1]
  if (maxAge !== undefined) return Number(maxAge) - age || 0 // both may be infinite
  if (headers.expires === undefined) return undefined
  const from = Date.parse(headers.date ?? '')
  // An unreadable date lies in the past (RFC 9111 §5.3)
  return (Date.parse(headers.expires) - (Number.isNaN(from) ? now : from)) / 1000 - age || 0
}

/** An entity tag that is worth keeping: well-formed (RFC 9110 §8.8.3) and short. */
export const storableTag = (value = ''): string | undefined =>
  /^(?:W\/)?"[\x21\x23-\x7e]{1,512}"$/.test(value) ? value : undefined

const maxRetryAfter = 300_000

/** `Retry-After` in milliseconds: a number of seconds or a date (RFC 9110 §10.2.3), at most five minutes. */
export function retryAfter(value: string, now: number): number {
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Math.min(Math.max(wait || 0, 0), maxRetryAfter)
}

import type { IncomingHttpHeaders } from 'node:http'

/**
 * How long an answer is fresh, in seconds (RFC 9111 §4.2), or `undefined` if it does not say. Read as a private cache
 * does: without `s-maxage`. A date in it is compared with the system's clock (RFC 9111 §4.2.1).
 */
export function freshnessLifetime(headers: IncomingHttpHeaders, nowMs = Date.now()): number | undefined {
  const control = headers['cache-control'] ?? ''
  const age = /^\d+$/.test(headers.age ?? '') ? Number(headers.age) : 0
  if (/(?:^|,) *(?:no-store|no-cache) *(?:,|$)/i.test(control)) return 0
  const maxAge = /(?:^|,) *max-age=(\d+) *(?:,|$)/i.exec(control)?.[1]
  // `|| 0`: both may be infinite, and Infinity - Infinity is not a number
  if (maxAge !== undefined) return Number(maxAge) - age || 0
  if (headers.expires === undefined) return undefined
  const date = Date.parse(headers.date ?? '')
  // RFC 9111 §5.3: an Expires that is not a date lies in the past
  return (Date.parse(headers.expires) - (Number.isNaN(date) ? nowMs : date)) / 1000 - age || 0
}

/** Returns an entity tag that is well-formed (RFC 9110 §8.8.3) and at most 512 characters long; else `undefined`. */
export const storableTag = (value = ''): string | undefined =>
  /^(?:W\/)?"[\x21\x23-\x7e]{1,512}"$/.test(value) ? value : undefined

const maxRetryAfter = 300_000

/** `Retry-After` in milliseconds: a number of seconds or a date (RFC 9110 §10.2.3), at most five minutes. */
export function retryAfter(value: string, nowMs: number): number {
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Math.min(Math.max(wait || 0, 0), maxRetryAfter)
}

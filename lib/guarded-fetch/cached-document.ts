import { freshnessLifetime, storableTag } from './caching-headers'
import type { Answer } from './exchange'

/** Milliseconds of a clock that is never set: a step of the system's clock makes no document older or younger. */
export const now = (): number => performance.now()

/** A fetched document with all that decides on its next fetch. Times are milliseconds of {@link now}. */
export interface CachedDocument<T> {
  readonly value: T
  readonly etag: string | undefined
  /** Freshness lifetime by the last answer that gave one, in seconds; kept for a 304 that gives none. */
  readonly lifetime: number | undefined
  readonly limits: ParsedLimits
  /** What it takes in memory. */
  readonly octets: number
  /** From here on a request starts the refresh, and is served from the cache. */
  readonly aheadFrom: number
  readonly freshUntil: number
  /** While refreshes fail, it may serve until here. */
  readonly staleUntil: number
  /** No fetch for an unknown kid before. */
  refreshAt: number
  /** No fetch at all before, because the last one failed. */
  retryAt: number
  /** Whether a refresh ahead of the end was tried: one is enough. */
  triedAhead: boolean
  /** The start of the first attempt that was answered with 404 or 410. */
  goneAt: number | undefined
}

/** When each value was had from its owner, or confirmed by it, and until when it is fresh. */
const cacheTimes = new WeakMap<object, { readonly hadAt: number; readonly freshUntil: number }>()

/** How old a value of the cache is, in seconds; `undefined` for one that was not fetched. */
export function ageOf(value: object): number | undefined {
  const at = cacheTimes.get(value)?.hadAt
  return at === undefined ? undefined : Math.floor((now() - at) / 1000)
}

/** When a value of the cache was had, and until when it is used without another fetch; nothing for one not fetched. */
export function cacheTimesOf(value: object): { fetchedAt?: Date; freshUntil?: Date } {
  const known = cacheTimes.get(value)
  if (known === undefined) return {}
  const dateOf = (at: number): Date => new Date(Date.now() + at - now())
  return { fetchedAt: dateOf(known.hadAt), freshUntil: dateOf(known.freshUntil) }
}

/** The operator's limits of freshness, in seconds. */
export interface FreshnessLimits {
  readonly minTtl: number
  readonly maxTtl: number
  readonly defaultTtl: number
  readonly staleIfError: number
  readonly cooldown: number
}

/** What one document's content limits further, in seconds. */
interface ParsedLimits {
  /** Fresh for so long at most. */
  readonly maxTtl?: number
  /** While refreshes fail, it serves for so long at most. */
  readonly staleIfError?: number
}

/** What an answer was parsed into. */
export interface Parsed<T> extends ParsedLimits {
  readonly value: T
  /** What the value takes in memory, with all that is kept with it, in octets. */
  readonly octets: number
}

/** How long an answer is fresh, in seconds, within the limits. */
export function freshSeconds(lifetime: number | undefined, limits: FreshnessLimits, more: ParsedLimits = {}): number {
  const { minTtl, maxTtl, defaultTtl } = limits
  return Math.min(Math.max(lifetime ?? defaultTtl, minTtl), maxTtl, more.maxTtl ?? Infinity)
}

/**
 * What an answer makes of the cache: a new document, or the old one renewed. Freshness and cool-down count from
 * `start`, the start of the attempt, so a slow answer is not kept longer.
 */
export function toCachedDocument<T extends object>(
  { notModified, headers, body }: Answer,
  parse: (body: Buffer) => Parsed<T>,
  start: number,
  limits: FreshnessLimits,
  old?: CachedDocument<T>
): CachedDocument<T> {
  const parsed: Parsed<T> =
    notModified && old !== undefined ? { value: old.value, octets: old.octets, ...old.limits } : parse(body)
  const { value: parsedValue, octets, ...parsedLimits } = parsed
  // The same object for the same content, so that a caller can keep what it makes of it by identity
  const isUnchanged = old !== undefined && JSON.stringify(parsedValue) === JSON.stringify(old.value)
  const value = isUnchanged ? old.value : parsedValue
  const lifetime = freshnessLifetime(headers) ?? (notModified ? old?.lifetime : undefined)
  const freshMs = freshSeconds(lifetime, limits, parsedLimits) * 1000
  const freshUntil = start + freshMs
  cacheTimes.set(value, { hadAt: start, freshUntil })
  return {
    value,
    etag: storableTag(headers.etag ?? (notModified ? old?.etag : undefined)),
    lifetime,
    limits: parsedLimits,
    octets,
    aheadFrom: freshUntil - Math.min(freshMs / 10, 60_000),
    freshUntil,
    staleUntil: freshUntil + Math.min(limits.staleIfError, parsedLimits.staleIfError ?? Infinity) * 1000,
    refreshAt: start + limits.cooldown * 1000,
    retryAt: 0,
    triedAhead: false,
    goneAt: undefined
  }
}

/** Why a document must be fetched again for a request, or `undefined` if the cached one answers it. */
export function refreshPurpose(
  cached: CachedDocument<unknown>,
  wantsNewer: boolean
): 'expired' | 'unknown_kid' | 'ahead' | undefined {
  const at = now()
  if (at < cached.retryAt) return undefined
  if (at >= cached.freshUntil) return 'expired'
  if (wantsNewer && at >= cached.refreshAt) return 'unknown_kid'
  return at >= cached.aheadFrom && !cached.triedAhead ? 'ahead' : undefined
}

/**
 * What a failed fetch tells of the document. `gone`: its owner has taken it away (404, 410). `broken`: its owner publishes
 * one that breaks a rule. `undefined`: nothing, since it may be an outage.
 */
export type OwnersWord = 'gone' | 'broken' | undefined

/** What a failed refresh leaves of the cached document: it serves on, fresh or stale, or it is lost. */
type Standing = 'fresh' | 'stale' | 'lost'

/** One attempt that failed, in milliseconds of {@link now}. */
interface FailedAttempt {
  readonly word: OwnersWord
  readonly start: number
  readonly at: number
}

/**
 * How a cached document stands after an attempt that failed. A broken one is lost at once. One that is gone is lost the
 * second time, a cool-down after the first, because anybody can choose the moment of a refresh; with `goneIfExpired`
 * once is enough as soon as it is no longer fresh. Otherwise it serves until its time is over.
 */
export function standing(
  { freshUntil, staleUntil, goneAt }: CachedDocument<unknown>,
  { word, start, at }: FailedAttempt,
  { cooldownMs, goneIfExpired }: { readonly cooldownMs: number; readonly goneIfExpired: boolean }
): Standing {
  const isFresh = at < freshUntil
  const isGoneAgain = goneAt !== undefined && start >= goneAt + cooldownMs
  if (at >= staleUntil || word === 'broken') return 'lost'
  if (word === 'gone' && (isGoneAgain || (goneIfExpired && !isFresh))) return 'lost'
  return isFresh ? 'fresh' : 'stale'
}

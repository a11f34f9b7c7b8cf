import type { IncomingHttpHeaders } from 'node:http'
import { parseKeySet } from '../jwt/jwk-set'
import { KeySetError } from '../jwt/key-set-error'
import type { Jwk, JwkSet } from '../types'
import { freshnessLifetime, storableTag } from '../guarded-fetch/caching-headers'
import type { Answer } from '../guarded-fetch/https-get'
import type { JwksSettings } from './options'

/** Milliseconds of a clock that is never set: a step of the system's clock makes no set older or younger. */
export const now = (): number => performance.now()

/** A fetched set with all that decides on its next fetch. Times are milliseconds of {@link now}. */
export interface CachedSet {
  readonly set: JwkSet
  readonly etag: string | undefined
  /** Freshness lifetime by the last answer that gave one, in seconds; kept for a 304 that gives none. */
  readonly lifetime: number | undefined
  /** What it takes in memory: see {@link octetsInMemory}. */
  readonly octets: number
  /** From here on a request starts the refresh, and is served from the set. */
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
  /** The start of the first attempt that was answered with 404 or 410 while the set was fresh. */
  goneAt: number | undefined
}

/** All cached sets together may take so much, in octets of memory. */
export const cacheOctets = 64 * 1024 * 1024

/** Each algorithm that a key serves makes an imported key of its own. */
const importsOf = ({ kty, alg }: Jwk): number => (alg !== undefined ? 1 : kty === 'RSA' ? 6 : 2)

/**
 * What a set takes in memory once its keys are imported under every algorithm, in octets: measured, and rounded up. An
 * RSA key of 2048 bits takes some 5 KiB each time it is imported, so its 400 characters of text would tell too little.
 */
export function octetsInMemory({ keys }: JwkSet): number {
  const perKey = keys.map((jwk) => {
    const text = Buffer.byteLength(JSON.stringify(jwk))
    return 256 + text + importsOf(jwk) * (4096 + 3 * (jwk.kty === 'RSA' ? String(jwk.n).length : 0))
  })
  return perKey.reduce((sum, octets) => sum + octets, 1024)
}

/** An edited set would be verified by the keys that were imported before the edit, so it cannot be edited. */
function frozen(set: JwkSet): JwkSet {
  for (const key of set.keys) Object.freeze(key)
  Object.freeze(set.keys)
  return Object.freeze(set)
}

type FreshnessLimits = Pick<JwksSettings, 'minTtl' | 'maxTtl' | 'defaultTtl'>

/** How long an answer is fresh, in seconds, within the operator's limits. */
export function freshSeconds(lifetime: number | undefined, { minTtl, maxTtl, defaultTtl }: FreshnessLimits): number {
  return Math.min(Math.max(lifetime ?? defaultTtl, minTtl), maxTtl)
}

/** The lifetime that an answer gives, if any. A date in it is compared with the system's clock (RFC 9111 §4.2.1). */
export const lifetimeOf = (headers: IncomingHttpHeaders): number | undefined => freshnessLifetime(headers, Date.now())

/**
 * What an answer makes of the cache: a new set, or the old one renewed. Freshness and cool-down count from `start`,
 * the start of the attempt, so a slow answer is not kept longer.
 */
export function toCachedSet(answer: Answer, start: number, settings: JwksSettings, old?: CachedSet): CachedSet {
  const { notModified, headers, body } = answer
  const fetched = notModified && old !== undefined ? old.set : frozen(parseKeySet(body, settings.maxKeys))
  // The same object for the same keys: imported keys are kept with it
  const set = old !== undefined && JSON.stringify(fetched) === JSON.stringify(old.set) ? old.set : fetched
  const octets = octetsInMemory(set)
  // The cache would not keep it, and each request would fetch it
  if (octets > cacheOctets / 2)
    throw new KeySetError('too_large', `the keys of the set would take ${Math.round(octets / 1e6)} MB of memory`)
  const lifetime = lifetimeOf(headers) ?? (notModified ? old?.lifetime : undefined)
  const freshMs = freshSeconds(lifetime, settings) * 1000
  const freshUntil = start + freshMs
  return {
    set,
    etag: storableTag(headers.etag ?? (notModified ? old?.etag : undefined)),
    lifetime,
    octets,
    aheadFrom: freshUntil - Math.min(freshMs / 10, 60_000),
    freshUntil,
    staleUntil: freshUntil + settings.staleIfError * 1000,
    refreshAt: start + settings.cooldown * 1000,
    retryAt: 0,
    triedAhead: false,
    goneAt: undefined
  }
}

/** Why a set must be fetched again for a request, or `undefined` if the cached one answers it. */
export function refreshPurpose(
  cached: CachedSet,
  wantsNewer: boolean
): 'expired' | 'unknown_kid' | 'ahead' | undefined {
  const at = now()
  if (at < cached.retryAt) return undefined
  if (at >= cached.freshUntil) return 'expired'
  if (wantsNewer && at >= cached.refreshAt) return 'unknown_kid'
  return at >= cached.aheadFrom && !cached.triedAhead ? 'ahead' : undefined
}

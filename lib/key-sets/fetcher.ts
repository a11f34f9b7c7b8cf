import { LRUCache } from 'lru-cache'
import { KeySetError } from '../jwt/key-set-error'
import type { JwkSet, KeySets } from '../types'
import { cacheOctets, type CachedSet, now, refreshPurpose, toCachedSet } from './cached-set'
import { retryAfter } from '../guarded-fetch/caching-headers'
import { withDeadline } from '../guarded-fetch/deadline'
import { report } from './events'
import { createFetchQueue, type Purpose } from '../guarded-fetch/fetch-queue'
import { guardedUrl, httpsGet } from '../guarded-fetch/https-get'
import { type JwksFetcherOptions, type JwksSettings, resolveJwksOptions } from './options'

interface Failure {
  readonly error: KeySetError
  readonly retryAt: number
}

/** One attempt to fetch a set; `old` is the set in the cache. */
interface Attempt {
  readonly uri: string
  readonly purpose: Purpose
  readonly start: number
  readonly old: CachedSet | undefined
}

/** A failed fetch that held the event loop for n ms is not repeated for n s, but at most for so many ms. */
const maxRest = 600_000

/**
 * How long nothing is asked after a failure, in milliseconds. A first load that did not leave the queue was not tried,
 * and may be tried again at once.
 */
function restAfter({ old }: Attempt, error: KeySetError, busyMs: number, cooldownMs: number): number {
  if (error.why === 'busy' && old === undefined) return 0
  return Math.max(cooldownMs, retryAfter(error.retryAfter ?? '', Date.now()), Math.min(busyMs * 1000, maxRest))
}

/**
 * Whether the cached set serves on after a failure. 404 and 410 withdraw it; while it is fresh it takes two, a
 * cool-down apart, because anybody can choose the moment of a refresh by an unknown `kid`.
 */
function servesOn(old: CachedSet, { why }: KeySetError, start: number, cooldownMs: number): boolean {
  if (why !== 'withdrawn') return now() < old.staleUntil
  if (now() >= old.freshUntil) return false
  old.goneAt ??= start
  return start === old.goneAt || start < old.goneAt + cooldownMs
}

/** Fetches one set through queue and guard. Tells `onBusy` how long the fetch held the event loop. */
function createFetch(settings: JwksSettings) {
  const { timeout, maxConcurrent, maxConcurrentPerHost } = settings
  // A fetch may wait for half of its time, so that the other half is left for the fetch itself
  const inQueue = createFetchQueue({ maxConcurrent, maxConcurrentPerHost, maxWaitMs: timeout * 500 })

  return async ({ uri, purpose, start, old }: Attempt, onBusy: (busyMs: number) => void): Promise<CachedSet> => {
    const { hostname: host } = new URL(uri)
    const answer = await withDeadline(
      host,
      timeout,
      (step) => {
        if (step.step === 'closed') onBusy(step.busyMs)
      },
      (signal, observe) =>
        inQueue({ host, purpose }, () => httpsGet(uri, settings, { signal, etag: old?.etag, observe }))
    )
    const fetched = toCachedSet(answer, start, settings, old)
    const event = answer.notModified ? 'not_modified' : old === undefined ? 'fetched' : 'refreshed'
    report(event, uri, now() - start, { keys: fetched.set.keys.length })
    return fetched
  }
}

/**
 * Resolves `jwks_uri`s: a cache in front of a fetch that reaches public https servers only. The option `hosts` is the
 * one way to a private network, host by host. Times are in seconds.
 *
 * @param options see {@link JwksFetcherOptions}; all have defaults.
 * @returns a value for the option `keySets`. Its `get` rejects with an error whose `why` says what went wrong; the
 * client is then refused.
 * @throws a `TypeError` for an unknown option or an impossible value; it names the option and the fix.
 *
 * @example
 * const keySets = createJwksFetcher({ hosts: { 'keys.corp': { addresses: ['10.1.0.0/16'], ports: [8443] } } })
 * app.post('/token', clientAuth({ issuer, getClient, keySets }), issueToken)
 */
export function createJwksFetcher(options: JwksFetcherOptions = {}): Required<KeySets> {
  const settings = resolveJwksOptions(options)
  const cooldownMs = settings.cooldown * 1000
  const fetchSet = createFetch(settings)
  const sets = new LRUCache<string, CachedSet>({
    max: settings.maxEntries,
    maxSize: cacheOctets,
    sizeCalculation: ({ octets, etag = '' }, uri) => octets + uri.length + etag.length
  })
  // Apart from the sets, so that hostile registrations cannot push good sets out
  const failures = new LRUCache<string, Failure>({ max: settings.maxEntries })
  const underWay = new Map<string, Promise<JwkSet>>()

  function afterFailure(attempt: Attempt, error: KeySetError, busyMs: number): JwkSet {
    const { uri, purpose, start, old } = attempt
    const retryAt = start + restAfter(attempt, error, busyMs, cooldownMs)
    if (old !== undefined && servesOn(old, error, start, cooldownMs)) {
      const isFresh = now() < old.freshUntil
      report(isFresh ? 'refused' : 'stale', uri, now() - start, { error })
      // A refresh ahead of the end starts no cool-down: at the end there is another attempt
      if (purpose !== 'ahead') old[isFresh ? 'refreshAt' : 'retryAt'] = retryAt
      return old.set
    }
    report('refused', uri, now() - start, { error })
    sets.delete(uri)
    failures.set(uri, { error, retryAt })
    throw error
  }

  async function fetchOnce(attempt: Attempt): Promise<JwkSet> {
    const { uri, purpose, old } = attempt
    let busyMs = 0
    try {
      const fetched = await fetchSet(attempt, (ms) => (busyMs = ms))
      if (purpose === 'ahead' && old !== undefined) fetched.refreshAt = old.refreshAt
      sets.set(uri, fetched)
      failures.delete(uri)
      return fetched.set
    } catch (cause) {
      const error =
        cause instanceof KeySetError ? cause : new KeySetError('connection', 'the fetch failed', undefined, cause)
      return afterFailure(attempt, error, busyMs)
    }
  }

  /** However many ask, one attempt is under way for each URI. */
  function fetchShared(uri: string, purpose: Purpose, old?: CachedSet): Promise<JwkSet> {
    const running = underWay.get(uri)
    if (running !== undefined) return running
    const attempt = fetchOnce({ uri, purpose, start: now(), old }).finally(() => underWay.delete(uri))
    underWay.set(uri, attempt)
    return attempt
  }

  function check(uri: string): void {
    guardedUrl(uri, settings.hosts)
  }

  function firstLoad(uri: string): Promise<JwkSet> {
    try {
      check(uri)
    } catch (error) {
      report('refused', uri, 0, { error: error as KeySetError })
      throw error
    }
    const failure = failures.get(uri)
    if (failure !== undefined && now() < failure.retryAt) throw failure.error
    return fetchShared(uri, 'first_load')
  }

  return {
    check,
    cached(uri) {
      const known = sets.peek(uri)
      return known !== undefined && now() < known.staleUntil ? known.set : undefined
    },
    async get(uri, { refresh = false } = {}) {
      const known = sets.get(uri)
      if (known === undefined || now() >= known.staleUntil) return firstLoad(uri)
      const purpose = refreshPurpose(known, refresh)
      if (purpose === undefined) return known.set
      const refreshed = fetchShared(uri, purpose, known)
      if (purpose !== 'ahead') return refreshed
      known.triedAhead = true
      refreshed.catch(() => undefined) // reported as an event
      return known.set
    }
  }
}

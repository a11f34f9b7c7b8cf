import { setMaxListeners } from 'node:events'
import { LRUCache } from 'lru-cache'
import { atMost } from '../basics/at-most'
import { FetchError } from '../basics/fetch-error'
import {
  type CachedDocument,
  type FreshnessLimits,
  now,
  type OwnersWord,
  type Parsed,
  refreshPurpose,
  standing,
  toCachedDocument
} from './cached-document'
import { retryAfter } from './caching-headers'
import { withDeadline } from './deadline'
import type { FetchQueue, Purpose } from './fetch-queue'
import { joinSide } from './fetch-side'
import { reportFetching } from './fetching-events'
import { type Asked, guardedUrl, type GuardOptions, httpsGet } from './https-get'

/** What became of one attempt to fetch a document. */
export interface Outcome<T, E> {
  /**
   * - `fetched`: nothing was cached, and the document was fetched.
   * - `refreshed`: a cached document was fetched again.
   * - `not_modified`: the server confirmed the cached document (304).
   * - `stale`: a refresh failed, and the cached document, no longer fresh, serves on.
   * - `refused`: the attempt failed. A cached document that is still fresh serves on.
   */
  readonly event: 'fetched' | 'refreshed' | 'not_modified' | 'stale' | 'refused'
  readonly uri: string
  /** From the start of the attempt, its wait in the queue included, in milliseconds. */
  readonly durationMs: number
  /** The document that was fetched or confirmed. */
  readonly value?: T
  /** What was cached before. The same object as `value` where nothing has changed. */
  readonly old?: T | undefined
  readonly error?: E
}

/** What differs between one kind of documents and another. */
export interface DocumentKind<T, E extends Error> extends Asked {
  /**
   * Makes the value of the body at a URL, or throws. The value is handed out to everybody, the same object while the content is
   * unchanged: freeze it.
   */
  readonly parse: (body: Buffer, uri: string) => Parsed<T>
  /** The error that callers see, made of a {@link FetchError}, of what `parse` threw, or of anything else. */
  readonly toError: (cause: unknown) => E
  /** Whose word an error is. */
  readonly wordOf: (error: E) => OwnersWord
  /** Whether one 404 or 410 is enough to lose a document that is no longer fresh. */
  readonly goneIfExpired: boolean
  /** Is told of each attempt. Must not throw. */
  readonly report: (outcome: Outcome<T, E>) => void
  /**
   * Is asked before a document that is not in the cache is fetched, and after its URL is found to be one that may be:
   * throws where there is no budget. The error is reported, and not remembered.
   */
  readonly admit?: (uri: string) => void
}

interface CacheSettings extends GuardOptions, FreshnessLimits {
  /** Seconds that one fetch may take. Its wait in the queue counts, the start of the fetching process does not. */
  readonly timeout: number
  readonly maxEntries: number
  /** The most of one host, where strangers decide what is cached. Default: as many as of all. */
  readonly maxEntriesPerHost?: number
}

interface Failure<E> {
  readonly error: E
  readonly retryAt: number
}

/** One attempt to fetch a document; `old` is the one in the cache. */
interface Attempt<T> {
  readonly uri: string
  readonly purpose: Purpose
  readonly start: number
  readonly old: CachedDocument<T> | undefined
}

/** All documents of one cache together may take so much, in octets of memory. */
const cacheOctets = 64 * 1024 * 1024

/** After a failed fetch that computed for 50 ms or more, the next one waits a thousand times as long, a day at most. */
const costlyMs = 50
const maxRest = 86_400_000

/** How long nothing is asked because of what the failed fetch cost, and of what its answer asks for, in milliseconds. */
function restAfter(cause: unknown, busyMs: number): number {
  const wanted = cause instanceof FetchError ? (cause.retryAfter ?? '') : ''
  return Math.max(retryAfter(wanted, Date.now()), busyMs < costlyMs ? 0 : Math.min(busyMs * 1000, maxRest))
}

const isBusy = (cause: unknown): boolean => cause instanceof FetchError && cause.why === 'busy'

interface DocumentCache<T> {
  /** Throws where `uri` can never be fetched. */
  readonly check: (uri: string) => void
  /** The document in hand, fresh or not. Has no effect. */
  readonly cached: (uri: string) => T | undefined
  /** The document; `refresh` asks for a newer one than the one in hand. Rejects with an error of the kind. */
  readonly get: (uri: string, options?: { refresh?: boolean }) => Promise<T>
  /** Forgets the document and its failure: the next `get` is a first load. */
  readonly forget: (uri: string) => void
  /** Ends what is under way. What is cached can still be had; nothing is fetched any more. */
  readonly close: () => void
}

/**
 * A cache in front of the guarded fetch, for one kind of documents: decides when to fetch, and what to answer
 * meanwhile. The fetches of caches that share a queue wait for each other.
 */
export function createDocumentCache<T extends object, E extends Error>(
  kind: DocumentKind<T, E>,
  settings: CacheSettings,
  inQueue: FetchQueue
): DocumentCache<T> {
  const { goneIfExpired } = kind
  const cooldownMs = settings.cooldown * 1000
  const documents = new LRUCache<string, CachedDocument<T>>({
    max: settings.maxEntries,
    maxSize: cacheOctets,
    sizeCalculation: ({ octets, etag = '' }, uri) => octets + uri.length + etag.length
  })
  // Apart from the documents, so that hostile URLs cannot push good ones out
  const failures = new LRUCache<string, Failure<E>>(atMost(settings.maxEntries))
  const underWay = new Map<string, Promise<T>>()
  const closed = new AbortController()
  setMaxListeners(0, closed.signal) // each fetch under way is one
  const leaveSide = joinSide(settings)

  /** Fetches one document through queue and guard. Tells `onBusy` how long the fetch computed. */
  async function fetchDocument(
    { uri, purpose, start, old }: Attempt<T>,
    onBusy: (busyMs: number) => void
  ): Promise<CachedDocument<T>> {
    const { hostname: host } = new URL(uri)
    const answer = await withDeadline(
      host,
      { timeout: settings.timeout, closed: closed.signal },
      (step) => {
        if (step.step === 'closed') onBusy(step.busyMs)
      },
      (deadline, observe) =>
        inQueue({ host, purpose }, () => httpsGet(uri, kind, settings, { deadline, etag: old?.etag, observe }))
    )
    const fetched = toCachedDocument(answer, (body) => kind.parse(body, uri), start, settings, old)
    const event = answer.notModified ? 'not_modified' : old === undefined ? 'fetched' : 'refreshed'
    kind.report({ event, uri, durationMs: now() - start, value: fetched.value, old: old?.value })
    return fetched
  }

  function tellIfBusy(cause: unknown, uri: string): void {
    if (isBusy(cause)) reportFetching({ event: 'busy', side: settings.side, host: new URL(uri).hostname })
  }

  /** Makes room among the documents of the same host, of which the one that was not asked for longest goes first. */
  function keep(uri: string, fetched: CachedDocument<T>): void {
    const { maxEntriesPerHost = Infinity } = settings
    if (maxEntriesPerHost < settings.maxEntries && !documents.has(uri)) {
      const { host } = new URL(uri)
      const ofHost = [...documents.keys()].filter((other) => new URL(other).host === host)
      for (const other of ofHost.slice(maxEntriesPerHost - 1)) documents.delete(other)
    }
    documents.set(uri, fetched)
  }

  /** Decides once what a failed attempt leaves of the cached document, and writes it down. */
  function afterFailure({ uri, purpose, start, old }: Attempt<T>, cause: unknown, busyMs: number): T {
    tellIfBusy(cause, uri)
    const error = kind.toError(cause)
    const word = kind.wordOf(error)
    const attempt = { word, start, at: now() }
    const stands = old === undefined ? 'lost' : standing(old, attempt, { cooldownMs, goneIfExpired })
    const retryAt = start + Math.max(cooldownMs, restAfter(cause, busyMs))
    const event = stands === 'stale' ? 'stale' : 'refused'
    kind.report({ event, uri, durationMs: attempt.at - start, old: old?.value, error })
    if (old === undefined || stands === 'lost') {
      documents.delete(uri)
      // A first load that did not leave the queue was not tried, and may be tried again at once
      if (old !== undefined || !isBusy(cause)) failures.set(uri, { error, retryAt })
      throw error
    }
    if (word === 'gone') old.goneAt ??= start
    // A refresh ahead of the end starts no cool-down: at the end there is another attempt
    if (purpose === 'ahead') return old.value
    if (stands === 'fresh') old.refreshAt = retryAt
    else old.retryAt = retryAt
    return old.value
  }

  async function fetchOnce(attempt: Attempt<T>): Promise<T> {
    const { uri, purpose, old } = attempt
    let busyMs = 0
    try {
      const fetched = await fetchDocument(attempt, (ms) => (busyMs = ms))
      if (purpose === 'ahead' && old !== undefined) fetched.refreshAt = old.refreshAt
      keep(uri, fetched)
      failures.delete(uri)
      return fetched.value
    } catch (cause) {
      return afterFailure(attempt, cause, busyMs)
    }
  }

  /** However many ask, one attempt is under way for each URL. */
  function fetchShared(uri: string, purpose: Purpose, old?: CachedDocument<T>): Promise<T> {
    const running = underWay.get(uri)
    if (running !== undefined) return running
    const attempt = fetchOnce({ uri, purpose, start: now(), old }).finally(() => underWay.delete(uri))
    underWay.set(uri, attempt)
    return attempt
  }

  /** Throws where nothing will be fetched, and reports that. */
  function mustPass(uri: string, test: () => unknown): void {
    try {
      test()
    } catch (cause) {
      tellIfBusy(cause, uri)
      const error = kind.toError(cause)
      kind.report({ event: 'refused', uri, durationMs: 0, error })
      throw error
    }
  }

  function firstLoad(uri: string): Promise<T> {
    mustPass(uri, () => guardedUrl(uri, settings.hosts))
    const failure = failures.get(uri)
    if (failure !== undefined && now() < failure.retryAt) throw failure.error
    if (!underWay.has(uri)) mustPass(uri, () => kind.admit?.(uri))
    return fetchShared(uri, 'first_load')
  }

  return {
    check(uri) {
      try {
        guardedUrl(uri, settings.hosts)
      } catch (cause) {
        throw kind.toError(cause)
      }
    },
    cached(uri) {
      const known = documents.peek(uri)
      return known !== undefined && now() < known.staleUntil ? known.value : undefined
    },
    async get(uri, { refresh = false } = {}) {
      const known = documents.get(uri)
      if (known === undefined || now() >= known.staleUntil) return firstLoad(uri)
      const purpose = refreshPurpose(known, refresh)
      if (purpose === undefined) return known.value
      const refreshed = fetchShared(uri, purpose, known)
      if (purpose !== 'ahead') return refreshed
      known.triedAhead = true
      refreshed.catch(() => undefined) // reported
      return known.value
    },
    forget(uri) {
      const drop = (): void => {
        documents.delete(uri)
        failures.delete(uri)
      }
      drop()
      underWay.get(uri)?.then(drop, drop) // what comes of it is for those who wait, and is not kept
    },
    close() {
      closed.abort()
      leaveSide()
    }
  }
}

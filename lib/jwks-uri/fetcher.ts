import { channel } from 'node:diagnostics_channel'
import { Resolver } from 'node:dns/promises'
import { LRUCache } from 'lru-cache'
import { createTurns } from './fetch-queue'
import { lifetime, retryAfter, storableTag } from './caching-headers'
import { type Answer, guardedUrl, httpsGet } from './https-get'
import { parseKeySet } from '../jwt/jwk-set'
import { KeySetError } from '../jwt/key-set-error'
import { type JwksFetcherOptions, resolveJwksOptions } from './options'
import type { JwkSet, KeySets } from '../types'

interface Entry {
  readonly set: JwkSet
  readonly etag: string | undefined
  readonly ttl: number
  readonly freshUntil: number
  /** When it may be tried again after a failure. */
  retryAt: number
  /** When it may be tried again for a key that is not in the set. */
  refreshAt: number
}

interface Failure {
  readonly error: KeySetError
  /** Whether the set in hand may serve on. */
  readonly serves: boolean
  readonly retryAt: number
}

const cacheBytes = 16 * 1024 * 1024
const events = channel('oauth-client-auth:jwks')
const now = (): number => Date.now()

const remaining = (until: number): number => Math.max(1, until - now())

function report(event: string, uri: string, start: number, more: { why?: string; keys?: number }): void {
  if (!events.hasSubscribers) return
  const host = URL.canParse(uri) ? new URL(uri).hostname : undefined
  events.publish({ event, uri, host, durationMs: now() - start, ...more })
}

/**
 * Where `jwks_uri`s are resolved: a cache in front of a fetch that reaches public https servers only. Each way to
 * widen it is an exception for one host by name. Throws a `TypeError` for options that cannot be.
 *
 * `get` rejects with an error whose `why` tells what went wrong: no set, no authentication.
 */
export function createJwksFetcher(options: JwksFetcherOptions = {}): Required<KeySets> {
  const settings = resolveJwksOptions(options)
  const { timeout, minTtl, maxTtl, defaultTtl, cooldown, staleIfError, maxEntries, maxKeys } = settings
  const guard = { ...settings, resolver: settings.resolver ?? (() => new Resolver()) }
  const inTurn = createTurns(settings.maxConcurrent, settings.maxConcurrentPerHost)

  function toEntry({ notModified, headers, body }: Answer, start: number, old?: Entry): Entry {
    const fetched = notModified && old !== undefined ? old.set : parseKeySet(body, maxKeys)
    const unchanged = old !== undefined && JSON.stringify(fetched) === JSON.stringify(old.set)
    const ttl = lifetime(headers, now()) ?? (notModified ? old?.ttl : undefined) ?? defaultTtl
    return {
      set: unchanged ? old.set : fetched,
      etag: storableTag(headers.etag ?? (notModified ? old?.etag : undefined)),
      ttl,
      freshUntil: start + Math.min(Math.max(ttl, minTtl), maxTtl) * 1000,
      retryAt: 0,
      refreshAt: start + cooldown * 1000
    }
  }

  const staleUntil = ({ freshUntil }: Entry): number => freshUntil + staleIfError * 1000

  async function fetchEntry(uri: string, start: number, old?: Entry): Promise<Entry> {
    const { hostname } = new URL(uri)
    const deadline = new AbortController()
    const timer = setTimeout(() => {
      deadline.abort(new KeySetError('timeout', `${hostname} did not answer within ${timeout} s`))
    }, timeout * 1000)
    try {
      // Half the time to wait, so that whatever begins has time left to succeed
      const signal = AbortSignal.timeout(Math.ceil(timeout * 500))
      const turn = { host: hostname, first: old !== undefined, signal }
      const answer = await inTurn(turn, () => httpsGet(uri, guard, deadline.signal, old?.etag))
      const event = answer.notModified ? 'not_modified' : old === undefined ? 'fetched' : 'refreshed'
      const entry = toEntry(answer, start, old)
      report(event, uri, start, { keys: entry.set.keys.length })
      return entry
    } finally {
      clearTimeout(timer)
    }
  }

  /** Never rejects; the time is counted from the start of the attempt, so that slow answers gain nothing. */
  async function attempt(uri: string, old?: Entry): Promise<Entry | Failure> {
    const start = now()
    try {
      return await fetchEntry(uri, start, old)
    } catch (cause) {
      const error =
        cause instanceof KeySetError ? cause : new KeySetError('connection', 'the fetch failed', undefined, cause)
      const serves = old !== undefined && error.why !== 'withdrawn' && now() < staleUntil(old)
      report(serves && now() >= old.freshUntil ? 'stale' : 'refused', uri, start, { why: error.why })
      // A stranger that found no turn has not been tried
      const wait =
        error.why === 'busy' && old === undefined
          ? 0
          : Math.max(cooldown * 1000, retryAfter(error.retryAfter ?? '', now()))
      return { error, serves, retryAt: start + wait }
    }
  }

  const shared = { max: maxEntries, ttl: 1, ttlResolution: 0, perf: { now }, ignoreFetchAbort: true }

  /** First loads in flight and failures, apart from the sets: what strangers send cannot push a good set out. */
  const strangers = new LRUCache<string, Entry | Failure>({
    ...shared,
    fetchMethod: async (uri, _old, { options: memory }) => {
      const outcome = await attempt(uri)
      if ('error' in outcome) memory.ttl = remaining(outcome.retryAt)
      else sets.set(uri, outcome, { ttl: remaining(staleUntil(outcome)) })
      return outcome
    }
  })

  const sets = new LRUCache<string, Entry>({
    ...shared,
    maxSize: cacheBytes,
    sizeCalculation: ({ set, etag = '' }, uri) => Buffer.byteLength(JSON.stringify(set) + etag + uri),
    fetchMethod: async (uri, old, { options: memory }) => {
      const outcome = await attempt(uri, old)
      if (!('error' in outcome)) {
        memory.ttl = remaining(staleUntil(outcome))
        return outcome
      }
      memory.allowStaleOnFetchRejection = outcome.serves
      if (old !== undefined) old.retryAt = outcome.retryAt
      if (!outcome.serves) strangers.set(uri, outcome, { ttl: remaining(outcome.retryAt) })
      throw outcome.error
    }
  })

  const check = (uri: string): void => {
    guardedUrl(uri, guard.hosts)
  }

  return {
    check,
    cached: (uri) => sets.peek(uri)?.set,
    async get(uri, { refresh = false } = {}) {
      const known = sets.get(uri)
      if (known !== undefined) {
        const due = refresh ? Math.min(known.freshUntil, known.refreshAt) : known.freshUntil
        if (now() < Math.max(due, known.retryAt)) return known.set
        return (await sets.forceFetch(uri, { forceRefresh: true })).set
      }
      try {
        check(uri)
      } catch (error) {
        report('refused', uri, now(), { why: (error as KeySetError).why })
        throw error
      }
      const outcome = await strangers.forceFetch(uri)
      if ('error' in outcome) throw outcome.error
      strangers.delete(uri)
      return outcome.set
    }
  }
}

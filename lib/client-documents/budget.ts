import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { atMost } from '../basics/at-most'
import { FetchError } from '../basics/fetch-error'

/** How many first loads a minute, in all and from one host. */
interface BudgetLimits {
  readonly maxFirstLoads: number
  readonly maxFirstLoadsPerHost: number
}

/** First loads that are left, refilled continuously. */
interface Bucket {
  left: number
  at: number
}

const minute = 60_000
/** So many URLs that were good once may be loaded again at any time. */
const maxKnown = 10_000

/** A digest, so that the memory of 10,000 URLs does not depend on their lengths. */
const keyOf = (uri: string): string => hash('sha256', uri, 'base64url')

/**
 * Bounds the fetches that strangers cause by making up URLs. A URL that was good once is not counted: after an eviction
 * a real client must not stand behind a million invented ones. Nor is one that is `exempt`: nobody can make such URLs up.
 */
export function createBudget({ maxFirstLoads, maxFirstLoadsPerHost }: BudgetLimits, exempt: ReadonlySet<string>) {
  const all: Bucket = { left: maxFirstLoads, at: performance.now() }
  const hosts = new Map<string, Bucket>()
  const known = new LRUCache<string, true>(atMost(maxKnown))

  function refill(bucket: Bucket, max: number): Bucket {
    const now = performance.now()
    bucket.left = Math.min(max, bucket.left + ((now - bucket.at) / minute) * max)
    bucket.at = now
    return bucket
  }

  /** Forgets hosts whose budget is full again: at most as many are not as first loads fit into two minutes. */
  function prune(): void {
    if (hosts.size <= 2 * maxFirstLoads) return
    for (const [host, bucket] of hosts)
      if (refill(bucket, maxFirstLoadsPerHost).left >= maxFirstLoadsPerHost) hosts.delete(host)
  }

  return {
    /** Takes one first load. Throws `busy` where there is none left. */
    admit: (uri: string): void => {
      if (exempt.has(uri) || known.get(keyOf(uri)) === true) return
      const host = new URL(uri).hostname
      const own = refill(hosts.get(host) ?? { left: maxFirstLoadsPerHost, at: performance.now() }, maxFirstLoadsPerHost)
      if (own.left < 1 || refill(all, maxFirstLoads).left < 1)
        throw new FetchError('busy', `${host} was not asked: too many documents that were never fetched are asked for`)
      own.left--
      all.left--
      hosts.set(host, own)
      prune()
    },
    /** A document was had: it may be loaded again. */
    good: (uri: string): void => {
      known.set(keyOf(uri), true)
    }
  }
}

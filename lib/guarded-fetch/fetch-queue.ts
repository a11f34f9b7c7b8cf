import { FetchError } from '../basics/fetch-error'

/**
 * Why a document is fetched. The queue starts them in this order:
 * - `expired`: the cached document is no longer fresh. First, so that slow servers of others cannot delay a revocation.
 * - `first_load`: nothing is cached yet, and the client cannot authenticate without the document.
 * - `unknown_kid` and `ahead`: the cached document is still fresh. Last, because anybody can ask for an unknown `kid`
 *   without authenticating.
 */
export type Purpose = 'expired' | 'first_load' | 'unknown_kid' | 'ahead'

interface QueuedFetch {
  readonly host: string
  readonly purpose: Purpose
}

interface QueueLimits {
  readonly maxConcurrent: number
  readonly maxConcurrentPerHost: number
  /** How long a fetch may wait for its start, in milliseconds. */
  readonly maxWaitMs: number
}

/** Runs `work` as soon as there is a place for it. */
export type FetchQueue = <T>(fetch: QueuedFetch, work: () => Promise<T>) => Promise<T>

interface Waiting extends QueuedFetch {
  readonly start: () => void
}

const urgency: Readonly<Record<Purpose, number>> = { expired: 0, first_load: 1, unknown_kid: 2, ahead: 2 }
const byUrgency = [0, 1, 2]

/**
 * Bounds the fetches under way, in all and per host. The others wait; one that waits longer than `maxWaitMs` rejects
 * with a {@link FetchError} `busy`. Refreshes leave one place of each host to first loads.
 */
export function createFetchQueue({ maxConcurrent, maxConcurrentPerHost, maxWaitMs }: QueueLimits): FetchQueue {
  const running = new Map<string, readonly QueuedFetch[]>()
  let runningInAll = 0
  const waiting = byUrgency.map(() => new Set<Waiting>())
  const maxRefreshesPerHost = Math.max(1, maxConcurrentPerHost - 1)

  const runningAt = (host: string): readonly QueuedFetch[] => running.get(host) ?? []

  function mayStart({ host, purpose }: QueuedFetch): boolean {
    const atHost = runningAt(host)
    if (runningInAll >= maxConcurrent || atHost.length >= maxConcurrentPerHost) return false
    const refreshes = atHost.filter((other) => other.purpose !== 'first_load').length
    return purpose === 'first_load' || refreshes < maxRefreshesPerHost
  }

  function begin(fetch: QueuedFetch): void {
    running.set(fetch.host, [...runningAt(fetch.host), fetch])
    runningInAll++
  }

  function end(fetch: QueuedFetch): void {
    const others = runningAt(fetch.host).filter((other) => other !== fetch)
    if (others.length > 0) running.set(fetch.host, others)
    else running.delete(fetch.host)
    runningInAll--
    startNext()
  }

  function startNext(): void {
    for (const fetches of waiting) {
      for (const fetch of fetches) {
        if (runningInAll >= maxConcurrent) return
        if (mayStart(fetch)) fetch.start()
      }
    }
  }

  const wait = (fetch: QueuedFetch): Promise<void> =>
    new Promise((resolve, reject) => {
      const queue = waiting[urgency[fetch.purpose]]
      const leave = () => {
        clearTimeout(timer)
        queue?.delete(entry)
      }
      const timer = setTimeout(() => {
        leave()
        reject(new FetchError('busy', `${fetch.host} was not asked: too many fetches are under way`))
      }, maxWaitMs)
      const entry = {
        ...fetch,
        start: () => {
          leave()
          begin(fetch)
          resolve()
        }
      }
      queue?.add(entry)
    })

  return async (fetch, work) => {
    // The waiting fetches are checked whenever one ends, so only the new one can start now
    if (mayStart(fetch)) begin(fetch)
    else await wait(fetch)
    try {
      return await work()
    } finally {
      end(fetch)
    }
  }
}

/** The requests of one key that are under way, and those that wait for them. */
interface Lane {
  /** The places that are taken, each by the timer that frees it. */
  readonly running: Set<NodeJS.Timeout>
  /** How many may run at once. */
  allowed: number
  /** When one came through, and when one failed, last. */
  succeeded: number
  failed: number
  /** Starts one that waits. */
  readonly waiting: Set<() => void>
}

/** While nothing is known to have failed, a place is worth waiting for: it may only be a slow look-up. */
const patience = { afterFailureMs: 1000, ms: 10_000 }
/** What never ends holds a place no longer: else a database that was away would keep a client out for good. */
const placeMs = 10_000
/** Each that comes through lets so many more run at once: four at first, and after each full round four times as many. */
const growth = 3
/** The most that may run at once, unless `atOnce` is more. */
const most = 256

/**
 * Lets few requests of one key run at once, and more with each that comes through. So of a thousand parallel guesses
 * few are heard before the first has failed, while a thousand good requests all come through. A failure takes the number
 * back to the first one.
 *
 * @param isFailure - whether what was thrown is a failure that counts
 */
export function createCrowd(isFailure: (thrown: unknown) => boolean) {
  const lanes = new Map<string, Lane>()

  function leave(key: string, lane: Lane, place: NodeJS.Timeout): void {
    clearTimeout(place)
    if (!lane.running.delete(place)) return
    for (const start of lane.waiting) {
      if (lane.running.size >= lane.allowed) return
      start()
    }
    if (lane.running.size === 0) lanes.delete(key)
  }

  function enter(key: string, lane: Lane): NodeJS.Timeout {
    const place = setTimeout(() => leave(key, lane, place), placeMs).unref()
    lane.running.add(place)
    return place
  }

  /** A place, or `undefined` where there is none in time: within a second of a failure, else of the last success. */
  const turn = (key: string, lane: Lane): Promise<NodeJS.Timeout | undefined> =>
    new Promise((resolve) => {
      const since = performance.now()
      const end = (place?: NodeJS.Timeout): void => {
        clearInterval(timer)
        lane.waiting.delete(start)
        resolve(place)
      }
      const start = (): void => end(enter(key, lane))
      const timer = setInterval(() => {
        const hasFailed = lane.failed > since - patience.afterFailureMs
        if (hasFailed || performance.now() - Math.max(since, lane.succeeded) >= patience.ms) end()
      }, patience.afterFailureMs)
      lane.waiting.add(start)
    })

  /** Does the work when there is room, and throws what `full` makes where there is none in time. */
  return async <T>(key: string, atOnce: number, full: () => Error, work: () => Promise<T>): Promise<T> => {
    const lane = lanes.get(key) ?? {
      running: new Set(),
      allowed: atOnce,
      succeeded: 0,
      failed: -Infinity,
      waiting: new Set()
    }
    lanes.set(key, lane)
    const place = lane.running.size < lane.allowed ? enter(key, lane) : await turn(key, lane)
    if (place === undefined) throw full()
    try {
      const result = await work()
      lane.allowed = Math.min(lane.allowed + growth, Math.max(atOnce, most))
      lane.succeeded = performance.now()
      return result
    } catch (thrown) {
      if (isFailure(thrown)) {
        lane.failed = performance.now()
        lane.allowed = atOnce
      }
      throw thrown
    } finally {
      leave(key, lane, place)
    }
  }
}

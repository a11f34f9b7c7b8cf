/** The requests of one key that are under way, and those that wait for them. */
interface Lane {
  running: number
  /** How many may run at once. */
  allowed: number
  /** Whether one of them has failed since the lane was last empty. */
  hasFailed: boolean
  /** Starts one that waits. */
  readonly waiting: Set<() => void>
}

/** While nothing is known to have failed, a place is worth waiting for: it may only be a slow look-up. */
const patience = { afterFailureSeconds: 1, seconds: 10 }
/** How many more may run at once for each that came through: 4, 16, 64, 256. */
const growth = 3

/**
 * Lets few requests of one key run at once, and more with each that comes through. So of a thousand parallel guesses
 * few are heard before the first has failed, while a thousand good requests all come through. A failure takes the number
 * back to the first one.
 *
 * @param isFailure - whether what was thrown is a failure that counts
 */
export function createCrowd(isFailure: (thrown: unknown) => boolean) {
  const lanes = new Map<string, Lane>()

  const turn = (lane: Lane): Promise<boolean> =>
    new Promise((resolve) => {
      let seconds = 0
      const end = (isAdmitted: boolean): void => {
        clearInterval(timer)
        lane.waiting.delete(start)
        resolve(isAdmitted)
      }
      const start = (): void => {
        lane.running++
        end(true)
      }
      const timer = setInterval(() => {
        seconds++
        if (lane.hasFailed && seconds >= patience.afterFailureSeconds) end(false)
        else if (seconds >= patience.seconds) start()
      }, 1000)
      lane.waiting.add(start)
    })

  function leave(key: string, lane: Lane): void {
    lane.running--
    for (const start of lane.waiting) {
      if (lane.running >= lane.allowed) return
      start()
    }
    if (lane.running === 0) lanes.delete(key)
  }

  /** Does the work when there is room, and throws what `full` makes where there is none in time. */
  return async <T>(key: string, atOnce: number, full: () => Error, work: () => Promise<T>): Promise<T> => {
    const lane = lanes.get(key) ?? { running: 0, allowed: atOnce, hasFailed: false, waiting: new Set() }
    lanes.set(key, lane)
    if (lane.running < lane.allowed) lane.running++
    else if (!(await turn(lane))) throw full()
    try {
      const result = await work()
      lane.allowed += growth
      return result
    } catch (thrown) {
      if (isFailure(thrown)) {
        lane.hasFailed = true
        lane.allowed = atOnce
      }
      throw thrown
    } finally {
      leave(key, lane)
    }
  }
}

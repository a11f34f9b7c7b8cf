/**
 * A clock that follows the system clock but does not leap ahead with it: it gains at most two seconds in each second
 * of monotonic time, until it has caught up. It goes back with the system clock at once. Entries swept by it are not
 * dropped for a wrong time that is corrected soon after. Takes and returns seconds since the epoch.
 */
export function createCautiousClock(): (nowSeconds: number) => number {
  let time: number | undefined
  let lastMs = 0
  return (nowSeconds) => {
    const nowMs = performance.now()
    const reachable = time === undefined ? nowSeconds : time + ((nowMs - lastMs) / 1000) * 2
    lastMs = nowMs
    time = Math.min(nowSeconds, reachable)
    return time
  }
}

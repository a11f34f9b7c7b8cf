// What work costs this process, on whatever machine, and however busy that is with other processes.

/** Milliseconds of CPU that `act` takes: the least of several tries, since the garbage of one may be collected in the next. */
export function cpuOf(act: () => void, tries = 5): number {
  const times = Array.from({ length: tries }, () => {
    const began = process.cpuUsage()
    act()
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1000
  })
  return Math.min(...times)
}

import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

/** CPU of the main thread, in microseconds, as Linux counts it. Event-loop utilisation would count the neighbours' noise. */
function mainThreadCpu() {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ', 1)
  return Number(nanoseconds) / 1000
}

/** CPU of all threads of this process and of its main thread, in microseconds. */
export function localMeter() {
  let cpu, main
  return {
    start() {
      main = mainThreadCpu()
      cpu = process.cpuUsage()
    },
    stop() {
      const { user, system } = process.cpuUsage(cpu)
      return { cpu: user + system, main: mainThreadCpu() - main }
    }
  }
}

async function batch({ op, count, inFlight = 1, meter = localMeter(), state }) {
  const end = state.next + count
  globalThis.gc?.({ type: 'minor' })
  await meter.start()
  const start = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (state.next < end) await op(state.next++)
    })
  )
  const wall = (performance.now() - start) * 1000
  const { cpu, main } = await meter.stop()
  return { cpu: cpu / count, main: main / count, rate: (count / wall) * 1e6 }
}

/**
 * Measures all subjects side by side: each round takes a batch of each, in alternating order, so that what
 * else happens on the machine falls on all alike. `op(i)` is called with a number that never repeats. Each subject runs
 * `warmup` times before anything is measured: half-warm code misleads.
 */
export async function compare(subjects, { rounds, warmup }) {
  for (const subject of subjects) {
    subject.state = { next: 0 }
    subject.samples = []
    await batch({ ...subject, count: warmup })
  }
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 ? subjects : subjects.toReversed()) subject.samples.push(await batch(subject))
  }
}

const quantile = (sorted, q) => {
  const at = (sorted.length - 1) * q
  const low = sorted[Math.floor(at)]
  return low + (sorted[Math.ceil(at)] - low) * (at % 1)
}

/** Median and quartiles. */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

export const of = (subject, what) => spread(subject.samples.map((sample) => sample[what]))

/** `f` of a figure (CPU, if not said otherwise) of several subjects, round by round. */
export const perRound = (f, subjects, what = 'cpu') =>
  spread(subjects[0].samples.map((_, round) => f(...subjects.map(({ samples }) => samples[round][what]))))

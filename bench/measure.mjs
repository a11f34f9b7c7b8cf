import { performance } from 'node:perf_hooks'

/** CPU of all threads of this process and time that its event loop was busy, in microseconds. */
function localMeter() {
  let cpu, loop
  return {
    start() {
      cpu = process.cpuUsage()
      loop = performance.eventLoopUtilization()
    },
    stop() {
      const { user, system } = process.cpuUsage(cpu)
      return { cpu: user + system, loop: performance.eventLoopUtilization(loop).active * 1000 }
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
  const { cpu, loop } = await meter.stop()
  return { cpu: cpu / count, loop: loop / count, rate: (count / wall) * 1e6 }
}

/**
 * Measures all subjects side by side: each round takes a batch of each, in alternating order, so that what
 * else happens on the machine falls on all alike. `op(i)` is called with a number that never repeats.
 */
export async function compare(subjects, { rounds, warmup = 2 }) {
  for (const subject of subjects) {
    subject.state = { next: 0 }
    subject.samples = []
  }
  for (let round = -warmup; round < rounds; round++) {
    for (const subject of round % 2 ? subjects : subjects.toReversed()) {
      const sample = await batch(subject)
      if (round >= 0) subject.samples.push(sample)
    }
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

/** `f` of the CPU of several subjects, round by round. */
export const perRound = (f, ...subjects) =>
  spread(subjects[0].samples.map((_, round) => f(...subjects.map(({ samples }) => samples[round].cpu))))

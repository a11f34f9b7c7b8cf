import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createMemoryReplayStore, type ClientAuthError, type ReplayEntry } from '../../lib'

jest.setTimeout(300_000)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const heap = () => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const start = 1_800_000_000
const million = 1_000_000
beforeEach(() => jest.useFakeTimers({ now: start * 1000, doNotFake: ['hrtime'] }))
/** Time passes until this second. */
const at = (second: number) => {
  jest.advanceTimersByTime(second * 1000 - Date.now())
}
afterEach(() => jest.useRealTimers())

type Store = ReturnType<typeof createMemoryReplayStore>
type MakeEntry = (index: number) => ReplayEntry

/** 1,000 clients, ends spread over an hour, ids as long as a UUID. */
const usual: MakeEntry = (index) => ({
  clientId: `client-${index % 1000}`,
  id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  expiresAt: start + 60 + (index % 3600)
})

function consumeAll(store: Store, from: number, to: number, make: MakeEntry, expected: boolean): void {
  for (let index = from; index < to; index++) {
    if (store.consume(make(index)) !== expected) throw new Error(`entry ${index} is not ${expected}`)
  }
}

/** Nanoseconds for a use: the best of many small runs, so that what else the machine does falls out. */
function timeOf(store: Store, from: number, to: number, make: MakeEntry): number {
  let best = Infinity
  for (let index = from; index < to; index += 1000) {
    const began = process.hrtime.bigint()
    consumeAll(store, index, index + 1000, make, true)
    best = Math.min(best, Number(process.hrtime.bigint() - began) / 1000)
  }
  return best
}

const reasonOf = (act: () => unknown): string => {
  try {
    return String(act())
  } catch (error) {
    return (error as ClientAuthError).reason
  }
}

it('holds a million entries in little memory, as fast as ten thousand, forgets none, and gives the memory back', () => {
  const before = heap()
  const store = createMemoryReplayStore()
  const few = timeOf(store, 0, 20_000, usual)
  consumeAll(store, 20_000, million - 50_000, usual, true)
  const many = timeOf(store, million - 50_000, million, usual)
  const perEntry = (heap() - before) / million
  process.stderr.write(
    `${perEntry.toFixed(0)} bytes an entry; ${few.toFixed(0)} ns a use at ten thousand, ${many.toFixed(0)} ns at a million\n`
  )
  expect(perEntry).toBeLessThan(140)
  expect(many / few).toBeLessThan(4)

  expect(reasonOf(() => store.consume(usual(million)))).toBe('replay_store_full')
  consumeAll(store, 0, million, usual, false)

  // Half an hour on, what has not expired is still there; an hour on, nothing is.
  at(start + 60 + 1799)
  for (let index = 0; index < million; index += 3600)
    consumeAll(store, index + 1800, Math.min(index + 3600, million), usual, false)
  at(start + 3660)
  expect(store.consume({ clientId: 'client', id: 'after', expiresAt: start + 4000 })).toBe(true)
  const left = heap() - before
  process.stderr.write(`${(left / 1024).toFixed(0)} KiB left when all have expired\n`)
  expect(left).toBeLessThan(2_000_000)
  expect(store.consume({ clientId: 'client', id: 'after', expiresAt: start + 4000 })).toBe(false)
})

it('costs the same however many seconds the ends are spread over', () => {
  const measure = (expiresAt: (index: number) => number): number => {
    const store = createMemoryReplayStore()
    const make: MakeEntry = (index) => ({ ...usual(index), expiresAt: expiresAt(index) })
    consumeAll(store, 0, 20_000, make, true)
    return timeOf(store, 20_000, 50_000, make)
  }
  const together = measure(() => start + 60)
  const apart = measure((index) => start + 1 + index)
  process.stderr.write(`${together.toFixed(0)} ns a use with one end, ${apart.toFixed(0)} ns with an end each\n`)
  expect(apart / together).toBeLessThan(4)
})

it('stays within bounds when each entry is the work of an attacker', () => {
  // One client each, long names cut from longer strings, ids of 12 KB, all with one end.
  const filler = 'x'.repeat(12_000)
  const hostile: MakeEntry = (index) => {
    const text = `${filler}${index}`
    return { clientId: `client-${index}${filler}`.slice(0, 256), id: text, expiresAt: start + 60 }
  }
  const before = heap()
  const store = createMemoryReplayStore()
  consumeAll(store, 0, 100_000, hostile, true)
  const perEntry = (heap() - before) / 100_000
  process.stderr.write(`${perEntry.toFixed(0)} bytes an entry when each is of another client\n`)
  expect(perEntry).toBeLessThan(400)

  at(start + 60)
  const began = process.hrtime.bigint()
  expect(store.consume({ clientId: 'client', id: 'after', expiresAt: start + 4000 })).toBe(true)
  process.stderr.write(
    `${(Number(process.hrtime.bigint() - began) / 1e6).toFixed(0)} ms to drop 100,000 entries of one second\n`
  )
  expect(heap() - before).toBeLessThan(2_000_000)
  expect(store.consume({ clientId: 'client', id: 'after', expiresAt: start + 4000 })).toBe(false)
})

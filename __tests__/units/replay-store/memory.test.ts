import { ClientAuthError, createMemoryReplayStore, type MemoryReplayStoreOptions, type ReplayEntry } from '../../../lib'

const start = 1_800_000_000
/** Time passes until this second. */
const at = (second: number) => {
  jest.advanceTimersByTime((start + second) * 1000 - Date.now())
}
/** The system clock is set, and no time passes. */
const setClock = (second: number) => {
  jest.setSystemTime((start + second) * 1000)
}
/** It answers at once. */
const createStore = (options?: MemoryReplayStoreOptions) =>
  createMemoryReplayStore(options) as { consume(entry: ReplayEntry): boolean }
const entry = (id: string, end: number, clientId = 'client') => ({ clientId, id, expiresAt: start + end })
/** Whole numbers below a bound, evenly spread in their low bits too, and the same ones each run (mulberry32). */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
const fullBecause = (option: string) =>
  expect.objectContaining({
    reason: 'replay_store_full',
    status: 503,
    cause: expect.objectContaining({ message: expect.stringContaining(`${option} (`) })
  })

/** What `act` returns, unless it looks into Maps more often than this: a sweep of each second would take minutes. */
function withLooks<T>(most: number, act: () => T): T {
  const look = Object.getOwnPropertyDescriptor(Map.prototype, 'get')?.value as (this: unknown, key: unknown) => unknown
  let looks = 0
  Map.prototype.get = function (key: unknown) {
    if (++looks > most) throw new Error(`looks into Maps more than ${most} times`)
    return look.call(this, key)
  }
  try {
    return act()
  } finally {
    Map.prototype.get = look
  }
}

beforeEach(() => jest.useFakeTimers({ now: start * 1000 }))
afterEach(() => jest.useRealTimers())

describe('createMemoryReplayStore', () => {
  it('takes an entry once, at once', () => {
    const store = createStore()
    expect(store.consume(entry('a', 60))).toBe(true)
    expect(store.consume(entry('a', 60))).toBe(false)
    expect(store.consume(entry('b', 60))).toBe(true)
  })

  it('tells how many entries it holds', () => {
    const store = createMemoryReplayStore()
    for (const id of ['a', 'b', 'a']) void store.consume(entry(id, 60))
    expect(store.size).toBe(2)
    at(61)
    void store.consume(entry('c', 120))
    expect(store.size).toBe(1)
  })

  it('refuses an id that comes again with another end', () => {
    const store = createStore()
    store.consume(entry('a', 60))
    expect(store.consume(entry('a', 600))).toBe(false)
    at(59)
    expect(store.consume(entry('a', 61))).toBe(false)
  })

  it.each([
    ['another client, same id', ['client', 'a'], ['other', 'a']],
    ['a boundary that moves', ['ab', 'c'], ['a', 'bc']],
    ['quotes and commas', ['a","b', 'c'], ['a', 'b","c']],
    ['an empty half', ['a', ''], ['', 'a']],
    ['case', ['client', 'a'], ['client', 'A']],
    ['lone surrogates', ['client', '\ud800'], ['client', '\ud801']],
    ['NUL', ['client', 'a'], ['client', 'a\0']],
    ['the end of a long id', ['client', `${'x'.repeat(12_000)}1`], ['client', `${'x'.repeat(12_000)}2`]],
    ['names of Object.prototype', ['__proto__', 'constructor'], ['constructor', '__proto__']]
  ])('keeps entries apart: %s', (_case, [clientA = '', idA = ''], [clientB = '', idB = '']) => {
    const store = createStore()
    expect(store.consume(entry(idA, 60, clientA))).toBe(true)
    expect(store.consume(entry(idB, 60, clientB))).toBe(true)
    expect(store.consume(entry(idA, 60, clientA))).toBe(false)
    expect(store.consume(entry(idB, 60, clientB))).toBe(false)
  })

  it('remembers until the very second, and then no longer', () => {
    const store = createStore()
    store.consume(entry('a', 60))
    store.consume(entry('fraction', 59.5))
    at(59.999)
    expect(store.consume(entry('a', 90))).toBe(false)
    expect(store.consume(entry('fraction', 90))).toBe(false)
    at(60)
    expect(store.consume(entry('a', 90))).toBe(true)
    expect(store.consume(entry('fraction', 90))).toBe(true)
  })

  it.each([
    ['now', 0],
    ['in the past', -1],
    ['long ago', -start],
    ['not a number', NaN],
    ['minus infinity', -Infinity]
  ])('refuses what has expired: %s', (_case, end) => {
    const store = createStore({ maxEntries: 1 })
    expect(store.consume(entry('a', end))).toBe(false)
    expect(store.consume(entry('b', 60))).toBe(true)
  })

  it.each([1e9, 1e300, Infinity])('remembers for as long as it is told: %d s', (end) => {
    const store = createStore()
    expect(store.consume(entry('a', end))).toBe(true)
    at(1e8)
    expect(store.consume(entry('a', end))).toBe(false)
  })

  // Threat 4: a store filled until it forgets
  it('refuses when full and forgets nothing; takes again once entries expire', () => {
    const store = createStore({ maxEntries: 3, maxEntriesPerClient: 3 })
    for (const [id, end] of [
      ['a', 60],
      ['b', 60],
      ['c', 90]
    ] as const)
      expect(store.consume(entry(id, end))).toBe(true)
    expect(() => store.consume(entry('d', 60, 'other'))).toThrow(ClientAuthError)
    expect(() => store.consume(entry('d', 60, 'other'))).toThrow(fullBecause('maxEntries'))
    for (const id of ['a', 'b', 'c']) expect(store.consume(entry(id, 60))).toBe(false)
    at(60)
    expect(store.consume(entry('c', 90))).toBe(false)
    expect(store.consume(entry('d', 90, 'other'))).toBe(true)
    expect(store.consume(entry('e', 90, 'other'))).toBe(true)
    expect(() => store.consume(entry('f', 90))).toThrow(fullBecause('maxEntries'))
  })

  it('gives one client a tenth and no more, so that it locks out only itself', () => {
    const store = createStore({ maxEntries: 100 })
    for (let i = 0; i < 10; i++) expect(store.consume(entry(`${i}`, 60, 'greedy'))).toBe(true)
    expect(() => store.consume(entry('10', 60, 'greedy'))).toThrow(fullBecause('maxEntriesPerClient'))
    expect(store.consume(entry('0', 60, 'greedy'))).toBe(false)
    expect(store.consume(entry('10', 60, 'modest'))).toBe(true)
    at(60)
    for (let i = 0; i < 10; i++) expect(store.consume(entry(`${i}`, 120, 'greedy'))).toBe(true)
    expect(() => store.consume(entry('10', 120, 'greedy'))).toThrow(fullBecause('maxEntriesPerClient'))
  })

  describe('clients from documents, whom anybody can make', () => {
    const of = (host: string, id: string, end = 60) => ({ ...entry(id, end, `https://${host}/c`), group: host })
    const fill = (store: ReturnType<typeof createStore>, hosts: string[], each: number) => {
      for (const host of hosts) for (let i = 0; i < each; i++) expect(store.consume(of(host, `${i}`))).toBe(true)
    }

    it('fill half of the store together, so that a registered client finds room', () => {
      const store = createStore({ maxEntries: 40, maxEntriesPerClient: 40 })
      fill(
        store,
        Array.from({ length: 10 }, (_, i) => `h${i}.example`),
        2
      )
      expect(() => store.consume(of('another.example', '0'))).toThrow(
        fullBecause('half of maxEntries for client documents')
      )
      for (let i = 0; i < 20; i++) expect(store.consume(entry(`${i}`, 60))).toBe(true)
      expect(store.consume(of('h0.example', '0'))).toBe(false)
      at(60)
      expect(store.consume(of('another.example', '0', 120))).toBe(true)
    })

    it('one host fills a tenth of that half, whatever ids it makes up', () => {
      const store = createStore({ maxEntries: 40, maxEntriesPerClient: 40 })
      expect(store.consume({ ...of('h.example', 'a'), clientId: 'https://h.example/1' })).toBe(true)
      expect(store.consume({ ...of('h.example', 'a'), clientId: 'https://h.example/2' })).toBe(true)
      const third = { ...of('h.example', 'a', 90), clientId: 'https://h.example/3' }
      expect(() => store.consume(third)).toThrow(fullBecause('share of a host of client documents'))
      expect(store.consume(of('other.example', 'a'))).toBe(true)
      at(60)
      expect(store.consume(third)).toBe(true)
    })

    it('are known by the group alone: an id that looks like a URL is a client like any other', () => {
      const store = createStore({ maxEntries: 40, maxEntriesPerClient: 40 })
      for (let i = 0; i < 40; i++) expect(store.consume(entry(`${i}`, 60, 'https://h.example/c'))).toBe(true)
    })
  })

  it.each([
    ['a second', 1],
    ['an hour', 3600],
    ['a year', 31_536_000],
    ['a thousand years', 31_536_000_000]
  ])('sweeps quickly after a rest of %s', (_case, rest) => {
    const store = createStore({ maxEntries: 2000, maxEntriesPerClient: 2000 })
    for (let i = 0; i < 2000; i++) store.consume(entry(`${i}`, i < 1000 ? 1 : 1 + i))
    at(rest)
    const expired = rest === 1 ? 1000 : 2000
    const began = process.cpuUsage()
    const passed = withLooks(20_000, () =>
      Array.from({ length: expired }, (_, i) => store.consume(entry(`new ${i}`, rest + 60)))
    )
    // Of this process alone: neighbours on the machine count not.
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(2000)
    expect(passed).toEqual(Array(expired).fill(true))
    expect(() => store.consume(entry('one more', rest + 60))).toThrow(fullBecause('maxEntries'))
  })

  describe('whatever the system clock does', () => {
    type Step = ['set' | 'wait', second: number]
    const away = (seconds: number): Step => ['set', seconds]
    // Threat 25: a clock that steps ahead and back makes a used assertion pass again
    it.each<[name: string, steps: Step[]]>([
      ['ten minutes ahead and back', [away(600), away(0)]],
      ['ten minutes ahead, there for a while, and back', [away(600), ['wait', 620], away(20)]],
      ['ten minutes ahead until all has expired, and back', [away(600), ['wait', 1200], away(0)]],
      ['two days ahead for an hour and back', [away(172_800), ['wait', 176_400], away(0)]],
      ['a minute back', [away(-60)]],
      ['back when all has expired', [['wait', 400], away(0)]],
      ['back and forth', [away(-600), away(600), ['wait', 700], away(-600), away(0)]]
    ])('%s: what has been used does not pass again', (_name, steps) => {
      const store = createStore()
      const used = entry('used', 300)
      expect(store.consume(used)).toBe(true)
      for (const [kind, second] of steps) {
        if (kind === 'set') setClock(second)
        else at(second)
        // Others come meanwhile, and expired entries are dropped by their use.
        store.consume({ ...entry(`other ${Date.now()}`, 0), expiresAt: Date.now() / 1000 + 60 })
        expect(store.consume(used)).toBe(false)
      }
      expect(store.consume(entry('new', 3600))).toBe(true)
    })

    it('what was used while the clock was ahead does not pass again when it is right', () => {
      const store = createStore()
      setClock(600)
      expect(store.consume(entry('used', 700))).toBe(true)
      at(701)
      store.consume(entry('other', 900))
      setClock(101)
      expect(store.consume(entry('used', 700))).toBe(false)
      expect(store.consume(entry('later', 701))).toBe(true)
    })

    it('a short leap ahead refuses nothing that is new, when it is over', () => {
      const store = createStore()
      expect(store.consume(entry('long', 3600))).toBe(true)
      setClock(7200)
      expect(store.consume(entry('there', 7260))).toBe(true)
      setClock(1)
      expect(store.consume(entry('short', 60))).toBe(true)
    })

    it('after a step ahead that stays, entries are dropped in time', () => {
      const store = createStore({ maxEntries: 2, maxEntriesPerClient: 1 })
      expect(store.consume(entry('a', 60))).toBe(true)
      setClock(600)
      expect(store.consume(entry('b', 660))).toBe(true) // the room is needed at once
      expect(() => store.consume(entry('c', 660))).toThrow(fullBecause('maxEntriesPerClient'))
    })

    it('after a step back that stays, entries are dropped in time', () => {
      const store = createStore({ maxEntries: 2, maxEntriesPerClient: 2 })
      setClock(86_400)
      expect(store.consume(entry('a', 86_460))).toBe(true)
      setClock(0)
      expect(store.consume(entry('b', 60))).toBe(true)
      at(60)
      expect(store.consume(entry('a', 86_460))).toBe(false)
      expect(store.consume(entry('b', 120))).toBe(true)
      expect(() => store.consume(entry('c', 120))).toThrow(fullBecause('maxEntries'))
    })

    it('after a step ahead that stays, entries are dropped to the second again, once as much time has passed', () => {
      const store = createStore()
      expect(store.consume(entry('a', 60))).toBe(true)
      setClock(600)
      at(1210)
      expect(store.consume(entry('b', 1270))).toBe(true)
      at(1270)
      expect(store.consume(entry('b', 1330))).toBe(true)
    })

    it('agrees with a list that forgets nothing, over a long random life', () => {
      const random = createRandom(7)
      const store = createStore({ maxEntries: 40, maxEntriesPerClient: 40 })
      const used = new Map<string, number>()
      const outcomes = { passed: 0, refused: 0, full: 0 }
      let id = 0
      for (let step = 0; step < 12_000; step++) {
        if (random(20) === 0) jest.advanceTimersByTime(random(60_000))
        if (random(200) === 0) jest.setSystemTime(Date.now() + (random(3_600_000) - 1_800_000))
        const now = Date.now() / 1000
        const old = [...used].filter(([, end]) => end > now)
        const again = random(2) === 0 && old.length > 0
        const [name, expiresAt] = again ? old[random(old.length)]! : [`${id++}`, Math.floor(now) + 1 + random(300)]
        let outcome: keyof typeof outcomes
        try {
          outcome = store.consume({ clientId: 'client', id: name, expiresAt }) ? 'passed' : 'refused'
        } catch {
          outcome = 'full'
        }
        if (again && outcome === 'passed') throw new Error(`step ${step}: ${name} passed twice`)
        if (outcome === 'passed') used.set(name, expiresAt)
        outcomes[outcome]++
      }
      expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100)
    })
  })

  it('agrees with a plain list over a long random life', () => {
    const random = createRandom(42)
    const store = createStore({ maxEntries: 200, maxEntriesPerClient: 60 })
    let list: { clientId: string; id: string; expiresAt: number }[] = []
    const outcomes = { true: 0, false: 0, full: 0 }
    let now = 0
    for (let step = 0; step < 50_000; step++) {
      if (random(40) === 0) at((now += random(random(30) === 0 ? 500 : 4)))
      const next = entry(`${random(300)}`, now + 1 + random(120), `${random(random(2) === 0 ? 2 : 9)}`)
      list = list.filter(({ expiresAt }) => expiresAt > start + now)
      const known = list.some(({ clientId, id }) => clientId === next.clientId && id === next.id)
      const own = list.filter(({ clientId }) => clientId === next.clientId).length
      const expected = known ? 'false' : list.length >= 200 || own >= 60 ? 'full' : 'true'
      if (expected === 'true') list.push(next)
      let actual: string
      try {
        actual = String(store.consume(next))
      } catch (error) {
        actual = (error as ClientAuthError).reason === 'replay_store_full' ? 'full' : String(error)
      }
      if (actual !== expected) throw new Error(`step ${step}: ${actual} instead of ${expected}`)
      outcomes[expected]++
    }
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(1000)
  })

  it('holds no timer that keeps a process alive', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    createStore().consume(entry('a', 60))
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before)
  })

  it.each([
    [{ maxEntires: 5 }, 'unknown option "maxEntires"; did you mean "maxEntries"?'],
    [{ maxEntries: 0 }, '"maxEntries" must be a number of entries, whole, from 1 to 16000000, not 0'],
    [{ maxEntries: 1.5 }, '"maxEntries" must be'],
    [{ maxEntries: 2 ** 24 }, '"maxEntries" must be'],
    [{ maxEntries: '5' }, '"maxEntries" must be'],
    [{ maxEntriesPerClient: -1 }, '"maxEntriesPerClient" must be'],
    [null, 'options must be an object, not null']
  ])('refuses options %j', (options, message) => {
    const create = () => createMemoryReplayStore(options as object)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })

  it('takes undefined as absent', () => {
    const options = { maxEntries: undefined, maxEntriesPerClient: undefined } as object
    expect(createMemoryReplayStore(options).consume(entry('a', 60))).toBe(true)
  })
})

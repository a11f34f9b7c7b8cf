import { setTimeout as wait } from 'node:timers/promises'
import { ClientAuthError } from '../../lib/errors'
import { createMemoryReplayStore, type MemoryReplayStoreOptions } from '../../lib/replay-store/memory'
import { createRedisReplayStore } from '../../lib/replay-store/redis'
import type { ReplayEntry, ReplayStore } from '../../lib/types'

const start = 1_800_000_000
const at = (second: number) => {
  jest.setSystemTime((start + second) * 1000)
}
/** It answers at once. */
const createStore = (options?: MemoryReplayStoreOptions) =>
  createMemoryReplayStore(options) as { consume(entry: ReplayEntry): boolean }
const entry = (id: string, end: number, clientId = 'client') => ({ clientId, id, expiresAt: start + end })
const fullBecause = (option: string) =>
  expect.objectContaining({
    reason: 'replay_store_full',
    status: 503,
    cause: expect.objectContaining({ message: expect.stringContaining(`${option} (`) })
  })

beforeEach(() => jest.useFakeTimers({ now: start * 1000, doNotFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => jest.useRealTimers())

describe('createMemoryReplayStore', () => {
  it('takes an entry once, at once', () => {
    const store = createStore()
    expect(store.consume(entry('a', 60))).toBe(true)
    expect(store.consume(entry('a', 60))).toBe(false)
    expect(store.consume(entry('b', 60))).toBe(true)
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

  it.each([
    ['a second', 1],
    ['an hour', 3600],
    ['a year', 31_536_000],
    ['a thousand years', 31_536_000_000]
  ])('sweeps quickly after a rest of %s', (_case, rest) => {
    const store = createStore({ maxEntries: 2000, maxEntriesPerClient: 2000 })
    for (let i = 0; i < 2000; i++) store.consume(entry(`${i}`, i < 1000 ? 1 : 1 + i))
    at(rest)
    const began = performance.now()
    const expired = rest === 1 ? 1000 : 2000
    for (let i = 0; i < expired; i++) expect(store.consume(entry(`new ${i}`, rest + 60))).toBe(true)
    expect(performance.now() - began).toBeLessThan(2000)
    expect(() => store.consume(entry('one more', rest + 60))).toThrow(fullBecause('maxEntries'))
  })

  it('survives a clock that is set forward and back', () => {
    const store = createStore({ maxEntries: 2, maxEntriesPerClient: 2 })
    at(86_400)
    expect(store.consume(entry('a', 86_460))).toBe(true)
    at(0)
    expect(store.consume(entry('b', 60))).toBe(true)
    expect(store.consume(entry('b', 60))).toBe(false)
    at(60)
    expect(store.consume(entry('b', 120))).toBe(true)
    expect(store.consume(entry('a', 86_460))).toBe(false)
    expect(() => store.consume(entry('c', 120))).toThrow(fullBecause('maxEntries'))
  })

  it('agrees with a plain list over a long random life', () => {
    // A fixed linear congruence: the same life each run.
    let seed = 42
    const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below
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

describe('createRedisReplayStore', () => {
  const unhandled = jest.fn()
  beforeAll(() => process.on('unhandledRejection', unhandled))
  afterAll(() => process.off('unhandledRejection', unhandled))

  const answering = (answer: () => unknown, timeout?: number) => {
    const commands: string[][] = []
    const sendCommand = (args: string[]) => {
      commands.push(args)
      return answer() as Promise<unknown>
    }
    const store: ReplayStore = createRedisReplayStore({ sendCommand, ...(timeout === undefined ? {} : { timeout }) })
    return { store, commands }
  }

  it('sends one SET NX PX with a key of fixed size, and a life that outlasts a clock behind by a minute', async () => {
    const { store, commands } = answering(() => Promise.resolve('OK'))
    await store.consume(entry('a', 60))
    await store.consume(entry('x'.repeat(12_000), 59.9999))
    const key = expect.stringMatching(/^oauth-client-auth:replay:[\w-]{43}$/)
    expect(commands).toEqual([
      ['SET', key, '1', 'NX', 'PX', '120000'],
      ['SET', key, '1', 'NX', 'PX', '120000']
    ])
    await store.consume(entry('a', 60, 'other'))
    expect(new Set(commands.map(([, name]) => name)).size).toBe(3)
  })

  it('puts its keys under the prefix', async () => {
    const commands: string[][] = []
    const sendCommand = (args: string[]) => Promise.resolve(commands.push(args) && 'OK')
    await createRedisReplayStore({ sendCommand, prefix: 'p:' }).consume(entry('a', 60))
    expect(commands[0]?.[1]).toMatch(/^p:[\w-]{43}$/)
  })

  it.each([
    ['OK', 'OK', true],
    ['OK as a Buffer', Buffer.from('OK'), true],
    ['null', null, false]
  ])('reads the reply %s', async (_case, reply, expected) => {
    expect(await answering(() => Promise.resolve(reply)).store.consume(entry('a', 60))).toBe(expected)
  })

  it.each([undefined, true, 1, '', 'QUEUED', ['OK'], {}, Buffer.from('ok')].map((reply) => ({ reply })))(
    'throws on a reply that SET does not give: $reply',
    async ({ reply }) => {
      const { store } = answering(() => Promise.resolve(reply))
      await expect(store.consume(entry('a', 60))).rejects.toThrow('must resolve with the reply to SET')
    }
  )

  it.each([0, -1, NaN, -Infinity])('asks nothing about an entry that has expired: %d', async (end) => {
    const { store, commands } = answering(() => Promise.resolve('OK'))
    expect(await store.consume(entry('a', end))).toBe(false)
    expect(commands).toEqual([])
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('READONLY'))],
    [
      'throws',
      () => {
        throw new Error('READONLY')
      }
    ]
  ])('passes on what sendCommand %s with', async (_case, answer) => {
    await expect(answering(answer).store.consume(entry('a', 60))).rejects.toThrow('READONLY')
  })

  it('says what is wrong when sendCommand has lost its client', async () => {
    class Client {
      private readonly reply = 'OK'
      sendCommand(): Promise<unknown> {
        return Promise.resolve(this.reply)
      }
    }
    const lost: Record<'sendCommand', () => Promise<unknown>> = new Client()
    const store = createRedisReplayStore({ sendCommand: lost.sendCommand })
    await expect(store.consume(entry('a', 60))).rejects.toMatchObject({
      message: expect.stringContaining('is it bound? Write (args) => client.sendCommand(args)'),
      cause: expect.any(TypeError)
    })
  })

  it.each([
    ['resolves', () => wait(150, 'OK')],
    ['rejects', () => wait(150).then(() => Promise.reject(new Error('late')))],
    ['never settles', () => new Promise(() => undefined)]
  ])('gives up after its timeout when sendCommand %s too late', async (_case, answer) => {
    const { store } = answering(answer, 0.05)
    const began = performance.now()
    await expect(store.consume(entry('a', 60))).rejects.toThrow('no answer within 0.05 s')
    expect(performance.now() - began).toBeGreaterThanOrEqual(45)
    await wait(200)
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('waits 2 s by default', async () => {
    jest.useFakeTimers({ now: start * 1000 })
    const outcome = answering(() => new Promise(() => undefined)).store.consume(entry('a', 60))
    const failed = jest.fn()
    void (outcome as Promise<boolean>).catch(failed)
    await jest.advanceTimersByTimeAsync(1999)
    expect(failed).not.toHaveBeenCalled()
    await jest.advanceTimersByTimeAsync(1)
    expect(failed).toHaveBeenCalledWith(expect.objectContaining({ message: expect.stringContaining('within 2 s') }))
  })

  it.each([
    ['an answer', () => Promise.resolve('OK')],
    ['a rejection', () => Promise.reject(new Error('down'))],
    [
      'a throw',
      () => {
        throw new Error('down')
      }
    ]
  ])('leaves no timer behind after %s', async (_case, answer) => {
    jest.useFakeTimers({ now: start * 1000 })
    await Promise.allSettled([answering(answer).store.consume(entry('a', 60))])
    expect(jest.getTimerCount()).toBe(0)
  })

  it.each([
    [undefined, 'options must be an object'],
    [{}, 'option "sendCommand" is required: a function such as (args) => client.sendCommand(args)'],
    [{ sendCommand: {} }, 'option "sendCommand" must be a function, not a value of type object'],
    [{ client: {} }, 'unknown option "client"; known are sendCommand, prefix, timeout'],
    [{ sendCommand: (): unknown => null, prefix: '' }, 'option "prefix" must be a non-empty string'],
    [{ sendCommand: (): unknown => null, timeout: 0 }, 'option "timeout" must be seconds from 0.01 to 60, not 0'],
    [{ sendCommand: (): unknown => null, timeout: 2000 }, 'option "timeout" must be seconds from 0.01 to 60, not 2000'],
    [{ sendCommand: (): unknown => null, timeOut: 1 }, 'did you mean "timeout"?']
  ])('refuses options %j', (options, message) => {
    const create = () => createRedisReplayStore(options as never)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })
})

import { setTimeout as wait } from 'node:timers/promises'
import { createRedisReplayStore, type ReplayStore } from '../../../lib'

const start = 1_800_000_000
const entry = (id: string, end: number, clientId = 'client') => ({ clientId, id, expiresAt: start + end })

beforeEach(() => jest.useFakeTimers({ now: start * 1000, doNotFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => jest.useRealTimers())

describe('createRedisReplayStore', () => {
  const unhandled = jest.fn()
  beforeAll(() => process.on('unhandledRejection', unhandled))
  afterAll(() => process.off('unhandledRejection', unhandled))

  const answering = (answer: () => unknown, timeout?: number) => {
    const commands: string[][] = []
    const sendCommand = (args: string[]) => {
      if (args[0] !== 'INFO') commands.push(args)
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

  it('asks once whether Redis evicts, and warns where it says so', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const told = async (info: unknown) => {
      let asked = 0
      const sendCommand = ([command]: string[]) => Promise.resolve(command === 'SET' ? 'OK' : (asked++, info))
      const store = createRedisReplayStore({ sendCommand })
      for (const id of ['a', 'b']) expect(await store.consume(entry(id, 60))).toBe(true)
      await wait(1)
      expect(asked).toBe(1)
      return warn.mock.calls.map(([message]) => /policy [a-z-]+/.exec(String(message))?.[0])
    }
    const lines = (policy: string) => `# Memory\r\nmaxmemory:1\r\nmaxmemory_policy:${policy}\r\n`
    for (const info of [lines('noeviction'), 'OK', null, { node: lines('allkeys-lru') }])
      expect(await told(info)).toEqual([])
    expect(await told(Buffer.from(lines('volatile-ttl')))).toEqual(['policy volatile-ttl'])
    expect(await told(lines('allkeys-lru'))).toHaveLength(1) // once in a process
    warn.mockRestore()
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
    [{}, 'option "sendCommand" is required: it must be a function such as (args) => client.sendCommand(args)'],
    [
      { sendCommand: {} },
      'option "sendCommand" must be a function such as (args) => client.sendCommand(args), not a value of type object'
    ],
    [
      { sendCommand: (): unknown => null, connect: (): unknown => null, _events: {} },
      'sendCommand: (args) => client.sendCommand(args)'
    ],
    [{ call: (): unknown => null, _events: {} }, 'sendCommand: (args) => client.call(...args)'],
    [{ customCommand: (): unknown => null }, 'sendCommand: (args) => client.customCommand(args)'],
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

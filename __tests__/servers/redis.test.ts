import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import type { OAuthClient } from '../../lib'
import { keyAssertion, makeKey, now } from '../support/assertions'
import { askRedis, describeWith, findProgram, startRedis, type RedisServer } from '../support/own-servers'
import { clusters, singles, type Connection } from '../support/redis-connections'
import { copyLibrary, withServers, type CopiedLibrary } from '../support/server-processes'

jest.setTimeout(120_000)

const host = '127.0.0.1'
const key = makeKey('ES256')
const client: OAuthClient = {
  client_id: 'mobile',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk] }
}
const sign = (claims = {}) => keyAssertion(key, { clientId: 'mobile', claims })

const entry = (id: string, clientId = 'mobile') => ({ clientId, id, expiresAt: now() + 60 })

/** What a store owes, over `rounds` ids so that a cluster shows all its slots. */
async function judgeStore(store: Connection['store'], rounds: number) {
  for (let round = 0; round < rounds; round++) {
    const id = `id ${round}`
    expect(await store.consume(entry(id))).toBe(true)
    expect(await store.consume(entry(id))).toBe(false)
    expect(await store.consume(entry(id, 'other'))).toBe(true)
  }
  for (const id of ['', '\0', '\ud800', '\ud801', '{tag}', `${'x'.repeat(12_000)}1`, `${'x'.repeat(12_000)}2`]) {
    expect(await store.consume(entry(id))).toBe(true)
    expect(await store.consume(entry(id))).toBe(false)
  }
  const atOnce = await Promise.all(Array.from({ length: 1000 }, () => store.consume(entry('wanted'))))
  expect(atOnce.filter(Boolean)).toHaveLength(1)
}

describeWith('redis-server', findProgram('redis-server'), 'REQUIRE_REDIS', () => {
  // Ended however a test ends: Jest waits for a connection that is left open, for ever.
  const closers: (() => unknown)[] = []
  const servers: RedisServer[] = []
  async function connected(open: (ports: number[]) => Promise<Connection>, ports: number[]): Promise<Connection> {
    const connection = await open(ports)
    closers.push(connection.close)
    return connection
  }
  async function start(...options: string[]): Promise<RedisServer> {
    const redis = await startRedis(options)
    servers.push(redis)
    return redis
  }
  afterEach(async () => {
    for (const close of closers.splice(0)) close()
    await Promise.all(servers.splice(0).map((redis) => redis.stop()))
  })

  it('is documented with the very functions that are run', () => {
    const docs = readFileSync(join(__dirname, '../../docs/replay-stores.md'), 'utf8')
    const source = readFileSync(join(__dirname, '../support/redis-connections.ts'), 'utf8')
    const functions = [...docs.matchAll(/^\| .*(?:redis|valkey).* \| `(.+)` +\|$/gim)].map(([, code]) => code)
    expect(functions).toHaveLength(6)
    for (const code of functions) expect(source).toContain(`storeOver(${code ?? ''}`)
  })

  describe.each(singles)('%s', (_name, open) => {
    let redis: RedisServer
    beforeAll(async () => (redis = await startRedis()))
    afterAll(() => redis.stop())

    it('takes each entry once, with keys of one size that end a minute after the assertion', async () => {
      const { store } = await connected(open, [redis.port])
      await judgeStore(store, 20)
      const inspector = new Redis({ host, port: redis.port })
      closers.push(inspector.disconnect.bind(inspector))
      const keys = await inspector.keys('*')
      expect(keys).toHaveLength(20 * 2 + 7 + 1)
      for (const name of keys) {
        expect(name).toMatch(/^oauth-client-auth:replay:[\w-]{43}$/)
        const left = await inspector.pttl(name)
        expect(left).toBeGreaterThan(100_000)
        expect(left).toBeLessThanOrEqual(120_000)
      }
    })
  })

  describe('a cluster of three', () => {
    const nodes: RedisServer[] = []
    beforeAll(async () => {
      const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
      for (let i = 0; i < 3; i++) nodes.push(await startRedis(options))
      const addresses = nodes.map(({ port }) => `${host}:${port}`)
      await promisify(execFile)('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'])
      for (const { port } of nodes) {
        while (!(await clusterIsUp(port))) await wait(100)
      }
    })
    afterAll(() => Promise.all(nodes.map((node) => node.stop())))

    it.each(clusters)('%s: takes each entry once, on every node', async (_name, open) => {
      await Promise.all(nodes.map(({ port }) => askRedis(port, 'FLUSHALL')))
      const { store } = await connected(
        open,
        nodes.map(({ port }) => port)
      )
      await judgeStore(store, 50)
      for (const { port } of nodes) expect(await askRedis(port, 'DBSIZE')).toMatch(/^:[1-9]/)
    })
  })

  describe('server processes', () => {
    let library: CopiedLibrary
    beforeAll(() => {
      library = copyLibrary()
    })
    afterAll(() => {
      library.remove()
    })

    // Threat 4: the same assertion on several processes over Redis
    it('accept exactly one of 4 x 200 concurrent uses over one Redis', async () => {
      const { port } = await start()
      await withServers(4, { library, client, store: ['redis', `${port}`] }, async (four) => {
        expect(await four.use(200, sign())).toEqual({ 200: 1, 401: 799 })
        expect(await four.use(200, sign({ jti: undefined }))).toEqual({ 200: 1, 401: 799 })
      })
    })

    it('accept one each with the memory store, as the documentation warns', async () => {
      await withServers(4, { library, client, store: ['memory'] }, async (four) => {
        expect(await four.use(50, sign())).toEqual({ 200: 4, 401: 196 })
      })
    })
  })

  describe('a Redis that is not fit', () => {
    const open = new Map(singles).get('node-redis 6')!
    const startUnfit = async (...options: string[]) => {
      const redis = await start(...options)
      const { store } = await connected(open, [redis.port])
      return { redis, store }
    }
    /** Uses assertions until memory is short and well beyond. */
    const fill = async (store: Connection['store']) => {
      for (let i = 0; i < 20_000; i += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, j) => store.consume(entry(`filler ${i + j}`))))
      }
    }

    it('a replica refuses', async () => {
      const primary = await startUnfit()
      const replica = await startUnfit('--replicaof', host, `${primary.redis.port}`)
      await expect(replica.store.consume(entry('a'))).rejects.toThrow('READONLY')
    })

    it('one that is full and does not evict refuses, and forgets nothing', async () => {
      const { store } = await startUnfit('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction')
      expect(await store.consume(entry('first'))).toBe(true)
      await expect(fill(store)).rejects.toThrow('OOM')
      const outcome = await Promise.allSettled([store.consume(entry('first'))])
      expect(outcome).not.toEqual([{ status: 'fulfilled', value: true }])
    })

    let warn: jest.SpyInstance
    beforeEach(() => (warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)))
    afterEach(() => {
      warn.mockRestore()
    })

    it('no warning where nothing is evicted, nor where INFO is forbidden', async () => {
      const good = await startUnfit('--maxmemory', '3mb', '--maxmemory-policy', 'noeviction')
      const silent = await startUnfit('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru')
      expect(await askRedis(silent.redis.port, 'ACL SETUSER default -info')).toBe('+OK')
      for (const { store } of [good, silent]) {
        for (const id of ['first', 'second']) expect(await store.consume(entry(id))).toBe(true)
        await wait(50)
      }
      expect(warn).not.toHaveBeenCalled()
    })

    // Threat 4: a Redis that evicts forgets used assertions
    it('one that evicts lets assertions in again, as the documentation and a warning say', async () => {
      const { store } = await startUnfit('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru')
      expect(await store.consume(entry('first'))).toBe(true)
      await fill(store)
      expect(warn).toHaveBeenCalledTimes(1)
      expect(warn).toHaveBeenCalledWith(
        expect.stringContaining('maxmemory-policy allkeys-lru'),
        expect.objectContaining({ type: 'SecurityWarning', code: 'OAUTH_CLIENT_AUTH_REDIS_EVICTS' })
      )
      const again = await Promise.all(Array.from({ length: 500 }, (_, i) => store.consume(entry(`filler ${i}`))))
      expect(again).toContain(true)
    })
  })
})

async function clusterIsUp(port: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('redis-cli', ['-p', `${port}`, 'cluster', 'info'])
  return stdout.includes('cluster_state:ok') && stdout.includes('cluster_known_nodes:3')
}

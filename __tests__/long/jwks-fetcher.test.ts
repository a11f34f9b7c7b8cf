import { randomBytes, randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClientAuthenticator } from '../../lib'
import { createJwksFetcher } from '../../lib/key-sets/fetcher'
import { issuer } from '../support/assertions'
import { answer, hostilePlays } from '../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../support/tls-certificates'
import { type Play, serveRaw, type TestServer } from '../support/tls-server'

jest.setTimeout(600_000)

const host = 'keys.client-app.net'
let authority: Certificate
let server: TestServer
let playFor: (path: string) => Play

beforeAll(async () => {
  authority = await makeAuthority()
  server = await serveRaw(await makeCertificate(authority, { names: [host] }), (path) => playFor(path))
})
afterAll(() => server.close())

const fetcherWith = (addressOf: (host: string) => string, timeout = 5) =>
  createJwksFetcher({
    hosts: { [host]: { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert } },
    resolver: () => ({
      resolve4: (name) => Promise.resolve([addressOf(name)]),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    }),
    timeout,
    cooldown: 3600,
    maxConcurrentPerHost: 64
  })

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const megabytesInUse = async (): Promise<number> => {
  for (let i = 0; i < 5; i++) {
    await new Promise((done) => setTimeout(done, 50))
    collectGarbage()
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1_000_000
}

const inBatches = async (count: number, size: number, work: (index: number) => Promise<unknown>): Promise<void> => {
  for (let i = 0; i < count; i += size) await Promise.all(Array.from({ length: size }, (_, j) => work(i + j)))
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

async function attack(plays: Play[], count: number, timeout: number) {
  playFor = (path) => plays[Number(path.slice(1)) % plays.length] ?? answer()
  const fetcher = fetcherWith(() => '127.0.0.1', timeout)
  const timersBefore = timers()
  let refused = 0
  const get = (index: number) => fetcher.get(`https://${host}:${server.port}/${index}`).catch(() => refused++)

  const warmUp = count / 5
  await inBatches(warmUp, 50, get)
  const before = await megabytesInUse()
  const started = performance.now()
  await inBatches(count, 50, (index) => get(warmUp + index))
  const seconds = (performance.now() - started) / 1000
  const after = await megabytesInUse()
  console.info(
    `${count} answers: ${seconds.toFixed(0)} s, ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`
  )

  expect(refused).toBe(count + warmUp)
  expect(after - before).toBeLessThan(5)
  for (let i = 0; i < 100 && server.open > 0; i++) await new Promise((done) => setTimeout(done, 50))
  expect(server.open).toBe(0)
  expect(timers()).toBeLessThanOrEqual(timersBefore + 1)
}

describe('hostile answers leave no memory, no socket and no timer behind', () => {
  const all = Object.values(hostilePlays)

  test('10,000 that end by themselves', async () => {
    await attack(
      all.filter(([, why]) => why !== 'timeout').map(([play]) => play),
      10_000,
      5
    )
  })

  test('2,000 that only the deadline ends', async () => {
    await attack(
      all.filter(([, why]) => why === 'timeout').map(([play]) => play),
      2000,
      0.5
    )
  })
})

test('100,000 hostile URIs do not push one good set out', async () => {
  playFor = () => answer()
  const fetcher = fetcherWith((name) => (name === host ? '127.0.0.1' : '10.0.0.1'))
  const good = `https://${host}:${server.port}/good`
  const set = await fetcher.get(good)
  const connections = server.connections
  const before = await megabytesInUse()
  let refused = 0
  await inBatches(100_000, 500, (index) => fetcher.get(`https://h${index}.attacker.net/`).catch(() => refused++))
  const after = await megabytesInUse()
  console.info(`100,000 hostile URIs: ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`)
  expect(refused).toBe(100_000)
  expect(await fetcher.get(good)).toBe(set)
  expect(await fetcher.get(good, { refresh: true })).toBe(set)
  expect(server.connections).toBe(connections)
  expect(after - before).toBeLessThan(10)
})

describe('a host with 960 tenants', () => {
  afterEach(() => {
    jest.useRealTimers()
  })

  test('serves 15 of 15 cold loads while 31 requests a second ask for unknown keys', async () => {
    const real = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'] as const
    jest.useFakeTimers({ doNotFake: [...real, 'clearImmediate', 'nextTick', 'queueMicrotask', 'hrtime'] })
    playFor = () => answer()
    const fetcher = createJwksFetcher({
      hosts: { [host]: { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert } },
      resolver: () => ({
        resolve4: () => Promise.resolve(['127.0.0.1']),
        resolve6: () => Promise.resolve([]),
        cancel: () => undefined
      })
    })
    const tenant = (index: number) => `https://${host}:${server.port}/tenant-${index}`
    await inBatches(960, 4, (index) => fetcher.get(tenant(index)))
    jest.advanceTimersByTime(31_000)

    // Eight answers a second with the four places of a host
    playFor = () => (socket, request) =>
      void setTimeout(() => {
        answer()(socket, request)
      }, 500)
    let next = 0
    const refreshes: Promise<unknown>[] = []
    const strangers = setInterval(() => {
      refreshes.push(fetcher.get(tenant(next++ % 960), { refresh: true }))
    }, 1000 / 31)
    await new Promise((done) => setTimeout(done, 3000))
    const loads: Promise<unknown>[] = []
    for (let i = 0; i < 15; i++) {
      loads.push(fetcher.get(`https://${host}:${server.port}/cold-${i}`))
      await new Promise((done) => setTimeout(done, 600))
    }
    const outcomes = await Promise.allSettled(loads)
    clearInterval(strangers)
    console.info(`${next} requests for unknown keys beside 15 first loads`)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(15)
    expect((await Promise.allSettled(refreshes)).every(({ status }) => status === 'fulfilled')).toBe(true)
  })
})

test('100 sets of 100 RSA keys, each imported under six algorithms, take no more than the cache allows', async () => {
  const modulus = () => Buffer.concat([Buffer.of(0xff), randomBytes(254), Buffer.of(0x01)]).toString('base64url')
  playFor = () =>
    answer(
      JSON.stringify({
        keys: Array.from({ length: 100 }, (_, i) => ({ kty: 'RSA', kid: `${i}`, n: modulus(), e: 'AQAB' }))
      })
    )
  const authenticate = createClientAuthenticator({
    issuer,
    getClient: (client_id) => ({
      client_id,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `https://${host}:${server.port}/${client_id}`
    }),
    keySets: fetcherWith(() => '127.0.0.1')
  })
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signature = Buffer.concat([Buffer.of(1), randomBytes(255)]).toString('base64url')
  const reasons = new Map<unknown, number>()
  const forge = async (clientId: string, alg: string, kid: string): Promise<void> => {
    const claims = { iss: clientId, sub: clientId, aud: issuer, jti: randomUUID(), exp: Date.now() / 1000 + 60 }
    const body = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${encode({ alg, kid })}.${encode(claims)}.${signature}`
    }
    const { reason } = await authenticate({ headers: {}, body }).then(
      () => ({ reason: 'authenticated' }),
      (error: unknown) => error as { reason: unknown }
    )
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const importAll = async (set: number): Promise<void> => {
    for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
      for (let kid = 0; kid < 100; kid++) await forge(`set-${set}`, alg, `${kid}`)
  }
  const memory = async () => {
    await megabytesInUse()
    return process.memoryUsage().rss / 1_000_000
  }
  await importAll(0)
  const before = await memory()
  await inBatches(100, 4, (index) => importAll(index + 1))
  const after = await memory()
  console.info(`100 sets: ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after`)
  expect([...reasons]).toEqual([['signature_mismatch', 60_600]])
  expect(after - before).toBeLessThan(100)
})

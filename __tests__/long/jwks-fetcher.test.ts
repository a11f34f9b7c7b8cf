import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createJwksFetcher } from '../../lib/jwks-uri/fetcher'
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

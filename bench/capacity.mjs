// The figures of docs/capacity.md: what one core authenticates, what remembering costs, what key sets cost.
//
//   npm run build && npm ci --prefix bench && node --expose-gc bench/capacity.mjs
//
// Redis and its cluster are left out, in words, where there is no redis-server.
import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient, createCluster } from 'redis'
import { createMemoryReplayStore, createRedisReplayStore } from '../dist/lib/index.js'
import { authenticatorOf, headers } from './assertions.mjs'
import { assertionForm, basicHeader, mainAlgorithms, makeAssertions, makeClient, secretClient } from './clients.mjs'
import { fetcherFor, startKeyServer } from './key-server.mjs'
import { compare, of } from './measure.mjs'

const number = (value) => Math.round(value).toLocaleString('en')
const line = (name, ...values) => console.log(name.padEnd(44), ...values.map((value) => String(value).padStart(18)))
const heading = (text) => console.log(`\n${text}`)
const mebibytes = (octets) => `${(octets / 2 ** 20).toFixed(octets < 2 ** 24 ? 1 : 0)} MiB`

async function authentications() {
  heading('authenticate(), 16 in flight: CPU of all threads, and how many a second one core carries')
  const basic = authenticatorOf(secretClient('client_secret_basic')).authenticate
  const request = { headers: { ...headers, authorization: basicHeader }, body: { grant_type: 'urn:example:bench' } }
  const rows = [{ name: 'client_secret_basic', inFlight: 16, count: 2000, op: () => basic(request) }]
  for (const alg of mainAlgorithms) {
    const maker = makeClient(alg)
    const assertions = await makeAssertions(maker, 2000)
    const { fresh, authenticate } = authenticatorOf(maker.client)
    const op = (i) => {
      if (i % assertions.length === 0) fresh()
      return authenticate({ headers, body: assertionForm(assertions[i % assertions.length]) })
    }
    rows.push({ name: alg, inFlight: 16, count: 1000, op })
  }
  await compare(rows, { rounds: 15, warmup: 6000 })
  for (const row of rows) {
    const { median } = of(row, 'cpu')
    line(row.name, `${median.toFixed(1)} µs`, `${number(1e6 / median)} a second`)
  }
}

const memory = () => {
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

/** Assertions that live for 300 s and are remembered for 330 s, at three rates. */
function memoryStore() {
  heading('Memory replay store, assertions of 300 s: entries, memory, time of a use when full')
  for (const rate of [100, 1000, 10_000]) {
    const entries = rate * 330
    const before = memory()
    const store = createMemoryReplayStore({ maxEntries: 10_000_000, maxEntriesPerClient: 10_000_000 })
    const expiresAt = Math.floor(Date.now() / 1000) + 330
    const use = (i) => store.consume({ clientId: `client-${i % 1000}`, id: randomUUID(), expiresAt })
    for (let i = 0; i < entries; i++) use(i)
    const octets = memory() - before
    const started = performance.now()
    for (let i = 0; i < 20_000; i++) use(i)
    const microseconds = ((performance.now() - started) / 20_000) * 1000
    line(`${number(rate)} a second`, number(entries), mebibytes(octets), `${microseconds.toFixed(1)} µs`)
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  return port
}

async function startRedis(folder, ...more) {
  const port = await freePort()
  const directory = mkdtempSync(join(folder, 'redis-'))
  const options = ['--port', port, '--bind', '127.0.0.1', '--dir', directory, '--save', '', ...more]
  const child = spawn('redis-server', options.map(String), { stdio: 'ignore' })
  await once(child, 'spawn')
  await wait(500)
  return { port, child }
}

/** Uses a second with so many in flight, after as many to warm up. */
async function usesPerSecond(store, inFlight, total) {
  const expiresAt = Math.floor(Date.now() / 1000) + 330
  const run = async (count) => {
    let left = count
    const lane = async () => {
      while (left-- > 0) await store.consume({ clientId: `client-${left % 1000}`, id: randomUUID(), expiresAt })
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
  }
  await run(total / 4)
  const started = performance.now()
  await run(total)
  return (total / (performance.now() - started)) * 1000
}

async function redisStores() {
  heading('Redis replay store: uses a second by one Node process, 200 in flight; Redis memory of an entry')
  const folder = mkdtempSync(join(tmpdir(), 'capacity-'))
  const nodes = []
  try {
    const { port, child } = await startRedis(folder)
    nodes.push(child)
    const one = createClient({ url: `redis://127.0.0.1:${port}` })
    await one.connect()
    const used = async () => Number(/used_memory:(\d+)/.exec(await one.sendCommand(['INFO', 'memory']))[1])
    const before = await used()
    const rate = await usesPerSecond(createRedisReplayStore({ sendCommand: (args) => one.sendCommand(args) }), 200, 1e5)
    line('one Redis', `${number(rate)} a second`, `${number(((await used()) - before) / 125_000)} octets`)
    one.destroy()
    child.kill()

    const members = []
    for (let i = 0; i < 3; i++) members.push(await startRedis(folder, '--cluster-enabled', 'yes'))
    nodes.push(...members.map((member) => member.child))
    const addresses = members.map((member) => `127.0.0.1:${member.port}`)
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'ignore' })
    await wait(2000)
    const cluster = createCluster({ rootNodes: addresses.map((address) => ({ url: `redis://${address}` })) })
    await cluster.connect()
    const sendCommand = (args) => cluster.sendCommand(args[1], false, args)
    const ofCluster = await usesPerSecond(createRedisReplayStore({ sendCommand }), 200, 1e5)
    line('a cluster of three on this machine', `${number(ofCluster)} a second`)
    await cluster.close()
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    console.log('left out: there is no redis-server here')
  } finally {
    for (const node of nodes) node.kill()
    await wait(500)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** CPU of the processes that fetch, in milliseconds: they are the children of this one. */
function childrenCpu() {
  const ids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean)
  const ticks = ids.map((id) => {
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return ticks.reduce((sum, one) => sum + one, 0) * 10
}

async function keySets() {
  const sets = 20_000
  heading(`Key sets of two ES256 keys, ${number(sets)} of them fetched from a server on this machine`)
  const keyServer = await startKeyServer((keys, url) => keys.map((jwk) => ({ ...jwk, kid: `${jwk.kid}${url}` })))
  const { server, uri } = keyServer
  const fetcher = fetcherFor(keyServer, { maxEntries: 1_000_000, maxConcurrentPerHost: 64 })
  await fetcher.get(uri('warm'))
  const [heap, cpu, started] = [memory(), childrenCpu(), performance.now()]
  let next = 0
  const lane = async () => {
    while (next < sets) await fetcher.get(uri(next++))
  }
  await Promise.all(Array.from({ length: 32 }, lane))
  const seconds = (performance.now() - started) / 1000
  line('fetches a second, 32 in flight', number(sets / seconds))
  line('CPU of the process that fetches, a fetch', `${((childrenCpu() - cpu) / sets).toFixed(2)} ms`)
  line('memory of the server, a set', `${number((memory() - heap) / sets)} octets`)
  const kept = Array.from({ length: sets }, (_, i) => fetcher.cached(uri(i))).filter(Boolean).length
  line('still cached at the end', number(kept))
  fetcher.close()
  server.close()
}

console.log(`Node ${process.version}, ${cpus().length} cores: ${cpus()[0].model}`)
await authentications()
await keySets()
await redisStores()
memoryStore()

// What remembering an assertion costs: npm run bench:replay
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createMemoryReplayStore, createRedisReplayStore, createSqliteReplayStore } from '../dist/lib/index.js'
import Libsql from 'libsql'
import { createClient } from 'redis'

const now = Math.floor(Date.now() / 1000)
const entry = (index) => ({
  clientId: `client-${index % 1000}`,
  id: randomUUID(),
  expiresAt: now + 600 + (index % 3000)
})
const line = (name, value) => console.log(name.padEnd(56), value)

const heap = () => {
  global.gc()
  global.gc()
  return process.memoryUsage().heapUsed
}

const batch = 20

/** Median nanoseconds of a use, over short batches, so that what else the machine does falls out. */
function timeUses(store, from, to) {
  const batches = []
  for (let index = from; index < to; index += batch) {
    const entries = Array.from({ length: batch }, (_, i) => entry(index + i))
    const began = process.hrtime.bigint()
    for (const next of entries) store.consume(next)
    batches.push(Number(process.hrtime.bigint() - began) / batch)
  }
  return batches.sort((a, b) => a - b)[batches.length >> 1]
}

function benchMemory() {
  timeUses(createMemoryReplayStore(), 0, 100_000) // warm up
  const before = heap()
  const store = createMemoryReplayStore()
  timeUses(store, 0, 5_000)
  const few = timeUses(store, 5_000, 15_000)
  timeUses(store, 15_000, 980_000)
  const bytes = (heap() - before) / 980_000
  const many = timeUses(store, 980_000, 1_000_000)
  line('memory store, a use at 10,000 entries', `${few.toFixed(0)} ns`)
  line('memory store, a use at 1,000,000 entries', `${many.toFixed(0)} ns`)
  line('memory store, ratio', (many / few).toFixed(2))
  line('memory store, bytes an entry', bytes.toFixed(0))
}

/** node:sqlite where this Node has it, and libsql, each on a file of its own. */
async function benchSqlite() {
  const builtIn = await import('node:sqlite').catch(() => undefined)
  const directory = mkdtempSync(join(tmpdir(), 'bench-sqlite-'))
  const rate = (store) => {
    const began = performance.now()
    for (let index = 0; index < 10_000; index++) store.consume(entry(index))
    return `${(10_000_000 / (performance.now() - began)).toFixed(0)} uses/s`
  }
  line('memory store', rate(createMemoryReplayStore()))
  for (const [name, Database] of Object.entries({ 'node:sqlite': builtIn?.DatabaseSync, libsql: Libsql })) {
    if (Database === undefined) continue
    const database = new Database(join(directory, `${name.replace(':', '-')}.db`))
    line(`SQLite store, ${name}`, rate(createSqliteReplayStore({ database })))
    database.close()
  }
  rmSync(directory, { recursive: true })
}

async function startRedis() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  const directory = mkdtempSync(join(tmpdir(), 'bench-redis-'))
  const options = ['--port', port, '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  const child = spawn('redis-server', options.map(String), { stdio: 'ignore' })
  const started = await once(child, 'spawn').then(
    () => true,
    () => false
  )
  if (!started) return undefined
  await wait(500)
  const stop = async () => {
    child.kill()
    await once(child, 'exit')
    rmSync(directory, { recursive: true })
  }
  return { port, stop }
}

/** Round trips, `atOnce` in flight: how many a second, and how long one takes. */
async function timeTrips(trip, atOnce, total) {
  const times = []
  let left = total
  const began = performance.now()
  const lanes = Array.from({ length: atOnce }, async () => {
    while (left-- > 0) {
      const sent = performance.now()
      await trip()
      times.push(performance.now() - sent)
    }
  })
  await Promise.all(lanes)
  times.sort((a, b) => a - b)
  return {
    rate: (total / (performance.now() - began)) * 1000,
    median: times[total >> 1],
    p99: times[Math.floor(total * 0.99)]
  }
}

async function benchRedis() {
  const redis = await startRedis()
  if (redis === undefined) {
    console.log('Redis store: skipped, since there is no redis-server on the PATH')
    return
  }
  const client = createClient({ url: `redis://127.0.0.1:${redis.port}` })
  await client.connect()
  const store = createRedisReplayStore({ sendCommand: (args) => client.sendCommand(args) })
  let index = 0
  const trips = {
    'bare SET NX PX': () => client.sendCommand(['SET', `bare:${randomUUID()}`, '1', 'NX', 'PX', '600000']),
    'Redis store': () => store.consume(entry(index++))
  }
  for (const atOnce of [1, 100]) {
    const best = {}
    // In turns, the best of five, so that neither has the machine's better moment.
    for (let round = 0; round < 5; round++) {
      for (const [name, trip] of Object.entries(trips)) {
        const result = await timeTrips(trip, atOnce, atOnce === 1 ? 3_000 : 30_000)
        if (!(best[name]?.rate > result.rate)) best[name] = result
      }
    }
    for (const [name, { rate, median, p99 }] of Object.entries(best)) {
      line(
        `${name}, ${atOnce} in flight`,
        `${rate.toFixed(0)}/s, median ${median.toFixed(3)} ms, 99 % under ${p99.toFixed(3)} ms`
      )
    }
  }
  client.destroy()
  await redis.stop()
}

console.log(`Node ${process.version}`)
benchMemory()
await benchSqlite()
await benchRedis()

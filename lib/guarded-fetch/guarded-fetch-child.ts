import { writeSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { attempt } from '../basics/attempt'
import { defined } from '../basics/defined'
import { FetchError } from '../basics/fetch-error'
import type { Measure } from './bounded-socket'
import type { FromChild, Killed, ToChild } from './child-messages'
import type { Exchange } from './exchange'
import { runExchange } from './run-exchange'

// The process that fetches: `child` forks this file. OpenSSL works on what strangers send before anybody can trust
// it, and nothing but a signal ends that work. So it happens here, and a second thread watches it.

/** One fetch may compute so long with one piece of what it received, in milliseconds of CPU time. */
const maxWork = 500
/** No turn of the event loop for so much CPU time, of whichever fetches together. */
const maxTurn = 3000
/** Below the server's: enough that the server goes first, and not so much that a busy machine starves fetches. */
const niceness = 5

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return Math.floor((user + system) / 1000)
}

/** What both threads see: which fetch works (0: none), since when, and when the event loop last turned. */
const [fetchAt, sinceAt, turnAt] = [0, 1, 2] as const

/** The second thread. CPU time is compared, not the clock: a process that gets no turn on the CPU is not stuck. */
function watch(shared: Int32Array, parent: number): void {
  const at = (index: number): number => Atomics.load(shared, index)
  const end = (killed: Killed): void => {
    writeSync(1, JSON.stringify(killed))
    process.kill(process.pid, 'SIGKILL')
  }
  setInterval(() => {
    // The server is gone, and the main thread may be too busy to hear of it
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
    const fetch = at(fetchAt)
    const worked = cpuMs() - at(sinceAt)
    // Asked twice: the main thread may have gone on in between
    if (fetch !== 0 && worked >= maxWork && at(fetchAt) === fetch) end({ fetch, cpuMs: worked })
    if (cpuMs() - at(turnAt) >= maxTurn) end({ fetch: 0, cpuMs: maxTurn })
  }, 50)
}

function serve(shared: Int32Array): void {
  const running = new Map<number, AbortController>()
  let authorities: readonly string[] | undefined
  const send = (message: FromChild): void => void process.send?.(message)

  /** Tells the watch whose octets are worked on, until the event loop turns or another fetch has its turn. */
  const measureFor =
    (id: number): Measure =>
    (work) => {
      Atomics.store(shared, fetchAt, 0)
      const start = process.cpuUsage()
      Atomics.store(shared, sinceAt, cpuMs())
      Atomics.store(shared, fetchAt, id)
      work()
      setImmediate(() => Atomics.compareExchange(shared, fetchAt, id, 0))
      const { user, system } = process.cpuUsage(start)
      return (user + system) / 1000
    }

  async function run(id: number, exchange: Exchange): Promise<void> {
    const over = new AbortController()
    running.set(id, over)
    try {
      const { body, ...answer } = await runExchange(exchange, {
        signal: over.signal,
        observe: (step) => send({ id, step }),
        measure: measureFor(id),
        authorities
      })
      send({ id, answer: { ...answer, body: body.toString('base64') } })
    } catch (error) {
      const { why, message, retryAfter } = error instanceof FetchError ? (error as FetchError) : failed
      send({ id, error: { why, message, ...defined({ retryAfter }) } })
    } finally {
      running.delete(id)
    }
  }

  process.on('message', (message: ToChild) => {
    if ('exchange' in message) void run(message.id, message.exchange)
    else if ('cancel' in message) running.get(message.cancel)?.abort(failed)
    else authorities = message.authorities ?? undefined
  })
  // A signal to the whole group of processes is the server's business: it may still finish requests
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  process.on('disconnect', () => process.exit())
  setInterval(() => Atomics.store(shared, turnAt, cpuMs()), 100)
  attempt(() => setPriority(Math.min(getPriority() + niceness, 19)))
  send({ ready: true })
}

const failed = new FetchError('connection', 'the fetch failed')

if (isMainThread) {
  const shared = new Int32Array(new SharedArrayBuffer(12))
  new Worker(__filename, { workerData: { shared, parent: process.ppid } }).unref()
  serve(shared)
} else {
  const { shared, parent } = workerData as { shared: Int32Array; parent: number }
  watch(shared, parent)
}

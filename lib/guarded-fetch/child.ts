import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { attempt } from '../basics/attempt'
import { defined } from '../basics/defined'
import { FetchError } from '../basics/fetch-error'
import { addressHeld, hostHeld } from './address-rest'
import { defaultAuthorities, trustEnvironment, trustFlags } from './authorities'
import { childFile } from './child-file'
import type { FromChild, Killed, ToChild } from './child-messages'
import type { Deadline } from './deadline'
import type { Answer, Exchange } from './exchange'
import { reportFetching, type Side } from './fetching-events'
import type { Observe } from './steps'
import { until } from './until'

/** Why this program can never start the process that fetches. Decided once, at the first start. */
export class NoChild extends Error {}

interface Job {
  readonly exchange: Exchange
  readonly deadline: Deadline
  readonly observe: Observe
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
  outcome?: Promise<Answer>
  /** Where it is connected to. */
  address?: string
  /** How often its process has ended under it. */
  losses: number
  /** Its signal has ended it; what it cost is still waited for. */
  farewell?: NodeJS.Timeout
}

/** After so long without work the process is ended. */
const idleMs = 60_000
/** In a new process, fetches that the end of the old one interrupted have so long before others begin. */
const headStartMs = 1000
/** How long a fetch that is over is waited for, to learn what it cost. */
const maxFarewellMs = 700
/** A process that does not even answer that so many fetches in a row are over is stopped or lost (SIGSTOP, a debugger). */
const maxUnanswered = 3
/** After so long a process that is not ready is given up. */
const maxStartMs = 10_000
const exhausted = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'])

/** The first process that came up proves that there can be one: from then on whatever stops another is temporary. */
let isPossible: boolean | undefined
let lastId = 0

const noProcess = (why: string) => new FetchError('busy', `no process could be started that fetches (${why})`)
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown'

/** One side's process: started at the first fetch, and again when it has ended. */
export function createChild(side: Side) {
  const jobs = new Map<number, Job>()
  let running: ChildProcess | undefined
  /** Settles when that process is ready, or has ended. */
  let ready: Promise<unknown> = Promise.resolve()
  /** Settles when the interrupted fetches have had their time, or are done. */
  let headStart: Promise<unknown> | undefined
  let authorities: readonly string[] | undefined
  let idle: NodeJS.Timeout | undefined
  /** Fetches in a row whose end the process has not answered. */
  let unanswered = 0

  const tell = (message: ToChild): void => void running?.send(message, () => undefined) // its end is told by `close`

  function give(id: number, { exchange, deadline }: Job): void {
    running ??= start()
    deadline.pauseFor(ready)
    const trusted = defaultAuthorities()
    if (trusted !== authorities) tell({ authorities: trusted ?? null })
    authorities = trusted
    tell({ id, exchange })
  }

  function start(): ChildProcess {
    const file = childFile()
    if (file === undefined) throw new NoChild('its file is missing: a bundler has left it out')
    const stdio = ['ignore', 'pipe', 'ignore', 'ipc'] as const
    const child = fork(file, [], { execArgv: trustFlags(), env: trustEnvironment(), stdio: [...stdio] })
    const output = child.stdout as Socket | null
    let lastWords = ''
    const fail = (error: Error): void => {
      child.kill('SIGKILL')
      if (running === child) lost(error)
    }
    // Keeps the server alive in place of the deadlines, which stand still
    const limit = setTimeout(() => fail(noProcess(`not within ${maxStartMs / 1000} s`)), maxStartMs)
    ready = new Promise((done) => {
      for (const event of ['message', 'error', 'close']) child.once(event, done)
    }).then(() => clearTimeout(limit))
    child.on('message', heard)
    child.on('error', fail)
    output?.on('data', (text) => (lastWords += String(text)))
    child.on('close', (code) => {
      if (running !== child) return
      const killed = attempt(() => JSON.parse(lastWords) as Killed)
      if (killed !== undefined) blame(killed)
      lost(killed ?? new Error(`it ended with ${code === null ? 'a signal' : `code ${code}`}`), code)
    })
    // It keeps no server alive: whoever waits for a fetch has its deadline
    child.unref()
    ;(child.channel as { unref?: () => void } | null | undefined)?.unref?.() // Bun's has none
    output?.unref()
    authorities = undefined
    unanswered = 0
    reportFetching({ event: 'started', side })
    return child
  }

  function heard(message: unknown): void {
    const told = message as FromChild
    unanswered = 0
    if ('ready' in told) {
      isPossible = true
      return
    }
    const job = jobs.get(told.id)
    if (job === undefined) return
    if ('step' in told) {
      if (told.step.step === 'connected') job.address = told.step.address
      job.observe(told.step)
      return
    }
    settled(told.id)
    if ('answer' in told) job.resolve({ ...told.answer, body: Buffer.from(told.answer.body, 'base64') })
    else job.reject(new FetchError(told.error.why, told.error.message, told.error.retryAfter))
  }

  function settled(id: number): void {
    clearTimeout(jobs.get(id)?.farewell)
    jobs.delete(id)
    clearTimeout(idle)
    if (jobs.size === 0) idle = setTimeout(end, idleMs).unref()
  }

  /** The fetch that the process was killed for: it has cost what it computed, and is not begun again. */
  function blame({ fetch, cpuMs }: Killed): void {
    const job = jobs.get(fetch)
    const { host, addresses } = job?.exchange ?? {}
    reportFetching({ event: 'killed', side, cpuMs, ...defined({ host }) })
    if (job === undefined || host === undefined) return
    settled(fetch)
    job.observe({ step: 'closed', octets: 0, busyMs: cpuMs })
    job.reject(new FetchError('tls', `${host} sent what took over ${cpuMs} ms of computing: the fetch was ended`))
    hostHeld(host, cpuMs)
    // Behind a proxy's address live all hosts
    const { address } = job
    const restMs = address !== undefined && addresses?.includes(address) ? addressHeld(address, host, cpuMs) : undefined
    if (restMs !== undefined) reportFetching({ event: 'rested', side, host, address: String(address), restMs })
  }

  /** Begins the other fetches again, with the time that is left to them. */
  function lost(cause: Killed | Error, code?: number | null): void {
    running = undefined
    const fault = cause instanceof Error ? faultOfEnd(cause, code) : undefined
    for (const [id, job] of jobs) {
      const isFinal = fault instanceof NoChild || fault?.why === 'busy' || ++job.losses > 1
      if (job.farewell !== undefined || (fault !== undefined && isFinal)) refuse(id, job, fault)
      else again(id, job)
    }
    if (jobs.size > 0) giveHeadStart()
  }

  /** Else one hostile host after another would interrupt the same honest ones again and again. */
  function giveHeadStart(): void {
    const done = Promise.allSettled([...jobs.values()].flatMap(({ outcome }) => outcome ?? []))
    const given = Promise.race([done, ready.then(() => wait(headStartMs, undefined, { ref: false }))]).then(() => {
      if (headStart === given) headStart = undefined
    })
    headStart = given
  }

  function again(id: number, job: Job): void {
    try {
      give(id, job)
    } catch (error) {
      refuse(id, job, faultOfEnd(error, undefined))
    }
  }

  function refuse(id: number, job: Job, fault: unknown): void {
    if (!jobs.has(id)) return
    settled(id)
    job.reject(fault)
  }

  function giveUpWaiting(id: number, job: Job, reason: unknown): void {
    refuse(id, job, reason)
    // Once, however many fetches end before it is gone
    if (++unanswered < maxUnanswered || running?.killed !== false) return
    running.kill('SIGKILL')
    reportFetching({ event: 'killed', side })
  }

  /** Ends the process, whatever it is busy with. */
  function end(): void {
    const child = running
    running = undefined
    for (const [id, job] of jobs) refuse(id, job, new FetchError('busy', 'the fetcher was closed'))
    child?.kill() // ends it while it starts; afterwards it takes no notice
    if (child?.connected) child.disconnect()
  }

  return {
    async run(exchange: Exchange, deadline: Deadline, observe: Observe): Promise<Answer> {
      const { signal } = deadline
      while (headStart !== undefined) {
        deadline.pauseFor(headStart)
        await until(signal, headStart)
      }
      const id = ++lastId
      clearTimeout(idle)
      const outcome = new Promise<Answer>((resolve, reject) => {
        const job: Job = { exchange, deadline, observe, resolve, reject, losses: 0 }
        jobs.set(id, job)
        signal.addEventListener('abort', () => {
          tell({ cancel: id })
          job.farewell = setTimeout(giveUpWaiting, maxFarewellMs, id, job, signal.reason)
        })
        again(id, job)
      })
      const job = jobs.get(id)
      if (job !== undefined) job.outcome = outcome
      return outcome.catch((error: unknown) => {
        // Its own host is not to blame for the time that another one took
        if (signal.aborted && Number(job?.losses) > 0)
          throw new FetchError(
            'busy',
            `${exchange.host} was not asked to the end: another host kept the fetching process busy`
          )
        throw signal.aborted ? signal.reason : error
      })
    },
    end
  }
}

/** What the end of a process, or a start that failed, means for a fetch. */
function faultOfEnd(cause: unknown, exitCode: number | null | undefined): NoChild | FetchError {
  if (cause instanceof NoChild || cause instanceof FetchError) return cause as NoChild | FetchError
  const code = codeOf(cause)
  if (exhausted.has(code)) return noProcess(code)
  // It never came up, and no signal ended it: it cannot run here
  if (isPossible === undefined && exitCode !== null)
    return new NoChild(exitCode === undefined ? `it cannot be started (${code})` : (cause as Error).message)
  return new FetchError('connection', 'the process that fetches has ended unexpectedly')
}

import { FetchError } from '../basics/fetch-error'
import type { FetchStep, Observe } from './steps'

/** The time limit of one fetch. */
export interface Deadline {
  /** Aborted when the time is over, or the fetcher closed. Its reason is what the fetch rejects with. */
  readonly signal: AbortSignal
  /** The time stands still until `wait` settles: the host has no part in that. */
  readonly pauseFor: (wait: Promise<unknown>) => void
}

/** What a fetch waits for after each of its steps, in words that follow the host. */
const awaited: Readonly<Record<FetchStep['step'], string>> = {
  url: 'was not found by DNS',
  dns: 'did not accept a connection',
  proxy: 'was not connected to by the proxy',
  connected: 'did not finish the TLS handshake',
  certificate: 'did not finish the TLS handshake',
  tls: 'did not answer',
  head: 'did not finish its answer',
  body: 'did not finish its answer',
  closed: 'did not finish its answer'
}

/** A timer that stands still while something else is waited for. */
function pausableTimer(ms: number, onEnd: () => void) {
  let left = ms
  let since = 0
  let timer: NodeJS.Timeout | undefined
  let pauses = 0
  let isOver = false
  const start = (): void => {
    since = performance.now()
    timer = setTimeout(onEnd, left)
  }
  const goOn = (): void => {
    if (--pauses === 0 && !isOver) start()
  }
  return {
    start,
    pauseFor: (wait: Promise<unknown>): void => {
      if (pauses++ === 0) left -= performance.now() - since
      clearTimeout(timer)
      wait.then(goOn, goOn)
    },
    stop: (): void => {
      isOver = true
      clearTimeout(timer)
    }
  }
}

/**
 * Runs one fetch, and ends it after so many seconds with a {@link FetchError} that tells what it waited for, or as soon
 * as its fetcher is closed.
 */
export async function withDeadline<T>(
  host: string,
  { timeout: seconds, closed }: { readonly timeout: number; readonly closed?: AbortSignal },
  observe: Observe,
  work: (deadline: Deadline, observe: Observe) => Promise<T>
): Promise<T> {
  let fault = 'was not asked'
  const deadline = new AbortController()
  const { signal } = deadline
  const end = (why: 'timeout' | 'busy', words: string): void => deadline.abort(new FetchError(why, `${host} ${words}`))
  const close = (): void => end('busy', 'was not asked to the end: the fetcher was closed')
  const { start, pauseFor, stop } = pausableTimer(seconds * 1000, () => end('timeout', `${fault} within ${seconds} s`))
  closed?.addEventListener('abort', close)
  try {
    if (closed?.aborted) close()
    signal.throwIfAborted()
    start()
    return await work({ signal, pauseFor }, (step) => {
      fault = awaited[step.step]
      observe(step)
    })
  } finally {
    stop()
    closed?.removeEventListener('abort', close)
  }
}

import { FetchError } from '../basics/fetch-error'
import type { FetchStep, Observe } from './steps'

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

/**
 * Runs one fetch, and ends it after so many seconds with a {@link FetchError} that tells what it waited for, or as soon
 * as its fetcher is closed.
 */
export async function withDeadline<T>(
  host: string,
  { timeout: seconds, closed }: { readonly timeout: number; readonly closed?: AbortSignal },
  observe: Observe,
  work: (signal: AbortSignal, observe: Observe) => Promise<T>
): Promise<T> {
  let fault = 'was not asked'
  const deadline = new AbortController()
  const timer = setTimeout(() => {
    deadline.abort(new FetchError('timeout', `${host} ${fault} within ${seconds} s`))
  }, seconds * 1000)
  const close = (): void => {
    deadline.abort(new FetchError('busy', `${host} was not asked to the end: the fetcher was closed`))
  }
  closed?.addEventListener('abort', close)
  try {
    if (closed?.aborted) close()
    deadline.signal.throwIfAborted()
    return await work(deadline.signal, (step) => {
      fault = awaited[step.step]
      observe(step)
    })
  } finally {
    clearTimeout(timer)
    closed?.removeEventListener('abort', close)
  }
}

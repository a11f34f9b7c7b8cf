import { attempt } from '../basics/attempt'
import { freshSeconds, type FreshnessLimits, type Parsed } from './cached-document'
import { freshnessLifetime } from './caching-headers'
import { withDeadline } from './deadline'
import { type Asked, guardedUrl, type GuardOptions, httpsGet } from './https-get'
import type { FetchStep } from './steps'

interface Seen {
  /** The steps that were taken, in order. */
  readonly steps: readonly FetchStep[]
  /** The body as parsed JSON, where it is JSON. It is untrusted, and may hold secrets that were published by mistake. */
  readonly json?: unknown
}

/** A document that would be accepted. */
interface Accepted<T> extends Seen {
  /** For how many seconds it would be served without another fetch. */
  readonly freshSeconds: number
  readonly value: T
  readonly error?: never
}

interface Refused<E> extends Seen {
  readonly value?: never
  /** Why the fetch ends. */
  readonly error: E
}

/** What one fetch showed. */
export type Inspected<T, E> = Accepted<T> | Refused<E>

/** Fetches one document outside of any cache, and tells each step. Never rejects. */
export async function inspectDocument<T, E>(
  uri: string,
  kind: Asked & { readonly parse: (body: Buffer, uri: string) => Parsed<T>; readonly toError: (cause: unknown) => E },
  settings: GuardOptions & FreshnessLimits & { readonly timeout: number }
): Promise<Inspected<T, E>> {
  const steps: FetchStep[] = []
  const observe = (step: FetchStep): void => void steps.push(step)
  let seen: Pick<Seen, 'json'> = {}
  try {
    const { hostname } = guardedUrl(uri, settings.hosts)
    const { headers, body } = await withDeadline(hostname, settings, observe, (deadline, observeStep) =>
      httpsGet(uri, { ...kind, tellsTitle: true }, settings, { deadline, observe: observeStep })
    )
    seen = { json: attempt(() => JSON.parse(new TextDecoder().decode(body)) as unknown) } // `parse` tells why it is none
    const parsed = kind.parse(body, uri)
    return {
      steps,
      ...seen,
      freshSeconds: freshSeconds(freshnessLifetime(headers), settings, parsed),
      value: parsed.value
    }
  } catch (cause) {
    return { steps, ...seen, error: kind.toError(cause) }
  }
}

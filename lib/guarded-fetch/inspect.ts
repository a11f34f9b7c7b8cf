import { freshSeconds, type FreshnessLimits, lifetimeOf, type Parsed } from './cached-document'
import { withDeadline } from './deadline'
import { type Asked, guardedUrl, type GuardOptions, httpsGet } from './https-get'
import type { FetchStep } from './steps'

interface Inspected {
  /** The steps that were taken, in order. */
  readonly steps: readonly FetchStep[]
  /** The body as parsed JSON, where it is JSON. It is untrusted, and may hold secrets that were published by mistake. */
  readonly json?: unknown
}

/** A document that would be accepted. */
export interface Accepted<T> extends Inspected {
  /** For how many seconds it would be served without another fetch. */
  readonly freshSeconds: number
  readonly value: T
  readonly error?: never
}

interface Refused<E> extends Inspected {
  readonly value?: never
  /** Why the fetch ends. */
  readonly error: E
}

function parsedJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined // the parser of the document gives the reason
  }
}

/** Fetches one document outside of any cache, and tells each step. Never rejects. */
export async function inspectDocument<T, E>(
  uri: string,
  kind: Asked & { readonly parse: (body: Buffer, uri: string) => Parsed<T>; readonly toError: (cause: unknown) => E },
  settings: GuardOptions & FreshnessLimits & { readonly timeout: number }
): Promise<Accepted<T> | Refused<E>> {
  const steps: FetchStep[] = []
  const observe = (step: FetchStep): void => void steps.push(step)
  let seen: Pick<Inspected, 'json'> = {}
  try {
    const { hostname } = guardedUrl(uri, settings.hosts)
    const { headers, body } = await withDeadline(hostname, settings, observe, (deadline, observeStep) =>
      httpsGet(uri, { ...kind, tellsTitle: true }, settings, { deadline, observe: observeStep })
    )
    seen = { json: parsedJson(body) }
    const parsed = kind.parse(body, uri)
    return { steps, ...seen, freshSeconds: freshSeconds(lifetimeOf(headers), settings, parsed), value: parsed.value }
  } catch (cause) {
    return { steps, ...seen, error: kind.toError(cause) }
  }
}

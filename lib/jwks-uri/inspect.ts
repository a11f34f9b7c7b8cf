import { parseKeySet } from '../jwt/jwk-set'
import { KeySetError } from '../jwt/key-set-error'
import type { JwkSet } from '../types'
import { freshSeconds, lifetimeOf } from './cached-set'
import { withDeadline } from './deadline'
import { guardedUrl, httpsGet } from './https-get'
import { type JwksFetcherOptions, resolveJwksOptions } from './options'
import type { FetchStep } from './steps'

/** What one fetch showed, step by step. */
export interface Inspection {
  /** The steps that were taken, in order. */
  readonly steps: readonly FetchStep[]
  /** For how many seconds the set would be served without another fetch. */
  readonly freshSeconds?: number
  /** The body as parsed JSON. It is untrusted, and may hold private keys that a client published by mistake. */
  readonly json?: unknown
  /** The usable keys, if the set would be accepted. */
  readonly set?: JwkSet
  /** Why the fetch ends, if it fails. */
  readonly error?: KeySetError
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined // parseKeySet gives the reason
  }
}

/**
 * Fetches `uri` once, through the guard and the limits that `createJwksFetcher(options)` has, and tells each step.
 * Nothing is cached, and no event is published. Never rejects; throws a `TypeError` for impossible options.
 */
export async function inspectFetch(uri: string, options: JwksFetcherOptions = {}): Promise<Inspection> {
  const settings = resolveJwksOptions(options)
  const steps: FetchStep[] = []
  const observe = (step: FetchStep): void => void steps.push(step)
  let seen: Pick<Inspection, 'freshSeconds' | 'json'> = {}
  try {
    const { hostname } = guardedUrl(uri, settings.hosts)
    const { headers, body } = await withDeadline(hostname, settings.timeout, observe, (signal, observeStep) =>
      httpsGet(uri, settings, { signal, observe: observeStep })
    )
    seen = { freshSeconds: freshSeconds(lifetimeOf(headers), settings), json: parsed(body) }
    return { steps, ...seen, set: parseKeySet(body, settings.maxKeys) }
  } catch (cause) {
    const error =
      cause instanceof KeySetError ? cause : new KeySetError('connection', 'the fetch failed', undefined, cause)
    return { steps, ...seen, error }
  }
}

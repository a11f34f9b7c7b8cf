import { parseKeySet } from '../jwt/jwk-set'
import { KeySetError } from '../jwt/key-set-error'
import type { JwkSet } from '../types'
import { freshSeconds, lifetimeOf } from './cached-set'
import { withDeadline } from '../guarded-fetch/deadline'
import { guardedUrl, httpsGet } from '../guarded-fetch/https-get'
import { type JwksFetcherOptions, resolveJwksOptions } from './options'
import type { FetchStep } from '../guarded-fetch/steps'

interface Seen {
  /** The steps that were taken, in order. */
  readonly steps: readonly FetchStep[]
  /** The body as parsed JSON. It is untrusted, and may hold private keys that a client published by mistake. */
  readonly json?: unknown
}

/** A set that would be accepted. */
export interface AcceptedSet extends Seen {
  /** For how many seconds the set would be served without another fetch. */
  readonly freshSeconds: number
  /** The usable keys. */
  readonly set: JwkSet
  readonly error?: never
}

interface RefusedSet extends Seen {
  readonly set?: never
  /** Why the fetch ends. */
  readonly error: KeySetError
}

/** What one fetch showed, step by step. */
export type Inspection = AcceptedSet | RefusedSet

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
  let seen: Pick<Seen, 'json'> = {}
  try {
    const { hostname } = guardedUrl(uri, settings.hosts)
    const { headers, body } = await withDeadline(hostname, settings.timeout, observe, (signal, observeStep) =>
      httpsGet(uri, settings, { signal, observe: observeStep })
    )
    seen = { json: parsed(body) }
    const set = parseKeySet(body, settings.maxKeys)
    return { steps, ...seen, freshSeconds: freshSeconds(lifetimeOf(headers), settings), set }
  } catch (cause) {
    const error =
      cause instanceof KeySetError ? cause : new KeySetError('connection', 'the fetch failed', undefined, cause)
    return { steps, ...seen, error }
  }
}

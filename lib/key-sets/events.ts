import { channel } from 'node:diagnostics_channel'
import { defined } from '../basics/defined'
import type { KeySetError, KeySetFault } from '../jwt/key-set-error'

/**
 * The message of the diagnostics channel `oauth-client-auth:jwks`: what became of one attempt to fetch a key set, or
 * another document that leads to one. What is served from the cache is not told.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('oauth-client-auth:jwks', (message) => {
 *   const { event, uri, error } = message as JwksEvent
 *   if (error !== undefined) console.warn(`${event}: ${uri}: ${error.message}`)
 * })
 */
export interface JwksEvent {
  /**
   * - `fetched`: nothing was cached, and the set was fetched.
   * - `refreshed`: a cached set was fetched again.
   * - `not_modified`: the server confirmed the cached set (304).
   * - `stale`: a refresh failed, and the cached set, no longer fresh, serves on for `staleIfError` at most.
   * - `refused`: the attempt failed. A cached set that is still fresh serves on.
   */
  readonly event: 'fetched' | 'refreshed' | 'not_modified' | 'stale' | 'refused'
  /** The `jwks_uri`. A client registered it: treat it as untrusted text. */
  readonly uri: string
  /** The host of `uri`, or `undefined` where `uri` is no URL. */
  readonly host: string | undefined
  /** From the start of the attempt, its wait in the queue included, in milliseconds. */
  readonly durationMs: number
  /** How many usable keys the set has, where a set was had. */
  readonly keys?: number
  /** What went wrong, where something did: stable, for counters. */
  readonly why?: KeySetFault
  /** What went wrong in words, for the log. It holds no content of the answer. */
  readonly error?: KeySetError
}

const events = channel('oauth-client-auth:jwks')

/** Publishes one event. Without a subscriber nothing is made. */
export function report({ event, uri, durationMs, keys, error }: Omit<JwksEvent, 'host' | 'why'>): void {
  if (!events.hasSubscribers) return
  const host = URL.canParse(uri) ? new URL(uri).hostname : undefined
  const told = { event, uri, host, durationMs, ...defined({ keys, why: error?.why, error }) }
  events.publish(told satisfies JwksEvent)
}

import { channel } from 'node:diagnostics_channel'

/** Whose documents are fetched. Each side has a process, queues and caches of its own. */
export type Side = 'registered' | 'named' | 'strangers'

/**
 * The message of the diagnostics channel `oauth-client-auth:fetching`: what became of the processes that fetch, for
 * counters and alarms.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('oauth-client-auth:fetching', (message) => logger.info((message as FetchingEvent).event))
 */
export interface FetchingEvent {
  /**
   * - `started`: a process that fetches has been started.
   * - `killed`: it computed too long for one fetch, or answered nothing any more, and was ended. `host` is to
   *   blame, where it is known.
   * - `rested`: an address has held it up for two hosts, and is not connected to for `restMs`.
   * - `busy`: a fetch was not begun: no place in the queue, a host or an address that rests, no process to be had.
   */
  readonly event: 'started' | 'killed' | 'rested' | 'busy'
  /**
   * `registered`: key sets and issuers of registered clients. `named`, `strangers`: documents and keys of clients that are
   * registered nowhere, of those that the option `allow` names and of all others.
   */
  readonly side: Side
  /** A client chose it: treat it as untrusted text. */
  readonly host?: string
  readonly address?: string
  /** How long the fetch had computed, in milliseconds of CPU time. */
  readonly cpuMs?: number
  readonly restMs?: number
}

const events = channel('oauth-client-auth:fetching')

export function reportFetching(event: FetchingEvent): void {
  if (events.hasSubscribers) events.publish(event)
}

import { channel } from 'node:diagnostics_channel'
import { defined } from '../basics/defined'
import type { Outcome } from '../guarded-fetch/document-cache'
import type { ClientDocumentError, ClientDocumentFault } from './document-error'
import type { ClientDocument } from './record'

/**
 * The message of the diagnostics channel `oauth-client-auth:documents`: what became of one attempt to fetch a client
 * document. A document that is served from the cache is not told.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('oauth-client-auth:documents', (message) => {
 *   const { clientId, changed = [] } = message as ClientDocumentEvent
 *   if (changed.includes('redirect_uris')) void revokeGrants(clientId)
 * })
 */
export interface ClientDocumentEvent {
  /**
   * - `fetched`: nothing was cached, and the document was fetched.
   * - `refreshed`: a cached document was fetched again; `changed` tells what differs.
   * - `not_modified`: the host confirmed the cached document (304).
   * - `stale`: a refresh failed, and the cached document, no longer fresh, serves on for `staleIfError` at most.
   * - `refused`: the attempt failed. A cached document that is still fresh serves on, unless its owner broke a rule.
   */
  readonly event: 'fetched' | 'refreshed' | 'not_modified' | 'stale' | 'refused'
  /** The URL. Anybody can make one up: treat it as untrusted text. */
  readonly clientId: string
  readonly host: string
  /** From the start of the attempt, its wait in the queue included, in milliseconds. */
  readonly durationMs: number
  /**
   * The members of the record that differ from the one that was cached, where it was refreshed. Known in memory alone:
   * after a restart or an eviction, and in another process, nothing is told.
   */
  readonly changed?: readonly string[]
  /** What went wrong, where something did: stable, for counters. */
  readonly why?: ClientDocumentFault
  /** What went wrong in words, for the log. It holds no content of the document. */
  readonly error?: ClientDocumentError
}

const events = channel('oauth-client-auth:documents')

/** The members that two records do not have in common. */
function differences(old: ClientDocument, fetched: ClientDocument): readonly string[] {
  const texts = [old, fetched].map(
    (record) => new Map(Object.entries(record).map(([name, value]) => [name, JSON.stringify(value)]))
  )
  const names = new Set(texts.flatMap((members) => [...members.keys()]))
  return [...names].filter((name) => texts[0]?.get(name) !== texts[1]?.get(name))
}

/** Publishes one event. Without a subscriber nothing is made. */
export function report({ value, old, ...outcome }: Outcome<ClientDocument, ClientDocumentError>): void {
  if (!events.hasSubscribers) return
  const { event, uri, durationMs, error } = outcome
  const changed = event === 'refreshed' && old && value ? differences(old, value) : undefined
  const told = { event, clientId: uri, host: new URL(uri).hostname, durationMs }
  events.publish({ ...told, ...defined({ changed, why: error?.why, error }) } satisfies ClientDocumentEvent)
}

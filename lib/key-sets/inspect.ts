import { type Accepted, inspectDocument } from '../guarded-fetch/inspect'
import type { KeySetError } from '../jwt/key-set-error'
import type { JwkSet } from '../types'
import { keySetKind } from './key-set-kind'
import { type JwksFetcherOptions, resolveJwksOptions } from './options'

/** A set that would be accepted. */
export interface AcceptedSet extends Omit<Accepted<JwkSet>, 'value'> {
  /** The usable keys. */
  readonly set: JwkSet
}

interface RefusedSet extends Pick<Accepted<JwkSet>, 'steps' | 'json'> {
  readonly set?: never
  /** Why the fetch ends. */
  readonly error: KeySetError
}

/** What one fetch showed, step by step. */
export type Inspection = AcceptedSet | RefusedSet

/**
 * Fetches `uri` once, through the guard and the limits that `createJwksFetcher(options)` has, and tells each step.
 * Nothing is cached, no event is published, and no process is started. Never rejects; throws a `TypeError` for impossible options.
 */
export async function inspectFetch(uri: string, options: JwksFetcherOptions = {}): Promise<Inspection> {
  // A command has no other requests that a hostile server could hold up
  const settings = { ...resolveJwksOptions(options), inProcess: true }
  const inspection = await inspectDocument(uri, keySetKind(settings.maxKeys), settings)
  if (inspection.error !== undefined) return inspection
  const { value: set, ...seen } = inspection
  return { ...seen, set }
}

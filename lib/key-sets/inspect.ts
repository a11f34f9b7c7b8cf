import { type Inspected, inspectDocument } from '../guarded-fetch/inspect'
import type { KeySetError } from '../jwt/key-set-error'
import type { JwkSet } from '../types'
import { keySetKind } from './key-set-kind'
import { type JwksFetcherOptions, resolveJwksOptions } from './options'

/** What one fetch showed, step by step. */
export type Inspection = Inspected<JwkSet, KeySetError>

/**
 * Fetches `uri` once, through the guard and the limits that `createJwksFetcher(options)` has, and tells each step.
 * Nothing is cached, no event is published, and no process is started. Rejects only with a `TypeError`, for impossible options.
 */
export async function inspectFetch(uri: string, options: JwksFetcherOptions = {}): Promise<Inspection> {
  // A command has no other requests that a hostile server could hold up
  const settings = { ...resolveJwksOptions(options), inProcess: true }
  return inspectDocument(uri, keySetKind(settings.maxKeys), settings)
}

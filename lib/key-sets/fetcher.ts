import { createDocumentCache } from '../guarded-fetch/document-cache'
import { createFetchQueue } from '../guarded-fetch/fetch-queue'
import type { KeySets } from '../types'
import { jsonObjectKind, keySetKind } from './key-set-kind'
import { type JwksFetcherOptions, resolveJwksOptions } from './options'

/**
 * Resolves `jwks_uri`s: a cache in front of a fetch that reaches public https servers only. The option `hosts` is the
 * one way to a private network, host by host. Times are in seconds.
 *
 * @param options see {@link JwksFetcherOptions}; all have defaults.
 * @returns a value for the option `keySets`. Its `get` rejects with an error whose `why` says what went wrong; the
 * client is then refused.
 * @throws a `TypeError` for an unknown option or an impossible value; it names the option and the fix.
 *
 * @example
 * const keySets = createJwksFetcher({ hosts: { 'keys.corp': { addresses: ['10.1.0.0/16'], ports: [8443] } } })
 * app.post('/token', clientAuth({ issuer, getClient, keySets }), issueToken)
 */
export function createJwksFetcher(options: JwksFetcherOptions = {}): Required<KeySets> {
  const settings = resolveJwksOptions(options)
  // A fetch may wait for half of its time, so that the other half is left for the fetch itself
  const inQueue = createFetchQueue({ ...settings, maxWaitMs: settings.timeout * 500 })
  const sets = createDocumentCache(keySetKind(settings.maxKeys), settings, inQueue)
  const documents = createDocumentCache(jsonObjectKind, settings, inQueue)
  const { check, cached, get } = sets
  return {
    check,
    cached,
    get,
    document: documents.get,
    close() {
      sets.close()
      documents.close()
    }
  }
}

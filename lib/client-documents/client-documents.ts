import { ageOf } from '../guarded-fetch/cached-document'
import { createDocumentCache, type DocumentKind } from '../guarded-fetch/document-cache'
import { createFetchQueue } from '../guarded-fetch/fetch-queue'
import type { Place } from '../guarded-fetch/fetch-side'
import { KeySetError } from '../jwt/key-set-error'
import { keySetKind } from '../key-sets/key-set-kind'
import { ownerOf, type RecordOwner } from '../methods/record-owner'
import type { KeySets, OAuthClient } from '../types'
import { type Admission, admit, namedUrls } from './allow'
import { createBudget } from './budget'
import { clientUrl } from './client-url'
import { ClientDocumentError, refusalOf } from './document-error'
import { documentKind } from './document-kind'
import { type ClientDocumentsOptions, type DocumentSettings, resolveDocumentOptions } from './options'
import type { ClientDocument } from './record'

/** What {@link createClientDocuments} returns. */
export interface ClientDocuments {
  /**
   * The record of the client that publishes a document at this URL; the same frozen object while the document is
   * unchanged. Give `clientAuth` the record itself, or a copy by spread (`{ ...record, tenant }`).
   *
   * @param id - a `client_id`
   * @returns `undefined` for an id that does not start with `https://`: it is not of this kind
   * @throws ClientAuthError `client_document_url`, `client_document_invalid` or `client_document_unavailable`, whose
   * `cause.why` tells more. At the token endpoint `clientAuth` answers it; at the authorization endpoint show it on a
   * page, and never redirect. What the function `allow` throws.
   */
  get(id: string): Promise<ClientDocument | undefined>
  /** The record in hand, fresh or not, or `undefined`. Fetches nothing, asks `allow` nothing, has no effect. */
  cached(id: string): ClientDocument | undefined
  /** Whether a record came from here. Then show the host of its `client_id` at consent: nobody has checked the rest. */
  owns(client: OAuthClient): boolean
  /** What discovery must advertise beside `middleware.metadata()`. */
  metadata(): { client_id_metadata_document_supported: true }
  /** Drops one record at once, such as that of an abused client. Whether it may come again is up to `allow`. */
  forget(id: string): void
  /** Ends what is under way, for the end of a server. What is cached can still be had; nothing is fetched after it. */
  close(): void
}

/** The limits of key sets, where they differ from those of documents. */
const keySetLimits = { minTtl: 60, defaultTtl: 600, staleIfError: 3600, maxBytes: 65_536 }
const maxKeys = 100

/** A cache with a queue and a budget that nothing else can use up. */
function createStore<T extends object, E extends Error>(kind: DocumentKind<T, E>, settings: DocumentSettings & Place) {
  const budget = createBudget(settings, namedUrls(settings.allow))
  const inQueue = createFetchQueue({ ...settings, maxWaitMs: settings.timeout * 500 })
  return createDocumentCache<T, E>(
    {
      ...kind,
      admit: budget.admit,
      report: (outcome) => {
        if (outcome.value !== undefined) budget.good(outcome.uri)
        kind.report(outcome)
      }
    },
    settings,
    inQueue
  )
}

/**
 * Key sets that refuse to stand in for a newer one that could not be had: during an outage the client may sign with a
 * key that they do not hold yet, and must not be told that it is wrong.
 */
const orNewer = (keySets: KeySets, { cooldown, timeout }: DocumentSettings): KeySets => ({
  ...keySets,
  get: async (uri, options) => {
    const set = await keySets.get(uri, options)
    if (options?.refresh === true && Number(ageOf(set)) > Math.max(cooldown, timeout))
      throw new KeySetError('not_renewed', `${new URL(uri).hostname} gave no newer key set than the one in hand`)
    return set
  }
})

/** The documents of some clients, and the key sets that they name. */
function createSide(settings: DocumentSettings & Place) {
  const keySets = orNewer(createStore(keySetKind(maxKeys), { ...settings, ...keySetLimits }), settings)
  const owner: RecordOwner = { keySets, methods: settings.methods }
  return { owner, documents: createStore(documentKind(settings, owner), settings) }
}

/**
 * Clients that nobody registered: the `client_id` is an https URL, and the registration is the JSON document there
 * (Client ID Metadata Documents, as MCP uses them). Documents and the keys of their clients are fetched through the same
 * guard as key sets, in queues and caches of their own, since anybody can cause these fetches.
 *
 * @param options - see {@link ClientDocumentsOptions}; `allow` is required
 * @returns a resolver to ask in `getClient`, after the database, and at the authorization endpoint
 * @throws TypeError for options that cannot be meant; it names the option and the fix
 *
 * @example
 * const methods = ['private_key_jwt', 'client_secret_basic', 'none'] as const
 * const documents = createClientDocuments({ allow: ['claude.ai', 'chatgpt.com'], methods })
 * const authenticateClient = clientAuth({
 *   issuer,
 *   methods,
 *   getClient: async (id) => (await db.clients.findById(id)) ?? documents.get(id)
 * })
 */
export function createClientDocuments(options: ClientDocumentsOptions): ClientDocuments {
  const settings = resolveDocumentOptions(options)
  const sides: Readonly<Record<Admission, ReturnType<typeof createSide>>> = {
    named: createSide({ ...settings, side: 'named' }),
    open: createSide({ ...settings, side: 'strangers' })
  }

  async function find(id: string): Promise<ClientDocument> {
    const url = clientUrl(id)
    sides.open.documents.check(id)
    return sides[await admit(settings.allow, url)].documents.get(id)
  }

  return {
    get: async (id) => {
      if (typeof (id as unknown) !== 'string' || !id.startsWith('https://')) return undefined
      return find(id).catch((cause: unknown) => {
        throw cause instanceof ClientDocumentError ? refusalOf(cause) : cause
      })
    },
    cached: (id) => sides.named.documents.cached(id) ?? sides.open.documents.cached(id),
    owns: (client) => Object.values(sides).some(({ owner }) => owner === ownerOf(client)),
    metadata: () => ({ client_id_metadata_document_supported: true }),
    forget: (id) => {
      for (const { documents } of Object.values(sides)) documents.forget(id)
    },
    close: () => {
      for (const { documents, owner } of Object.values(sides)) {
        documents.close()
        owner.keySets.close?.()
      }
    }
  }
}

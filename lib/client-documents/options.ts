import { isInteger, isList, isListOf, optionRule, requireOptions } from '../basics/option-checks'
import { fetchRules, resolveFetchOptions } from '../guarded-fetch/fetch-options'
import { hmacAlgorithms, isSameAlgorithm, keyAlgorithms, lackingNote } from '../jwt/algorithms'
import type { JwksFetcherOptions } from '../key-sets/options'
import { documentMethods } from '../methods/registered-methods'
import type { ClientAuthMethod } from '../types'
import { type AllowedDocuments, isAllowEntry } from './allow'

/**
 * Options of {@link createClientDocuments}. All times are in seconds. Those of the fetch (`hosts`, `denyAddresses`,
 * `resolver`, `proxy`, `timeout` and so on) mean what they mean for key sets, and hold for the keys of these clients too.
 */
export interface ClientDocumentsOptions extends Pick<
  JwksFetcherOptions,
  'hosts' | 'denyAddresses' | 'resolver' | 'proxy' | 'timeout'
> {
  /**
   * Who may come. Required, since it decides whom this server sends requests to and takes for a client. A list of
   * - host names: `claude.ai`. Whole labels; a name beneath it is another host;
   * - `*.partner.example`: every host beneath the name, and not the name itself;
   * - URLs, and URL prefixes that end in `/`, for hosts that serve files of many users;
   * - `anyone`, for strangers beside those that are named: what strangers may cause is counted apart.
   *
   * Or `(url) => boolean`, which may be async and must return `true` itself; or `'anyone'`. Asked before anything is
   * fetched, and for cached documents too. What it throws is a server error.
   */
  allow: AllowedDocuments
  /**
   * Give it the list of the server: `private_key_jwt`, `self_signed_tls_client_auth` and `none` count, the others are
   * ignored. It opens nothing at the server. Default `['private_key_jwt', 'none']`.
   */
  methods?: readonly ClientAuthMethod[] | undefined
  /** Signature algorithms of the server: those that sign with a private key count. Default: all that are supported. */
  algorithms?: readonly string[] | undefined
  /** A document is fresh for at least so many seconds, whatever its `Cache-Control` says. Default 300. */
  minTtl?: number | undefined
  /** A document is fresh for at most so many seconds; one with inline keys for at most 600. Default 86,400. */
  maxTtl?: number | undefined
  /** A document whose answer does not say how long it is fresh is fresh for so many seconds. Default 3,600. */
  defaultTtl?: number | undefined
  /** After an attempt that failed there is no other one for so many seconds. Default 30. */
  cooldown?: number | undefined
  /**
   * While refreshes fail, a document that is no longer fresh serves on for so many seconds; one with inline keys for at
   * most 3,600. Default 86,400. A shorter time locks clients out during outages of their hosts; a longer one lets a
   * client in whose document nobody has seen for so long.
   */
  staleIfError?: number | undefined
  /**
   * So many documents are cached of clients that `allow` names by host or URL, and as many of all others; of one host
   * a tenth at most. Default 1,000.
   */
  maxEntries?: number | undefined
  /** The largest document, in octets. Default 10,240. */
  maxBytes?: number | undefined
  /** The most fetches under way at once, of documents, and as many of key sets. Default 16. */
  maxConcurrent?: number | undefined
  /** The same from one host. Default 2. */
  maxConcurrentPerHost?: number | undefined
  /**
   * Fetch in this process where one of its own is not possible or not wanted. What a stranger's server sends in a TLS
   * handshake can then hold up all requests for seconds, and anybody can cause such a fetch. Default false.
   */
  inProcess?: boolean | undefined
  /**
   * So many documents a minute that were never had before are fetched; requests for others are answered 503. Clients
   * that `allow` names by host or URL have a budget of their own, apart from all others. Default 300.
   */
  maxFirstLoads?: number | undefined
  /** The same from one host. Default 30. */
  maxFirstLoadsPerHost?: number | undefined
}

const caller = 'createClientDocuments'

const defaults = {
  timeout: 5,
  minTtl: 300,
  maxTtl: 86_400,
  defaultTtl: 3600,
  cooldown: 30,
  staleIfError: 86_400,
  maxEntries: 1000,
  maxBytes: 10_240,
  maxConcurrent: 16,
  maxConcurrentPerHost: 2,
  maxFirstLoads: 300,
  maxFirstLoadsPerHost: 30,
  methods: ['private_key_jwt', 'none'] as readonly ClientAuthMethod[],
  algorithms: keyAlgorithms
}

const isText = (value: unknown): boolean => typeof value === 'string'
const rules = {
  ...fetchRules('documents'),
  allow: {
    ...optionRule(
      "'anyone', a function, or a non-empty array of host names in lower case, *.name (two labels at least), https URLs, or URL prefixes that end in a slash; without port, query and user name, and no address",
      (value) =>
        value === 'anyone' ||
        typeof value === 'function' ||
        (Array.isArray(value) && value.length > 0 && value.every(isAllowEntry))
    ),
    item: isAllowEntry
  },
  methods: isList(isText, 'methods', 1),
  algorithms: isListOf([...keyAlgorithms, ...hmacAlgorithms], lackingNote),
  maxFirstLoads: isInteger('a number of documents a minute', 1, 1_000_000),
  maxFirstLoadsPerHost: isInteger('a number of documents a minute', 1, 1_000_000)
}

export type DocumentSettings = ReturnType<typeof resolveDocumentOptions>

/** Applies the defaults. Throws a `TypeError` that names the option and the fix. */
export function resolveDocumentOptions(options: ClientDocumentsOptions) {
  const settings = resolveFetchOptions(caller, options, rules, defaults)
  requireOptions(caller, options, rules, 'allow')
  const methods = documentMethods.filter((method) => settings.methods.includes(method))
  if (methods.length === 0)
    throw new TypeError(
      `${caller}: option "methods" must have one of ${documentMethods.join(', ')}: give it the server's list`
    )
  const algorithms = keyAlgorithms.filter((alg) => settings.algorithms.some((one) => isSameAlgorithm(one, alg)))
  if (algorithms.length === 0)
    throw new TypeError(`${caller}: option "algorithms" must have one that signs with a private key`)
  const maxEntriesPerHost = Math.ceil(settings.maxEntries / 10)
  return {
    ...settings,
    maxEntriesPerHost,
    allow: options.allow,
    methods,
    algorithms
  }
}

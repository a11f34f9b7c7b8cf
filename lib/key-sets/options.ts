import { isInteger } from '../basics/option-checks'
import { type FetchProxy, fetchRules, type JwksHost, resolveFetchOptions } from '../guarded-fetch/fetch-options'
import type { JwksResolver } from '../guarded-fetch/guard'

/**
 * Options of {@link createJwksFetcher}. All times are in seconds. `docs/key-sets.md` tells what follows from changing
 * each of them.
 */
export interface JwksFetcherOptions {
  /**
   * Exceptions by host name: such a host is freed from the rules on names, and gets the addresses, ports and
   * authorities named for it. All other rules stand. Whoever can register a `jwks_uri` can make this server send a GET
   * to these hosts. Default: none.
   */
  hosts?: Readonly<Record<string, JwksHost>> | undefined
  /**
   * Addresses never to connect to, as CIDRs or single addresses: your own public ones, your NAT64 prefix. They hold
   * for hosts named in `hosts` too. Default `[]`.
   */
  denyAddresses?: readonly string[] | undefined
  /**
   * Makes the resolver of one fetch. Its answers are judged like any other. Default: `Resolver` of
   * `node:dns/promises`, which reads no hosts file.
   */
  resolver?: (() => JwksResolver) | undefined
  /**
   * The forward proxy that all fetches go through, except those of hosts for which `hosts` names `addresses`. Default:
   * none, whatever the environment says.
   */
  proxy?: FetchProxy | undefined
  /**
   * Fetch in this process and start none for it. What a stranger's server sends in a TLS handshake can then hold up all
   * requests for seconds. For tests that intercept `https`, and for servers where nobody but the operator registers a
   * `jwks_uri`. Default false.
   */
  inProcess?: boolean | undefined
  /** A whole fetch may take so many seconds; the wait in the queue counts, and takes at most half. Default 5. */
  timeout?: number | undefined
  /** A set is fresh for at least so many seconds, whatever its `Cache-Control` says. Default 60. */
  minTtl?: number | undefined
  /** A set is fresh for at most so many seconds: for so long a removed key may go on working. Default 86,400. */
  maxTtl?: number | undefined
  /** A set whose answer does not say how long it is fresh is fresh for so many seconds. Default 600. */
  defaultTtl?: number | undefined
  /**
   * For so many seconds after an attempt there is no other one for a key that is not in the set; and none at all after
   * an attempt that failed. Default 30.
   */
  cooldown?: number | undefined
  /** While refreshes fail, a set that is no longer fresh serves on for so many seconds. Default 3,600. */
  staleIfError?: number | undefined
  /** So many sets are cached, within 64 MiB in all, and as many failures are remembered. Default 1,000. */
  maxEntries?: number | undefined
  /** The largest answer, in octets. Default 65,536. */
  maxBytes?: number | undefined
  /** The most keys in a set. A set with more is refused. Default 100. */
  maxKeys?: number | undefined
  /** The most fetches under way at once. Default 64. */
  maxConcurrent?: number | undefined
  /** The most fetches under way at once from one host; one of them is kept for first loads. Default 4. */
  maxConcurrentPerHost?: number | undefined
}

const defaults = {
  timeout: 5,
  minTtl: 60,
  maxTtl: 86_400,
  defaultTtl: 600,
  cooldown: 30,
  staleIfError: 3600,
  maxEntries: 1000,
  maxBytes: 65_536,
  maxKeys: 100,
  maxConcurrent: 64,
  maxConcurrentPerHost: 4
}

const rules = { ...fetchRules('sets'), maxKeys: isInteger('a number of keys', 1, 10_000) }

/** Applies the defaults. Throws a `TypeError` that names the option and the fix. */
export const resolveJwksOptions = (options: JwksFetcherOptions) => ({
  ...resolveFetchOptions('createJwksFetcher', options, rules, defaults),
  side: 'registered' as const
})

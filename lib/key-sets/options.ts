import { Resolver } from 'node:dns/promises'
import { checkOptions, isFunction, isInteger, isList, isNumber, optionRule } from '../basics/option-checks'
import { type AddressRange, parseRange } from '../basics/address-range'
import { type HostRules, isHostName, type JwksResolver } from '../guarded-fetch/guard'

/** What is different for one host: the one way to a private network. What is left out keeps its default. */
export interface JwksHost {
  /** The only addresses that the host may have, as CIDRs or single addresses. Default: any public one. */
  addresses?: readonly string[] | undefined
  /** The only ports that may be used. Default `[443]`. */
  ports?: readonly number[] | undefined
  /** The only certificate authorities that are trusted for the host, in PEM. Default: those of Node. */
  ca?: string | Buffer | (string | Buffer)[] | undefined
}

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

/** The options that were given. One that is `undefined` counts as absent. */
type Given = Partial<typeof defaults> & Pick<JwksFetcherOptions, 'hosts' | 'denyAddresses' | 'resolver'>

const seconds = (max: number, min = 0) => isNumber('a number of seconds', min, max)
const isPem = (value: unknown): boolean =>
  (typeof value === 'string' || Buffer.isBuffer(value)) && value.includes('-----BEGIN ')
const ranges = isList((value) => parseRange(value) !== undefined, 'CIDRs, such as 10.1.0.0/16')
const hostRules = {
  addresses: ranges,
  ports: isList(isInteger('a port', 1, 65_535).test, 'port numbers'),
  ca: optionRule('PEM text (its content, not its path) as string or Buffer, or an array of them', (value) =>
    [value].flat().every(isPem)
  )
}
const rules = {
  hosts: optionRule('an object', (value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
  denyAddresses: ranges,
  resolver: isFunction,
  timeout: seconds(60, 0.001),
  minTtl: seconds(86_400),
  maxTtl: seconds(7 * 86_400),
  defaultTtl: seconds(7 * 86_400),
  cooldown: seconds(3600),
  staleIfError: seconds(7 * 86_400),
  maxEntries: isInteger('a number of sets', 1, 1_000_000),
  maxBytes: isInteger('a number of octets', 1, 1_048_576),
  maxKeys: isInteger('a number of keys', 1, 10_000),
  maxConcurrent: isInteger('a number of fetches', 1, 10_000),
  maxConcurrentPerHost: isInteger('a number of fetches', 1, 10_000)
}

const toRanges = (list: readonly string[]): AddressRange[] =>
  list.map(parseRange).filter((range) => range !== undefined)

function checkedHosts(hosts: Readonly<Record<string, JwksHost>>): Map<string, HostRules> {
  const entries = Object.entries(hosts).map(([host, entry]): [string, HostRules] => {
    const caller = `createJwksFetcher: hosts["${host}"]`
    if (!isHostName(host))
      throw new TypeError(`${caller}: the name must be a lower-case host name, without port and no IP address`)
    checkOptions(caller, entry, hostRules)
    const { addresses, ports, ca } = entry
    return [host, { addresses: addresses && toRanges(addresses), ports, ca }]
  })
  return new Map(entries)
}

/** Options with their defaults, and with hosts and addresses parsed. */
export type JwksSettings = ReturnType<typeof resolveJwksOptions>

/** Applies the defaults. Throws a `TypeError` that names the option and the fix. */
export function resolveJwksOptions(options: JwksFetcherOptions) {
  checkOptions('createJwksFetcher', options, rules)
  // Read by name: the options of a class have their getters on a prototype
  const given = Object.keys(rules).map((name) => [name, options[name as keyof JwksFetcherOptions]] as const)
  const defined = given.filter(([, value]) => value !== undefined)
  const limits = { ...defaults, ...(Object.fromEntries(defined) as Given) }
  if (limits.minTtl > limits.maxTtl) throw new TypeError('createJwksFetcher: option "minTtl" must not exceed "maxTtl"')
  return {
    ...limits,
    hosts: checkedHosts(limits.hosts ?? {}),
    denied: toRanges(limits.denyAddresses ?? []),
    resolver: limits.resolver ?? (() => new Resolver())
  }
}

import { Resolver } from 'node:dns/promises'
import { type AddressRange, parseRange } from '../basics/address-range'
import { attempt } from '../basics/attempt'
import { isObject } from '../basics/is-object'
import {
  checkOptions,
  isBoolean,
  isFunction,
  isInteger,
  isList,
  isNumber,
  isPlainObject,
  isWord,
  type OptionRule,
  optionRule
} from '../basics/option-checks'
import { type HostRules, isHostName, type JwksResolver } from './guard'
import type { ProxyRoute } from './https-get'

/** What is different for one host: the one way to a private network. What is left out keeps its default. */
export interface JwksHost {
  /** The only addresses that the host may have, as CIDRs or single addresses. Default: any public one. */
  addresses?: readonly string[] | undefined
  /** The only ports that may be used. Default `[443]`. */
  ports?: readonly number[] | undefined
  /** The only certificate authorities that are trusted for the host, in PEM. Default: those of Node. */
  ca?: string | Buffer | (string | Buffer)[] | undefined
}

/** A forward proxy. It is never taken from the environment. */
export interface FetchProxy {
  /**
   * Where the proxy is: `http://proxy.corp:3128`, or `https:` for a proxy that is spoken to by TLS itself. User and
   * password, percent-encoded, may stand in it; they are sent to the proxy and appear in no error or event.
   */
  url: string
  /**
   * Who resolves the names of hosts. `here` (the default): they are resolved and their addresses judged in this server,
   * and the proxy is asked for a judged address. `proxy`: it is asked for the name, and must itself refuse to connect to
   * private addresses; the rules on names, ports and TLS stand.
   */
  resolve?: 'here' | 'proxy' | undefined
  /** The only certificate authorities that are trusted for an `https:` proxy itself, in PEM. Default: those of Node. */
  ca?: string | Buffer | (string | Buffer)[] | undefined
}

/** The options that reach beyond numbers, as users write them. */
interface GuardChoices {
  hosts?: Readonly<Record<string, JwksHost>> | undefined
  denyAddresses?: readonly string[] | undefined
  resolver?: (() => JwksResolver) | undefined
  proxy?: FetchProxy | undefined
  inProcess?: boolean | undefined
}

const seconds = (max: number, min = 0) => isNumber('a number of seconds', min, max)
const isPem = (value: unknown): boolean =>
  (typeof value === 'string' || Buffer.isBuffer(value)) && value.includes('-----BEGIN ')
const pem = optionRule('PEM text (its content, not its path) as string or Buffer, or an array of them', (value) =>
  [value].flat().every(isPem)
)
const ranges = isList((value) => parseRange(value) !== undefined, 'CIDRs, such as 10.1.0.0/16')
const hostRules = {
  addresses: ranges,
  ports: isList(isInteger('a port', 1, 65_535).test, 'port numbers'),
  ca: pem
}

/** Never quoted in an error: it may hold a password. */
function isProxyUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(value)
  const isDecodable = attempt(() => decodeURIComponent(`${username}${password}`)) !== undefined
  return /^https?:$/.test(protocol) && hostname !== '' && pathname === '/' && search + hash === '' && isDecodable
}
const proxyRules = {
  url: optionRule('an http: or https: URL of a proxy, without path, user and password percent-encoded', isProxyUrl),
  resolve: isWord("'here' or 'proxy'", (value) => value === 'here' || value === 'proxy'),
  ca: pem
}

/** The rules of the options that every fetcher has; `documents` says what it fetches. */
export const fetchRules = (documents: string) => ({
  hosts: isPlainObject,
  denyAddresses: ranges,
  resolver: isFunction,
  proxy: optionRule('an object with a url', isObject),
  inProcess: isBoolean,
  timeout: seconds(60, 0.001),
  minTtl: seconds(86_400),
  maxTtl: seconds(7 * 86_400),
  defaultTtl: seconds(7 * 86_400),
  cooldown: seconds(3600),
  staleIfError: seconds(7 * 86_400),
  maxEntries: isInteger(`a number of ${documents}`, 1, 1_000_000),
  maxBytes: isInteger('a number of octets', 1, 1_048_576),
  maxConcurrent: isInteger('a number of fetches', 1, 10_000),
  maxConcurrentPerHost: isInteger('a number of fetches', 1, 10_000)
})

const toRanges = (list: readonly string[]): AddressRange[] =>
  list.map(parseRange).filter((range) => range !== undefined)

const toList = (ca: JwksHost['ca']): string[] | undefined => (ca === undefined ? undefined : [ca].flat().map(String))

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

function checkedProxy(caller: string, { proxy, denyAddresses, resolver }: GuardChoices): ProxyRoute | undefined {
  if (proxy === undefined) return undefined
  checkOptions(`${caller}: proxy`, proxy, proxyRules)
  const { url, resolve = 'here', ca } = proxy
  if ((url as unknown) === undefined) throw new TypeError(`${caller}: proxy: option "url" is missing`)
  const idle = denyAddresses !== undefined ? 'denyAddresses' : resolver !== undefined ? 'resolver' : undefined
  if (resolve === 'proxy' && idle !== undefined)
    throw new TypeError(`${caller}: option "${idle}" has no say where the proxy resolves names (resolve: "proxy")`)
  const { protocol, hostname, port, username, password } = new URL(url)
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    resolve,
    proxy: {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || defaultPorts[protocol]),
      isTls: protocol === 'https:',
      authorization: credentials === ':' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
      ca: toList(ca)
    }
  }
}

function checkedHosts(caller: string, hosts: Readonly<Record<string, JwksHost>>): Map<string, HostRules> {
  const entries = Object.entries(hosts).map(([host, entry]): [string, HostRules] => {
    const place = `${caller}: hosts["${host}"]`
    if (!isHostName(host))
      throw new TypeError(`${place}: the name must be a lower-case host name, without port and no IP address`)
    checkOptions(place, entry, hostRules, "{ addresses: ['10.0.0.0/8'] }")
    const { addresses, ports, ca } = entry
    return [host, { addresses: addresses && toRanges(addresses), ports, ca: toList(ca) }]
  })
  return new Map(entries)
}

/**
 * The options of a fetcher with its defaults, and with hosts and addresses parsed. Throws a `TypeError` that names the
 * option and the fix. An option that is `undefined` counts as absent.
 */
export function resolveFetchOptions<Defaults extends { readonly minTtl: number; readonly maxTtl: number }>(
  caller: string,
  options: GuardChoices,
  rules: Readonly<Record<string, OptionRule>>,
  defaults: Defaults
) {
  checkOptions(caller, options, rules)
  // Read by name: the options of a class have their getters on a prototype
  const given = Object.keys(rules).map((name) => [name, (options as Readonly<Record<string, unknown>>)[name]] as const)
  const defined = Object.fromEntries(given.filter(([, value]) => value !== undefined))
  const settings = { ...defaults, ...(defined as Partial<Defaults> & GuardChoices) }
  if (settings.minTtl > settings.maxTtl) throw new TypeError(`${caller}: option "minTtl" must not exceed "maxTtl"`)
  return {
    ...settings,
    hosts: checkedHosts(caller, settings.hosts ?? {}),
    denied: toRanges(settings.denyAddresses ?? []),
    resolver: settings.resolver ?? (() => new Resolver()),
    proxy: checkedProxy(caller, settings)
  }
}

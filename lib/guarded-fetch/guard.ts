import { isIP } from 'node:net'
import { type IPv4, type IPv6, parse, parseCIDR } from 'ipaddr.js'
import type { AddressRange } from '../basics/address-range'
import { isDnsName } from '../basics/dns-name'

/** Asks DNS for one fetch. `Resolver` of `node:dns/promises` has these methods. */
export interface JwksResolver {
  /** The A records of a host. */
  resolve4(host: string): Promise<string[]>
  /** The AAAA records of a host. */
  resolve6(host: string): Promise<string[]>
  /** Ends questions that are still unanswered. Called once, when the fetch needs no more answers. */
  cancel(): void
}

/** The option `hosts`, parsed: what is different for one named host. */
export interface HostRules {
  readonly addresses?: readonly AddressRange[] | undefined
  readonly ports?: readonly number[] | undefined
  readonly ca?: readonly string[] | undefined
}

/** Top-level names of private networks and of special use (RFC 6761 and its registry): never on the public internet. */
const privateSuffixes = new Set(
  'localhost localdomain local internal intranet lan home corp private svc arpa onion test invalid alt'.split(' ')
)
/** Azure's wire server: its address looks public, but virtual machines reach the cloud's control plane there. */
const wireServer = '168.63.129.16'

/**
 * Says why a string is not a URL that may be fetched, in words that follow "the URL …". The host must be written
 * exactly as the URL parser prints it, so that no other parser can read another host (RFC 3986 §7.6).
 */
export function urlFault(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || !/^[\x21-\x7e]{1,2048}$/.test(uri))
    return 'must be 1 to 2048 printable ASCII characters'
  if (!uri.startsWith('https://') || !URL.canParse(uri)) return 'must be a valid https URL'
  if (/[\\#]/.test(uri)) return 'must have no fragment and no backslash'
  const { hostname } = new URL(uri)
  const authority = uri.slice('https://'.length).replace(/[/?].*/, '')
  if (authority.includes('@')) return 'must have no user name and no password'
  return authority.replace(/:\d*$/, '') === hostname ? undefined : 'must have its host in plain lower-case ASCII form'
}

/** Whether a host may be named in the option `hosts`: any host name, but not an IP address. */
export const isHostName = (host: string): boolean =>
  urlFault(`https://${host}/`) === undefined && /^[\w.-]+$/.test(host) && isIP(host) === 0

/** Says why a host, as the URL parser prints it, is not a name on the public internet, in words that follow the host. */
export function hostFault(host: string): string | undefined {
  if (!isHostName(host)) return 'is not a host name'
  if (!host.includes('.')) return 'has no dot: a search domain could complete it'
  if (!isDnsName(host)) return 'is not a valid DNS name'
  return privateSuffixes.has(host.slice(host.lastIndexOf('.') + 1)) ? 'is a special-use or private name' : undefined
}

const [globalUnicast, globalBits] = parseCIDR('2000::/3')
/** An IPv4 address, maybe a private one, within an IPv6 address (RFC 5214 §6.1). */
const isatap = /:(?:200|0)?:5efe:[\da-f]+:[\da-f]+$/

/** ipaddr.js calls unassigned parts of IPv6 `unicast` too. Only 2000::/3 is in use (IANA IPv6 address space). */
const isPublic = (address: IPv4 | IPv6): boolean =>
  address.range() === 'unicast' &&
  (address.kind() === 'ipv4' || (address.match(globalUnicast, globalBits) && !isatap.test(address.toString()))) &&
  address.toString() !== wireServer

/**
 * Says why a DNS answer must not be connected to, in words that follow the address, or returns `undefined` if it may:
 * it is public or, where `allowed` ranges are named for its host, within them, and in no `denied` range.
 */
export function addressFault(
  answer: unknown,
  allowed: readonly AddressRange[] | undefined,
  denied: readonly AddressRange[]
): string | undefined {
  // isIP comes first, because ipaddr.js also reads short, octal and hexadecimal forms
  if (typeof answer !== 'string' || isIP(answer) === 0 || answer.includes('%')) return 'is not an IP address'
  if (allowed !== undefined && !allowed.some((includes) => includes(answer)))
    return 'is outside of the addresses that "hosts" names for it'
  const address = parse(answer)
  if (allowed === undefined && !isPublic(address)) return `is not a public address (${address.range()})`
  return denied.some((includes) => includes(answer)) ? 'is in "denyAddresses"' : undefined
}

/** An IP address as sockets report it. */
export const canonicalAddress = (address: string): string => parse(address).toString()

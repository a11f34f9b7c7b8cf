import { isIP } from 'node:net'
import { type IPv4, type IPv6, isValidCIDR, parse, parseCIDR } from 'ipaddr.js'

/** Whether an address lies within a range: see {@link parseRange}. */
export type AddressRange = (address: string) => boolean

/** One look-up; `cancel` ends what is still under way. `node:dns/promises`' `Resolver` fits. */
export interface JwksResolver {
  resolve4(host: string): Promise<string[]>
  resolve6(host: string): Promise<string[]>
  cancel(): void
}

/** What is different for one named host. */
export interface HostRules {
  readonly addresses?: readonly AddressRange[] | undefined
  readonly ports?: readonly number[] | undefined
  readonly ca?: string | Buffer | (string | Buffer)[] | undefined
}

/** Names that never lead to the public internet: special use (RFC 6761 and its registry) and private use. */
const privateSuffixes = new Set(
  'localhost localdomain local internal intranet lan home corp private svc arpa onion test invalid alt'.split(' ')
)
/** Reachable from within a cloud only, though no registry lists it (Azure's wire server). */
const wireServer = '168.63.129.16'

/**
 * Why a string is no URL that may be fetched, in words that follow "the URL …". Whatever two URL parsers could read
 * in two ways is refused: the authority must be written exactly as the parser understands it.
 */
export function urlFault(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || !/^[\x21-\x7e]{1,2048}$/.test(uri))
    return 'must be 1 to 2048 printable ASCII characters'
  if (!uri.startsWith('https://') || !URL.canParse(uri)) return 'must be a valid https URL'
  if (/[\\#]/.test(uri)) return 'must have no fragment and no backslash'
  const { hostname, username, password } = new URL(uri)
  const [authority = ''] = uri.slice('https://'.length).split(/[/?]/, 1)
  if (username !== '' || password !== '' || authority.includes('@')) return 'must have no user name and no password'
  return authority.replace(/:\d*$/, '') === hostname ? undefined : 'must have its host in plain lower-case ASCII form'
}

/** Whether a host may be named as an exception: any host name, but never an address. */
export const isHostName = (host: string): boolean =>
  urlFault(`https://${host}/`) === undefined && /^[\w.-]+$/.test(host) && isIP(host) === 0

/** Why a host, as the URL parser prints it, cannot be a name on the public internet. */
export function hostFault(host: string): string | undefined {
  if (!isHostName(host)) return 'is not a host name'
  const labels = host.split('.')
  if (labels.length < 2) return 'has no dot: a search domain could complete it'
  if (host.length > 253 || !labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) {
    return 'is not a valid DNS name'
  }
  return privateSuffixes.has(labels.at(-1) ?? '') ? 'is a special-use or private name' : undefined
}

const isWithin = (address: IPv4 | IPv6, [base, bits]: [IPv4 | IPv6, number]): boolean =>
  address.kind() === base.kind() && address.match(base, bits)

/** `10.1.0.0/16`, or a single address; `undefined` for anything else. */
export function parseRange(text: unknown): AddressRange | undefined {
  if (typeof text !== 'string') return undefined
  const [address = ''] = text.split('/', 1)
  const cidr = text.includes('/') ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`
  if (isIP(address) === 0 || address.includes('%') || !isValidCIDR(cidr)) return undefined
  const range = parseCIDR(cidr)
  return (candidate) => isWithin(parse(candidate), range)
}

const globalUnicast = parseCIDR('2000::/3')

/** ipaddr.js calls unassigned parts of IPv6 `unicast` too: only 2000::/3 is in use (IANA IPv6 address space). */
const isPublic = (address: IPv4 | IPv6): boolean =>
  address.range() === 'unicast' &&
  (address.kind() === 'ipv4' || isWithin(address, globalUnicast)) &&
  address.toString() !== wireServer

/**
 * The canonical form of a DNS answer that may be connected to, or `undefined`: one that is public or, where `allowed`
 * ranges are given, within them, and in no `denied` range.
 */
export function vettedAddress(
  answer: unknown,
  allowed: readonly AddressRange[] | undefined,
  denied: readonly AddressRange[]
): string | undefined {
  // isIP first: ipaddr.js would read short, octal and hexadecimal forms as well
  if (typeof answer !== 'string' || isIP(answer) === 0 || answer.includes('%')) return undefined
  const address = parse(answer)
  const isAllowed = allowed === undefined ? isPublic(address) : allowed.some((includes) => includes(answer))
  return isAllowed && !denied.some((includes) => includes(answer)) ? address.toString() : undefined
}

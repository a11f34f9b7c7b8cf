import { isIP } from 'node:net'
import { type IPv4, type IPv6, parse, parseCIDR } from 'ipaddr.js'
import { attempt } from './attempt'

/** Whether an address lies within a range: see {@link parseRange}. */
export type AddressRange = (address: string) => boolean

const isWithin = (address: IPv4 | IPv6, [base, bits]: [IPv4 | IPv6, number]): boolean =>
  address.kind() === base.kind() && address.match(base, bits)

/** `10.1.0.0/16`, or a single address; `undefined` for anything else. */
export function parseRange(text: unknown): AddressRange | undefined {
  if (typeof text !== 'string') return undefined
  const address = text.replace(/\/.*/s, '')
  const cidr = text.includes('/') ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`
  if (isIP(address) === 0 || address.includes('%')) return undefined
  const range = attempt(() => parseCIDR(cidr))
  return range && ((candidate) => isWithin(parse(candidate), range))
}

/**
 * An address as it stands on a socket, without its zone, IPv4 in its own form: a server that listens on `::` sees
 * IPv4 callers as `::ffff:192.0.2.7` (RFC 4291 §2.5.5.2). `undefined` for what is no address.
 */
export function plainAddress(address: unknown): string | undefined {
  const [text = ''] = typeof address === 'string' ? address.split('%', 1) : []
  if (isIP(text) === 0) return undefined
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1]
  return mapped ?? text
}

/** Prefixes whose last four octets are an IPv4 address: mapped (RFC 4291 §2.5.5.2), SIIT (RFC 2765), NAT64 (RFC 6052). */
const holdIPv4: readonly string[] = ['ipv4Mapped', 'rfc6145', 'rfc6052']

/** The network that one owner has: a single IPv4 address, also inside of IPv6, or the /64 of an IPv6 address. */
export function networkOf(address: string): string {
  const parsed = parse(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const octets = parsed.toByteArray()
  return (holdIPv4.includes(parsed.range()) ? octets.slice(12) : octets.slice(0, 8)).join('.')
}

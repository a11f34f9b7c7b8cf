import { LRUCache } from 'lru-cache'
import { networkOf } from '../basics/address-range'
import { atMost } from '../basics/at-most'

const day = 86_400_000
/** So many hosts or addresses. */
const bounds = { ...atMost(10_000), ttl: day, perf: performance }

/**
 * Hosts that held the process up, until when, in milliseconds of the monotonic clock. Whoever ends TLS for a name is its
 * owner, so the first time is enough, and no other path of the host could be better.
 */
const heldHosts = new LRUCache<string, number>(bounds)

/** Notes that a host held the process up. It rests a thousand times as long, a day at most. */
export const hostHeld = (host: string, cpuMs: number): void =>
  void heldHosts.set(host, performance.now() + Math.min(cpuMs * 1000, day))
export const hostRests = (host: string): boolean => performance.now() < (heldHosts.get(host) ?? 0)

/** What one address did, in milliseconds of the monotonic clock. */
interface Held {
  /** The host that it held the process up for, once. */
  readonly host: string
  readonly restsUntil: number
}

const maxRest = 600_000

/**
 * Addresses that are not connected to for a while. Many innocent hosts may live behind one address (a CDN), so it takes
 * two hosts that held the process up; an address that has answered well within the last day never rests.
 */
const held = new LRUCache<string, Held>(bounds)
const good = new LRUCache<string, true>(bounds)

export const addressAnswered = (address: string): void => void good.set(networkOf(address), true)

/** Notes that a host at this address held the process up. Says for how many milliseconds the address rests now, if so. */
export function addressHeld(address: string, host: string, cpuMs: number): number | undefined {
  const network = networkOf(address)
  const known = held.get(network)
  const isSecond = known !== undefined && known.host !== host
  const restMs = Math.min(cpuMs * 1000, maxRest)
  held.set(network, { host: known?.host ?? host, restsUntil: isSecond ? performance.now() + restMs : 0 })
  return isSecond && !good.has(network) ? restMs : undefined
}

export function addressRests(address: string): boolean {
  const network = networkOf(address)
  return performance.now() < (held.get(network)?.restsUntil ?? 0) && !good.has(network)
}

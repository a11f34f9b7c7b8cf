import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { networkOf, plainAddress } from '../basics/address-range'
import { atMost } from '../basics/at-most'
import { checkOptions, isInteger, type OptionRule, requireOptions } from '../basics/option-checks'
import { warnOnce } from '../basics/warn-once'
import { within } from '../basics/within'
import { ClientAuthError } from '../refusals/errors'
import { unproven } from '../refusals/reasons/reason'
import { digest } from '../basics/digest'
import { createCrowd } from './crowd'

/** Failures of one key, and how long they count. */
export interface BrakeCount {
  readonly consumedPoints: number
  readonly msBeforeNext: number
}

/** A limiter of rate-limiter-flexible: memory, Redis, or another. A rejection that is no Error means: over the limit. */
export interface BrakeLimiter {
  /** How many failures a client may have from one address. */
  readonly points: number
  get(key: string): Promise<BrakeCount | null>
  consume(key: string): Promise<unknown>
}

/** Options of {@link createBrake}. */
export interface BrakeOptions {
  /**
   * Counts failures: `new RateLimiterMemory({ points: 5, duration: 60 })` lets a client fail five times a minute from one
   * address. For several processes, a limiter over Redis. Give each server a limiter, or a `keyPrefix`, of its own.
   */
  limiter: BrakeLimiter
  /** Failures of one address, whatever clients it names, in the limiter's `duration`. Default 20 times `points`. */
  addressLimit?: number | undefined
  /**
   * Failures of one client from all addresses, after which an address from which this client never came before waits for
   * a second. It only waits, so a stranger can lock nobody out. Default 4 times `points`.
   */
  clientLimit?: number | undefined
  /**
   * Requests of one client and address that are verified at once before one has come through, in each process. Default 4.
   * So many guesses beyond `points` may be heard.
   */
  atOnce?: number | undefined
}

/** Published on `oauth-client-auth:brake`: the limiter cannot be asked, and the request is heard all the same. */
export interface BrakeEvent {
  /** What the limiter threw, or that it did not answer within a second. */
  readonly error: unknown
  /** The client that the request names. Claimed, not proven. */
  readonly clientId: string
  /** The request itself. Holds the credentials: never log it whole. */
  readonly request: unknown
}

/** What {@link createBrake} returns. */
export interface Brake {
  /**
   * The middleware to mount in front of the very value that `clientAuth()` returned. It asks the limiter nothing itself:
   * the request is counted where its body is parsed and its client is known.
   *
   * A request that the value judges without its brake is not counted, and a process warning tells it once.
   *
   * @throws TypeError for anything else than the value of `clientAuth()`, and where that has another brake already
   */
  over(
    authenticateClient: (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void
  ): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void
}

/** Surrounds the part of the work that looks a client up and proves it. */
export type Braked = <T>(clientId: string, work: () => Promise<T>) => Promise<T>

/** A value of `clientAuth()`, for its brake. */
export interface Brakable {
  /** The requests that came through the brake, and what brakes them. */
  readonly braked: WeakMap<object, Braked>
  /** Whether it has authenticated a request already. */
  readonly isDone: (request: object) => boolean
  brake?: Brake
}
export const brakable = new WeakMap<object, Brakable>()
/** The requests that came through the brake of some value. */
const passed = new WeakSet()

/** What brakes a request. A brake that is mounted elsewhere, or over another value, brakes nothing: it is told once. */
export function brakeFor({ braked, brake }: Brakable, request: object): Braked | undefined {
  const found = braked.get(request)
  if (found === undefined && (brake !== undefined || passed.has(request))) {
    warnOnce({
      code: 'OAUTH_CLIENT_AUTH_UNBRAKED',
      type: 'SecurityWarning',
      message:
        'oauth-client-auth: a request came to a value of clientAuth that did not come through the brake over it: guesses are not counted there',
      detail: 'Mount brake.over(authenticateClient) ahead of that very authenticateClient, at each of its routes.'
    })
  }
  return found
}

const events = channel('oauth-client-auth:brake')
const example = 'new RateLimiterMemory({ points: 5, duration: 60 })'

/** What to change in a limiter. */
function fixLimiter(value: unknown): string | undefined {
  const limiter = Object(value) as Partial<Record<string, unknown>>
  if (typeof limiter.get !== 'function' || typeof limiter.consume !== 'function') return `write ${example}`
  if (!(Number(limiter.points) > 0)) return 'its points must be over 0'
  if (limiter.duration !== undefined && !(Number(limiter.duration) > 0))
    return 'its duration must be over 0: 0 never ends'
  // Both act at `points`, also for addresses: one stops counting there, the other makes failures count for longer.
  const acting = ['inMemoryBlockOnConsumed', 'blockDuration'].find((name) => Number(limiter[name]) > 0)
  return acting && `leave ${acting} out`
}
const limiterRule: OptionRule = {
  must: `a limiter of rate-limiter-flexible without inMemoryBlockOnConsumed and blockDuration, such as ${example}`,
  test: (value) => fixLimiter(value) === undefined,
  fix: fixLimiter
}
const limiterMs = 1000
const slowMs = 1000

/** What Express knows of a request. */
interface ExpressRequest extends IncomingMessage {
  ip?: string
  app?: { enabled?: (name: string) => boolean }
}

/** Some proxies write `192.0.2.7:4711` or `[2001:db8::7]:4711` into X-Forwarded-For. */
const withoutPort = (address = ''): string => address.replace(/^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2')

/** The network that a request comes from. Behind a proxy that Express does not trust, all requests have the proxy's. */
function networkFor({ ip, app, socket, headers }: ExpressRequest): string {
  const { remoteAddress } = socket
  const isOfConnection = ip === undefined || ip === remoteAddress
  if (isOfConnection && headers['x-forwarded-for'] !== undefined && app?.enabled?.('trust proxy') !== true) {
    warnOnce({
      code: 'OAUTH_CLIENT_AUTH_UNTRUSTED_PROXY',
      message: 'createBrake: X-Forwarded-For is not trusted, so all clients behind a proxy count as one address.',
      detail: "Name your proxies: app.set('trust proxy', ['loopback', '10.0.0.0/8']). Without Express, set req.ip."
    })
  }
  const address = plainAddress(withoutPort(ip ?? remoteAddress))
  if (address !== undefined) return networkOf(address)
  warnOnce({
    code: 'OAUTH_CLIENT_AUTH_NO_ADDRESS',
    message: 'createBrake: a request has no address that can be read, so all such requests count as one address.',
    detail: "Behind a proxy on a Unix socket: app.set('trust proxy', 1). Without Express, set req.ip."
  })
  return 'unknown'
}

/** All that has the one answer, whatever the reason: what is not counted could be told from what is. */
const isGuess = (thrown: unknown): boolean =>
  thrown instanceof ClientAuthError && thrown.code === unproven.code && thrown.message === unproven.message

const tooMany = (counted: string, retryAfter: number, facts = {}) =>
  new ClientAuthError('too_many_failures', { detail: () => ({ counted, ...facts, retryAfter }) })

/** A limiter rejects with its count, which is no Error, where the count is over its `points`. */
const unlessOver = (thrown: unknown): void => {
  if (typeof (thrown as Partial<BrakeCount> | undefined)?.msBeforeNext !== 'number') throw thrown
}

/** What the limiter answered; throws where that is no count. */
function countOf(answer: BrakeCount | null): BrakeCount | null {
  const count = answer ?? null
  if (count !== null && !(Number.isFinite(count.consumedPoints) && Number.isFinite(count.msBeforeNext)))
    throw new Error('createBrake: the limiter answered with something else than a count')
  return count
}

function refuseOver(counted: string, count: BrakeCount | null | undefined, limit: number): void {
  if (count === null || count === undefined || count.consumedPoints < limit) return
  const { consumedPoints: failures, msBeforeNext } = count
  throw tooMany(counted, Math.max(1, Math.ceil(msBeforeNext / 1000)), { failures, limit })
}

const full = (counted: string) => () => tooMany(counted, 1)

/** Of client and address together, of the address, of the client. */
type Keys = readonly [pair: string, address: string, client: string]

interface Attempt {
  readonly clientId: string
  readonly network: string
  readonly request: unknown
}

/** Asks the limiter. `undefined` where it does not answer: then requests pass, and the operator is told. */
async function reached<T>({ clientId, request }: Attempt, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await within(limiterMs, ask, () => new Error(`createBrake: the limiter did not answer in ${limiterMs} ms`))
  } catch (error) {
    if (events.hasSubscribers) events.publish({ error, clientId, request } satisfies BrakeEvent)
    return undefined
  }
}

/**
 * Slows guessing (RFC 6749 §2.3.1): after too many failures the client is answered with 429 for a while. It looks before
 * and counts after, and it counts only requests whose client was not proven, so a right request costs nothing and is not
 * refused because there are many of it.
 *
 * Failures are counted by client and address together, and by address. An IPv6 address counts as its /64. The address is
 * `req.ip`: behind a proxy set Express' `trust proxy`, else all clients share one. Where the limiter fails or does not
 * answer within a second, requests pass, and the channel `oauth-client-auth:brake` tells it.
 *
 * @param options - see {@link BrakeOptions}
 * @throws TypeError on unknown, missing or unfit options
 *
 * @example
 * const brake = createBrake({ limiter: new RateLimiterMemory({ points: 5, duration: 60 }) })
 * app.post('/token', brake.over(authenticateClient), authenticateClient, issueToken)
 */
export function createBrake(options: BrakeOptions): Brake {
  const count = isInteger('a number of failures', 1, 1_000_000)
  const rules = {
    limiter: limiterRule,
    addressLimit: count,
    clientLimit: count,
    atOnce: isInteger('a number of requests', 1, 1000)
  }
  // A limiter has points, as what it is made of has
  if ('points' in (Object(options) as object))
    throw new TypeError(`createBrake: give the limiter as an option: createBrake({ limiter: ${example} })`)
  checkOptions('createBrake', options, rules, `createBrake({ limiter: ${example} })`)
  requireOptions('createBrake', options, rules, 'limiter')
  const { limiter, atOnce = 4 } = options
  const { addressLimit = 20 * limiter.points, clientLimit = 4 * limiter.points } = options
  const atOnceOfAddress = Math.ceil((atOnce * Math.max(addressLimit, limiter.points)) / limiter.points)
  const inTurn = createCrowd(isGuess)
  /** Clients that were proven, each with its address. */
  const proven = new LRUCache<string, true>(atMost(10_000))

  async function look(attempt: Attempt, [pair, address, client]: Keys): Promise<void> {
    const counts = await reached(attempt, async () =>
      (await Promise.all([pair, address, client].map((key) => limiter.get(key)))).map(countOf)
    )
    const [ofPair, ofAddress, ofClient] = counts ?? []
    refuseOver('client and address', ofPair, limiter.points)
    refuseOver('address', ofAddress, addressLimit)
    if ((ofClient?.consumedPoints ?? 0) >= clientLimit && !proven.has(pair)) await wait(slowMs)
  }

  async function heard<T>(attempt: Attempt, keys: Keys, work: () => Promise<T>): Promise<T> {
    await look(attempt, keys)
    try {
      const result = await work()
      proven.set(keys[0], true)
      return result
    } catch (thrown) {
      // Before the answer: the next request, at whatever process, is judged with this one counted.
      if (isGuess(thrown))
        await reached(attempt, () => Promise.all(keys.map((key) => limiter.consume(key).catch(unlessOver))))
      throw thrown
    }
  }

  const guarded = <T>(attempt: Attempt, work: () => Promise<T>): Promise<T> => {
    const { clientId, network } = attempt
    const keys: Keys = [digest('pair', clientId, network), digest('address', network), digest('client', clientId)]
    const [pair, address] = keys
    return inTurn(pair, atOnce, full('client and address'), () =>
      inTurn(address, atOnceOfAddress, full('address'), () => heard(attempt, keys, work))
    )
  }

  const brake: Brake = {
    over: (authenticateClient) => {
      const value = brakable.get(authenticateClient)
      if (value === undefined)
        throw new TypeError('createBrake: over() needs the very value that clientAuth({ … }) returned')
      if ((value.brake ??= brake) !== brake)
        throw new TypeError('createBrake: over() was called with a value of clientAuth that has another brake already')
      const { braked, isDone } = value
      return (req, _res, next) => {
        if (isDone(req) && !braked.has(req)) {
          next(new TypeError('createBrake: mount brake.over(authenticateClient) ahead of authenticateClient'))
          return
        }
        const network = networkFor(req)
        passed.add(req)
        braked.set(req, (clientId, work) => guarded({ clientId, network, request: req }, work))
        next()
      }
    }
  }
  return brake
}

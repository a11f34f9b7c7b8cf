import { checkOptions, isFunction, isNumber, isText, type OptionRule, requireOptions } from '../basics/option-checks'
import { warnOnce } from '../basics/warn-once'
import { within } from '../basics/within'
import type { ReplayEntry, ReplayStore } from '../types'
import { digest } from '../basics/digest'

/** Options of `createRedisReplayStore`. */
export interface RedisReplayStoreOptions {
  /**
   * Sends one command over your own connection and resolves with the reply. The key is `args[1]`.
   * node-redis: `(args) => client.sendCommand(args)`; ioredis: `(args) => redis.call(...args)`.
   */
  sendCommand: (args: [command: string, key: string, ...rest: string[]]) => Promise<unknown>
  /** What every key begins with. Default `oauth-client-auth:replay:`. The same on all machines of a server. */
  prefix?: string | undefined
  /** Seconds after which an unanswered command refuses the request (503). Default 2. */
  timeout?: number | undefined
}

const ofNodeRedis = '(args) => client.sendCommand(args)'
const sendCommand: OptionRule = {
  ...isFunction,
  must: `a function such as ${ofNodeRedis}`,
  fix: () => `connect a client and write ${ofNodeRedis}`
}

/**
 * Clocks of the machines around one Redis may differ by this many milliseconds: an entry written by one
 * that is ahead still outlives the assertion on one that is behind.
 */
const clockDifference = 60_000

/**
 * Remembers used assertions in Redis or Valkey, for servers of several processes or machines: one
 * `SET … NX PX` each. Fails closed: without an answer in time the request is refused with 503.
 * Redis must not evict (`maxmemory-policy noeviction`): a key lost early lets its assertion in again. At the first use
 * `INFO memory` is asked, where that is allowed, and a process warning says so of another policy.
 *
 * @throws TypeError on unknown, missing or unfit options
 *
 * @example
 * const replayStore = createRedisReplayStore({ sendCommand: (args) => redis.sendCommand(args) }) // node-redis
 */
export function createRedisReplayStore(options: RedisReplayStoreOptions): ReplayStore {
  refuseClient(options)
  const rules = { sendCommand, prefix: isText, timeout: isNumber('seconds', 0.01, 60) }
  checkOptions('createRedisReplayStore', options, rules, `createRedisReplayStore({ sendCommand: ${ofNodeRedis} })`)
  requireOptions('createRedisReplayStore', options, rules, 'sendCommand')
  const { sendCommand: send, prefix = 'oauth-client-auth:replay:', timeout = 2 } = options
  const noAnswer = () => new Error(`createRedisReplayStore: no answer within ${timeout} s`)
  let isAsked = false

  /** Beside the first use. A connection that may not ask, or a cluster that answers otherwise, tells nothing. */
  async function warnIfEvicting(): Promise<void> {
    if (isAsked) return
    isAsked = true
    const info = String(await send(['INFO', 'memory']))
    const policy = /^maxmemory_policy:((?:allkeys|volatile)-[a-z]+)/m.exec(info)?.[1]
    if (policy === undefined) return
    warnOnce({
      type: 'SecurityWarning',
      code: 'OAUTH_CLIENT_AUTH_REDIS_EVICTS',
      message:
        `oauth-client-auth: the Redis of the replay store has maxmemory-policy ${policy}. ` +
        'When memory is short it forgets used assertions, and each could be used again.',
      detail: 'Set maxmemory-policy noeviction (docs/replay-stores.md).'
    })
  }

  async function consume({ clientId, id, expiresAt }: ReplayEntry): Promise<boolean> {
    const left = Math.ceil(expiresAt * 1000 - Date.now())
    if (!(left > 0)) return false
    const key = prefix + digest(clientId, id)
    const ttl = String(left + clockDifference)
    const set = () => send(['SET', key, '1', 'NX', 'PX', ttl])
    const reply = await within(timeout * 1000, set, noAnswer).catch(explainUnbound)
    warnIfEvicting().catch(() => undefined)
    if (reply === null) return false
    if (reply === 'OK' || (Buffer.isBuffer(reply) && reply.toString() === 'OK')) return true
    throw new Error('createRedisReplayStore: sendCommand must resolve with the reply to SET, which is OK or null')
  }

  return { consume }
}

/** A method of a client that was taken off it fails with a TypeError about `this`. */
function explainUnbound(cause: unknown): never {
  if (!(cause instanceof TypeError)) throw cause
  const hint = 'createRedisReplayStore: sendCommand failed; is it bound? Write (args) => client.sendCommand(args)'
  throw new Error(hint, { cause })
}

/** Says how to give a client that was given itself: its own fields would only be called unknown options. */
function refuseClient(options: object | null | undefined): void {
  const has = (name: string) => typeof (options as Record<string, unknown> | null | undefined)?.[name] === 'function'
  if (!has('call') && !has('connect') && !has('customCommand')) return
  const line = has('customCommand')
    ? '(args) => client.customCommand(args)'
    : has('call')
      ? '(args) => client.call(...args)'
      : '(args) => client.sendCommand(args)'
  throw new TypeError(
    `createRedisReplayStore: give a function over your client, not the client: { sendCommand: ${line} } ` +
      '(node-redis: (args) => client.sendCommand(args); ioredis: (args) => redis.call(...args))'
  )
}

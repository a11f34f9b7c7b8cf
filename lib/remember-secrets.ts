import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ClientAuthError } from './errors'
import { checkOptions, isInteger, isNumber } from './option-checks'
import type { OAuthClient, VerifySecret } from './types'

/** Options of {@link rememberSecrets}. */
export interface RememberSecretsOptions {
  /** How many verified secrets to remember. Default 10,000; about 150 bytes each. */
  max?: number | undefined
  /**
   * How long to remember one, in seconds. Default 600. A secret whose stored hash is replaced is forgotten
   * at once; one that is only removed elsewhere than in `stored` is accepted no longer than this.
   */
  ttl?: number | undefined
}

/** Slow verifications at once, of the four threads that Node has by default, and how many may wait. */
const SLOW_AT_ONCE = 2
const SLOW_WAITING = 1000

/** Runs at most `SLOW_AT_ONCE` tasks, so that a guessing flood cannot pin every thread of the process. */
function createGate() {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task: () => boolean | Promise<boolean>): Promise<boolean> => {
    if (waiting.length >= SLOW_WAITING) throw new ClientAuthError('secret_verifier_busy')
    if (running >= SLOW_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

/**
 * Wraps a slow `verifySecret` (bcrypt, scrypt, argon2): a secret once verified against a stored hash is
 * recognised without the slow function. It is kept in memory only as an HMAC under a random key of this
 * process, bound to client and stored hash. Failures are never remembered: every guess costs the slow
 * function, equal ones at the same time once, and at most two run at once.
 */
export function rememberSecrets<C extends OAuthClient = OAuthClient>(
  verify: VerifySecret<C>,
  options: RememberSecretsOptions = {}
): VerifySecret<C> {
  if (typeof verify !== 'function') throw new TypeError('rememberSecrets: the first argument must be a function')
  checkOptions('rememberSecrets', options, {
    max: isInteger('a number of secrets', 1, 10_000_000),
    ttl: isNumber('seconds', 1, 86_400)
  })
  const { max = 10_000, ttl = 600 } = options
  const processKey = randomBytes(32)
  const gate = createGate()
  const known = new LRUCache<string, true>({ max, ttl: ttl * 1000 })
  // Apart from what is known: guesses must not push a remembered secret out, nor equal ones cost twice.
  const underWay = new Map<string, Promise<boolean>>()

  async function verifySlowly(key: string, task: () => boolean | Promise<boolean>): Promise<boolean> {
    try {
      const result = await gate(task)
      if ((result as unknown) === true) known.set(key, true)
      return result
    } finally {
      underWay.delete(key)
    }
  }

  return (presented, stored, client) => {
    const key = createHmac('sha256', processKey)
      .update(JSON.stringify([client.client_id, stored, presented]))
      .digest('base64')
    if (known.get(key) === true) return true
    const attempt = underWay.get(key) ?? verifySlowly(key, () => verify(presented, stored, client))
    underWay.set(key, attempt)
    return attempt
  }
}

import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { atMost } from '../basics/at-most'
import { checkOptions, isInteger, isNumber } from '../basics/option-checks'
import type { OAuthClient, VerifySecret } from '../types'
import { createVerificationQueue, unknownIds } from './verification-queue'

/** Options of {@link rememberSecrets}. */
export interface RememberSecretsOptions {
  /** How many verified secrets to remember. Default 10,000; about 150 bytes each. */
  max?: number | undefined
  /**
   * How long to remember one that is not used, in seconds. Default 600. Each use renews it, for a day at most. A secret
   * whose stored hash is replaced or removed is forgotten at once. One that is withdrawn elsewhere, so that its stored
   * value stays the same, may be accepted for that day.
   */
  ttl?: number | undefined
  /**
   * Longest time that a verification may wait for its turn, and that it may take once started, in seconds. Default 5.
   * After either the request is refused with 503 (`secret_verifier_busy`). Keep it far above the cost of one
   * verification: one that is given up may go on in its thread.
   */
  timeout?: number | undefined
}

/** However often it is used, a secret is verified anew after a day. */
const longestMs = 86_400_000

/**
 * Wraps a slow `verifySecret` (bcrypt, scrypt, argon2): a secret once verified against a stored hash is recognised
 * without the slow function. It is kept in memory only as an HMAC under a random key of this process, bound to client
 * and stored hash. Failures are never remembered: every guess costs the slow function, equal ones at the same time once.
 *
 * At most two verifications run at once, and one of each client. Clients that wait are served in rotation; all ids that
 * nobody has count as one client. So a client that is not remembered waits for one verification of each other client
 * that waits, however many guesses there are. At most 1,000 wait; then the client with the most is refused with 503.
 *
 * @param verify - the slow comparison
 * @throws TypeError on unknown or unfit options
 *
 * @example
 * const verifySecret = rememberSecrets((presented, stored) => bcrypt.compare(presented, stored))
 * app.post('/token', clientAuth({ issuer, getClient, verifySecret }), handler)
 */
export function rememberSecrets<C extends OAuthClient = OAuthClient>(
  verify: VerifySecret<C>,
  options: RememberSecretsOptions = {}
): VerifySecret<C> {
  if (typeof verify !== 'function') {
    throw new TypeError(
      'rememberSecrets: the first argument must be a function such as (presented, stored) => bcrypt.compare(presented, stored)'
    )
  }
  checkOptions('rememberSecrets', options, {
    max: isInteger('a number of secrets', 1, 10_000_000),
    ttl: isNumber('seconds', 1, 86_400),
    timeout: isNumber('seconds', 0.01, 60)
  })
  const { max = 10_000, ttl = 600, timeout = 5 } = options
  const processKey = randomBytes(32)
  const inTurn = createVerificationQueue(timeout * 1000)
  /** When each was verified, in milliseconds of the monotonic clock. */
  const known = new LRUCache<string, number>({ ...atMost(max), ttl: ttl * 1000, updateAgeOnGet: true })
  // Apart from what is known: guesses must not push a remembered secret out, nor equal ones cost twice.
  const underWay = new Map<string, Promise<boolean>>()

  function isKnown(key: string): boolean {
    const verifiedMs = known.get(key)
    return verifiedMs !== undefined && performance.now() - verifiedMs < longestMs
  }

  async function verifySlowly(key: string, presented: string, stored: string, client: C): Promise<boolean> {
    try {
      // Only the stand-in record of an id that nobody has comes without the secret that it is compared with.
      const turn = client.client_secret === undefined ? unknownIds : client.client_id
      const result = await inTurn(turn, () => verify(presented, stored, client))
      if ((result as unknown) === true) known.set(key, performance.now())
      return result
    } finally {
      underWay.delete(key)
    }
  }

  return (presented, stored, client) => {
    const key = createHmac('sha256', processKey)
      .update(JSON.stringify([client.client_id, stored, presented]))
      .digest('base64')
    if (isKnown(key)) return true
    const attempt = underWay.get(key) ?? verifySlowly(key, presented, stored, client)
    underWay.set(key, attempt)
    return attempt
  }
}

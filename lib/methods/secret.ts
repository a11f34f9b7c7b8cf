import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { OAuthClient } from '../types'

/** Compares a presented secret with a stored one or its hash; must return (or resolve to) a boolean. */
export type VerifySecret<C extends OAuthClient = OAuthClient> = (
  presented: string,
  stored: string,
  client: C
) => boolean | Promise<boolean>

/** How a comparison ended: `undefined` is success. */
export type SecretFault = 'secret_mismatch' | 'secret_not_form_encoded' | 'no_live_secret' | undefined

/** RFC 7518 §3.2, OIDC Core §16.19: an HMAC key has at least as many octets as the hash output. */
export const hmacOctets: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 }

/** Seconds since the epoch that can be meant: 1e11 s is the year 5138, 1e11 ms was in 1973. */
export const isSeconds = (value: unknown): value is number => Number.isFinite(value) && Number(value) <= 1e11

const isLive = (expiresAt: unknown, now: number): boolean =>
  // RFC 7591 §3.2.1: 0 is never. What is no time in seconds counts as over: a careless record fails closed.
  expiresAt === undefined || expiresAt === null || expiresAt === 0 || (isSeconds(expiresAt) && expiresAt > now)

/** The client's secrets that are neither empty nor expired at `now` (seconds since the epoch). */
export function liveSecrets(client: OAuthClient, now: number): string[] {
  const { client_secret: stored, client_secret_expires_at: end } = client
  const entries: readonly unknown[] = Array.isArray(stored) ? stored : [stored]
  const live: string[] = []
  for (const entry of entries) {
    const { value, expires_at } = Object(typeof entry === 'string' ? { value: entry } : entry) as Record<
      string,
      unknown
    >
    if (typeof value === 'string' && value !== '' && isLive(expires_at ?? end, now)) live.push(value)
  }
  return live
}

// As text, since a hash that makes a Buffer of its own costs twice as much.
const digest = (text: string): Buffer => Buffer.from(hash('sha256', text))

/** Equal in time that depends on the lengths alone, not on where the two differ. */
export const equalSecrets = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

const plainDecoy = randomBytes(32).toString('base64url')
/** The client that an unknown one is taken for, so that it costs what a known one does. */
const nobody: OAuthClient = { client_id: '', client_secret: plainDecoy }

/**
 * What is compared in vain with another client's hash. Never the presented secret itself, which rememberSecrets
 * may know; but as long, and the same for the same guess, so that equal ones share one call as they do for a client.
 */
function inVain(clientId: string, presented: string): string {
  const text = hash('sha256', `${plainDecoy} ${clientId} ${presented}`, 'base64url')
  return text.slice(0, presented.length).padEnd(presented.length, text)
}

function comparePlain(presented: string, undecoded: string | undefined, stored: readonly string[]): SecretFault {
  const matches = (candidate: string) =>
    stored.reduce((matched, secret) => equalSecrets(candidate, secret) || matched, false)
  if (matches(presented)) return undefined
  return undecoded !== undefined && matches(undecoded) ? 'secret_not_form_encoded' : 'secret_mismatch'
}

/**
 * Returns the comparison of a presented secret with a client's live ones. Every live secret is tried,
 * also after a match. Without a client or a live secret the same work is done in vain, so that the time
 * tells nothing: against a decoy, or, where `verify` compares hashes, against a hash seen before
 * (a made-up one would be refused without the slow work).
 */
export function createSecretComparison<C extends OAuthClient>(verify: VerifySecret<C> | undefined) {
  let lastSeen: { stored: string; client: C } | undefined

  async function verified(slow: VerifySecret<C>, presented: string, stored: string, client: C): Promise<boolean> {
    const result: unknown = await slow(presented, stored, client)
    if (typeof result !== 'boolean') throw new TypeError('verifySecret must return true or false, or a promise of it')
    return result
  }

  async function compareHashes(
    slow: VerifySecret<C>,
    clientId: string,
    presented: string,
    stored: readonly string[],
    client: C | undefined
  ): Promise<SecretFault> {
    if (client === undefined || stored[0] === undefined) {
      if (lastSeen !== undefined) await verified(slow, inVain(clientId, presented), lastSeen.stored, lastSeen.client)
      return 'no_live_secret'
    }
    let fault: SecretFault = 'secret_mismatch'
    for (const secret of stored) {
      if (!(await verified(slow, presented, secret, client))) continue
      fault = undefined
      // One that matched is a hash for certain: a malformed one would be refused without the slow work.
      lastSeen = { stored: secret, client }
    }
    lastSeen ??= { stored: stored[0], client } // until then, any is better than none
    return fault
  }

  return async (
    clientId: string,
    presented: string,
    undecoded: string | undefined,
    client: C | undefined,
    now: number
  ): Promise<SecretFault> => {
    const stored = liveSecrets(client ?? nobody, now)
    if (verify !== undefined) return compareHashes(verify, clientId, presented, stored, client)
    const fault = comparePlain(presented, undecoded, stored.length > 0 ? stored : [plainDecoy])
    return client !== undefined && stored.length > 0 ? fault : 'no_live_secret'
  }
}

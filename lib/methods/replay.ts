import { hash } from 'node:crypto'
import { ClientAuthError } from '../refusals/errors'
import type { AssertionCredentials } from '../request/credentials'
import type { Fault } from '../refusals/rules'
import type { ReplayEntry } from '../types'
import type { ClaimedAssertion } from './method'
import { groupOf } from './record-owner'

/** The id under which the use of an assertion is remembered: `jti`, or the digest of the signed part. */
const replayId = ({ jti, signingInput }: AssertionCredentials['jws']): string =>
  typeof jti === 'string' ? jti : hash('sha256', signingInput, 'base64url')

function replayEntry({ credentials: { clientId, jws }, policy, client }: ClaimedAssertion, scope: string): ReplayEntry {
  const expiresAt = Math.ceil(Number(jws.exp) + policy.clockTolerance)
  const entry = { clientId, id: scope + replayId(jws), expiresAt }
  const group = groupOf(client)
  return group === undefined ? entry : { ...entry, group }
}

const replayed = ({ expiresAt }: ReplayEntry): Fault => ({
  reason: 'assertion_replayed',
  detail: () => ({
    expected: 'an assertion that was not used before',
    received: 'one that was',
    rememberedUntil: expiresAt
  })
})

function unavailable(cause: unknown): Fault {
  if (cause instanceof ClientAuthError) throw cause
  return { reason: 'replay_store_unavailable', cause }
}

/** What the store's answer means, once it is there. */
async function judge(answer: unknown, entry: ReplayEntry): Promise<Fault | undefined> {
  try {
    const isFirst = await answer
    if (isFirst === true) return undefined
    if (isFirst === false) return replayed(entry)
    throw new TypeError('ReplayStore.consume must return true or false, or a promise of it')
  } catch (cause) {
    return unavailable(cause)
  }
}

/**
 * RFC 7523 §3 item 7. Only once all else has passed: an assertion that fails must not use up its jti. `scope` keeps the
 * ids of other issuers apart.
 */
export function consume(claimed: ClaimedAssertion, scope = ''): Promise<Fault | undefined> | undefined {
  const entry = replayEntry(claimed, scope)
  try {
    const answer = claimed.policy.replayStore.consume(entry)
    return answer === true ? undefined : judge(answer, entry)
  } catch (cause) {
    return Promise.resolve(unavailable(cause))
  }
}

/** For `explain`, which must not use an assertion up. A store that fails here refuses nothing. */
export async function wasUsed(claimed: ClaimedAssertion, scope = ''): Promise<Fault | undefined | 'unknown'> {
  const entry = replayEntry(claimed, scope)
  try {
    const isRemembered: unknown = await claimed.policy.replayStore.has?.(entry)
    if (isRemembered === true) return replayed(entry)
    return isRemembered === false ? undefined : 'unknown'
  } catch {
    return 'unknown'
  }
}

import { printable } from '../basics/printable'
import { keySetShape } from '../jwt/jwk-set'
import type { Fault, Rule } from '../refusals/rules'
import type { OAuthClient } from '../types'
import { keySourceOf } from './client-record'
import { type Claimed, isJudgeable } from './method'
import { ownerOf } from './record-owner'

export const registeredKeysRule: Rule<Claimed> = {
  check: 'registered keys',
  reason: 'keys_not_registered',
  spec: 'RFC 7591 §2',
  holds: ({ client }) => {
    const { jwks, uri } = keySourceOf(client)
    return (jwks === undefined) !== (uri === undefined)
  },
  canJudge: isJudgeable,
  detail: ({ client }) => ({
    expected: 'jwks or jwks_uri',
    received: keySourceOf(client).jwks === undefined ? 'neither' : 'both'
  })
}

/** What kind of value is registered in place of a key set. Its content is not told. */
export function inlineSetDetail(set: unknown, cause: unknown) {
  const { why, received: message } = keySetDetail(cause)
  return { expected: 'a JWK Set of public keys', received: keySetShape(set), message, why }
}

/** What the owner of a key set says by it. Every other fault may be an outage. */
const ownersWords: readonly unknown[] = ['withdrawn', 'keys', 'private_key']

/**
 * What came of a `jwks_uri` in place of a key set. A client of a document throws its tokens away on `invalid_client`, so
 * an outage of its keys is called one: its registration is public, and nothing is told by that.
 */
export function unavailableSet(client: OAuthClient, uri: string, cause: unknown): Fault {
  const facts = keySetDetail(cause)
  const isOutage = ownerOf(client) !== undefined && !ownersWords.includes(facts.why)
  return {
    reason: isOutage ? 'client_keys_unavailable' : 'jwks_unavailable',
    cause,
    detail: () => ({ uri: printable(uri), expected: 'a JWK Set of public keys', ...facts })
  }
}

/** What the fetcher or a judge of keys says of a set: its own words and a stable `why`. */
export function keySetDetail(cause: unknown): { received: unknown; why: unknown } {
  const { why, message } = Object(cause) as { why?: unknown; message?: unknown }
  return { received: printable(message), why: printable(why) }
}

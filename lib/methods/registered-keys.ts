import { printable } from '../basics/printable'
import { keySetShape } from '../jwt/jwk-set'
import type { Rule } from '../refusals/rules'
import { keySourceOf } from './client-record'
import { type Claimed, isJudgeable } from './method'

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

/** Why a `jwks_uri` gave no key set. */
export const unavailableSetDetail = (uri: string, cause: unknown) => ({
  uri: printable(uri),
  expected: 'a JWK Set of public keys',
  ...keySetDetail(cause)
})

/** What the fetcher or a judge of keys says of a set: its own words and a stable `why`. */
export function keySetDetail(cause: unknown): { received: unknown; why: unknown } {
  const { why, message } = Object(cause) as { why?: unknown; message?: unknown }
  return { received: printable(message), why: printable(why) }
}

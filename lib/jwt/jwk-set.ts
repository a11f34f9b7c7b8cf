import type { Jwk, JwkSet } from '../types'
import { formFault, isContainer, isObject, secretMembers } from './jwk'
import { KeySetError } from './key-set-error'

const neededMembers = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg']

/** Only what verification needs, so that a set in a cache is no larger than its keys. */
const trimmed = (jwk: Record<string, unknown>): Jwk =>
  Object.fromEntries(neededMembers.filter((name) => jwk[name] !== undefined).map((name) => [name, jwk[name]]))

/**
 * The keys of a JWK Set, which is refused whole, by a {@link KeySetError}, if it is none, is too long, or publishes a
 * private or symmetric key: that client has leaked a secret (OIDC Registration §2).
 */
export function keysOf(value: unknown, maxKeys = 100): readonly Record<string, unknown>[] {
  const keys: unknown = isObject(value) ? value.keys : undefined
  if (!Array.isArray(keys)) throw new KeySetError('keys', 'not a JWK Set: an object with an array "keys" is needed')
  if (keys.length > maxKeys) throw new KeySetError('keys', `the JWK Set has ${keys.length} keys, more than ${maxKeys}`)
  if (!keys.every(isObject)) throw new KeySetError('keys', 'not a JWK Set: each of its keys must be an object')
  if (keys.some((jwk) => jwk.kty === 'oct' || secretMembers.some((name) => jwk[name] !== undefined))) {
    throw new KeySetError('private_key', 'the JWK Set holds a private or symmetric key')
  }
  return keys
}

/**
 * The usable keys of a JWK Set that may be used at all. A key that cannot be is left out (RFC 7517 §5), one off its
 * curve when it is imported.
 */
export const usableKeySet = (value: unknown, maxKeys?: number): JwkSet => ({
  keys: keysOf(value, maxKeys)
    .filter((jwk) => formFault(jwk) === undefined)
    .map(trimmed)
})

/** The key set in the body of an answer: UTF-8 (RFC 8259 §8.1), at most 16 levels deep, then {@link usableKeySet}. */
export function parseKeySet(body: Uint8Array, maxKeys?: number): JwkSet {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // Not attached as a cause: the error of JSON.parse quotes the body
    throw new KeySetError('json', 'the body is not JSON in UTF-8')
  }
  let level = [value].filter(isContainer)
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > 16) throw new KeySetError('json', 'the JSON is nested too deeply')
    level = level.flatMap((container): unknown[] => Object.values(container)).filter(isContainer)
  }
  return usableKeySet(value, maxKeys)
}

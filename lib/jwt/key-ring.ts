import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { attempt } from '../basics/attempt'
import type { Jwk, JwkSet } from '../types'
import type { Algorithm } from './algorithms'
import { isKeyFor, type KeyUse, purposeFault, valueFault, valueText } from './jwk'
import { keysOf } from './jwk-set'
import type { PublicKey } from './jws'

/** An imported key, ready to verify; with the modulus if it is of RSA. */
export interface VerificationKey extends PublicKey {
  readonly modulus: Buffer | undefined
}

/** Without `kid`, or with one that several keys share, each fitting key costs a verification. */
const maxCandidates = 8

/**
 * Imported keys, each by its own value, for every algorithm of its type. Never by the identity of a record: it is often
 * a new object for each request, and one that was edited in place must not find the keys it had. A value that cannot be
 * used is remembered as well, since to judge it costs as much. As much memory again is held by keys that were dropped
 * and not collected yet: hence the small maxSize.
 */
const imported = new LRUCache<string, { readonly key: VerificationKey | undefined; readonly octets: number }>({
  maxSize: 25_000_000,
  sizeCalculation: ({ octets }, id) => octets + id.length
})

/** The keys of a set that `kid` names, or all of them. Throws a `KeySetError` where the set is none that may be used. */
export function candidates(set: JwkSet, kid: unknown, maxKeys?: number): readonly Jwk[] {
  const keys = keysOf(set, maxKeys)
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid)
}

/** The members that decide whether and how a key verifies. Read once, since a getter may return another value later. */
function readMembers({ kty, crv, kid, alg, use, key_ops, n, e, x, y, pub }: Jwk): Jwk {
  return { kty, crv, kid, alg, use, key_ops, n, e, x, y, pub } // by name, since every request asks
}

function importKey(jwk: Jwk, algorithm: Algorithm): VerificationKey | undefined {
  if (valueFault(jwk, algorithm) !== undefined) return undefined
  const keyObject = attempt(() => createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }))
  const modulus = algorithm.kty === 'RSA' ? Buffer.from(String(jwk.n), 'base64url') : undefined
  return keyObject && { keyObject, cryptoKeys: new Map(), modulus }
}

function keyOf(jwk: Jwk, algorithm: Algorithm): VerificationKey | undefined {
  const id = valueText(jwk, algorithm)
  if (id === undefined) return undefined
  const known = imported.get(id)
  if (known !== undefined) return known.key
  const key = importKey(jwk, algorithm)
  imported.set(id, { key, octets: 500 + (key === undefined ? 0 : (algorithm.memory ?? 0)) })
  return key
}

/** Imports the first eight of the given keys that may verify this algorithm for this use. */
export function keysFor(keys: readonly Jwk[], algorithm: Algorithm, use: KeyUse): readonly VerificationKey[] {
  const fitting: VerificationKey[] = []
  for (const key of keys) {
    const jwk = readMembers(key)
    const isUsable = isKeyFor(jwk, algorithm) && purposeFault(jwk, use) === undefined
    const found = isUsable ? keyOf(jwk, algorithm) : undefined
    if (found !== undefined && fitting.push(found) === maxCandidates) break
  }
  return fitting
}

import { KeyObject, webcrypto } from 'node:crypto'
import { createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Jwk, JwkSet } from '../types'
import { algorithmsOf } from './jwk'
import type { PublicKey } from './jws'
import { keysOf, usableKeySet } from './jwk-set'

/** An imported key, ready to verify; with the modulus if it is of RSA. */
export interface VerificationKey extends PublicKey {
  readonly modulus: Buffer | undefined
}

/** Some keys, what selects among them, and the imported ones for each algorithm that was asked for. */
interface KeyRing {
  readonly keys: readonly Jwk[]
  readonly select: ReturnType<typeof createLocalJWKSet>
  readonly imported: Map<string, readonly VerificationKey[]>
}

/** A promise only where keys must be imported first. */
export type Keys = readonly VerificationKey[] | Promise<readonly VerificationKey[]>

/** Without `kid`, or with one that several keys share, each fitting key costs a verification. */
const maxCandidates = 8

/**
 * What an imported key takes of the memory of the process, measured for RSA, the largest. As much again is held by keys
 * that were dropped and not collected yet: hence the small maxSize.
 */
const importedOctets = 12_000

/** An honest upper bound: the text, and each key imported for each algorithm that it may be used with. */
function weigh({ keys }: KeyRing, text: string): number {
  const imports = keys.map((jwk) => (jwk.alg === undefined ? algorithmsOf(jwk).length : 1))
  return 4 * text.length + 1_000 + importedOctets * imports.reduce((sum, count) => sum + count, 0)
}

/**
 * Imported keys, found by the text of their JWKs. By text, because a record is often a new object for each request,
 * and because a set that was edited in place must not find the keys that it had before.
 */
const rings = new LRUCache<string, KeyRing>({ maxSize: 32_000_000, sizeCalculation: weigh })

/** The keys of a set that `kid` names, or all of them. Throws a `KeySetError` where the set is none that may be used. */
export function candidates(set: JwkSet, kid: unknown, maxKeys?: number): readonly Jwk[] {
  const keys = keysOf(set, maxKeys)
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid)
}

function toVerificationKey(cryptoKey: webcrypto.CryptoKey): VerificationKey {
  const keyObject = KeyObject.from(cryptoKey)
  const { n } = keyObject.export({ format: 'jwk' })
  return { cryptoKey, keyObject, modulus: n === undefined ? undefined : Buffer.from(n, 'base64url') }
}

/** Selects by kty, crv and alg, and imports: both jose's work (RFC 7517 §4). usableKeySet has judged use and key_ops. */
async function importFor({ select }: KeyRing, alg: string): Promise<VerificationKey[]> {
  try {
    return [toVerificationKey(await select({ alg }))]
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return []
    const keys: VerificationKey[] = []
    for await (const key of error) if (keys.push(toVerificationKey(key)) === maxCandidates) break
    return keys
  }
}

function ringOf(keys: readonly Jwk[]): KeyRing {
  const text = JSON.stringify(keys)
  const known = rings.get(text)
  if (known !== undefined) return known
  // Made from the text that names it: an object that reads otherwise than it prints must not lend its keys to another.
  const set = usableKeySet({ keys: JSON.parse(text) as unknown }, Infinity)
  const ring: KeyRing = { keys: set.keys, select: createLocalJWKSet(set as JSONWebKeySet), imported: new Map() }
  rings.set(text, ring)
  return ring
}

/** Those of the given keys that may verify `alg`, imported; throws where they print as none that may be used. */
export function keysFor(keys: readonly Jwk[], alg: string): Keys {
  const ring = ringOf(keys)
  return (
    ring.imported.get(alg) ??
    importFor(ring, alg).then((imported) => {
      ring.imported.set(alg, imported)
      return imported
    })
  )
}

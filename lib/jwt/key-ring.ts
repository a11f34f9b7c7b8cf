import { KeyObject, webcrypto } from 'node:crypto'
import { createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Jwk, JwkSet } from '../types'
import { algorithmsOf, keyFault } from './jwk'
import type { PublicKey } from './jws'
import { keysOf, usableKeySet } from './jwk-set'

/** An imported key, ready to verify; with the modulus if it is of RSA. */
export interface VerificationKey extends PublicKey {
  readonly modulus: Buffer | undefined
}

/** Some keys, what selects among them, and the imported ones for each algorithm that was asked for. */
interface KeyRing {
  /** What was read of each key when the ring was made. */
  readonly members: readonly Jwk[]
  readonly select: ReturnType<typeof createLocalJWKSet>
  /** By `alg`. Promises while they are being imported, so that requests at the same time share the work. */
  readonly imported: Map<string, Keys>
  /** What it takes in memory, with all of its keys imported. */
  readonly octets: number
}

/** A promise only where keys must be imported first. */
type Keys = readonly VerificationKey[] | Promise<readonly VerificationKey[]>

/** Without `kid`, or with one that several keys share, each fitting key costs a verification. */
const maxCandidates = 8

/**
 * What an imported key takes of the memory of the process, measured for RSA, the largest. As much again is held by keys
 * that were dropped and not collected yet: hence the small maxSize.
 */
const importedOctets = 12_000

/** Rings of different keys with the same numbers: one key registered under several names. */
const maxNamesakes = 4

/**
 * Rings, found by the first key's modulus or x and then by all that was read of their keys. Never by the identity of a
 * record: it is often a new object for each request, and one that was edited in place must not find the keys it had.
 */
const rings = new LRUCache<string, readonly KeyRing[]>({
  maxSize: 25_000_000,
  sizeCalculation: (namesakes) => namesakes.reduce((sum, { octets }) => sum + octets, 0)
})

/** The keys of a set that `kid` names, or all of them. Throws a `KeySetError` where the set is none that may be used. */
export function candidates(set: JwkSet, kid: unknown, maxKeys?: number): readonly Jwk[] {
  const keys = keysOf(set, maxKeys)
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid)
}

/** Those of them that are for JWT-SVIDs alone, without `use`, since jose selects no key with such a one. */
export const svidCandidates = (set: JwkSet, kid: unknown): readonly Jwk[] =>
  candidates(set, kid, Infinity)
    .filter((key) => keyFault(key, 'jwt-svid') === undefined)
    .map((key) => ({ ...key, use: undefined }))

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

/** All of a key that decides whether and how it verifies, each member read once. */
const readMembers = ({ kty, crv, kid, alg, use, n, e, x, y, key_ops: operations }: Jwk): Jwk => ({
  ...{ kty, crv, kid, alg, use, n, e, x, y },
  ...(operations === undefined ? {} : { key_ops: JSON.parse(JSON.stringify(operations)) as string[] })
})

/** Whether a key is still what was read. Asked for every request, so each member is read by its name, once. */
function isSameKey(known: Jwk | undefined, key: Jwk): boolean {
  if (known === undefined) return false
  const { kty, crv, kid, alg, use, n, e, x, y, key_ops: operations } = key
  const isOfSameKind = known.kty === kty && known.crv === crv && known.alg === alg && known.use === use
  const isSameValue = known.kid === kid && known.n === n && known.e === e && known.x === x && known.y === y
  return isOfSameKind && isSameValue && isSameList(known.key_ops, operations)
}

/** `key_ops` is a list, so it is compared as text. */
const isSameList = (known: unknown, list: unknown): boolean =>
  known === list || JSON.stringify(known) === JSON.stringify(list)

function makeRing(keys: readonly Jwk[]): KeyRing {
  // From what was read, since an object that reads otherwise the next time must not lend its keys to another.
  const members = keys.map(readMembers)
  const set = usableKeySet({ keys: members }, Infinity)
  const imports = set.keys.map((jwk) => (jwk.alg === undefined ? algorithmsOf(jwk).length : 1))
  return {
    members,
    select: createLocalJWKSet(set as JSONWebKeySet),
    imported: new Map(),
    octets: 4 * JSON.stringify(members).length + 1_000 + importedOctets * imports.reduce((sum, count) => sum + count, 0)
  }
}

function ringOf(keys: readonly Jwk[]): KeyRing {
  const { n, x } = keys[0] ?? {}
  const id = String(n ?? x)
  const namesakes = rings.get(id) ?? []
  const known = namesakes.find(
    ({ members }) => members.length === keys.length && keys.every((key, index) => isSameKey(members[index], key))
  )
  if (known !== undefined) return known
  const ring = makeRing(keys)
  rings.set(id, [ring, ...namesakes].slice(0, maxNamesakes))
  return ring
}

/** Those of the given keys that may verify `alg`, imported. Throws a `KeySetError` where one of them may not be used. */
export function keysFor(keys: readonly Jwk[], alg: string): Keys {
  const ring = ringOf(keys)
  const known = ring.imported.get(alg)
  if (known !== undefined) return known
  const importing = importFor(ring, alg)
  ring.imported.set(alg, importing)
  // A failure is not kept: whoever asks next tries again.
  importing.then(
    (imported) => ring.imported.set(alg, imported),
    () => ring.imported.delete(alg)
  )
  return importing
}

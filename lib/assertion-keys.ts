import { hash, randomBytes, webcrypto } from 'node:crypto'
import { createLocalJWKSet, errors, exportJWK, generateKeyPair } from 'jose'
import { LRUCache } from 'lru-cache'
import { usableKeySet } from './jwk-set'
import type { Jwk, JwkSet } from './types'

/** An imported key, ready to verify. */
export type VerificationKey = webcrypto.CryptoKey

type KeySelection = ReturnType<typeof createLocalJWKSet>

/** Without `kid`, or with one that several keys share, each fitting key costs a verification. */
const MAX_CANDIDATES = 8

/** Selects by kid, kty, alg, use and key_ops, and imports: both jose's work (RFC 7517 §4). */
async function fittingKeys(select: KeySelection, alg: string, kid: string | undefined): Promise<VerificationKey[]> {
  try {
    return [await select(kid === undefined ? { alg } : { alg, kid })]
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return []
    const keys: VerificationKey[] = []
    for await (const key of error) if (keys.push(key) === MAX_CANDIDATES) break
    return keys
  }
}

/** Fetched sets keep their imported keys for as long as they live. */
const fetchedSelections = new WeakMap<JwkSet, KeySelection>()
/** Inline sets are known by value: a record is often a fresh object, and a changed one must not find old keys. */
const inlineSelections = new LRUCache<string, KeySelection>({ max: 5000 })

/** The keys of a fetched set that fit; throws where the set is none that may be used. */
export async function fetchedKeys(set: JwkSet, alg: string, kid: string | undefined): Promise<VerificationKey[]> {
  return fittingKeys(selectionOfFetched(set), alg, kid)
}

function selectionOfFetched(set: JwkSet): KeySelection {
  const known = fetchedSelections.get(set)
  if (known !== undefined) return known
  const selection = createLocalJWKSet(usableKeySet(set))
  fetchedSelections.set(set, selection)
  return selection
}

/** The keys of a client's inline `jwks` that fit; throws where the set is none that may be used. */
export async function inlineKeys(jwks: JwkSet, alg: string, kid: string | undefined): Promise<VerificationKey[]> {
  return fittingKeys(selectionOfInline(jwks), alg, kid)
}

function selectionOfInline(jwks: JwkSet): KeySelection {
  const text = JSON.stringify(jwks)
  const id = hash('sha256', text, 'base64url')
  const known = inlineSelections.get(id)
  if (known !== undefined) return known
  // Built from the text that names it: an object that reads otherwise than it prints must not lend its keys to another.
  const selection = createLocalJWKSet(usableKeySet(JSON.parse(text)))
  inlineSelections.set(id, selection)
  return selection
}

const decoys = new Map<string, Promise<JwkSet>>()

/** A public key that nobody holds the private half of, so that unknown clients cost what known ones do. */
export async function decoyKeys(alg: string): Promise<VerificationKey[]> {
  const set = decoys.get(alg) ?? makeDecoy(alg).then((key) => ({ keys: [{ ...key, alg }] }))
  decoys.set(alg, set)
  return inlineKeys(await set, alg, undefined)
}

async function makeDecoy(alg: string): Promise<Jwk> {
  if (!/^[RP]S/.test(alg)) return (await exportJWK((await generateKeyPair(alg)).publicKey)) as Jwk
  // Any odd number of 2048 bits costs the same as a modulus, and needs no search for primes.
  const n = randomBytes(256)
  n.writeUInt8(n.readUInt8(0) | 0x80, 0)
  n.writeUInt8(n.readUInt8(255) | 1, 255)
  return { kty: 'RSA', n: n.toString('base64url'), e: 'AQAB' }
}

const hmacKeys = new LRUCache<string, Promise<VerificationKey>>({ max: 5000 })

/** OIDC Core §10.1: the UTF-8 octets of the secret. Remembered by digest, so that no secret is kept as text. */
export function hmacKey(secret: string, alg: string): Promise<VerificationKey> {
  const id = alg + hash('sha256', secret, 'base64url')
  const algorithm = { name: 'HMAC', hash: `SHA-${alg.slice(2)}` }
  const key = hmacKeys.get(id) ?? webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['verify'])
  hmacKeys.set(id, key)
  return key
}

import { hash, randomBytes, webcrypto } from 'node:crypto'
import { createLocalJWKSet, errors, exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose'
import { LRUCache } from 'lru-cache'
import { keysOf, usableKeySet } from './jwk-set'
import type { Jwk, JwkSet } from '../types'

/** An imported key, ready to verify; with the modulus if it is of RSA. */
export interface VerificationKey {
  readonly key: webcrypto.CryptoKey
  readonly modulus?: Buffer
}

/** A key set, and what has been found in it: `found` holds no more than the set has kids and the server algorithms. */
interface KeyRing {
  readonly kids: ReadonlySet<unknown>
  readonly select: ReturnType<typeof createLocalJWKSet>
  readonly found: Map<string, readonly VerificationKey[]>
}

/** A promise only where keys must be imported first. */
type Keys = readonly VerificationKey[] | Promise<readonly VerificationKey[]>

/** Without `kid`, or with one that several keys share, each fitting key costs a verification. */
const MAX_CANDIDATES = 8

/** Selects by kid, kty, crv and alg, and imports: both jose's work (RFC 7517 §4). usableKeySet has judged use and key_ops. */
async function select({ select: find }: KeyRing, alg: string, kid: string | undefined): Promise<VerificationKey[]> {
  try {
    return [await withModulus(await find(kid === undefined ? { alg } : { alg, kid }))]
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return []
    const keys: VerificationKey[] = []
    for await (const key of error) if (keys.push(await withModulus(key)) === MAX_CANDIDATES) break
    return keys
  }
}

async function withModulus(key: webcrypto.CryptoKey): Promise<VerificationKey> {
  if (!key.algorithm.name.startsWith('RSA')) return { key }
  const { n = '' } = await webcrypto.subtle.exportKey('jwk', key)
  return { key, modulus: Buffer.from(n, 'base64url') }
}

function fittingKeys(ring: KeyRing, alg: string, kid: string | undefined): Keys {
  // Without jose's exception, whose cost would tell that the client exists; nor is it remembered: there is no end of kids.
  if (kid !== undefined && !ring.kids.has(kid)) return []
  const id = kid === undefined ? alg : `${alg} ${kid}`
  return (
    ring.found.get(id) ??
    select(ring, alg, kid).then((keys) => {
      ring.found.set(id, keys)
      return keys
    })
  )
}

function makeRing(jwks: unknown, maxKeys?: number): KeyRing {
  const set = usableKeySet(jwks, maxKeys)
  return {
    kids: new Set(set.keys.map(({ kid }) => kid)),
    select: createLocalJWKSet(set as JSONWebKeySet),
    found: new Map()
  }
}

/** Fetched sets keep their imported keys for as long as they live. */
const fetchedRings = new WeakMap<JwkSet, KeyRing>()
/** Inline keys are known by value: a record is often a fresh object, and a changed one must not find old keys. */
const inlineRings = new LRUCache<string, KeyRing>({
  max: 5000,
  maxSize: 50_000_000, // characters: a set may have a hundred long keys
  sizeCalculation: (_ring, text) => text.length
})

/** The keys of a fetched set that fit; throws where the set is none that may be used. */
export function fetchedKeys(set: JwkSet, alg: string, kid: string | undefined): Keys {
  let ring = fetchedRings.get(set)
  if (ring === undefined) fetchedRings.set(set, (ring = makeRing(set, Infinity))) // its fetcher has counted
  return fittingKeys(ring, alg, kid)
}

/** The keys of a client's inline `jwks` that `kid` names, or all; throws where the set is none that may be used. */
export function candidates(jwks: JwkSet, kid: string | undefined): readonly Jwk[] {
  const keys = keysOf(jwks)
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid)
}

/** Those of a client's inline keys that fit; throws where they print as none that may be used. */
export function inlineKeys(keys: readonly Jwk[], alg: string, kid: string | undefined): Keys {
  const text = JSON.stringify(keys)
  let ring = inlineRings.get(text)
  // Built from the text that names it: an object that reads otherwise than it prints must not lend its keys to another.
  if (ring === undefined) inlineRings.set(text, (ring = makeRing({ keys: JSON.parse(text) as unknown })))
  return fittingKeys(ring, alg, kid)
}

const decoys = new Map<string, readonly Jwk[] | Promise<readonly Jwk[]>>()

/**
 * A public key that nobody holds the private half of, so that unknown clients cost what known ones do. Of RSA one
 * that fits the signature, in the sizes that are in use.
 */
export function decoyKeys(alg: string, signatureOctets: number): readonly Jwk[] | Promise<readonly Jwk[]> {
  const octets = [384, 512].includes(signatureOctets) ? signatureOctets : 256
  const id = /^[RP]S/.test(alg) ? `${alg} ${octets}` : alg
  const known = decoys.get(id)
  if (known !== undefined) return known
  const made = makeDecoy(alg, octets).then((jwk) => {
    const keys = [{ ...jwk, kid: alg, alg, use: 'sig' }]
    decoys.set(id, keys)
    return keys
  })
  decoys.set(id, made)
  return made
}

async function makeDecoy(alg: string, octets: number): Promise<Jwk> {
  if (!/^[RP]S/.test(alg)) return exportJWK((await generateKeyPair(alg)).publicKey)
  // Any odd number costs the same as a modulus, and needs no search for primes. Larger than any signature.
  const n = randomBytes(octets).fill(0xff, 0, 8)
  n.writeUInt8(n.readUInt8(octets - 1) | 1, octets - 1)
  return { kty: 'RSA', n: n.toString('base64url'), e: 'AQAB' }
}

const hmacKeys = new LRUCache<string, Promise<VerificationKey>>({ max: 5000 })

/** OIDC Core §10.1: the UTF-8 octets of the secret. Remembered by digest, so that no secret is kept as text. */
export function hmacKey(secret: string, alg: string): Promise<VerificationKey> {
  const id = hash('sha256', `${alg} ${secret}`, 'base64')
  const known = hmacKeys.get(id)
  if (known !== undefined) return known
  const algorithm = { name: 'HMAC', hash: `SHA-${alg.slice(2)}` }
  const imported = webcrypto.subtle
    .importKey('raw', Buffer.from(secret), algorithm, false, ['verify'])
    .then((key) => ({ key }))
  hmacKeys.set(id, imported)
  return imported
}

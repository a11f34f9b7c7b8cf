import { hash } from 'node:crypto'
import { canonicalBase64 } from '../basics/canonical-base64'
import { defined } from '../basics/defined'
import { jsonOf } from '../basics/json-body'
import { printable } from '../basics/printable'
import type { Jwk, JwkSet } from '../types'
import { algorithms } from './algorithms'
import { isObject } from '../basics/is-object'
import { isKeyFor, isSecretKey, keyFault, type KeyUse, secretMembers, valueMembers } from './jwk'
import { KeySetError } from './key-set-error'

const neededMembers = ['kty', 'crv', ...valueMembers, 'kid', 'alg']

/** RFC 7517 §4.7: the SHA-256 of the first certificate, whose base64 is canonical. */
function chainThumbprint(x5c: unknown): string | undefined {
  const der = Array.isArray(x5c) ? canonicalBase64(x5c[0]) : undefined
  return der && hash('sha256', der, 'base64url')
}

/**
 * The certificate that a key stands for (RFC 8705 §2.2), by its thumbprint: of `x5c`, or `x5t#S256` itself. Empty, so
 * that it fits no certificate, where they are malformed or disagree; `undefined` for a bare key.
 */
export function certificateOf({ x5c, 'x5t#S256': claimed }: Record<string, unknown>): string | undefined {
  if (x5c === undefined) return claimed === undefined || typeof claimed === 'string' ? claimed : ''
  const thumbprint = chainThumbprint(x5c) ?? ''
  return claimed === undefined || claimed === thumbprint ? thumbprint : ''
}

/** Only what verification needs, so that a set in a cache is no larger than its keys. */
function trimmed(jwk: Record<string, unknown>): Jwk {
  const members = neededMembers.map((name) => [name, jwk[name]])
  const use = jwk.use === 'sig' ? undefined : jwk.use // tells apart what is not for client assertions
  const all = [...members, ['use', use], ['x5t#S256', certificateOf(jwk)]]
  return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as Jwk
}

/**
 * The keys of a JWK Set, which is refused whole, by a {@link KeySetError}, if it is none, is too long, or publishes a
 * private or symmetric key: that client has leaked a secret (OIDC Registration §2).
 */
export function keysOf(value: unknown, maxKeys = 100): readonly Record<string, unknown>[] {
  const keys: unknown = isObject(value) ? value.keys : undefined
  if (!Array.isArray(keys)) throw new KeySetError('keys', 'not a JWK Set: an object with an array "keys" is needed')
  if (keys.length > maxKeys) throw new KeySetError('keys', `the JWK Set has ${keys.length} keys, more than ${maxKeys}`)
  if (!keys.every(isObject)) throw new KeySetError('keys', 'not a JWK Set: each of its keys must be an object')
  if (keys.some(isSecretKey)) {
    throw new KeySetError('private_key', 'the JWK Set holds a private or symmetric key')
  }
  return keys
}

/** A key of a set, and why it cannot verify, for logs and people. */
interface KeyReport {
  readonly kid: unknown
  readonly kty: unknown
  readonly alg: unknown
  /** In words that follow "the key …"; absent where the key is usable. */
  readonly fault?: string
}

/** The reports on keys that `usableKeySet` left out of a set, by the set. */
const leftOut = new WeakMap<JwkSet, readonly KeyReport[]>()

function report(jwk: Record<string, unknown>, asked?: Asked): KeyReport {
  const { kid, kty, alg } = jwk
  const fault = keyFault(jwk, asked?.use) ?? (asked && mismatch(jwk, asked))
  return { kid: printable(kid), kty: printable(kty), alg: printable(alg), ...defined({ fault }) }
}

/** What an assertion asks of a key. */
interface Asked {
  readonly kid: unknown
  readonly alg: unknown
  readonly use?: KeyUse
}

/** Why a usable key is not the one that is asked for, in words that follow "the key …". */
function mismatch(jwk: Record<string, unknown>, { kid, alg }: Asked): string | undefined {
  if (kid !== undefined && jwk.kid !== kid) return 'has another kid'
  const algorithm = algorithms.get(alg)
  return algorithm !== undefined && isKeyFor(jwk, algorithm) ? undefined : `is not for ${String(printable(alg))}`
}

/**
 * Each key of a set and why it is not used for an assertion, those included that were left out when the set was
 * fetched. At most ten.
 */
export const keyReports = (set: JwkSet, asked: Asked): readonly KeyReport[] =>
  [
    ...keysOf(set, Infinity)
      .slice(0, 10)
      .map((jwk) => report(jwk, asked)),
    ...(leftOut.get(set) ?? [])
  ].slice(0, 10)

/** What kind of value is registered as a key set, without its content: for a person who stored the wrong one. */
export function keySetShape(value: unknown): string {
  if (typeof value === 'string') return value.includes('-----BEGIN') ? 'PEM, as text' : 'a text'
  if (Array.isArray(value)) return value.some((key) => typeof key === 'string') ? keySetShape(value[0]) : 'an array'
  if (!isObject(value)) return `a value of type ${typeof value}`
  const { keys } = value
  if (keys === undefined) return value.kty === undefined ? 'an object without keys' : 'one JWK'
  if (!Array.isArray(keys)) return `an object whose keys are ${keySetShape(keys)}`
  const strange: unknown = keys.find((key) => !isObject(key))
  if (strange !== undefined) return `an object with a key that is ${keySetShape(strange)}`
  const secret = keys.find((key) => isObject(key) && isSecretKey(key)) as Record<string, unknown> | undefined
  if (secret === undefined) return `an object with ${keys.length} keys`
  return `an object whose key ${typeof secret.kid === 'string' ? printable(secret.kid) : 'without kid'} has ${secretMembersOf(secret).join(', ') || 'kty oct'}`
}

const secretMembersOf = (jwk: Record<string, unknown>): readonly string[] =>
  secretMembers.filter((name) => jwk[name] !== undefined)

/** The usable keys of a JWK Set that may be used at all. A key that cannot be used is left out (RFC 7517 §5). */
export function usableKeySet(value: unknown, maxKeys?: number, uses: readonly KeyUse[] = ['sig', 'tls']): JwkSet {
  const keys = keysOf(value, maxKeys)
  const usable = keys.filter((jwk) => uses.some((use) => keyFault(jwk, use) === undefined))
  const set = { keys: usable.map(trimmed) }
  if (usable.length < keys.length)
    leftOut.set(
      set,
      keys
        .filter((jwk) => !usable.includes(jwk))
        .slice(0, 10)
        .map((jwk) => report(jwk))
    )
  return set
}

/** The key set in the body of an answer: {@link jsonOf}, then {@link usableKeySet}. Keys of every use are kept. */
export function parseKeySet(body: Uint8Array, maxKeys?: number): JwkSet {
  const json = jsonOf(body)
  if ('fault' in json && Buffer.from(body).includes('PRIVATE KEY-----'))
    throw new KeySetError('private_key', 'the body is a private key in PEM')
  if ('fault' in json) throw new KeySetError('json', json.fault)
  return usableKeySet(json.value, maxKeys, ['sig', 'jwt-svid', 'tls'])
}

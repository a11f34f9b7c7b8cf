import {
  algorithmsOf,
  isObject,
  keyFault,
  type KeySetError,
  keysOf,
  printable,
  secretMembers
} from '../../lib/explain/for-cli'
import { keySetAdvice } from './advice'

/** One key of a set, as people read it. All texts are printable ASCII; private values are never among them. */
export interface KeyRow {
  readonly kid: string
  readonly kty: string
  /** The curve, or the size of an RSA modulus. */
  readonly size: string
  readonly alg: string
  readonly use: string
  /** Why the key cannot verify a client's assertion, in words that follow "the key …"; absent where it can. */
  readonly fault?: string
}

/** A key set, judged key by key, and as a whole. */
export interface KeyTable {
  readonly rows: readonly KeyRow[]
  /** How many keys the server would use: none where the set is refused whole. */
  readonly usable: number
  /** Why the set is refused whole. */
  readonly fault?: string
  /** What to do, where no key is usable. */
  readonly advice?: string
}

const text = (value: unknown): string => (value === undefined ? '' : String(printable(value)))

function sizeOf({ kty, crv, n }: Record<string, unknown>): string {
  if (kty !== 'RSA' || typeof n !== 'string') return text(crv)
  const modulus = Buffer.from(n, 'base64url')
  return `${Math.max(0, modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24)} bits`
}

/** `use`, or `key_ops` where there is no `use`. */
function useOf({ use, key_ops: operations }: Record<string, unknown>): string {
  const all: unknown[] = use === undefined && Array.isArray(operations) ? operations.slice(0, 10) : [use]
  return all.map(text).join(' ')
}

function reportedFault(jwk: Record<string, unknown>): string | undefined {
  if (jwk.kty === 'oct') return 'is a symmetric key: a set must hold public keys only'
  if (secretMembers.some((name) => jwk[name] !== undefined))
    return 'is a private key: it must be replaced, and only the public half published'
  return keyFault(jwk)
}

/** Without an `alg` of its own, a key serves each algorithm of its type and curve. */
function algOf(jwk: Record<string, unknown>): string {
  if (jwk.alg !== undefined) return text(jwk.alg)
  const all = algorithmsOf(jwk).map(({ alg }) => alg)
  return all.join(' ')
}

function rowOf(jwk: unknown): KeyRow {
  if (!isObject(jwk)) return { kid: '', kty: '', size: '', alg: '', use: '', fault: 'is not a JSON object' }
  const fault = reportedFault(jwk)
  const told = { kid: text(jwk.kid), kty: text(jwk.kty), size: sizeOf(jwk), alg: algOf(jwk), use: useOf(jwk) }
  return fault === undefined ? told : { ...told, fault }
}

export const maxKeys = 100 // as many as the server reads

/** Judges a key set by the rules by which the server chooses keys (RFC 7517 §5). */
export function keyTable(value: unknown): KeyTable {
  const keys: unknown = isObject(value) ? value.keys : undefined
  // Of too many, none is why the set is refused
  const rows = Array.isArray(keys) && keys.length <= maxKeys ? keys.map(rowOf) : []
  try {
    keysOf(value, maxKeys)
  } catch (error) {
    const refused = error as KeySetError // keysOf throws no other
    return { rows, usable: 0, fault: refused.message, advice: keySetAdvice(refused) }
  }
  const usable = rows.filter(({ fault }) => fault === undefined).length
  const advice = 'The owner has to publish a public key that can verify: see what is wrong with each.'
  return { rows, usable, ...(usable > 0 ? {} : { advice }) }
}

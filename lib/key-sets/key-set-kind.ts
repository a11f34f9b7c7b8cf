import { FetchError } from '../basics/fetch-error'
import { jsonOf } from '../basics/json-body'
import { cacheOctets, type DocumentKind } from '../guarded-fetch/document-cache'
import { isObject } from '../jwt/jwk'
import { parseKeySet } from '../jwt/jwk-set'
import { KeySetError } from '../jwt/key-set-error'
import type { Jwk, JwkSet } from '../types'
import { report } from './events'

/** Each algorithm that a key serves makes an imported key of its own. */
const importsOf = ({ kty, alg }: Jwk): number => (alg !== undefined ? 1 : kty === 'RSA' ? 6 : 2)

/**
 * What a set takes in memory once its keys are imported under every algorithm, in octets: measured, and rounded up. An
 * RSA key of 2048 bits takes some 5 KiB each time it is imported, so its 400 characters of text would tell too little.
 */
export function octetsInMemory({ keys }: JwkSet): number {
  const perKey = keys.map((jwk) => {
    const text = Buffer.byteLength(JSON.stringify(jwk))
    return 256 + text + importsOf(jwk) * (4096 + 3 * (jwk.kty === 'RSA' ? String(jwk.n).length : 0))
  })
  return perKey.reduce((sum, octets) => sum + octets, 1024)
}

/** An edited set would be verified by the keys that were imported before the edit, so it cannot be edited. */
function frozen(set: JwkSet): JwkSet {
  for (const key of set.keys) Object.freeze(key)
  Object.freeze(set.keys)
  return Object.freeze(set)
}

function parseSet(body: Buffer, maxKeys: number) {
  const set = frozen(parseKeySet(body, maxKeys))
  const octets = octetsInMemory(set)
  // The cache would not keep it, and each request would fetch it
  if (octets > cacheOctets / 2)
    throw new KeySetError('too_large', `the keys of the set would take ${Math.round(octets / 1e6)} MB of memory`)
  return { value: set, octets }
}

/** Whatever went wrong, as callers see it. */
export function toKeySetError(cause: unknown): KeySetError {
  if (cause instanceof KeySetError) return cause
  if (!(cause instanceof FetchError)) return new KeySetError('connection', 'the fetch failed', undefined, cause)
  const { why, message, retryAfter } = cause as FetchError
  return new KeySetError(why, message, retryAfter, cause.cause)
}

/** 404 and 410 are the owner's word. While a document is broken, the old one serves on. */
const common = {
  toError: toKeySetError,
  wordOf: ({ why }: KeySetError) => (why === 'withdrawn' ? 'gone' : undefined),
  goneIfExpired: true
} as const

/** A JWK Set. */
export const keySetKind = (maxKeys: number): DocumentKind<JwkSet, KeySetError> => ({
  ...common,
  accept: 'application/jwk-set+json, application/json',
  noun: 'a key set',
  parse: (body) => parseSet(body, maxKeys),
  report: ({ value, ...outcome }) => {
    report({ ...outcome, ...(value === undefined ? {} : { keys: value.keys.length }) })
  }
})

type JsonObject = Readonly<Record<string, unknown>>

/** Nobody edits what everybody shares. */
function deepFrozen<T>(value: T): T {
  for (const member of Object.values(Object(value) as object)) if (Object(member) === member) deepFrozen(member)
  return Object.freeze(value)
}

function parseObject(body: Buffer) {
  const json = jsonOf(body)
  if ('fault' in json) throw new KeySetError('json', json.fault)
  if (!isObject(json.value)) throw new KeySetError('json', 'the body is not a JSON object')
  // More than any text takes as an object: measured with lists of short numbers, the worst
  return { value: deepFrozen<JsonObject>(json.value), octets: 1024 + 20 * body.length }
}

/** Any JSON object: whoever asks for it judges it. */
export const jsonObjectKind: DocumentKind<JsonObject, KeySetError> = {
  ...common,
  accept: 'application/json',
  noun: 'this document',
  parse: parseObject,
  report
}

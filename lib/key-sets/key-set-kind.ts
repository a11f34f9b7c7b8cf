import { FetchError } from '../basics/fetch-error'
import { jsonOf } from '../basics/json-body'
import type { DocumentKind } from '../guarded-fetch/document-cache'
import { isObject } from '../jwt/jwk'
import { parseKeySet } from '../jwt/jwk-set'
import { KeySetError } from '../jwt/key-set-error'
import type { JwkSet } from '../types'
import { report } from './events'

/**
 * What a set takes in memory, in octets: measured, and rounded up. Keys are imported elsewhere, each once for all sets
 * (`jwt/key-ring`).
 */
const octetsInMemory = ({ keys }: JwkSet): number =>
  keys.reduce((sum, jwk) => sum + 256 + 2 * JSON.stringify(jwk).length, 1024)

/** All requests share the set, so none can edit it. */
function frozen(set: JwkSet): JwkSet {
  for (const key of set.keys) Object.freeze(key)
  Object.freeze(set.keys)
  return Object.freeze(set)
}

function parseSet(body: Buffer, maxKeys: number) {
  const set = frozen(parseKeySet(body, maxKeys))
  return { value: set, octets: octetsInMemory(set) }
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

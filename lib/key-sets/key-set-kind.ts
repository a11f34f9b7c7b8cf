import { defined } from '../basics/defined'
import { deepFrozen } from '../basics/deep-frozen'
import { errorOf } from '../basics/fetch-error'
import { jsonObjectOf } from '../basics/json-body'
import type { DocumentKind } from '../guarded-fetch/document-cache'
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

function parseSet(body: Buffer, maxKeys: number) {
  const set = deepFrozen(parseKeySet(body, maxKeys))
  return { value: set, octets: octetsInMemory(set) }
}

/** 404 and 410 are the owner's word. While a document is broken, the old one serves on. */
const common = {
  toError: errorOf(KeySetError),
  wordOf: ({ why }: KeySetError) => (why === 'withdrawn' ? 'gone' : undefined),
  goneIfExpired: true
} as const

/** A JWK Set. */
export const keySetKind = (maxKeys: number): DocumentKind<JwkSet, KeySetError> => ({
  ...common,
  accept: 'application/jwk-set+json, application/json',
  noun: 'a key set',
  parse: (body) => parseSet(body, maxKeys),
  report: ({ value, ...outcome }) => report({ ...outcome, ...defined({ keys: value?.keys.length }) })
})

type JsonObject = Readonly<Record<string, unknown>>

function parseObject(body: Buffer) {
  const json = jsonObjectOf(body)
  if ('fault' in json) throw new KeySetError('json', json.fault)
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

import { given } from '../basics/given'
import { printableId } from '../basics/printable'
import { typeName } from '../basics/type-name'
import type { OAuthClient } from '../types'

/** What `getClient` found for an id. */
export interface LookedUp {
  /** `undefined` for an unknown client. */
  readonly client: OAuthClient | undefined
  /** The `client_id` of the record, where it is that of another client. */
  readonly otherId?: unknown
}

/**
 * Why a value is no record of a client, in words that follow "is" or "are": what is usually forgotten is named.
 * `undefined` for an object that may be one.
 */
export function recordFault(value: unknown): string | undefined {
  const name = typeName(value)
  if (name === 'a Promise') return 'a Promise: write await in front of the query'
  if (name === 'an array') return 'an array: give its first element'
  if (name !== 'an object') return `${name}: it must be an object with client_id`
  const { rows, client_id } = value as { rows?: unknown; client_id?: unknown }
  return Array.isArray(rows) && given(client_id) === undefined
    ? 'the result of a query, with rows: give its first row'
    : undefined
}

/** A database may hold the id as a number. One that is not safe has lost digits, so it may be another client's. */
const isSameId = (stored: unknown, clientId: string): boolean =>
  stored === clientId || ((typeof stored === 'bigint' || Number.isSafeInteger(stored)) && String(stored) === clientId)

/** The quick half of {@link recordFault}. */
const mayBeRecord = (value: unknown): boolean =>
  typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value) && !(value instanceof Date)

/**
 * Judges what `getClient` returned. What is no record is a mistake of the application. The record of another client is
 * an unknown client: a database that compares without case returns one for an id that nobody has, and the answer must
 * not tell that somebody has it in another spelling.
 */
export function lookedUp(found: unknown, clientId: string): LookedUp {
  if (found === undefined || found === null) return { client: undefined }
  const record = found as OAuthClient
  // First, so that finding a client takes hardly longer than finding none
  if (mayBeRecord(found) && isSameId(record.client_id, clientId)) return { client: record }
  const fault = recordFault(found)
  if (fault !== undefined) throw new TypeError(`getClient returned no client record, but ${fault}`)
  if (given(record.client_id) !== undefined) return { client: undefined, otherId: record.client_id }
  const names = Object.keys(record).slice(0, 20).join(', ')
  throw new TypeError(
    `getClient returned a record without client_id; it must have it, as it was asked for (fields found: ${names})`
  )
}

/** The `client_id` of a record, which may hold it as a number. */
export const idOf = ({ client_id: id }: { readonly client_id: unknown }): string => String(id)

/** The `client_id` of a record that is another client's, for logs. */
export const shownOtherId = (otherId: unknown): string =>
  typeof otherId === 'string' ? printableId(otherId) : typeName(otherId)

import { randomBytes } from 'node:crypto'
import { types } from 'node:util'
import { given } from '../basics/given'
import { typeName } from '../basics/type-name'
import { isSeconds } from '../jwt/numeric-date'
import type { OAuthClient } from '../types'

/** RFC 3339 with its zone: what JSON makes of a Date. Without a zone nobody knows which time is meant. */
const timestamp = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)$/

/**
 * When a secret ends, in seconds since the epoch; Infinity for never (RFC 7591 §3.2.1: 0). Databases return a BIGINT as
 * a text or a bigint, and a timestamp as a Date. NaN for whatever is not surely a time: such a secret never matches.
 */
export function endOf(value: unknown): number {
  if (given(value) === undefined) return Infinity
  if (types.isDate(value)) return value.getTime() / 1000
  if (typeof value === 'string' && timestamp.test(value)) return Date.parse(value) / 1000
  const isWhole = typeof value === 'bigint' || (typeof value === 'string' && /^\d+$/.test(value))
  const seconds = isWhole ? Number(value) : value
  if (seconds === 0) return Infinity
  return isSeconds(seconds) ? seconds : NaN
}

/** One entry of `client_secret`, as it stands in the record. */
interface Stored {
  readonly value: unknown
  /** Its own end, or that of all. */
  readonly end: unknown
  readonly misnamed?: string | undefined
}

const endName = /^exp$|expir(?:es|y|ation)|valid_?(?:until|to)$|not_?after|^until$|^ends?(?:_?at)?$/i

/** A member of an entry that can only be its end, under another name than `expires_at`. */
export function misnamedEnd(entry: Readonly<Record<string, unknown>>): string | undefined {
  for (const name in entry)
    if (endName.test(name) && given(entry[name]) !== undefined && !Object.is(entry[name], entry.expires_at)) return name
  return undefined
}

function entriesOf({ client_secret: stored, client_secret_expires_at: end }: Partial<OAuthClient>): Stored[] {
  // Most clients with keys have none: no slower than for an unknown client, since the time must not tell the two apart.
  if (given(stored) === undefined) return []
  const entries: readonly unknown[] = Array.isArray(stored) ? stored : [stored]
  return entries.map((entry) => {
    if (typeof entry !== 'object' || entry === null || !('value' in entry)) return { value: entry, end }
    const { value, expires_at } = entry as { value: unknown; expires_at?: unknown }
    const misnamed = misnamedEnd(entry)
    // Ignored, such an end would let a secret in for ever.
    return { value, end: misnamed === undefined ? (given(expires_at) ?? end) : NaN, misnamed }
  })
}

/** The client's secrets, or their hashes, that are neither empty nor expired. */
export function liveSecrets(client: OAuthClient, nowSeconds: number): string[] {
  const { client_secret: stored, client_secret_expires_at: end } = client
  if (typeof stored === 'string') return stored !== '' && endOf(end) > nowSeconds ? [stored] : []
  const live: string[] = []
  for (const { value, end } of entriesOf(client))
    if (typeof value === 'string' && value !== '' && endOf(end) > nowSeconds) live.push(value)
  return live
}

/** Every text that is stored as a secret, or as its hash, whether it still holds or not. */
export const storedSecrets = (client: Partial<OAuthClient>): string[] =>
  entriesOf(client)
    .map(({ value }) => value)
    .filter((value) => typeof value === 'string')
    .filter((value) => value !== '')

/** What is stored where a secret or its end should be and cannot be read: the field, and the type of its value. */
type UnreadableSecret = Readonly<Record<'field' | 'expected' | 'received', string>>

/** The first member of a record about secrets that cannot be read. */
export function unreadableSecret(client: Partial<OAuthClient>): UnreadableSecret | undefined {
  for (const { value, end, misnamed } of entriesOf(client)) {
    if (misnamed !== undefined)
      return { field: 'client_secret', expected: 'an end named expires_at', received: misnamed }
    if (typeof value !== 'string' && given(value) !== undefined)
      return { field: 'client_secret', expected: 'a text', received: typeName(value) }
    if (!Number.isNaN(endOf(end))) continue
    const isLarge = typeof end === 'number' && Number.isFinite(end)
    return {
      field: 'client_secret_expires_at',
      expected: 'seconds since the epoch, or a time with its zone',
      received: isLarge ? 'a number of milliseconds' : typeName(end)
    }
  }
  return undefined
}

/**
 * The forms of the common password hashes. Where nothing compares hashes, such a text in place of a secret would be the
 * password itself. A short mark such as `$1$` may begin an ordinary secret, so what follows it counts too.
 */
const hashForms = [
  /(?:\$wp)?\$2(?:[abxy]\$|\$\d\d\$)/, // bcrypt; WordPress puts $wp before it
  /\$(?:argon2(?:id?|d)|scrypt|bcrypt(?:-sha256)?|pbkdf2(?:-\w+)?|apr1|sha1|md5)[$,]/, // PHC strings, Apache, BSD, Sun
  /\$[156]\$(?:rounds=\d+\$)?[^$]{1,16}\$[./\w]{22}/, // crypt(3): MD5, SHA-256, SHA-512
  /\$(?:7|s[02]|g?y)\$[./\w$+=]{40}/, // crypt(3): scrypt, yescrypt
  /\$[PHS]\$[./\w]{31}/, // phpass, Drupal
  /\{(?:s?sha-?\d*|s?md[45]|[bs]?crypt|blf|argon2(?:id?|d)?|pbkdf2)(?:[-.@][\w.-]*)?\}/, // LDAP, Dovecot, Spring
  /(?:pbkdf2_\w+|argon2|bcrypt(?:_\w+)?|scrypt|s?sha\d*|md5)\$[^$]*\$.{20}/, // Django
  /(?:pbkdf2:\w+|scrypt)(?::\d+)*\$/, // Werkzeug
  /AQAAAA[\w+/]{76}/ // ASP.NET Core Identity
]

/** All of them in one, since every request asks; in any case, as LDAP writes its names. */
const hashForm = new RegExp(`^(?:${hashForms.map(({ source }) => source).join('|')})`, 'i')

/** Whether a stored secret is visibly a hash. */
export const looksHashed = (stored: string): boolean => hashForm.test(stored)

/** A secret that nobody holds. */
export const decoySecret = randomBytes(32).toString('base64url')

import { randomBytes } from 'node:crypto'
import { isSeconds } from '../jwt/numeric-date'
import type { ClientAuthMethod, OAuthClient } from '../types'
import { isRegisteredFor } from './registered-methods'

/** An empty text in a record counts as absent, as an empty parameter does in a request. */
const given = <T>(value: T | null | undefined): T | undefined =>
  value === null || (value as unknown) === '' ? undefined : value

/** Where a client's keys are: inline, behind a URI, or, against RFC 7591 §2, both or neither. */
export const keySourceOf = ({ jwks, jwks_uri: uri }: Partial<OAuthClient>) => ({ jwks: given(jwks), uri: given(uri) })

/** The only algorithm that the client may use, where one is registered (OIDC Registration §2). */
export const registeredAlg = ({ token_endpoint_auth_signing_alg: alg }: OAuthClient): string | undefined =>
  alg ?? undefined

const isLive = (expiresAt: unknown, nowSeconds: number): boolean =>
  // RFC 7591 §3.2.1: 0 is never. What is no time in seconds counts as over: a careless record fails closed.
  expiresAt === undefined || expiresAt === null || expiresAt === 0 || (isSeconds(expiresAt) && expiresAt > nowSeconds)

/** The client's secrets, or their hashes, that are neither empty nor expired. */
export function liveSecrets(client: OAuthClient, nowSeconds: number): string[] {
  const { client_secret: stored, client_secret_expires_at: end } = client
  if (typeof stored === 'string') return stored !== '' && isLive(end, nowSeconds) ? [stored] : []
  // Most clients with keys have none: no slower than for an unknown client, since the time must not tell the two apart.
  if (stored === undefined || stored === null) return []
  const entries: readonly unknown[] = Array.isArray(stored) ? stored : [stored]
  const live: string[] = []
  for (const entry of entries) {
    const { value, expires_at } = Object(typeof entry === 'string' ? { value: entry } : entry) as Record<
      string,
      unknown
    >
    if (typeof value === 'string' && value !== '' && isLive(expires_at ?? end, nowSeconds)) live.push(value)
  }
  return live
}

/**
 * The forms of the common password hashes. Where nothing compares hashes, such a text in place of a secret would be the
 * password itself. A short mark such as `$1$` may begin an ordinary secret, so what follows it counts too.
 */
const hashForms = [
  /(?:\$wp)?\$2[abxy]?\$\d\d\$/, // bcrypt; WordPress puts $wp before it
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

/**
 * The client that an unknown one is taken for: something is always proven, for the client or for nobody, so that the
 * time tells nothing. Without keys, so that a decoy key is verified with.
 */
export const nobody: OAuthClient = Object.freeze({
  client_id: '',
  client_secret: decoySecret,
  jwks: Object.freeze({ keys: [] })
})

/** The method, among those that the credentials may mean and the server accepts, that the client is registered for. */
export const methodOf = (
  methods: readonly ClientAuthMethod[],
  accepted: ReadonlySet<string>,
  client: OAuthClient
): ClientAuthMethod | undefined => {
  for (const method of methods) if (accepted.has(method) && isRegisteredFor(client, method)) return method
  return undefined
}

/** What `getClient` returned, or `undefined` for an unknown client. A record of another client is a server error. */
export function checkRecord(record: unknown, clientId: string): OAuthClient | undefined {
  if (record === undefined || record === null) return undefined
  if ((record as OAuthClient).client_id === clientId) return record as OAuthClient
  const found =
    typeof record === 'object'
      ? `fields found: ${Object.keys(record).slice(0, 20).join(', ')}`
      : `found: a ${typeof record}`
  throw new TypeError(
    `getClient returned a record without or with another client_id; it must have client_id, as it was asked for (${found})`
  )
}

/** RFC 8705 §3.4: whether access tokens must be bound. What is no boolean counts as yes: a careless record fails closed. */
export const wantsBoundTokens = ({ tls_client_certificate_bound_access_tokens: bound }: OAuthClient): boolean =>
  ![undefined, null, false].includes(bound)

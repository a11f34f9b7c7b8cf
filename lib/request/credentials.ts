import { isUtf8 } from 'node:buffer'
import { refuse } from '../errors'
import type { ClientAuthRequest } from '../types'

/** What a request presents, before anything is looked up; verification sees this and never the request. */
export type Credentials =
  | {
      kind: 'secret'
      method: 'client_secret_basic' | 'client_secret_post'
      clientId: string
      secret: string
      /** The secret as it stood in the Basic header, where form-decoding changed it. */
      undecoded?: string
    }
  | { kind: 'assertion'; assertion: string; clientId: string | undefined }
  | { kind: 'none'; method: 'none'; clientId: string }

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The grants whose own parameter `assertion` is (RFC 7521 §4.1). */
const assertionGrants = ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:saml2-bearer']

/**
 * RFC 6749 §3.2: no parameter twice. These are the ones with a single meaning for every handler; others
 * may repeat for their owners (`resource`, RFC 8707; `audience`, RFC 8693).
 */
const singleParameters = [
  ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ...['grant_type', 'assertion', 'code', 'code_verifier', 'redirect_uri', 'refresh_token']
] as const

type SingleParameter = (typeof singleParameters)[number]
type Form = Partial<Record<SingleParameter, string>>

type HeaderSource = ClientAuthRequest['headers']

/** A header of the request's own: a polluted prototype must not supply credentials. */
function headerOf(headers: HeaderSource, name: string): unknown {
  if (typeof headers.get === 'function') return (headers as Headers).get(name)
  return Object.hasOwn(headers, name) ? (headers as NodeJS.Dict<string | string[]>)[name] : undefined
}

function parameterValue(body: object, name: SingleParameter): unknown {
  if (typeof (body as URLSearchParams).getAll === 'function') {
    const values = (body as URLSearchParams).getAll(name)
    return values.length > 1 ? values : values[0]
  }
  return Object.hasOwn(body, name) ? (body as Form)[name] : undefined
}

/** A plain object of any realm, URLSearchParams or FormData: what else there is (a stream, a Map) would read as empty. */
function isForm(body: unknown): body is object {
  if (typeof body !== 'object' || body === null) return false
  const prototype: unknown = Object.getPrototypeOf(body)
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return true
  return typeof (body as URLSearchParams).getAll === 'function'
}

function readForm({ headers, body }: ClientAuthRequest): Form {
  // Without a prototype, and own properties only: a polluted one must not supply credentials.
  const form = Object.create(null) as Form
  if (body === undefined || body === null) {
    // Nobody has read it, or somebody has and left nothing: told, rather than taken for an empty one.
    const isSent = Boolean(headerOf(headers, 'transfer-encoding')) || Number(headerOf(headers, 'content-length')) > 0
    return isSent ? refuse('body_unreadable') : form
  }
  if (!isForm(body)) return refuse('body_unreadable')
  for (const name of singleParameters) {
    const value = parameterValue(body, name)
    if (Array.isArray(value)) refuse('parameter_repeated', `Parameter ${name} is repeated.`)
    if (value === undefined || value === null || value === '') continue // RFC 6749 §3.2: as if omitted
    if (typeof value !== 'string') return refuse('parameter_malformed', `Parameter ${name} must be a string.`)
    form[name] = value
  }
  return form
}

/** RFC 6749 Appendix A.1: client_id is *VSCHAR. */
export const isClientId = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x20-\x7e]{1,256}$/.test(value)

/** RFC 6749 Appendix A.2 allows VSCHAR; UTF-8 is tolerated, control characters and lone surrogates are not. */
const isSecret = (value: string): boolean => value.length <= 1024 && !/[\p{Cc}\p{Cs}]/u.test(value)

function formClientId({ client_id }: Form): string | undefined {
  if (client_id === undefined || isClientId(client_id)) return client_id
  return refuse('parameter_malformed', 'client_id must be 1 to 256 printable ASCII characters.')
}

/** The Authorization header, or undefined; more than one is refused. */
export function authorizationHeader({ headers, rawHeaders }: ClientAuthRequest): string | undefined {
  const given = headerOf(headers, 'authorization')
  const values = Array.isArray(given) ? given : [given]
  const value: unknown = values[0]
  if (typeof value !== 'string') return undefined
  // Node keeps the first of several; a Fetch Headers object joins them with a comma.
  const named = rawHeaders?.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization') ?? []
  if (values.length > 1 || named.length > 1 || /,\s*basic\s/i.test(value)) refuse('authorization_repeated')
  return value
}

function decodeBase64(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64')
  // Buffer skips what it does not know; only the one canonical spelling (RFC 4648 §3.5) is taken.
  return bytes.toString('base64') === text && isUtf8(bytes) ? bytes.toString() : undefined
}

/** RFC 6749 Appendix B, strict: undefined for a malformed %XX or UTF-8. */
function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function readBasic(token: string, form: Form): Credentials {
  const pair = decodeBase64(token)
  if (pair === undefined) return refuse('basic_malformed', 'The Basic credentials are not base64 of UTF-8 text.')
  const colon = pair.indexOf(':')
  if (colon < 0) return refuse('basic_malformed', 'The Basic credentials hold no colon.')
  const clientId = formDecode(pair.slice(0, colon))
  const undecoded = pair.slice(colon + 1)
  const secret = formDecode(undecoded)
  if (clientId === undefined || secret === undefined) {
    return refuse('basic_malformed', 'The client_id and secret in Basic credentials must each be form-urlencoded.')
  }
  if (!isClientId(clientId) || !isSecret(secret)) return refuse('basic_malformed')
  const inBody = formClientId(form)
  // Postman's and Google's clients repeat the id in the body; another one would confuse the handler behind.
  if (inBody !== undefined && inBody !== clientId) return refuse('client_id_conflict')
  if (secret === '') return refuse('basic_without_secret')
  const credentials = { kind: 'secret', method: 'client_secret_basic', clientId, secret } as const
  return undecoded === secret ? credentials : { ...credentials, undecoded }
}

function readPost(form: Form, secret: string): Credentials {
  const clientId = formClientId(form) ?? refuse('client_id_missing')
  if (!isSecret(secret)) return refuse('parameter_malformed', 'client_secret is too long or holds control characters.')
  return { kind: 'secret', method: 'client_secret_post', clientId, secret }
}

function readAssertionParameters(form: Form, assertion: string): Credentials {
  if (form.client_assertion_type !== JWT_BEARER) return refuse('assertion_type')
  if (assertion.length > 16_384)
    return refuse('parameter_malformed', 'client_assertion is longer than 16384 characters.')
  return { kind: 'assertion', assertion, clientId: formClientId(form) }
}

function withoutProof(form: Form, authorization: string | undefined, allowPublic: boolean): Credentials {
  const clientId = formClientId(form)
  if (allowPublic && clientId !== undefined) return { kind: 'none', method: 'none', clientId }
  if (form.assertion !== undefined && !assertionGrants.includes(form.grant_type ?? '')) refuse('assertion_parameter')
  return refuse(authorization === undefined ? 'no_credentials' : 'authorization_scheme')
}

/**
 * Reads the one set of credentials that a request may hold (RFC 6749 §2.3), or throws. Credentials in
 * the query string are never read (RFC 6749 §2.3.1). `allowPublic` takes a bare `client_id` (RFC 6749 §3.2.1).
 */
export function extractCredentials(request: ClientAuthRequest, allowPublic: boolean): Credentials {
  const form = readForm(request)
  const authorization = authorizationHeader(request)
  const basic = authorization === undefined ? null : /^basic(?:$| +(.*)|\s)/is.exec(authorization)
  const { client_secret: secret, client_assertion: assertion } = form

  // RFC 6749 §2.3: one method per request. Another Authorization scheme (DPoP, a user's token) is not one.
  if ([basic ?? undefined, secret, assertion].filter((used) => used !== undefined).length > 1)
    refuse('multiple_mechanisms')
  if (assertion === undefined && form.client_assertion_type !== undefined) refuse('assertion_missing')
  if (assertion !== undefined) return readAssertionParameters(form, assertion)
  if (basic !== null) return readBasic(basic[1] ?? '', form)
  if (secret !== undefined) return readPost(form, secret)
  return withoutProof(form, authorization, allowPublic)
}

import { ClientAuthError } from './errors'
import type { ClientAuthRequest } from './types'

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

const fail = (reason: ConstructorParameters<typeof ClientAuthError>[0], message?: string): never => {
  throw new ClientAuthError(reason, message === undefined ? {} : { message })
}

function parameterValue(body: object, name: SingleParameter): unknown {
  if (typeof (body as URLSearchParams).getAll === 'function') {
    const values = (body as URLSearchParams).getAll(name)
    return values.length > 1 ? values : values[0]
  }
  return Object.hasOwn(body, name) ? (body as Form)[name] : undefined
}

function readForm(body: unknown): Form {
  // Without a prototype, and own properties only: a polluted one must not supply credentials.
  const form = Object.create(null) as Form
  if (body === undefined || body === null) return form
  if (typeof body !== 'object' || Array.isArray(body) || ArrayBuffer.isView(body)) return fail('body_unreadable')
  for (const name of singleParameters) {
    const value = parameterValue(body, name)
    if (Array.isArray(value)) fail('parameter_repeated', `Parameter ${name} is repeated.`)
    if (value === undefined || value === null || value === '') continue // RFC 6749 §3.2: as if omitted
    if (typeof value !== 'string') return fail('parameter_malformed', `Parameter ${name} must be a string.`)
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
  return fail('parameter_malformed', 'client_id must be 1 to 256 printable ASCII characters.')
}

const isFetchHeaders = (headers: ClientAuthRequest['headers']): headers is Headers => typeof headers.get === 'function'

/** The Authorization header, or undefined; more than one is refused. */
export function authorizationHeader({ headers, rawHeaders }: ClientAuthRequest): string | undefined {
  const given = isFetchHeaders(headers) ? headers.get('authorization') : headers.authorization
  const values = Array.isArray(given) ? given : [given]
  const value: unknown = values[0]
  if (typeof value !== 'string') return undefined
  // Node keeps the first of several; a Fetch Headers object joins them with a comma.
  const named = rawHeaders?.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization') ?? []
  if (values.length > 1 || named.length > 1 || /,\s*basic\s/i.test(value)) fail('authorization_repeated')
  return value
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeBase64(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64')
  // Buffer skips what it does not know; only the one canonical spelling (RFC 4648 §3.5) is taken.
  if (bytes.toString('base64') !== text) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
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
  if (pair === undefined) return fail('basic_malformed', 'The Basic credentials are not base64 of UTF-8 text.')
  const colon = pair.indexOf(':')
  if (colon < 0) return fail('basic_malformed', 'The Basic credentials hold no colon.')
  const clientId = formDecode(pair.slice(0, colon))
  const undecoded = pair.slice(colon + 1)
  const secret = formDecode(undecoded)
  if (clientId === undefined || secret === undefined) {
    return fail('basic_malformed', 'The client_id and secret in Basic credentials must each be form-urlencoded.')
  }
  if (!isClientId(clientId) || !isSecret(secret)) return fail('basic_malformed')
  const inBody = formClientId(form)
  // Postman's and Google's clients repeat the id in the body; another one would confuse the handler behind.
  if (inBody !== undefined && inBody !== clientId) return fail('client_id_conflict')
  if (secret === '') return fail('basic_without_secret')
  const credentials = { kind: 'secret', method: 'client_secret_basic', clientId, secret } as const
  return undecoded === secret ? credentials : { ...credentials, undecoded }
}

function readPost(form: Form, secret: string): Credentials {
  const clientId = formClientId(form) ?? fail('client_id_missing')
  if (!isSecret(secret)) return fail('parameter_malformed', 'client_secret is too long or holds control characters.')
  return { kind: 'secret', method: 'client_secret_post', clientId, secret }
}

function readAssertionParameters(form: Form, assertion: string): Credentials {
  if (form.client_assertion_type !== JWT_BEARER) return fail('assertion_type')
  if (assertion.length > 16_384) return fail('parameter_malformed', 'client_assertion is longer than 16384 characters.')
  return { kind: 'assertion', assertion, clientId: formClientId(form) }
}

function withoutProof(form: Form, authorization: string | undefined, allowPublic: boolean): Credentials {
  const clientId = formClientId(form)
  if (allowPublic && clientId !== undefined) return { kind: 'none', method: 'none', clientId }
  if (form.assertion !== undefined && !assertionGrants.includes(form.grant_type ?? '')) fail('assertion_parameter')
  return fail(authorization === undefined ? 'no_credentials' : 'authorization_scheme')
}

/**
 * Reads the one set of credentials that a request may hold (RFC 6749 §2.3), or throws. Credentials in
 * the query string are never read (RFC 6749 §2.3.1). `allowPublic` takes a bare `client_id` (RFC 6749 §3.2.1).
 */
export function extractCredentials(request: ClientAuthRequest, allowPublic: boolean): Credentials {
  const form = readForm(request.body)
  const authorization = authorizationHeader(request)
  const basic = authorization === undefined ? null : /^basic(?: +(.*))?$/is.exec(authorization)
  const { client_secret: secret, client_assertion: assertion } = form

  // RFC 6749 §2.3: one method per request. Another Authorization scheme (DPoP, a user's token) is not one.
  if ([basic ?? undefined, secret, assertion].filter((used) => used !== undefined).length > 1)
    fail('multiple_mechanisms')
  if (assertion === undefined && form.client_assertion_type !== undefined) fail('assertion_missing')
  if (assertion !== undefined) return readAssertionParameters(form, assertion)
  if (basic !== null) return readBasic(basic[1] ?? '', form)
  if (secret !== undefined) return readPost(form, secret)
  return withoutProof(form, authorization, allowPublic)
}

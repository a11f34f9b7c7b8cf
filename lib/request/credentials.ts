import { printableId } from '../basics/printable'
import { algorithms } from '../jwt/algorithms'
import { decodeJws, type Jws } from '../jwt/jws'
import type { ClientAuthMethod, ClientAuthRequest } from '../types'
import { type Basic, decodeBasic } from './basic'
import { readForm, type ReceivedForm } from './form'
import { countRaw, headerValues } from './headers'
import { isClientId } from './syntax'

/** The longest assertion that is decoded, in characters. */
export const maxAssertion = 16_384

/** A secret that a request presents. */
export interface SecretCredentials {
  readonly kind: 'secret'
  readonly methods: readonly ClientAuthMethod[]
  readonly clientId: string
  readonly secret: string
  /** The secret as it stood in the Basic header, where form-decoding changed it. */
  readonly undecoded: string | undefined
}

/** A decoded assertion that a request presents. */
export interface AssertionCredentials {
  readonly kind: 'assertion'
  readonly methods: readonly ClientAuthMethod[]
  /** `sub` of a client's own assertion, where it can be a client_id; of another issuer's, the client_id in the form. */
  readonly clientId: string
  /** The client_id that the form holds beside it. */
  readonly formClientId: string | undefined
  readonly jws: Jws
}

/** A `client_id` alone. Which method that is depends on what the client is registered for. */
export interface BareCredentials {
  readonly kind: 'bare'
  readonly methods: readonly ClientAuthMethod[]
  readonly clientId: string
}

/** The one set of credentials of a request; proving sees this and never the request. */
export type Credentials = SecretCredentials | AssertionCredentials | BareCredentials

/** What a request holds, read and decoded but not judged. */
export interface Received extends ReceivedForm {
  readonly authorization: string | undefined
  readonly authorizations: number
  readonly mechanism: 'basic' | 'post' | 'assertion' | 'bare'
  readonly basic: Basic | undefined
  readonly jws: Jws | undefined
  /** The method that the assertion means: what it says decides, and no rule of one holds for another. */
  readonly assertionMethod: ClientAuthMethod | undefined
  readonly accepted: AcceptedHere
}

/** What decides on this server how a request is read. */
export interface AcceptedHere {
  /** The methods that a `client_id` alone may mean (RFC 6749 §3.2.1). */
  readonly bareMethods: readonly ClientAuthMethod[]
  /** Those of {@link issuerMethods} that are accepted. */
  readonly issuerMethods: readonly ClientAuthMethod[]
}

/** The methods by which the token of another issuer authenticates. */
export const issuerMethods: readonly ClientAuthMethod[] = ['federated_jwt', 'spiffe_jwt']

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/** RFC 8725 §3.12: the type decides, then whether the client speaks for itself, then the family of `alg` (OIDC Core §9). */
function assertionMethodOf(jws: Jws, type: string | undefined, accepted: AcceptedHere): ClientAuthMethod {
  if (accepted.issuerMethods.length > 0) {
    if (type === JWT_SPIFFE) return 'spiffe_jwt'
    if (jws.iss !== jws.sub && accepted.issuerMethods.includes('federated_jwt')) return 'federated_jwt'
  }
  return algorithms.get(jws.alg)?.kty === 'oct' ? 'client_secret_jwt' : 'private_key_jwt'
}

/** Reads what a request holds. Credentials in the query string are never read (RFC 6749 §2.3.1). */
export function receive(request: ClientAuthRequest, accepted: AcceptedHere): Received {
  const { form, isReadable, repeated, malformed } = readForm(request)
  const { client_assertion: assertion, client_secret: secret } = form
  const values = headerValues(request.headers, 'authorization')
  const authorization = typeof values[0] === 'string' ? values[0] : undefined
  // Node keeps the first of several in `headers`.
  const rawHeaders = authorization === undefined ? undefined : (request.rawHeaders ?? request.raw?.rawHeaders)
  const token = authorization === undefined ? null : /^basic(?:$| +(.*)|\s)/is.exec(authorization)
  const jws = assertion === undefined || assertion.length > maxAssertion ? undefined : decodeJws(assertion)
  return {
    form,
    isReadable,
    repeated,
    malformed,
    authorization,
    authorizations: Math.max(values.length, rawHeaders === undefined ? 0 : countRaw(rawHeaders, 'authorization')),
    mechanism:
      assertion !== undefined ? 'assertion' : token !== null ? 'basic' : secret !== undefined ? 'post' : 'bare',
    basic: token === null ? undefined : decodeBasic(token[1] ?? ''),
    jws,
    assertionMethod: jws && assertionMethodOf(jws, form.client_assertion_type, accepted),
    accepted
  }
}

/** Whether the assertion is the token of another issuer: it then names the client to its issuer, and the form here. */
export const isOfIssuer = ({ assertionMethod }: Received): boolean =>
  assertionMethod !== undefined && issuerMethods.includes(assertionMethod)

/** The client that a request claims to be, wherever it says so; not judged, not proven. */
function claimedId(received: Received): string | undefined {
  const { basic, jws, form } = received
  const claimed = [basic?.clientId, isOfIssuer(received) ? undefined : jws?.sub, form.client_id]
  return claimed.find(isClientId)
}

/** What a request presents as its secret, decoded and not. */
export const presentedSecrets = ({ basic, form }: Received): string[] =>
  [basic?.secret, basic?.undecoded, form.client_secret]
    .filter((secret) => secret !== undefined)
    .filter((secret) => secret !== '')

/** The claimed id for logs. No client is known to have it, so it may be a secret in the wrong place. */
export function shownId(received: Received): string | undefined {
  const id = claimedId(received)
  return id && printableId(id, presentedSecrets(received)[0])
}

/** The same for the credentials of a request. */
export function shownClientId(credentials: Credentials): string {
  const { kind, clientId } = credentials
  return printableId(clientId, kind === 'secret' ? credentials.secret : '')
}

/** The credentials of a request that keeps {@link credentialRules}. */
export function credentialsOf(received: Received): Credentials {
  const { mechanism, basic, jws, form, assertionMethod, accepted } = received
  const formClientId = form.client_id
  if (jws !== undefined && assertionMethod !== undefined) {
    const ownId = isClientId(jws.sub) ? jws.sub : ''
    const clientId = isOfIssuer(received) ? (formClientId ?? '') : ownId
    return { kind: 'assertion', methods: [assertionMethod], clientId, formClientId, jws }
  }
  if (basic !== undefined) {
    const { clientId, secret, undecoded } = basic
    return { kind: 'secret', methods: ['client_secret_basic'], clientId, secret, undecoded }
  }
  const clientId = formClientId ?? ''
  if (mechanism === 'post') {
    const secret = form.client_secret ?? ''
    return { kind: 'secret', methods: ['client_secret_post'], clientId, secret, undecoded: undefined }
  }
  return { kind: 'bare', methods: accepted.bareMethods, clientId }
}

/** The method that a request uses, as far as the request alone tells. */
export function claimedMethod(received: Received): ClientAuthMethod | undefined {
  const { mechanism, jws, assertionMethod, accepted } = received
  if (mechanism === 'basic') return 'client_secret_basic'
  if (mechanism === 'post') return 'client_secret_post'
  const { bareMethods } = accepted
  if (mechanism === 'bare') return bareMethods.length === 1 && received.form.client_id ? bareMethods[0] : undefined
  return jws && algorithms.has(jws.alg) ? assertionMethod : undefined
}

/**
 * The id of the client that a request claims to be, read exactly as the package reads it: the form-decoded id of a
 * Basic header, `client_id` in the parsed body, or `sub` of an assertion. Nothing is proven. The key for a
 * limit of your own: an id read in another way could be spelt in many ways, each with a limit of its own. `createBrake`
 * is a limit on guessing (RFC 6749 §2.3.1).
 *
 * @param request - headers and body; a body that is not parsed yet is not read
 * @returns 1 to 1024 printable ASCII characters, or `undefined` where the request names no client
 *
 * @example
 * const key = `${req.ip} ${claimedClientId(req) ?? ''}`
 */
export function claimedClientId(request: ClientAuthRequest): string | undefined {
  const received = receive(request, { bareMethods: [], issuerMethods })
  const { jws } = received
  // An assertion whose iss is missing or wrong still names its client, where nothing else does.
  return claimedId(received) ?? [jws?.sub].find(isClientId)
}

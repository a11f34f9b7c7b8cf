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
  /** `sub`, where it can be a client_id; else the empty string. */
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
  /** The methods that a `client_id` alone may mean on this server. */
  readonly bareMethods: readonly ClientAuthMethod[]
}

const sole = (method: ClientAuthMethod): readonly ClientAuthMethod[] => Object.freeze([method])
const basicMethods = sole('client_secret_basic')
const postMethods = sole('client_secret_post')
const secretJwt = sole('client_secret_jwt')
const keyJwt = sole('private_key_jwt')

/**
 * Reads what a request holds. Credentials in the query string are never read (RFC 6749 §2.3.1). `bareMethods` are
 * those that a `client_id` alone may mean (RFC 6749 §3.2.1).
 */
export function receive(request: ClientAuthRequest, bareMethods: readonly ClientAuthMethod[]): Received {
  const { form, isReadable, repeated, malformed } = readForm(request)
  const { client_assertion: assertion, client_secret: secret } = form
  const values = headerValues(request.headers, 'authorization')
  const authorization = typeof values[0] === 'string' ? values[0] : undefined
  // Node keeps the first of several in `headers`.
  const rawHeaders = authorization === undefined ? undefined : (request.rawHeaders ?? request.raw?.rawHeaders)
  const token = authorization === undefined ? null : /^basic(?:$| +(.*)|\s)/is.exec(authorization)
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
    jws: assertion === undefined || assertion.length > maxAssertion ? undefined : decodeJws(assertion),
    bareMethods
  }
}

/** The family of `alg` decides between the two methods (OIDC Core §9). */
const methodsOf = ({ alg }: Jws): readonly ClientAuthMethod[] =>
  algorithms.get(alg)?.kty === 'oct' ? secretJwt : keyJwt

/** The client that a request claims to be, wherever it says so; not judged, not proven. */
export function claimedId({ basic, jws, form }: Received): string | undefined {
  const claimed = [basic?.clientId, jws?.sub, form.client_id]
  return claimed.find(isClientId)
}

/** The credentials of a request that keeps {@link credentialRules}. */
export function credentialsOf(received: Received): Credentials {
  const { mechanism, basic, jws, form, bareMethods } = received
  const formClientId = form.client_id
  if (mechanism === 'assertion' && jws !== undefined) {
    return {
      kind: 'assertion',
      methods: methodsOf(jws),
      clientId: isClientId(jws.sub) ? jws.sub : '',
      formClientId,
      jws
    }
  }
  if (mechanism === 'basic' && basic !== undefined) {
    const { clientId, secret, undecoded } = basic
    return {
      kind: 'secret',
      methods: basicMethods,
      clientId,
      secret,
      undecoded: undecoded === secret ? undefined : undecoded
    }
  }
  const clientId = formClientId ?? ''
  if (mechanism === 'post') {
    return { kind: 'secret', methods: postMethods, clientId, secret: form.client_secret ?? '', undecoded: undefined }
  }
  return { kind: 'bare', methods: bareMethods, clientId }
}

/** The method that a request uses, as far as the request alone tells. */
export function claimedMethod(received: Received): ClientAuthMethod | undefined {
  const { mechanism, jws, bareMethods } = received
  if (mechanism === 'basic') return 'client_secret_basic'
  if (mechanism === 'post') return 'client_secret_post'
  if (mechanism === 'bare') return bareMethods.length === 1 && received.form.client_id ? bareMethods[0] : undefined
  return jws && algorithms.has(jws.alg) ? methodsOf(jws)[0] : undefined
}

/**
 * The id of the client that a request claims to be, read exactly as the package reads it: the form-decoded id of a
 * Basic header, `client_id` in the parsed body, or `sub` of an assertion. Nothing is proven. The key for a rate limit
 * (RFC 6749 §2.3.1): an id read in another way could be spelt in many ways, each with a limit of its own.
 *
 * @param request - headers and body; a body that is not parsed yet is not read
 * @returns 1 to 256 printable ASCII characters, or `undefined` where the request names no client
 *
 * @example
 * rateLimit({ keyGenerator: (req) => `${ipKeyGenerator(req.ip)} ${claimedClientId(req) ?? ''}` })
 */
export const claimedClientId = (request: ClientAuthRequest): string | undefined => claimedId(receive(request, []))

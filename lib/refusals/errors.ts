/** The OAuth error codes that this package answers with (RFC 6749 §5.2, §4.1.2.1, RFC 7591 §3.2.2). */
export type ClientAuthErrorCode =
  'invalid_request' | 'invalid_client' | 'invalid_client_metadata' | 'temporarily_unavailable'

/** Facts behind a failure: what was `expected`, what was `received`, and whatever else explains it. */
export type Detail = Readonly<Record<string, unknown>>

interface ReasonEntry {
  readonly code: ClientAuthErrorCode
  readonly status: number
  readonly message: string
}

const badRequest = (message: string, status = 400) => ({ code: 'invalid_request', status, message }) as const
const badClient = (message: string) => ({ code: 'invalid_client', status: 401, message }) as const
/** One answer for all that depends on what is registered, so that nothing can be probed. */
const unproven = badClient('Client authentication failed.')
const noCertificate = badClient('A client certificate is required.')
const unavailable = {
  code: 'temporarily_unavailable',
  status: 503,
  message: 'Client authentication is temporarily unavailable.'
} as const

/**
 * Every way in which a request can fail, with the OAuth code, status and words that go on the wire.
 * Where the message is that of `unproven`, only the reason tells the cases apart.
 */
export const reasons = {
  /** The body has a content type other than `application/x-www-form-urlencoded`. */
  body_content_type: badRequest('The body must be application/x-www-form-urlencoded.'),
  /** The body cannot be read as a form: broken off, badly encoded, or taken by another parser. */
  body_unreadable: badRequest('The body could not be read as application/x-www-form-urlencoded.'),
  /** The body exceeds `bodyLimit` or has too many parameters. */
  body_too_large: badRequest('The body is too large.', 413),
  /** A parameter stands in the request more than once (RFC 6749 §3.2). */
  parameter_repeated: badRequest('A parameter is repeated.'),
  /** A parameter is too long or holds characters that are not allowed there (RFC 6749 Appendix A). */
  parameter_malformed: badRequest('A parameter is malformed.'),
  /** More than one `Authorization` header. */
  authorization_repeated: badRequest('More than one Authorization header.'),
  /** More than one authentication mechanism (RFC 6749 §2.3). */
  multiple_mechanisms: badRequest('More than one client authentication mechanism in one request.'),
  /** The `client_id` in the body is not the one in the Authorization header. */
  client_id_conflict: badRequest('client_id differs from the client in the Authorization header.'),
  /** `client_secret` without `client_id`. */
  client_id_missing: badRequest('client_secret needs client_id.'),
  /** `client_assertion` without `client_assertion_type`, or with another than the JWT one. */
  assertion_type: badRequest(
    'client_assertion needs client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer.'
  ),
  /** `client_assertion_type` without `client_assertion`. */
  assertion_missing: badRequest(
    'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer needs client_assertion: send the JWT in the parameter client_assertion.'
  ),
  /** The JWT came in `assertion`, the parameter of another grant. */
  assertion_parameter: badRequest(
    'assertion is no client authentication: send the JWT in the parameter client_assertion, with client_assertion_type.'
  ),

  /** No credentials at all. */
  no_credentials: badClient('No client credentials in the request.'),
  /** An `Authorization` scheme that authenticates no client here, and no other credentials. */
  authorization_scheme: badClient('This Authorization scheme does not authenticate a client here.'),
  /** The Basic header cannot be decoded (RFC 7617 §2, RFC 6749 §2.3.1). */
  basic_malformed: badClient('The Basic credentials are malformed.'),
  /** The Basic header has an empty secret. */
  basic_without_secret: badClient('The Basic credentials hold no secret.'),
  /** The server does not accept the method that the request uses. */
  method_not_supported: badClient('This server does not accept this client authentication method.'),
  /** `client_secret_jwt` where secrets are hashed (`verifySecret`): a hash as HMAC key would be pass-the-hash. */
  secret_hashed: badClient('This server does not accept client_secret_jwt.'),

  /** The assertion is not one compact JWS with a JSON object of claims. */
  assertion_malformed: badClient('client_assertion is not a signed JWT (compact JWS with a JSON object of claims).'),
  /** `alg` is missing, `none`, or not among the server's algorithms. */
  assertion_alg: badClient('The alg of client_assertion is not supported.'),
  /** `typ` names another kind of JWT. */
  assertion_typ: badClient('The typ of client_assertion must be JWT or client-authentication+jwt, or be left out.'),
  /** A critical header parameter that is not understood (RFC 7515 §4.1.11). */
  assertion_crit: badClient('client_assertion has critical header parameters (crit, b64), which are not supported.'),
  /** `iss` and `sub` are not both the client_id. */
  assertion_subject: badClient('iss and sub of client_assertion must both be the client_id.'),
  /** `aud` does not name this server as it must. */
  assertion_audience: badClient('The aud of client_assertion does not name this server.'),
  /** `exp` is missing or not a number. */
  assertion_exp: badClient('client_assertion needs exp, a number of seconds since the epoch.'),
  /** `exp` has passed. */
  assertion_expired: badClient('client_assertion has expired.'),
  /** `exp` lies further ahead than `maxAssertionLifetime`. */
  assertion_lifetime: badClient('The exp of client_assertion lies too far ahead.'),
  /** `nbf` or `iat` is not a number or lies in the future. */
  assertion_not_yet_valid: badClient('client_assertion is not valid yet.'),
  /** A time claim is in milliseconds. */
  assertion_milliseconds: badClient(
    'A time claim of client_assertion is in milliseconds: use seconds since the epoch.'
  ),
  /** `jti` is missing though required, empty, or not a string. */
  assertion_jti: badClient('client_assertion needs jti, a non-empty string.'),
  /** The assertion has been used before. */
  assertion_replayed: badClient('client_assertion has been used before: each request needs a new one.'),

  /** No client has this id. */
  unknown_client: unproven,
  /** The client is not registered for the method that it used. */
  method_not_registered: unproven,
  /** No live secret matches. */
  secret_mismatch: unproven,
  /** The secret matches only undecoded: the client does not form-encode its Basic credentials (RFC 6749 §2.3.1). */
  secret_not_form_encoded: unproven,
  /** The only secrets that could match have expired, or none is stored. */
  no_live_secret: unproven,
  /** The stored secret looks like a hash, but no `verifySecret` compares hashes: the hash would be the password. */
  secret_stored_as_hash: unproven,
  /** `alg` is not the client's registered `token_endpoint_auth_signing_alg`. */
  alg_not_registered: unproven,
  /** The client has neither `jwks` nor `jwks_uri`, or both. */
  keys_not_registered: unproven,
  /** The client's inline `jwks` is no usable key set, or holds private or symmetric keys. */
  jwks_invalid: unproven,
  /** The `jwks_uri` gave no key set: refused by the guard, unreachable, or unusable. `cause` tells. */
  jwks_unavailable: unproven,
  /** No key of the set fits `kid` and `alg`. */
  no_matching_key: unproven,
  /** No fitting key verifies the signature. */
  signature_mismatch: unproven,
  /** The secret verifies the assertion but is shorter than the MAC (OIDC Core §16.19). */
  secret_too_short: badClient(
    'The client secret is too short for this algorithm: it needs as many octets as the hash output.'
  ),
  /** The request has a `client_id` alone, and its connection no client certificate. */
  certificate_missing: noCertificate,
  /** The header of the proxy is not exactly one certificate, or stands twice. `cause` tells. */
  certificate_header: badClient('The client certificate could not be read.'),
  /** A certificate header that does not come from a trusted proxy: it is misconfigured, or somebody imitates it. */
  certificate_proxy: noCertificate,
  /** The certificate has ended, or does not hold yet. */
  certificate_expired: badClient('The client certificate is not valid at this time.'),
  /** The key of the certificate is too short, or of a kind that is not supported. */
  certificate_weak: badClient('The key of the client certificate is too weak or of an unsupported type.'),
  /** Nobody vouches for the certificate, or it is one of an authority. */
  certificate_unverified: unproven,
  /** The certificate has another subject than the registered one. */
  certificate_subject: unproven,
  /** It differs from the registered one in order, case, spaces or normalisation only. `detail` has the text to register. */
  certificate_subject_form: unproven,
  /** The client has registered no subject, several, or one that cannot be used (RFC 8705 §2.1.2). */
  certificate_subject_not_registered: unproven,
  /** The certificate is not among the client's registered ones (RFC 8705 §2.2). */
  certificate_not_registered: unproven,
  /** The client is registered for bound tokens, and its connection has no client certificate (RFC 8705 §3). */
  certificate_required: badRequest('This client needs a client certificate: its access tokens are bound to it.'),

  /** A slow secret verification, or its wait, took too long, or too many are waiting (`rememberSecrets`). */
  secret_verifier_busy: unavailable,
  /** The replay store threw or did not answer in time. */
  replay_store_unavailable: unavailable,
  /** The replay store, or the client's share of it, is full of unexpired entries. */
  replay_store_full: unavailable,
  /** Client metadata that cannot be registered (RFC 7591 §3.2.2). */
  invalid_client_metadata: { code: 'invalid_client_metadata', status: 400, message: 'The client metadata is invalid.' }
} as const satisfies Record<string, ReasonEntry>

/** The stable machine name of a failure, for logs, counters and alerts; never on the wire. */
export type ClientAuthErrorReason = keyof typeof reasons

/** Every {@link ClientAuthErrorReason}, for counters that start at zero and for tests. */
export const clientAuthErrorReasons: readonly ClientAuthErrorReason[] = Object.freeze(
  Object.keys(reasons) as ClientAuthErrorReason[]
)

/** RFC 6749 §5.2: error_description holds only %x20-21 / %x23-5B / %x5D-7E. */
const wireSafe = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')

/**
 * A value from outside as logs may show it: strings are cut to 256 printable ASCII characters, lists to ten items,
 * and of an object only the kind is told.
 */
export function printable(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, 256).replace(/[^\x20-\x7e]/g, '?')
  if (Array.isArray(value))
    return value.slice(0, 10).map((item) => (Array.isArray(item) ? 'an array' : printable(item)))
  return typeof value === 'object' && value !== null ? 'an object' : value
}

/** All but the reason. */
interface ErrorParts {
  message?: string | undefined
  detail?: (() => Detail) | undefined
  cause?: unknown
}

/**
 * A refused request. `message` is safe for the wire: it is the `error_description`. `reason` and `detail` are for logs.
 * None of them, nor `cause`, ever holds a secret or an assertion.
 *
 * @example
 * onError: (error, req, res, next) => {
 *   log.warn({ reason: error.reason, detail: error.detail, clientId: error.clientId })
 *   res.status(error.status).json(error)
 * }
 */
export class ClientAuthError extends Error {
  override readonly name = 'ClientAuthError'
  /** Stable, for logs: tells apart what the answer must not. */
  readonly reason: ClientAuthErrorReason
  /** The OAuth `error`. */
  readonly code: ClientAuthErrorCode
  /** The HTTP status. */
  status: number
  /** The response headers that belong to this error. Express' final handler sends them. */
  headers: Record<string, string> = {}
  /** The client that the request named, where it named one. Claimed, not proven. */
  clientId?: string
  #detail: Detail | (() => Detail) | undefined

  /** @internal */
  constructor(reason: ClientAuthErrorReason, { message, detail, cause }: ErrorParts = {}) {
    const { code, status, message: words }: ReasonEntry = reasons[reason]
    super(message === undefined ? words : wireSafe(message))
    this.reason = reason
    this.code = code
    this.status = status
    this.#detail = detail
    if (cause !== undefined) this.cause = cause
  }

  /**
   * The facts behind the reason, for logs only: what was `expected`, what was `received`, which key was missing. They
   * may tell what is registered, so never send them to the caller. Put together when first read.
   */
  get detail(): Detail | undefined {
    if (typeof this.#detail === 'function') this.#detail = this.#detail()
    return this.#detail
  }

  /** The same as `status`, under the name that http-errors uses (and sets). */
  get statusCode(): number {
    return this.status
  }

  set statusCode(status: number) {
    this.status = status
  }

  /** The body of the OAuth answer (RFC 6749 §5.2). */
  toJSON(): { error: ClientAuthErrorCode; error_description: string } {
    return { error: this.code, error_description: this.message }
  }
}

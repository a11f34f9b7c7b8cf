/// <reference types="node" preserve="true" />
import type { X509Certificate } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/**
 * How a client may authenticate (RFC 7591 §2, OIDC Core §9); `none` is a public client. `federated_jwt` is our name for
 * the signed token of another issuer (RFC 7523), `spiffe_jwt` that of the draft for SPIFFE JWT-SVIDs.
 */
export type ClientAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'
  | 'federated_jwt'
  | 'spiffe_jwt'
  | 'none'

/** Editors complete the known names. Any other text compiles too, since records come from databases; it never matches. */
type MethodName = ClientAuthMethod | (string & Record<never, never>)

/** A JSON Web Key (RFC 7517 §4), public keys only. */
export interface Jwk {
  kty?: string | undefined
  kid?: string | undefined
  use?: string | undefined
  alg?: string | undefined
  key_ops?: string[] | undefined
  [member: string]: unknown
}

/** A JSON Web Key Set (RFC 7517 §5). */
export interface JwkSet {
  keys: Jwk[]
}

/** A client secret with an end of its own, for rotation: see {@link OAuthClient.client_secret}. */
export interface ClientSecret {
  /** The secret, or its stored hash where `verifySecret` compares hashes. */
  value: string
  /** When the secret ends, as `client_secret_expires_at` tells it; 0 or absent: never. */
  expires_at?: number | bigint | string | Date | null | undefined
}

/** Who a client is to another issuer: the `iss` and the `sub` of its tokens, both compared exactly. No pattern. */
export interface FederatedIdentity {
  /** A key of the option `trustedIssuers`. */
  issuer: string
  subject: string
}

/**
 * What `getClient` returns: the client's registered metadata by its RFC 7591 names. Merge your own
 * fields into this interface, or pass your own type to `clientAuth<C>()`.
 */
export interface OAuthClient {
  /**
   * The very id that was looked up; a number or bigint that spells it counts too. A record with another one is an unknown
   * client: the process is warned once, and `oauth-client-auth:failed` tells each time.
   */
  client_id: string
  /**
   * The method registered for the client, or a list while it moves from one to another.
   * Default `client_secret_basic` (RFC 7591 §2). No other method is ever accepted for it.
   */
  token_endpoint_auth_method?: MethodName | readonly MethodName[] | null | undefined
  /**
   * The methods that the client offers (OpenID RP Metadata Choices). Read only where `token_endpoint_auth_method` is
   * absent: those of them that the server accepts are then registered.
   */
  token_endpoint_auth_methods_supported?: readonly MethodName[] | null | undefined
  /** The only signature algorithm this client may use; absent: any that the server accepts. */
  token_endpoint_auth_signing_alg?: string | null | undefined
  /** The secret, or all live ones while it is rotated. An empty one never matches. */
  client_secret?: string | readonly (string | ClientSecret)[] | null | undefined
  /**
   * When secrets without an `expires_at` of their own end: seconds since the epoch, also as bigint or text, or a time
   * with its zone, as Date or text; 0: never. With anything else no secret matches.
   */
  client_secret_expires_at?: number | bigint | string | Date | null | undefined
  /** The client's public keys; never together with `jwks_uri` (RFC 7591 §2). */
  jwks?: JwkSet | null | undefined
  /** Where the client publishes its public keys; fetched through the guard of `keySets`. */
  jwks_uri?: string | null | undefined
  /**
   * Who a `federated_jwt` client is to trusted issuers: 1 to 20 identities, each of which authenticates it. One with
   * `*` never matches, since it is no pattern here.
   *
   * @example [{ issuer: 'https://token.actions.githubusercontent.com', subject: 'repo:acme/shop:ref:refs/heads/main' }]
   */
  federated_identities?: readonly FederatedIdentity[] | null | undefined
  /**
   * The SPIFFE ID of a `spiffe_jwt` client: exact, or ending in `/*` for every ID with whole segments below. All
   * workloads that such an ID fits are this one client.
   */
  spiffe_id?: string | null | undefined
  /**
   * The subject of a `tls_client_auth` client (RFC 8705 §2.1.2): exactly one of the five. This one is a distinguished
   * name as in RFC 4514, compared RDN by RDN, in order and in case.
   */
  tls_client_auth_subject_dn?: string | null | undefined
  /** A DNS name among the alternative names of the certificate; no wildcard. */
  tls_client_auth_san_dns?: string | null | undefined
  /** A URI among the alternative names, compared as text. */
  tls_client_auth_san_uri?: string | null | undefined
  /** An IP address among the alternative names. */
  tls_client_auth_san_ip?: string | null | undefined
  /** A mail address among the alternative names. */
  tls_client_auth_san_email?: string | null | undefined
  /** Whether access tokens are bound to the client's certificate (RFC 8705 §3.4). It then always needs one. */
  tls_client_certificate_bound_access_tokens?: boolean | null | undefined
}

/**
 * Compares a presented secret with a stored one, or with its hash.
 *
 * @param presented - the secret in the request, decoded
 * @param stored - one of the client's stored secrets
 * @param client - the client's record. For an id that nobody has, a record that holds this `client_id` alone: the call
 *   is then made for its time only, and its outcome does not count.
 * @returns exactly `true` or `false`, or a promise of it
 * @throws whatever it throws is a server error and goes to `next`
 *
 * @example
 * const verifySecret: VerifySecret = (presented, stored) => bcrypt.compare(presented, stored)
 */
export type VerifySecret<C extends OAuthClient = OAuthClient> = (
  presented: string,
  stored: string,
  client: C
) => boolean | Promise<boolean>

/** The request as `authenticate()` reads it; a Node, Express or Fastify request fits. */
export interface ClientAuthRequest {
  /** Node's header object (`req.headers` or `req.headersDistinct`), or a Fetch `Headers`. */
  headers: IncomingHttpHeaders | NodeJS.Dict<string[]> | Headers
  /** Node's raw header list; where present, a repeated `Authorization` header is recognised by it. */
  rawHeaders?: readonly string[] | undefined
  /** Where a framework keeps Node's own request (Fastify's `request.raw`): its `rawHeaders` are read. */
  raw?: { readonly rawHeaders?: readonly string[] | undefined } | undefined
  /** The parsed form body: a plain object (an array value means repetition) or `URLSearchParams`. */
  body?: unknown
  /** The request target, as `req.url`. `explain` alone reads it: credentials in a query string are never taken. */
  url?: string | undefined
  /** The connection (`req.socket` of Node): a client certificate of TLS, and the address of a proxy, are found by it. */
  socket?: { readonly remoteAddress?: string | undefined } | null | undefined
}

/** An issuer, or a SPIFFE trust domain, whose tokens authenticate clients: an entry of the option `trustedIssuers`. */
export interface TrustedIssuer {
  /** Its public keys, pasted: nothing is fetched, and a new key needs a new start. Of a trust domain: with `use: jwt-svid`. */
  jwks?: JwkSet | undefined
  /**
   * Where its keys, or the bundle of a trust domain, are. Default: by discovery, from
   * `<issuer>/.well-known/openid-configuration`; a trust domain needs `jwks` or this.
   */
  jwks_uri?: string | undefined
  /** The one `aud` demanded of its tokens, alone in them. Default the option `issuer`; if set, only this value. */
  audience?: string | undefined
  /**
   * Whether a token may be used more than once while it lives. Default `false`. With `true` whoever sees a token can use
   * it until it ends: only for issuers that hand out the same token again (Kubernetes, SPIRE), never where tokens pass
   * through the logs of a build.
   */
  reusable?: boolean | undefined
  /** How far ahead `exp` may lie, in seconds, plus `clockTolerance`; at most a week. Default 3600. */
  maxLifetime?: number | undefined
}

/** A verified client assertion. */
export interface VerifiedAssertion {
  header: Readonly<Record<string, unknown>>
  claims: Readonly<Record<string, unknown>>
}

/** What an authenticated request carries as `req.oauthClientAuth`. */
export interface ClientAuthentication {
  clientId: string
  /** The method that the client used. */
  method: ClientAuthMethod
  /** Present for `private_key_jwt`, `client_secret_jwt`, `federated_jwt` and `spiffe_jwt`. */
  assertion?: VerifiedAssertion
  /**
   * Present where the option `clientCertificates` found a certificate with the request, whatever the method. That of a
   * proxy's header is decoded when this is first read, and is `undefined` where the header holds none.
   */
  certificate?: AttachedCertificate
  /**
   * Present for a client that is registered for bound tokens: copy it into the access token (RFC 8705 §3.1), and for a
   * public client store it with the refresh token and compare it when that is used (§4).
   */
  cnf?: { 'x5t#S256': string }
}

/** The client certificate of a request. Only the methods of RFC 8705 authenticate by it. */
export interface AttachedCertificate {
  /** The SHA-256 of the DER in base64url (RFC 8705 §3.1). */
  'x5t#S256': string
  /** The subject, as `tls_client_auth_subject_dn` can register it; empty where it has none, or one of unknown types. */
  subject: string
  /** Whether the handshake or the proxy has validated the path to a trusted authority. */
  verified: boolean
  x509: X509Certificate
}

/** The result of `authenticate()`: {@link ClientAuthentication} and the looked-up client itself. */
export interface AuthenticatedClient<C extends OAuthClient = OAuthClient> extends ClientAuthentication {
  /** The very object that `getClient` returned. */
  client: C
}

/** Where a `jwks_uri` is resolved: `createJwksFetcher()`, or anything with its `get`. */
export interface KeySets {
  /**
   * The key set at `uri`. Whoever changes a set hands out a new object.
   * `refresh` asks for a newer set than the one in hand, because a key was not found in it; the
   * implementation bounds how often it really asks, and answers with what it has otherwise.
   * Rejects when there is no set to be had: the client is then refused.
   */
  get(uri: string, options?: { refresh?: boolean }): Promise<JwkSet>
  /** Throws an `Error` that says why `uri` can never be fetched; lets registration refuse it early. */
  check?(uri: string): void
  /**
   * The set in hand for `uri`, fresh or not, or `undefined`. Has no effect: fetches nothing, and waits for nothing.
   * Lets `explain` judge by cached keys; without this method it says that the keys were not looked at.
   */
  cached?(uri: string): JwkSet | undefined
  /**
   * Another JSON object that leads to keys: what an issuer publishes about itself, or a trust bundle. It is judged by
   * whoever asks for it. Frozen, and the same object while its content is unchanged. Fetched, cached and refreshed as
   * `get` does, with the same hosts, limits and errors. Without this method only issuers whose keys are given as `jwks`
   * or `jwks_uri` can be trusted.
   */
  document?(uri: string, options?: { refresh?: boolean }): Promise<Readonly<Record<string, unknown>>>
  /**
   * Ends what is under way, and the process that fetches once nobody needs it any more: for the end of a server. What
   * is cached can still be had; nothing is fetched after it.
   */
  close?(): void
}

/** One use of an assertion, as a {@link ReplayStore} remembers it. */
export interface ReplayEntry {
  /** The client that the assertion authenticates; ids of different clients never collide. */
  clientId: string
  /**
   * `jti`, or, without one, the SHA-256 of the signed part; behind the issuer and a space for a token of another issuer.
   * Any length, any characters.
   */
  id: string
  /** Seconds since the epoch until which the entry must be remembered, leeway included. */
  expiresAt: number
  /**
   * Present for a client that nobody registered (`createClientDocuments`): the host that its document comes from.
   * Anybody can make such clients, so a store with a limit bounds what they fill together, and each group apart. A store
   * without one may ignore it.
   */
  group?: string
}

/** Where used assertions are remembered (RFC 7523 §3 item 7, OIDC Core §9). */
export interface ReplayStore {
  /**
   * `true` the first time an entry is seen, `false` ever after until `expiresAt`; one atomic step
   * (checking first and writing after lets parallel replays through). Throwing or rejecting
   * refuses the request with 503.
   */
  consume(entry: ReplayEntry): boolean | Promise<boolean>
  /**
   * Whether an entry is remembered. Changes nothing: `explain` asks it, and says nothing of replays where a store does
   * not have it.
   */
  has?(entry: ReplayEntry): boolean | Promise<boolean>
}

import { IncomingMessage, type ServerResponse } from 'node:http'
import type { ClientCertificates } from '../certificates/certificate-source'
import { certificateMethods, checkCertificates } from '../certificates/source-check'
import { acceptedHere } from '../methods'
import { isAudience, isAudienceList, type Policy } from '../methods/method'
import { ownerOf } from '../methods/record-owner'
import type { ErrorContext } from '../refusals/error-response'
import type { ClientAuthError } from '../refusals/errors'
import { createJwksFetcher } from '../key-sets/fetcher'
import { algorithmOf, hmacAlgorithms, keyAlgorithms, lackingNote, namesOf, svidAlgorithms } from '../jwt/algorithms'
import * as check from '../basics/option-checks'
import { type Fix, fixStore, fixUrl } from '../basics/option-fixes'
import { ownReplayStore } from '../replay-store/own-store'
import { type AcceptedHere, issuerMethods } from '../request/credentials'
import type {
  ClientAuthMethod,
  ClientAuthRequest,
  KeySets,
  OAuthClient,
  ReplayStore,
  TrustedIssuer,
  VerifySecret
} from '../types'
import { isIssuerMap, knownIssuers } from './trusted-issuers'

/** Options of `createClientAuthenticator`. */
export interface AuthenticatorOptions<C extends OAuthClient = OAuthClient, R = ClientAuthRequest> {
  /** Issuer identifier of this authorization server (RFC 8414 §2), an https URL; always an accepted `aud`. */
  issuer: string
  /**
   * Looks a client up by an id of 1 to 1024 printable ASCII characters. `null` or `undefined`: no such client. A record
   * with another `client_id` counts as none. A throw, or what is no record, is a server error and goes to `next`.
   */
  getClient(clientId: string, request: R): C | null | undefined | Promise<C | null | undefined>
  /**
   * Methods that this server accepts. Default: `client_secret_basic`, `client_secret_post`, `client_secret_jwt` and
   * `private_key_jwt`. Adding `none` admits public clients by their `client_id` alone (RFC 6749 §2.1).
   * `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705) need `clientCertificates`. `federated_jwt` and `spiffe_jwt` need `trustedIssuers`.
   */
  methods?: readonly ClientAuthMethod[] | undefined
  /**
   * Signature algorithms accepted. Default: all that this Node.js has; ML-DSA needs 24.6. `none` is never one (RFC 8725
   * §3.2). `EdDSA` and `Ed25519` are one algorithm: either name admits both.
   */
  algorithms?: readonly string[] | undefined
  /**
   * Further `aud` values for clients that predate RFC 10070, such as the token endpoint URL; or a function
   * that gives them per client, judged after the signature. Default none. Each value widens what a
   * malicious server can replay here (CVE-2025-27370).
   */
  legacyAudiences?: readonly string[] | ((client: C) => readonly string[]) | undefined
  /** Leeway for `exp`, `nbf` and `iat`, in seconds. Default 30. FAPI 2 refuses what lies over 60 s ahead. */
  clockTolerance?: number | undefined
  /** How far ahead `exp` may lie, in seconds, plus `clockTolerance`. Default 3600. Bounds the replay store. */
  maxAssertionLifetime?: number | undefined
  /** Refuse assertions without `jti` (OIDC Core §9). Default false: their digest is remembered instead. */
  requireJti?: boolean | undefined
  /** Refuse an array as `aud` (FAPI 2 §5.3.2.1). Default false. */
  stringAudience?: boolean | undefined
  /**
   * Compares a presented secret with a stored hash. Default: equality in constant time. With it,
   * client_secret_jwt is refused, since a hash as HMAC key would let the hash pass for the secret.
   */
  verifySecret?: VerifySecret<C> | undefined
  /** Where a `jwks_uri` is resolved. Default `createJwksFetcher()`. */
  keySets?: KeySets | undefined
  /** Where used assertions are remembered. Default `createMemoryReplayStore()`: enough for one process only. */
  replayStore?: ReplayStore | undefined
  /**
   * The issuers and SPIFFE trust domains whose tokens authenticate clients, by `federated_jwt` and `spiffe_jwt`. Whoever
   * holds the keys of one can pass for each client that names it. Default none.
   *
   * @example { 'https://token.actions.githubusercontent.com': {}, 'spiffe://example.org': { jwks_uri, reusable: true } }
   */
  trustedIssuers?: Readonly<Record<string, TrustedIssuer>> | undefined
  /**
   * Where the certificate of a client comes from: `createTlsCertificates()` where TLS ends in this process,
   * `createProxyCertificates()` behind a proxy. Default: certificates are not looked at. It is believed: with a wrong
   * one, a client can pass for another (RFC 8705 §7).
   */
  clientCertificates?: ClientCertificates | undefined
  /**
   * Puts a random value into the header `OAuth-Client-Auth-Reference` of every refusal and into its event, so that a
   * partner's screenshot finds the line of the log. It is made before anything is judged. Default false.
   */
  reference?: boolean | undefined
}

/** Options of `clientAuth`. */
export interface ClientAuthOptions<C extends OAuthClient = OAuthClient> extends AuthenticatorOptions<
  C,
  IncomingMessage
> {
  /** Largest form body, in bytes or as `'64kb'`, the default. */
  bodyLimit?: number | string | undefined
  /** Name of the request property that receives the client. Default `oauthClient`. */
  property?: string | undefined
  /**
   * After success remove `client_secret`, `client_assertion` and `client_assertion_type` from the body, and a
   * Basic `Authorization` header, for handlers behind that would verify them again. Default false.
   */
  stripCredentials?: boolean | undefined
  /** Answers a refusal instead of RFC 6749 §5.2 JSON; the error's headers are already set on `res`. */
  onError?: ErrorAnswer['onError'] | undefined
}

/** A method, whose parameters may be narrower: a function over Express's own Request and Response fits. */
interface ErrorAnswer {
  onError(error: ClientAuthError, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): unknown
}

/** Options as they hold from start-up on: checked, completed and frozen. */
export interface ResolvedOptions {
  readonly policy: Policy
  readonly getClient: AuthenticatorOptions['getClient']
  /** How requests are read on this server. */
  readonly accepted: AcceptedHere
  /** Whether each refusal has a reference. */
  readonly hasReference: boolean
}

const provingMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'] as const
const allAlgorithms = [...keyAlgorithms, ...hmacAlgorithms]

function isIssuer(value: unknown): boolean {
  if (typeof value !== 'string' || !/^https?:\/\/[\x21-\x7e]+$/.test(value) || !URL.canParse(value)) return false
  const { protocol, hostname, search, hash } = new URL(value)
  // Plain http never leaves the machine: for development only.
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return (protocol === 'https:' || local) && search === '' && hash === '' && !/[?#]$/.test(value)
}

const fixIssuer: Fix = (value) => {
  if (typeof value !== 'string') return fixUrl(value)
  if (/\s/.test(value)) return 'remove the space'
  const isHttp = value.startsWith('http:')
  return isHttp ? 'http is for development on one machine: only localhost, 127.x.x.x and [::1] may have it' : undefined
}

/** What must not be overwritten on a request. */
const ownProperties = [
  '_body app body complete method next oauthClientAuth params query rawHeaders res socket url',
  // Of Express: getters, which cannot be written, and what handlers read or call
  'accepts acceptsCharsets acceptsEncodings acceptsLanguages baseUrl fresh get header host hostname ip ips is originalUrl',
  'path protocol range route secure stale subdomains xhr'
].flatMap((names) => names.split(' '))

const rules = {
  issuer: {
    ...check.isWord('the issuer: an https URL without query and fragment', isIssuer),
    fix: fixIssuer
  },
  getClient: check.isFunction,
  methods: check.isListOf([...provingMethods, ...certificateMethods, ...issuerMethods, 'none']),
  algorithms: check.isListOf(allAlgorithms, lackingNote),
  legacyAudiences: {
    ...check.optionRule(
      'an array of audience strings, or a function that returns one',
      (value) => typeof value === 'function' || isAudienceList(value)
    ),
    item: isAudience,
    fix: (value: unknown) => (typeof value === 'string' ? 'put it into an array' : undefined)
  },
  clockTolerance: check.isNumber('seconds', 0, 300),
  maxAssertionLifetime: check.isNumber('seconds', 1, 86_400),
  requireJti: check.isBoolean,
  stringAudience: check.isBoolean,
  verifySecret: check.isFunction,
  keySets: check.hasMethod('get', 'createJwksFetcher()'),
  replayStore: { ...check.hasMethod('consume', 'createMemoryReplayStore()'), fix: fixStore },
  trustedIssuers: isIssuerMap,
  clientCertificates: check.hasMethod('get', 'createTlsCertificates({ ca })'),
  bodyLimit: check.isWord("a number of bytes or a size such as '64kb'", (value) =>
    typeof value === 'string' ? /^\d+(\.\d+)? ?(b|kb|mb)$/i.test(value) : Number.isInteger(value) && Number(value) > 0
  ),
  property: check.isWord('the name of a new request property', (value) => {
    if (typeof value !== 'string' || value === '') return false
    return !(value in IncomingMessage.prototype) && !ownProperties.includes(value)
  }),
  reference: check.isBoolean,
  stripCredentials: check.isBoolean,
  onError: check.isFunction
}

/** What decides the headers of a refusal. */
export const errorContext = ({ policy, hasReference }: ResolvedOptions): ErrorContext => ({
  realm: policy.issuer,
  acceptsBasic: policy.methods.has('client_secret_basic'),
  hasReference
})

/** The algorithms that the JWT methods sign with. */
const families: Readonly<Record<string, readonly string[]>> = {
  private_key_jwt: keyAlgorithms,
  client_secret_jwt: hmacAlgorithms,
  federated_jwt: keyAlgorithms,
  spiffe_jwt: svidAlgorithms
}

/** The algorithms that clients sign their own assertions with. */
const ownAlgorithms = ({ methods, algorithms }: AcceptedMethods): readonly string[] =>
  algorithms.filter((alg) => methods.some((one) => !issuerMethods.includes(one) && families[one]?.includes(alg)))

/** What the options say of methods and algorithms, valid together. */
export interface AcceptedMethods {
  readonly methods: readonly ClientAuthMethod[]
  readonly algorithms: readonly string[]
}

/** The methods and algorithms of any set of options; throws a `TypeError` for those that do not go together. */
export function resolveMethods(
  caller: string,
  options: Pick<AuthenticatorOptions, 'methods' | 'algorithms'> & { verifySecret?: unknown }
): AcceptedMethods {
  if (Object.hasOwn(Object(options) as object, 'fapi2'))
    throw new TypeError(`${caller}: fapi2 is a set of options: write ${caller}({ ...fapi2, issuer, getClient })`)
  check.checkOptions(caller, options, rules)
  const { methods: asked = provingMethods, algorithms: named = allAlgorithms } = options
  const algorithms = [...new Set(named.flatMap((alg) => namesOf(algorithmOf(alg))))] // RFC 9864: by either name
  const lacksAlgorithm = (method: string) => families[method]?.every((alg) => !algorithms.includes(alg)) === true
  const impossible = options.methods?.find(lacksAlgorithm)
  if (impossible !== undefined) {
    throw new TypeError(
      `${caller}: option "methods" has ${impossible}, but option "algorithms" has none for it; add one or drop the method`
    )
  }
  const methods = asked.filter((method) => !lacksAlgorithm(method))
  if (options.verifySecret !== undefined && methods.every((method) => method === 'client_secret_jwt')) {
    throw new TypeError(
      `${caller}: option "verifySecret" rules out client_secret_jwt, the only one in "methods"; drop one of the two`
    )
  }
  return { methods, algorithms: algorithms.filter((alg) => methods.some((method) => families[method]?.includes(alg))) }
}

/** The methods and algorithms that a client can really use: `verifySecret` rules out client_secret_jwt. */
export function usableMethods({ methods, algorithms }: AcceptedMethods, hasHashes: boolean): AcceptedMethods {
  if (!hasHashes) return { methods, algorithms }
  return {
    methods: methods.filter((method) => method !== 'client_secret_jwt'),
    algorithms: algorithms.filter((alg) => !hmacAlgorithms.includes(alg))
  }
}

/** Checks and completes the options; throws a `TypeError` that names the option and the fix. */
export function resolveOptions<C extends OAuthClient>(
  caller: string,
  options: AuthenticatorOptions<C>,
  [second]: readonly unknown[] = []
): ResolvedOptions {
  // A number is an index: of [options].map(clientAuth)
  if (second !== undefined && typeof second !== 'number')
    throw new TypeError(`${caller} takes one object: write ${caller}({ ...options, ...more })`)
  const acceptedMethods = resolveMethods(caller, options)
  const { methods, algorithms } = acceptedMethods
  check.requireOptions(caller, options, rules, 'issuer', 'getClient')
  checkCertificates(caller, methods, options.clientCertificates)
  // Inside, the client is whatever getClient returns: its type matters to the application alone.
  const { legacyAudiences = [], verifySecret } = options as unknown as AuthenticatorOptions
  const dependsOnClient = typeof legacyAudiences === 'function'
  const keySets = options.keySets ?? createJwksFetcher()
  const policy: Policy = Object.freeze({
    issuer: options.issuer,
    methods: new Set(methods),
    algorithms: Object.freeze(ownAlgorithms(acceptedMethods)),
    clockTolerance: options.clockTolerance ?? 30,
    maxAssertionLifetime: options.maxAssertionLifetime ?? 3600,
    requireJti: options.requireJti ?? false,
    stringAudience: options.stringAudience ?? false,
    legacyAudiences: dependsOnClient ? undefined : Object.freeze([...legacyAudiences]),
    audiencesOf: dependsOnClient ? legacyAudiences : undefined,
    verifySecret,
    keySets,
    keySetsOf: (client: OAuthClient) => ownerOf(client)?.keySets ?? keySets,
    replayStore: options.replayStore ?? ownReplayStore(options.issuer),
    trustedIssuers: knownIssuers(caller, methods, { issuer: options.issuer, keySets }, options.trustedIssuers),
    allAlgorithms: Object.freeze(algorithms),
    clientCertificates: options.clientCertificates
  })
  return Object.freeze({
    policy,
    getClient: options.getClient.bind(options),
    accepted: acceptedHere(methods),
    hasReference: options.reference ?? false
  })
}

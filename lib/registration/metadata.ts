import { given } from '../basics/given'
import { typeName } from '../basics/type-name'
import { registeredCertificateFault } from '../certificates/client-certificate'
import { registeredSubject, subjectFields } from '../certificates/registered-subject'
import { ClientAuthError } from '../refusals/errors'
import { algorithms as known, hmacAlgorithms, lackingNote, minSecretOctets } from '../jwt/algorithms'
import { isKeyFor, keyFault, type KeyUse } from '../jwt/jwk'
import { usableKeySet } from '../jwt/jwk-set'
import { guardedUrl } from '../guarded-fetch/https-get'
import { keySourceOf } from '../methods/client-record'
import { registeredMethod } from '../methods/registered-methods'
import { recordFault } from '../methods/look-up'
import { endOf, looksHashed, misnamedEnd } from '../methods/stored-secrets'
import { clientIdFault, secretFault } from '../request/syntax'
import { misnamed } from '../methods/member-names'
import { resolveMethods, usableMethods, type AcceptedMethods, type AuthenticatorOptions } from '../options/options'
import { issuerMethods } from '../request/credentials'
import type { Jwk, JwkSet, KeySets, OAuthClient } from '../types'
import { registeredIdentityFault } from './identities'

/** The endpoints that RFC 8414 §2 has metadata for; PAR and device authorization follow the token endpoint. */
export type MetadataEndpoint = 'token' | 'introspection' | 'revocation'

/** Discovery metadata (RFC 8414 §2) of one endpoint. */
export type EndpointMetadata<E extends MetadataEndpoint = 'token'> = Record<
  `${E}_endpoint_auth_methods_supported`,
  string[]
> &
  Partial<Record<`${E}_endpoint_auth_signing_alg_values_supported`, string[]>> & {
    /** RFC 8705 §3.3: present where there is a source of client certificates. */
    tls_client_certificate_bound_access_tokens?: true
  }

/** What `validateClientMetadata` takes from the options of the server; give it the same object. */
export interface ClientMetadataOptions extends Pick<
  AuthenticatorOptions,
  'methods' | 'algorithms' | 'keySets' | 'trustedIssuers' | 'clientCertificates'
> {
  /** As given to `clientAuth`: its presence rules out client_secret_jwt. It is not called. */
  verifySecret?: ((presented: string, stored: string, client: never) => unknown) | undefined
}

/** What a server with these options really accepts. */
export const acceptedMethods = (caller: string, options: ClientMetadataOptions): AcceptedMethods =>
  usableMethods(resolveMethods(caller, options), options.verifySecret !== undefined)

/** RFC 8414 §2: the algorithms stand beside JWT methods only. */
export function endpointMetadata<E extends MetadataEndpoint>(
  endpoint: E,
  { methods, algorithms }: AcceptedMethods,
  bindsTokens: boolean
): EndpointMetadata<E> {
  if (!['token', 'introspection', 'revocation'].includes(endpoint)) {
    throw new TypeError(
      `metadata: endpoint must be token (also for PAR and device authorization), introspection or revocation, not ${endpoint}`
    )
  }
  // RFC 7662 §2.1: introspection needs a caller that has proven who it is.
  const proving = endpoint === 'introspection' ? methods.filter((method) => method !== 'none') : methods
  // federated_jwt is no registered value: on the wire it is RFC 7523, as private_key_jwt is.
  const names = proving.map((method) => (method === 'federated_jwt' ? 'private_key_jwt' : method))
  const metadata: Record<string, string[] | true> = {
    [`${endpoint}_endpoint_auth_methods_supported`]: [...new Set(names)]
  }
  if (algorithms.length > 0) metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`] = [...algorithms]
  if (bindsTokens) metadata.tls_client_certificate_bound_access_tokens = true
  return metadata as EndpointMetadata<E>
}

const signingMethods: readonly string[] = ['private_key_jwt', 'client_secret_jwt', ...issuerMethods]

const refuse = (message: string): never => {
  throw new ClientAuthError('invalid_client_metadata', { message })
}

/** More than any client has, and few enough to be judged at once. */
const maxMembers = 200

/** Metadata may be judged before the client has its id. A database may hold the id as a number. */
function checkClientId(id: unknown): void {
  if (id === undefined) return
  if (typeof id !== 'string' && typeof id !== 'number' && typeof id !== 'bigint')
    return refuse(`client_id must be a string, not ${typeName(id)}.`)
  refuseFor(clientIdFault(String(id)), 'client_id ')
}

/** Refuses for a fault, where there is one, in words before and after it. */
function refuseFor(fault: string | undefined, before: string, after = '.'): void {
  if (fault !== undefined) refuse(before + fault + after)
}

/** OpenID RP Metadata Choices: what the client offers, where it offers a choice. */
function offeredMethods({ token_endpoint_auth_methods_supported: offered }: Partial<OAuthClient>) {
  if (given(offered) === undefined) return undefined
  if (Array.isArray(offered) && offered.length > 0 && offered.every((method) => typeof method === 'string'))
    return offered as readonly string[]
  return refuse('token_endpoint_auth_methods_supported must be a non-empty list of texts.')
}

function checkMethods(metadata: Partial<OAuthClient>, { methods }: AcceptedMethods): string[] {
  const isAccepted = (method: unknown): method is string => methods.some((accepted) => accepted === method)
  const offered = offeredMethods(metadata)
  const registered = registeredMethod(metadata)
  if (offered !== undefined && registered === offered) {
    // In a list, unknown methods are no error as long as a known one is left
    const usable = [...new Set(offered.filter(isAccepted))]
    return usable.length > 0
      ? usable
      : refuse(`token_endpoint_auth_methods_supported must have one of ${methods.join(', ')}.`)
  }
  const asked: readonly unknown[] = [...new Set(Array.isArray(registered) ? registered : [registered])]
  if (asked.length === 0) refuse('token_endpoint_auth_method must not be an empty list.')
  const choices = offered && new Set<unknown>(offered)
  if (choices !== undefined && !asked.every((method) => choices.has(method)))
    refuse('token_endpoint_auth_method must be one of token_endpoint_auth_methods_supported.')
  return asked.map((method) =>
    isAccepted(method) ? method : refuse(`token_endpoint_auth_method must be one of ${methods.join(', ')}.`)
  )
}

function checkAlgorithm(registered: unknown, methods: string[], { algorithms }: AcceptedMethods): void {
  // OIDC Registration §2: it has no meaning for a method that signs nothing.
  if (given(registered) === undefined || !methods.some((method) => signingMethods.includes(method))) return
  if (typeof registered !== 'string' || !algorithms.includes(registered)) {
    return refuse(`token_endpoint_auth_signing_alg must be one of ${algorithms.join(', ')}${lackingNote}.`)
  }
  const fitting = hmacAlgorithms.includes(registered) ? ['client_secret_jwt'] : ['private_key_jwt', ...issuerMethods]
  if (!methods.some((method) => fitting.includes(method))) {
    refuse(
      `token_endpoint_auth_signing_alg ${registered} does not fit token_endpoint_auth_method ${methods.join(', ')}.`
    )
  }
}

function checkEnd(name: string, end: unknown): void {
  if (Number.isNaN(endOf(end)))
    refuse(`${name} must be a number of seconds since the epoch, or a time with its zone, not ${typeName(end)}.`)
}

function checkSecrets(
  { client_secret: stored, token_endpoint_auth_signing_alg: alg }: Partial<OAuthClient>,
  hmacs: string[],
  hasHashes: boolean,
  needsSecret: boolean
): void {
  const entries: readonly unknown[] = Array.isArray(stored) ? stored : [stored]
  const octets = Math.min(...(alg && hmacs.length > 0 ? [alg] : hmacs).map((name) => minSecretOctets(name) || Infinity))
  for (const entry of entries) {
    if (entry === undefined || entry === null || (entry === '' && !needsSecret)) continue
    const stored = (typeof entry === 'object' ? entry : { value: entry }) as Record<string, unknown>
    const { value, expires_at: end } = stored
    const misnamed = misnamedEnd(stored)
    if (misnamed !== undefined) refuse(`${misnamed} of a client_secret is not read: write expires_at.`)
    checkEnd('expires_at of a client_secret', end)
    if (typeof value !== 'string' || value === '') return refuse('client_secret must be a non-empty string.')
    if (!hasHashes && looksHashed(value)) {
      refuse(
        'client_secret looks like a hash, which never matches: register the secret, or give the option verifySecret.'
      )
    }
    refuseFor(hasHashes ? undefined : secretFault(value), 'client_secret ', ': no request can present it.')
    // OIDC Core §16.19
    if (Number.isFinite(octets) && Buffer.byteLength(value) < octets) {
      refuse(`client_secret must have at least ${octets} octets for client_secret_jwt.`)
    }
  }
}

/** The algorithms that encrypt keys (RFC 7518 §4.1): a key that names one verifies nothing. */
const encryption = /^(?:RSA1_5|RSA-OAEP|ECDH-ES|A\d{3}(?:GCM)?KW|dir|PBES2)/
/** Curves of the JOSE registry that are for something else, or for signatures of algorithms that are not supported. */
const foreignCurves: readonly unknown[] = ['X25519', 'X448', 'Ed448', 'secp256k1']

/** Whether a key says itself that it is not for signatures, as real sets have them beside the good ones. */
const isForSomethingElse = (key: Readonly<Record<string, unknown>>, use: string): boolean =>
  ![undefined, 'sig', use].includes(key.use as string | undefined) ||
  (typeof key.alg === 'string' && encryption.test(key.alg)) ||
  (Array.isArray(key.key_ops) && !key.key_ops.includes('verify')) ||
  foreignCurves.includes(key.crv) ||
  !['RSA', 'EC', 'OKP', 'AKP'].includes(key.kty as string)

function usableKeys(jwks: unknown, use: KeyUse): readonly Jwk[] {
  try {
    return usableKeySet(jwks, undefined, [use]).keys
  } catch (error) {
    return refuse(`jwks: ${(error as Error).message}.`)
  }
}

/**
 * A set at registration is read by a person: each unusable signature key is named. Where signatures are needed, `algs`
 * are those by which they may be made.
 */
function checkJwks(
  jwks: unknown,
  algs: readonly string[] | undefined,
  methods: readonly string[],
  needing: string | undefined
): void {
  const use = methods.includes('self_signed_tls_client_auth') ? 'tls' : 'sig'
  const keys = usableKeys(jwks, use)
  const algorithms = algs?.map((alg) => known.get(alg)).filter((one) => one !== undefined)
  const usable = keys.filter((key) => algorithms?.some((one) => isKeyFor(key, one)) !== false).length
  for (const [index, key] of (jwks as { keys: Record<string, unknown>[] }).keys.entries()) {
    const isOther = isForSomethingElse(key, use) && (usable > 0 || key.use === 'enc' || needing === undefined)
    refuseFor(isOther ? undefined : keyFault(key, use), `jwks: key ${index} `)
  }
  if (usable === 0 && needing !== undefined)
    refuse(`jwks has no key that can verify ${keys.length === 0 ? 'a signature' : String(algs?.join(', '))}.`)
}

/** RFC 8705 §2.2.2. A certificate beside a key must be of that key, and not have ended; keyFault judges the strength. */
function checkRegisteredCertificates({ keys }: JwkSet): void {
  for (const [index, key] of keys.entries()) {
    if (key.use !== 'enc') refuseFor(registeredCertificateFault(key, Date.now() / 1000), `jwks: key ${index} `)
  }
}

/** RFC 8705 §2.1.2: the subject of a tls_client_auth client, and of no other. */
function checkSubject(metadata: Partial<OAuthClient>, methods: string[]): void {
  const [field] = subjectFields(metadata)
  if (methods.includes('tls_client_auth')) {
    const registered = registeredSubject(metadata)
    if (typeof registered === 'string') refuse(registered)
  } else if (field !== undefined) refuse(`${field} needs token_endpoint_auth_method tls_client_auth.`)
  const bound: unknown = metadata.tls_client_certificate_bound_access_tokens
  if (!['boolean', 'undefined'].includes(typeof given(bound)))
    refuse('tls_client_certificate_bound_access_tokens must be true or false.')
}

function checkJwksUri(uri: unknown, keySets: KeySets | undefined): void {
  if (typeof uri !== 'string') return refuse('jwks_uri must be a string.')
  try {
    if (keySets === undefined) guardedUrl(uri, new Map())
    else keySets.check?.(uri)
  } catch (error) {
    refuse(`jwks_uri: ${(error as Error).message}.`)
  }
}

function checkKeys(
  metadata: Partial<OAuthClient>,
  methods: string[],
  { algorithms }: AcceptedMethods,
  keySets: KeySets | undefined
): void {
  const { jwks, uri } = keySourceOf(metadata)
  const alg = metadata.token_endpoint_auth_signing_alg
  const [hasJwks, hasUri] = [jwks !== undefined, uri !== undefined]
  if (hasJwks && hasUri) refuse('jwks and jwks_uri must not both be present.') // RFC 7591 §2
  const needing = ['private_key_jwt', 'self_signed_tls_client_auth'].find((method) => methods.includes(method))
  if (needing !== undefined && !hasJwks && !hasUri) refuse(`${needing} needs jwks or jwks_uri.`)
  const isSigning = (name: unknown): name is string => typeof name === 'string' && !hmacAlgorithms.includes(name)
  const algs = isSigning(alg) ? [alg] : algorithms.filter(isSigning)
  if (hasJwks) checkJwks(jwks, needing === 'private_key_jwt' ? algs : undefined, methods, needing)
  if (jwks && methods.includes('self_signed_tls_client_auth')) checkRegisteredCertificates(jwks)
  if (hasUri) checkJwksUri(uri, keySets)
}

/**
 * Throws a {@link ClientAuthError} with code `invalid_client_metadata` (RFC 7591 §3.2.2), and a message that
 * names the field, for metadata with which a client could not authenticate here, or not safely. Give it
 * the options of your `clientAuth`: `methods`, `algorithms`, `verifySecret`, `keySets` and `trustedIssuers` count.
 * No network is used: whether a `jwks_uri` resolves to a public address is judged when it is fetched.
 *
 * @example
 * app.post('/register', express.json(), (req, res) => {
 *   validateClientMetadata(req.body, options)
 *   res.status(201).json(store(req.body))
 * })
 */
export function validateClientMetadata(
  metadata: Partial<OAuthClient> | Readonly<Record<string, unknown>>,
  options: ClientMetadataOptions = {}
): void {
  const accepted = acceptedMethods('validateClientMetadata', options)
  if (typeof metadata !== 'object' || (metadata as unknown) === null) refuse('The client metadata must be an object.')
  refuseFor(recordFault(metadata), 'The client metadata must be an object, not ')
  if (Object.keys(metadata).length > maxMembers) refuse(`The client metadata must have at most ${maxMembers} members.`)
  refuseFor(misnamed(metadata), '', '')
  checkClientId(given(metadata.client_id))
  const methods = checkMethods(metadata, accepted)
  checkAlgorithm(metadata.token_endpoint_auth_signing_alg, methods, accepted)
  checkEnd('client_secret_expires_at', metadata.client_secret_expires_at)
  const hmacs = methods.includes('client_secret_jwt')
    ? accepted.algorithms.filter((alg) => hmacAlgorithms.includes(alg))
    : []
  const needsSecret = methods.some((method) => method.startsWith('client_secret'))
  checkSecrets(metadata, hmacs, options.verifySecret !== undefined, needsSecret)
  checkSubject(metadata, methods)
  refuseFor(registeredIdentityFault(metadata, methods, options.trustedIssuers), '')
  checkKeys(metadata, methods, accepted, options.keySets)
}

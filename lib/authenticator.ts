import { channel } from 'node:diagnostics_channel'
import { types } from 'node:util'
import { judgeAudience } from './methods/assertion-rules'
import {
  readAssertion,
  replayId,
  verifyClientSecretJwt,
  verifyPrivateKeyJwt,
  type AssertionFault,
  type Attempt,
  type ParsedAssertion
} from './methods/assertion'
import { createSecretComparison } from './methods/secret'
import { authorizationHeader, extractCredentials, type Credentials } from './request/credentials'
import { completeError } from './error-response'
import { ClientAuthError } from './errors'
import { audienceList, resolveOptions, type AuthenticatorOptions, type ResolvedOptions } from './options'
import type { AuthenticatedClient, ClientAuthRequest, OAuthClient } from './types'

/** Authenticates the client of one request; rejects with a {@link ClientAuthError}, or with what a function of the application threw, as an Error. */
export type ClientAuthenticator<C extends OAuthClient = OAuthClient> = (
  request: ClientAuthRequest
) => Promise<AuthenticatedClient<C>>

const authenticated = channel('oauth-client-auth:authenticated')
const rejected = channel('oauth-client-auth:rejected')

type Proof = Exclude<Credentials, { kind: 'assertion' }> | ParsedAssertion

/** An attempt as events show it: a kid may hold anything. */
const shown = (attempt: Attempt): Attempt => ({
  ...attempt,
  kid: attempt.kid?.replace(/[^\x20-\x7e]/g, '?').slice(0, 256)
})

/** Thrown by an application's function: always passed on as an Error, never answered by us. */
const asError = (thrown: unknown): Error =>
  types.isNativeError(thrown) || thrown instanceof Error
    ? thrown
    : new Error('a function of the application threw something that is no Error', { cause: thrown })

/** RFC 7591 §2: the registered method, client_secret_basic where none is. */
function isRegisteredFor({ token_endpoint_auth_method: registered }: OAuthClient, method: string): boolean {
  const methods: unknown = registered ?? 'client_secret_basic'
  return Array.isArray(methods) ? methods.includes(method) : methods === method
}

async function consumeOnce<C extends OAuthClient>(
  assertion: ParsedAssertion,
  options: ResolvedOptions<C>
): Promise<void> {
  const { clientId, claims } = assertion
  const expiresAt = Math.ceil((claims.exp as number) + options.clockTolerance)
  let first: unknown
  try {
    first = await options.replayStore.consume({ clientId, id: replayId(assertion), expiresAt })
  } catch (cause) {
    throw cause instanceof ClientAuthError ? cause : new ClientAuthError('replay_store_unavailable', { cause })
  }
  if (first === false) throw new ClientAuthError('assertion_replayed')
  if (first !== true) {
    const cause = new TypeError('ReplayStore.consume must return true or false, or a promise of it')
    throw new ClientAuthError('replay_store_unavailable', { cause })
  }
}

/** The order of all the work: extract, look up, match, verify, consume. */
function createSteps<C extends OAuthClient>(options: ResolvedOptions<C>) {
  const compareSecret = createSecretComparison(options.verifySecret)

  function readProof(request: ClientAuthRequest, attempt: Attempt): Proof {
    const credentials = extractCredentials(request, options.methods.has('none'))
    if (credentials.clientId !== undefined) attempt.clientId = credentials.clientId
    if (credentials.kind !== 'assertion') {
      attempt.method = credentials.method
      if (!options.methods.has(credentials.method)) throw new ClientAuthError('method_not_supported')
      return credentials
    }
    if (options.algorithms.length === 0) throw new ClientAuthError('method_not_supported')
    const parsed = readAssertion(credentials, options, attempt)
    if (parsed.method === 'client_secret_jwt' && options.verifySecret !== undefined)
      throw new ClientAuthError('secret_hashed')
    return parsed
  }

  function checkRecord(client: unknown, clientId: string): C | undefined {
    if (client === undefined || client === null) return undefined
    if ((client as C).client_id !== clientId)
      throw new TypeError('getClient returned a record without or with another client_id')
    return client as C
  }

  async function verifySecret(
    proof: Extract<Proof, { kind: 'secret' }>,
    client: C | undefined
  ): Promise<AssertionFault> {
    const reason = await compareSecret(proof.clientId, proof.secret, proof.undecoded, client, Date.now() / 1000)
    return reason && { reason }
  }

  /** Without a client the same work is done in vain: an unknown client costs what a known one does. */
  function verify(proof: Proof, client: C | undefined): AssertionFault | Promise<AssertionFault> {
    if (proof.kind === 'none') return undefined
    if (proof.kind === 'secret') return verifySecret(proof, client)
    return proof.method === 'private_key_jwt'
      ? verifyPrivateKeyJwt(proof, client, options, options.keySets)
      : verifyClientSecretJwt(proof, client, options)
  }

  return async (request: ClientAuthRequest, attempt: Attempt): Promise<AuthenticatedClient<C>> => {
    const proof = readProof(request, attempt)
    const { clientId, method } = proof
    const found = checkRecord(await options.getClient(clientId, request), clientId)
    // No fall-back from one method to another, ever.
    const client = found !== undefined && isRegisteredFor(found, method) ? found : undefined
    const fault = await verify(proof, client)
    if (client === undefined)
      throw new ClientAuthError(found === undefined ? 'unknown_client' : 'method_not_registered')
    if (fault !== undefined) throw new ClientAuthError(fault.reason, { cause: fault.cause })
    if (proof.kind !== 'assertion') return { client, clientId, method }
    if (options.audiencesOf !== undefined) judgeAudience(proof, options, audienceList(options.audiencesOf(client)))
    // Last of all: an assertion that fails must not burn its jti.
    await consumeOnce(proof, options)
    return { client, clientId, method, assertion: { header: proof.header, claims: proof.claims } }
  }
}

/** The authenticator for options that are already resolved; `prepare` runs first and fails as it does. */
export function authenticatorFor<C extends OAuthClient>(options: ResolvedOptions<C>) {
  const run = createSteps(options)
  const context = { realm: options.issuer, acceptsBasic: options.methods.has('client_secret_basic') }
  return async (request: ClientAuthRequest, prepare?: () => Promise<void>): Promise<AuthenticatedClient<C>> => {
    const observed = authenticated.hasSubscribers || rejected.hasSubscribers
    const start = observed ? performance.now() : 0
    const attempt: Attempt = {}
    try {
      if (prepare !== undefined) await prepare()
      const result = await run(request, attempt)
      if (authenticated.hasSubscribers)
        authenticated.publish({ ...shown(attempt), durationMs: performance.now() - start, request })
      return result
    } catch (thrown) {
      if (!(thrown instanceof ClientAuthError)) throw asError(thrown)
      if (attempt.clientId !== undefined) thrown.clientId = attempt.clientId
      completeError(thrown, context, () => authorizationHeader(request) !== undefined)
      if (rejected.hasSubscribers) {
        rejected.publish({ ...shown(attempt), reason: thrown.reason, durationMs: performance.now() - start, request })
      }
      throw thrown
    }
  }
}

/** The whole job without a framework: for Koa, Fastify, Hono or a Next route handler. */
export function createClientAuthenticator<C extends OAuthClient = OAuthClient>(
  options: AuthenticatorOptions<C>
): ClientAuthenticator<C> {
  const authenticate = authenticatorFor(resolveOptions('createClientAuthenticator', options))
  return async (request, ...more: unknown[]) => {
    if (more.length > 0) throw new TypeError('createClientAuthenticator returns no middleware: mount clientAuth({ … })')
    return authenticate(request)
  }
}

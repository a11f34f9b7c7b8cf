import { attempt } from '../basics/attempt'
import type { RequestCertificate } from '../certificates/certificate-source'
import { subjectOf, thumbprintOf } from '../certificates/client-certificate'
import { formatDistinguishedName } from '../certificates/distinguished-name'
import { ClientAuthError } from '../refusals/errors'
import { createAsk, type Question } from '../methods/ask'
import { nobody, wantsBoundTokens } from '../methods/client-record'
import { lookedUp } from '../methods/look-up'
import { withAudiences } from '../methods/assertion-rules'
import { withClient, type Claimed } from '../methods/method'
import { compareMethods } from '../methods/record-owner'
import { withoutSecretsAtHand } from '../methods/secrets-at-hand'
import { createExplainer } from '../explain/explainer'
import type { Explain } from '../explain/explanation'
import type { Seen } from '../explain/verdicts'
import { createObserver } from './observer'
import { errorContext, resolveOptions, type AuthenticatorOptions, type ResolvedOptions } from '../options/options'
import { credentialRules } from '../request/credential-rules'
import { receive } from '../request/credentials'
import { firstFault, firstFaultInEqualTime, type Fault } from '../refusals/rules'
import type { Braked } from '../secrets/brake'
import type {
  AttachedCertificate,
  AuthenticatedClient,
  ClientAuthentication,
  ClientAuthMethod,
  ClientAuthRequest,
  OAuthClient
} from '../types'

function refuse(fault: Fault | undefined, { received, claimed }: Seen): void {
  if (fault === undefined) return
  const { reason, message, detail, cause } = fault
  // A field of the client's record may throw when it is read for a log: in a subscriber that would end the process.
  const facts = detail && (() => [received && withoutSecretsAtHand(detail(), received, claimed?.client)] as const)
  throw new ClientAuthError(reason, { message, cause, detail: facts && (() => (attempt(facts) ?? [{}])[0]) })
}

/** The certificate as a request carries it. */
function attachedCertificate({ found }: RequestCertificate): AttachedCertificate | undefined {
  if (found.kind !== 'shown') return undefined
  const { certificate: x509, verified } = found
  const subject = formatDistinguishedName(subjectOf(x509) ?? [])
  return { 'x5t#S256': thumbprintOf(x509), subject, verified, x509 }
}

/** What is attached to the request: how the client authenticated. The certificate is read when it is asked for. */
function authenticationOf({ credentials, client, certificate }: Claimed, method: ClientAuthMethod) {
  const { clientId } = credentials
  const authentication: ClientAuthentication =
    credentials.kind === 'assertion'
      ? { clientId, method, assertion: { header: credentials.jws.header, claims: credentials.jws.payload } }
      : { clientId, method }
  if (!certificate.isPresented) return authentication
  let attached: AttachedCertificate | undefined
  const get = () => (attached ??= attachedCertificate(certificate))
  Object.defineProperty(authentication, 'certificate', { get, enumerable: true, configurable: true })
  // RFC 8705 §3.1: what tokens of this client must be bound to.
  const thumbprint = wantsBoundTokens(client) ? get()?.['x5t#S256'] : undefined
  if (thumbprint !== undefined) authentication.cnf = { 'x5t#S256': thumbprint }
  return authentication
}

/** The order of all the work: read, judge, look up, prove, consume. */
export function createAuthenticator(options: ResolvedOptions) {
  const { getClient } = options
  const ask = createAsk(options.policy)

  async function authenticate(request: ClientAuthRequest, seen: Seen, braked?: Braked): Promise<AuthenticatedClient> {
    const received = receive(request, options.accepted)
    seen.received = received
    refuse(firstFault(credentialRules[received.mechanism], received), seen)
    const { method, presented } = ask(request, received, {})
    refuse(firstFault(method.requestRules, presented), seen)
    if (braked === undefined) return prove(request, { method, presented }, seen)
    return braked(presented.credentials.clientId, () => prove(request, { method, presented }, seen))
  }

  async function prove(request: ClientAuthRequest, { method, presented }: Question, seen: Seen) {
    const { clientId } = presented.credentials
    const { client, otherId } = lookedUp(await getClient(clientId, request), clientId)
    if (client !== undefined) compareMethods(client, options.policy.methods)
    const claimed = withClient(presented, client ?? nobody, otherId)
    seen.claimed = claimed
    const unregistered = firstFaultInEqualTime(method.recordRules, claimed)
    // Always: the time must not tell whether the client exists.
    const proof = await method.prove(unregistered === undefined ? claimed : withClient(presented, nobody))
    if (unregistered === undefined) seen.proof = proof
    refuse(method.provesFirst ? (proof.fault ?? unregistered) : (unregistered ?? proof.fault), seen)

    const proven = withAudiences(claimed, method.provenRules)
    refuse(firstFault(method.provenRules, proven), seen)
    const consuming = method.consume?.(proven)
    if (consuming !== undefined) refuse(await consuming, seen)
    return Object.assign(authenticationOf(proven, proof.method), { client: proven.client })
  }
  return { authenticate, explain: createExplainer(options) }
}

/** What `createClientAuthenticator` returns: authenticates the client of one request, without a framework. */
export interface ClientAuthenticator<C extends OAuthClient = OAuthClient> {
  /**
   * @param request - headers and parsed body; see {@link ClientAuthRequest}
   * @returns the client and how it authenticated
   * @throws {@link ClientAuthError} for a refused request; what a function of the application threw, as an Error
   */
  (request: ClientAuthRequest): Promise<AuthenticatedClient<C>>
  /** Says why a request is accepted or refused: see {@link Explain}. For operators: never send it to the caller. */
  readonly explain: Explain
}

/** Options that only the middleware has: it parses the body and answers. */
const middlewareOptions = ['bodyLimit', 'property', 'stripCredentials', 'onError']

/** `createClientAuthenticator` must not take an option silently that it cannot honour. */
function refuseMiddlewareOptions(caller: string, options: object): void {
  const found = middlewareOptions.find((name) => (options as Record<string, unknown>)[name] !== undefined)
  if (found !== undefined) {
    throw new TypeError(
      `${caller}: option "${found}" belongs to the middleware: give it to clientAuth({ … }), or drop it and handle the request, the answer and ClientAuthError yourself`
    )
  }
}

const noMiddleware = 'createClientAuthenticator returns no middleware: mount clientAuth({ … })'

/**
 * The whole job without a framework: for Koa, Fastify, Hono, a Next route handler or a Lambda function.
 *
 * @param options - as for `clientAuth`, without those that only the middleware has
 * @returns a function that authenticates the client of one request
 * @throws TypeError for options that cannot be meant
 *
 * @example
 * const authenticate = createClientAuthenticator({ issuer: 'https://as.example.com', getClient })
 * const { client, method } = await authenticate({ headers: request.headers, body: request.body })
 */
export function createClientAuthenticator<C extends OAuthClient = OAuthClient>(
  options: AuthenticatorOptions<C>
): ClientAuthenticator<C>
export function createClientAuthenticator<C extends OAuthClient>(
  options: AuthenticatorOptions<C>,
  ...others: unknown[]
): ClientAuthenticator<C> {
  const resolved = resolveOptions('createClientAuthenticator', options, others)
  refuseMiddlewareOptions('createClientAuthenticator', options)
  const { authenticate, explain } = createAuthenticator(resolved)
  const observe = createObserver(errorContext(resolved), explain)
  const authenticator = (request: ClientAuthRequest, ...more: unknown[]) => {
    if (more.length > 0) return Promise.reject(new TypeError(noMiddleware))
    return observe(request, authenticate)
  }
  // Whatever client getClient<C> returned comes back.
  return Object.assign(authenticator, { explain }) as ClientAuthenticator<C>
}

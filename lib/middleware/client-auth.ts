import { IncomingMessage, type ServerResponse } from 'node:http'
import { createAuthenticator } from '../authenticate/authenticator'
import { attempt } from '../basics/attempt'
import { attach, isSame, presentedBy, strip } from './attachment'
import { certificateOfRequest, type RequestCertificate } from '../certificates/certificate-source'
import { sendError, setErrorHeaders } from '../refusals/error-response'
import { ClientAuthError } from '../refusals/errors'
import type { Explain } from '../explain/explanation'
import {
  acceptedMethods,
  endpointMetadata,
  type EndpointMetadata,
  type MetadataEndpoint
} from '../registration/metadata'
import { asError, createObserver } from '../authenticate/observer'
import { errorContext, resolveOptions, type ClientAuthOptions } from '../options/options'
import { createBodyParser, octetsOf, type ParsedRequest } from '../request/body'
import { type Brakable, brakable, brakeFor } from '../secrets/brake'
import type { ClientAuthentication, OAuthClient } from '../types'

declare global {
  namespace Express {
    interface Request {
      /** The authenticated client: the very object that `getClient` returned. */
      oauthClient?: OAuthClient
      /** How it authenticated. */
      oauthClientAuth?: ClientAuthentication
    }
  }
}

type Next = (error?: unknown) => unknown

/** What `clientAuth()` returns: a middleware for Express, connect and bare `node:http`. */
export interface ClientAuthMiddleware<C extends OAuthClient = OAuthClient> {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
  /**
   * The client of a request that this middleware has authenticated, typed as `getClient` returns it.
   *
   * @throws TypeError where the request was not authenticated by this middleware
   * @example
   * app.post('/token', authenticateClient, (req, res) => res.json({ tenant: authenticateClient.clientOf(req).tenant }))
   */
  clientOf(req: object): C
  /**
   * What discovery must advertise for an endpoint behind this middleware (RFC 8414 §2).
   *
   * @param endpoint - `token` (the default), `introspection` or `revocation`
   * @throws TypeError for another endpoint
   */
  metadata<E extends MetadataEndpoint = 'token'>(endpoint?: E): EndpointMetadata<E>
  /** Says why a request is accepted or refused: see {@link Explain}. For operators: never send it to the caller. */
  readonly explain: Explain
}

const notNode =
  'clientAuth got a request or response that is not of node:http: in Fastify, Koa, Hono and the like use createClientAuthenticator({ … }) with the headers and the parsed body'

/** Whether these can be read and answered: Node's, Express', or a test's imitation of them. */
const isNodePair = (req: Partial<IncomingMessage>, res: Partial<ServerResponse>): boolean =>
  typeof req.headers === 'object' && typeof res.setHeader === 'function' && typeof res.end === 'function'

/** Lets the operator know of what no `next` can be given. */
function warn(thrown: unknown): void {
  attempt(() =>
    process.emitWarning(`a request could not be answered: ${asError(thrown).message}`, 'OAuthClientAuthWarning')
  )
}

/** The last resort, where `next` or the response itself throws: ends the answer. */
function endAnswer(res: ServerResponse, thrown: unknown): void {
  warn(thrown)
  const isEnded = attempt(() => {
    if (res.headersSent) return res.writableEnded
    res.statusCode = 500
    res.end()
    return true
  })
  // Half an answer, or a hook that throws at every answer: only the connection can be ended.
  if (isEnded !== true) attempt(() => res.destroy())
}

/** Calls `next` so that nothing it does, now or later, can end the process. */
function handOn(res: ServerResponse, next: Next, ...error: [error?: unknown]): void {
  const failed = (thrown: unknown): void => endAnswer(res, thrown)
  try {
    const result = next(...error)
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') Promise.resolve(result).catch(failed)
  } catch (thrown) {
    failed(thrown)
  }
}

/**
 * Returns the middleware that authenticates the OAuth client of a request and hands the request on with
 * `req.oauthClient`, `req.oauthClientAuth` and `req.body.client_id`, or answers RFC 6749 §5.2 itself.
 *
 * Mount one value at every endpoint that authenticates clients: they share caches and the replay store. Where it is
 * mounted twice in front of one handler, the second hands the request on.
 *
 * @param options - see {@link ClientAuthOptions}
 * @returns the middleware, with `clientOf`, `metadata` and `explain`
 * @throws TypeError for options that cannot be meant; it names the option and the fix
 *
 * @example
 * const authenticateClient = clientAuth({
 *   issuer: 'https://as.example.com',
 *   getClient: (clientId) => db.clients.findById(clientId)
 * })
 * app.post('/oauth/token', authenticateClient, issueToken)
 */
export function clientAuth<C extends OAuthClient = OAuthClient>(options: ClientAuthOptions<C>): ClientAuthMiddleware<C>
export function clientAuth<C extends OAuthClient>(
  options: ClientAuthOptions<C>,
  ...more: unknown[]
): ClientAuthMiddleware<C> {
  if ((options as unknown) instanceof IncomingMessage) {
    throw new TypeError(
      'clientAuth is used without being called: write app.use(clientAuth({ … })), not app.use(clientAuth)'
    )
  }
  const resolved = resolveOptions('clientAuth', options, more)
  const { bodyLimit = '64kb', property = 'oauthClient', stripCredentials = false, onError } = options
  const { authenticate, explain } = createAuthenticator(resolved)
  const observe = createObserver(errorContext(resolved), explain)
  const parseBody = createBodyParser(octetsOf(bodyLimit))
  const accepted = acceptedMethods('clientAuth', options)
  /** The requests that this middleware has authenticated, and what each presented. A certificate is a credential too. */
  const authenticated = new WeakMap<
    object,
    { client: OAuthClient; presented: readonly unknown[]; certificate: RequestCertificate | undefined }
  >()
  const own: Brakable = { braked: new WeakMap(), isDone: (req) => authenticated.has(req) }
  const isJudged = (req: IncomingMessage): boolean => {
    const before = authenticated.get(req)
    if (before === undefined || !isSame(before.presented, presentedBy(req))) return false
    return before.certificate?.isSame(certificateOfRequest(resolved.policy.clientCertificates, req)) !== false
  }

  async function run(req: ParsedRequest, res: ServerResponse): Promise<void> {
    let certificate: RequestCertificate | undefined
    const authentication = await observe(req, async (_request, seen) => {
      await parseBody(req, res)
      const outcome = await authenticate(req, seen, brakeFor(own, req))
      certificate = seen.claimed?.certificate
      return outcome
    })
    const { client } = authentication
    Reflect.deleteProperty(authentication, 'client') // not by a copy, which would read the certificate
    attach(req, property, client, authentication)
    if (stripCredentials) strip(req, authentication)
    authenticated.set(req, { client, presented: presentedBy(req), certificate })
  }

  function answer(error: unknown, req: IncomingMessage, res: ServerResponse, next: Next): void {
    try {
      if (!(error instanceof ClientAuthError) || res.headersSent) {
        handOn(res, next, error)
        return
      }
      setErrorHeaders(res, error)
      // Lets a client that is still sending read the answer. Tests' imitations of requests have no such method.
      ;(req as Partial<IncomingMessage>).resume?.()
      if (onError === undefined) sendError(res, error)
      else void answerBy(onError, error, req, res, next)
    } catch (thrown) {
      // Another middleware's hook on the response. Express would answer through it again, where nobody catches what it
      // throws.
      endAnswer(res, thrown)
    }
  }

  /** An onError that fails must not leave the request hanging. */
  async function answerBy(
    respond: NonNullable<typeof onError>,
    error: ClientAuthError,
    req: IncomingMessage,
    res: ServerResponse,
    next: Next
  ): Promise<void> {
    const handedOn = { once: false }
    try {
      await respond(error, req, res, (...given: [error?: unknown]) => {
        handedOn.once = true
        handOn(res, next, ...given)
      })
    } catch (thrown) {
      if (handedOn.once) warn(thrown)
      else handOn(res, next, thrown)
    }
  }

  function start(req: IncomingMessage, res: ServerResponse, next: Next): void {
    if (!isNodePair(req, res)) throw new TypeError(notNode)
    // Mounted twice. Only what was judged is handed on: a host may use one request object for several requests.
    if (isJudged(req)) {
      handOn(res, next)
      return
    }
    authenticated.delete(req)
    void run(req, res).then(
      () => handOn(res, next),
      (error: unknown) => answer(error, req, res, next)
    )
  }

  const middleware = (req: IncomingMessage, res: ServerResponse, next: Next): void => {
    try {
      start(req, res, next)
    } catch (thrown) {
      // Koa, Hono and the like pass no such third argument; they answer what is thrown.
      if (typeof next !== 'function') throw thrown
      handOn(res, next, thrown)
    }
  }

  brakable.set(middleware, own)
  return Object.assign(middleware, {
    clientOf: (req: object): C => {
      const client = authenticated.get(req)?.client
      if (client === undefined) throw new TypeError('clientOf: this middleware has not authenticated the request')
      return client as C // what getClient<C> returned
    },
    metadata: <E extends MetadataEndpoint = 'token'>(endpoint?: E) =>
      endpointMetadata((endpoint ?? 'token') as E, accepted, options.clientCertificates !== undefined),
    explain
  })
}

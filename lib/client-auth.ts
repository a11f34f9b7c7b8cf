import { IncomingMessage, type ServerResponse } from 'node:http'
import { urlencoded } from 'body-parser'
import { authenticatorFor } from './authenticator'
import { acceptedMethods, endpointMetadata, type EndpointMetadata, type MetadataEndpoint } from './metadata'
import { sendError, setErrorHeaders } from './error-response'
import { ClientAuthError } from './errors'
import { resolveOptions, type ClientAuthOptions } from './options'
import type { ClientAuthentication, OAuthClient } from './types'

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

/** What `clientAuth()` returns: a middleware for Express, connect and bare `node:http`. */
export interface ClientAuthMiddleware {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
  /** What discovery must advertise for an endpoint behind this middleware (RFC 8414 §2). */
  metadata<E extends MetadataEndpoint = 'token'>(endpoint?: E): EndpointMetadata<E>
}

/** A request as middleware before and behind this one see it. */
type Request = IncomingMessage & {
  body?: unknown
  _body?: boolean
  oauthClientAuth?: ClientAuthentication
  /** node:http2's. */
  stream?: { endAfterHeaders?: boolean }
}
type Parser = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

const isParsed = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && !ArrayBuffer.isView(body) && Object.keys(body).length > 0

/** Reads any body as a form, and refuses a non-empty one that does not say it is: an empty one may say anything. */
function formParser(limit: number | string): Parser {
  const verify = ({ headers }: IncomingMessage, _res: unknown, body: Buffer) => {
    const isForm = /^application\/x-www-form-urlencoded *(;|$)/i.test(headers['content-type'] ?? '')
    if (body.length > 0 && !isForm) throw new Error('not a form') // body-parser calls it entity.verify.failed
  }
  // No inflating: a connection that breaks off inside a compressed body is never told to body-parser.
  return urlencoded({ extended: false, inflate: false, limit, type: () => true, verify })
}

/** body-parser's errors hold the body, so they are replaced, not wrapped. */
function bodyError(error: unknown): unknown {
  const { status, type } = Object(error) as { status?: number; type?: string }
  if (status !== undefined && status >= 500) return error // not the client's fault: a stream that the application spoilt
  if (status === 413) return new ClientAuthError('body_too_large')
  const isType = type === 'entity.verify.failed' || type === 'charset.unsupported'
  return new ClientAuthError(isType ? 'body_content_type' : 'body_unreadable')
}

async function parseBody(req: Request, res: ServerResponse, parse: Parser): Promise<void> {
  if (isParsed(req.body)) return
  const { headers, stream } = req
  // RFC 9113 §8.1: on HTTP/2 no header announces a body, and body-parser looks for one.
  const isSilent = stream?.endAfterHeaders === false && headers['content-length'] === undefined
  if (isSilent) headers['transfer-encoding'] = 'chunked'
  const error = await new Promise<unknown>((resolve) => {
    parse(req, res, resolve)
  })
  if (isSilent) delete headers['transfer-encoding']
  if (error !== undefined) throw bodyError(error)
  if (isSilent && req.body === undefined) throw new ClientAuthError('body_unreadable') // somebody else has read it
  req._body = true // a body-parser 1.x behind us would wait for a stream that has ended
}

function strip(req: Request, { method }: ClientAuthentication): void {
  const body = req.body as Record<string, unknown>
  for (const name of ['client_secret', 'client_assertion', 'client_assertion_type']) Reflect.deleteProperty(body, name)
  // Another scheme (DPoP, a user's token) is no client credential and belongs to the handler behind.
  if (method !== 'client_secret_basic') return
  delete req.headers.authorization
  delete (req as Partial<Request>).headersDistinct?.authorization // node:http2 has none
  const raw = req.rawHeaders
  for (let index = raw.length - 2; index >= 0; index -= 2) {
    if (raw[index]?.toLowerCase() === 'authorization') raw.splice(index, 2)
  }
}

/**
 * Returns the middleware that authenticates the OAuth client of a request and hands the request on with
 * `req.oauthClient`, `req.oauthClientAuth` and `req.body.client_id`, or answers RFC 6749 §5.2 itself.
 * Mount one value at every endpoint that authenticates clients: they share caches and the replay store.
 * Throws a `TypeError` for options that cannot be meant.
 */
export function clientAuth<C extends OAuthClient = OAuthClient>(options: ClientAuthOptions<C>): ClientAuthMiddleware {
  if ((options as unknown) instanceof IncomingMessage) {
    throw new TypeError(
      'clientAuth is used without being called: write app.use(clientAuth({ … })), not app.use(clientAuth)'
    )
  }
  const resolved = resolveOptions('clientAuth', options)
  const { bodyLimit = '64kb', property = 'oauthClient', stripCredentials = false, onError } = options
  const authenticate = authenticatorFor(resolved)
  const parse = formParser(bodyLimit)
  const accepted = acceptedMethods('clientAuth', options)

  async function run(req: Request, res: ServerResponse): Promise<void> {
    const { client, ...authentication } = await authenticate(req, () => parseBody(req, res, parse))
    const body = (req.body ??= {}) as Record<string, unknown>
    body.client_id = authentication.clientId
    Object.assign(req, { [property]: client, oauthClientAuth: authentication })
    if (stripCredentials) strip(req, authentication)
  }

  function answer(error: unknown, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void {
    if (!(error instanceof ClientAuthError) || res.headersSent) {
      next(error)
      return
    }
    setErrorHeaders(res, error)
    req.resume() // lets a client that is still sending read the answer
    if (onError === undefined) sendError(res, error)
    // An onError that fails must not leave the request hanging.
    else
      void Promise.resolve()
        .then(() => onError(error, req, res, next))
        .catch(next)
  }

  const middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void => {
    void run(req as Request, res).then(
      () => {
        next()
      },
      (error: unknown) => {
        answer(error, req, res, next)
      }
    )
  }
  return Object.assign(middleware, {
    metadata: <E extends MetadataEndpoint = 'token'>(endpoint?: E) =>
      endpointMetadata((endpoint ?? 'token') as E, accepted)
  })
}

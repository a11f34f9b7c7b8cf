import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { urlencoded } from 'body-parser'
import { ClientAuthError } from '../refusals/errors'
import { type Fault, firstFault } from '../refusals/rules'
import { contentTypeFacts, contentTypeRule, form, hasUtf8Escapes, utf8Rule } from './content-type'

/** A request as parsers before and behind this one see it. */
export type ParsedRequest = IncomingMessage & {
  body?: unknown
  _body?: boolean
  /** node:http2's. */
  stream?: { endAfterHeaders?: boolean }
}

type Parser = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/** `bodyLimit` in octets: a number, or a text such as `64kb`. */
export function octetsOf(limit: number | string): number {
  if (typeof limit === 'number') return limit
  const unit = /mb$/i.test(limit) ? 1024 ** 2 : /kb$/i.test(limit) ? 1024 : 1
  return Math.floor(parseFloat(limit) * unit)
}

const isParsed = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && !ArrayBuffer.isView(body) && !isEmpty(body)

/** An empty object is what some parsers leave when a body is not theirs. */
const isEmpty = (body: object): boolean =>
  typeof (body as URLSearchParams).getAll !== 'function' && Object.keys(body).length === 0

/** The rules that are judged once the body is there; body-parser has judged its encoding. */
const readRules = [contentTypeRule, utf8Rule]

/** Carries the fault of a body through body-parser, which adds the body itself to every error that passes it. */
class BodyFault extends Error {
  constructor(readonly fault: Fault) {
    super('not a form')
  }
}

function verify({ headers }: IncomingMessage, _res: unknown, body: Buffer): void {
  const isReadable = isUtf8(body) && hasUtf8Escapes(body.toString('latin1'))
  const fault = firstFault(readRules, { headers, isEmpty: body.length === 0, isUtf8: isReadable })
  if (fault !== undefined) throw new BodyFault(fault)
}

/** body-parser's errors hold the body, so they are replaced, not wrapped. */
function bodyError(error: unknown, headers: IncomingHttpHeaders): unknown {
  const { status, type } = Object(error) as { status?: number; type?: string }
  if (status !== undefined && status >= 500) return error // not the client's fault: a stream that the application spoilt
  if (status === 413) return new ClientAuthError('body_too_large')
  if (error instanceof BodyFault) return new ClientAuthError(error.fault.reason, error.fault)
  if (type === 'charset.unsupported')
    return new ClientAuthError('body_content_type', { detail: () => contentTypeFacts({ headers }) })
  return new ClientAuthError('body_unreadable')
}

/** What body-parser calls on a request, partly in events, where a throw would end the process. */
const streamMethods = ['on', 'pause', 'pipe', 'removeListener', 'resume', 'unpipe'] as const

function mustBeStream(req: Partial<IncomingMessage>): void {
  const missing = streamMethods.find((name) => typeof req[name] !== 'function')
  if (missing !== undefined)
    throw new TypeError(`the request announces a body, but has no method ${missing} to read it`)
}

/**
 * Returns what parses the form body of a request into `req.body`, unless a parser before it has done so.
 *
 * A body over `limit` octets is refused as soon as that is known: by Content-Length, or when that many have arrived.
 * body-parser itself would wait for the end of it, which may be a gigabyte away.
 */
export function createBodyParser(limit: number) {
  // No inflating: a connection that breaks off inside a compressed body is never told to body-parser.
  const parse: Parser = urlencoded({ extended: false, inflate: false, limit, type: () => true, verify })

  const parsed = (req: ParsedRequest, res: ServerResponse): Promise<unknown> =>
    new Promise((resolve) => {
      let octets = 0
      const count = ({ length }: Buffer): void => {
        octets += length
        if (octets > limit) resolve({ status: 413 })
      }
      const isUnannounced = req.headers['transfer-encoding'] !== undefined
      if (isUnannounced) req.on('data', count)
      parse(req, res, (error?: unknown) => {
        if (isUnannounced) req.removeListener('data', count)
        resolve(error)
      })
    })

  return async (req: ParsedRequest, res: ServerResponse): Promise<void> => {
    if (isParsed(req.body)) return
    const { headers, stream } = req
    if (Number(headers['content-length']) > limit) throw new ClientAuthError('body_too_large')
    // RFC 9113 §8.1: on HTTP/2 no header announces a body, and body-parser looks for one.
    const isSilent = stream?.endAfterHeaders === false && headers['content-length'] === undefined
    if (isSilent) headers['transfer-encoding'] = 'chunked'
    if (headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined) mustBeStream(req)
    // body-parser would obey a charset in the type of a form.
    const type = headers['content-type']
    const isForm = contentTypeRule.holds({ headers, isEmpty: false, isUtf8: true })
    if (isForm) headers['content-type'] = form
    const error = await parsed(req, res)
    if (isForm) headers['content-type'] = type
    if (isSilent) delete headers['transfer-encoding']
    if (error !== undefined) throw bodyError(error, headers)
    if (isSilent && req.body === undefined) throw new ClientAuthError('body_unreadable') // somebody else has read it
    req._body = true // a body-parser 1.x behind us would wait for a stream that has ended
  }
}

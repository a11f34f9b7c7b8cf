import type { ServerResponse } from 'node:http'
import type { ClientAuthError } from './errors'

/** What decides the headers of a refusal, beside the error itself. */
export interface ErrorContext {
  /** The protection space of the challenge: the issuer. */
  readonly realm: string
  /** Whether Basic is among the server's methods. */
  readonly acceptsBasic: boolean
  /** Whether each refusal has a reference. */
  readonly hasReference: boolean
}

/** The header in which a refusal carries its reference. */
const referenceHeader = 'OAuth-Client-Auth-Reference'

/** Seconds after which a client may try again after a 503. */
const RETRY_AFTER = '5'

/** Completes an error with the status and headers of RFC 6749 §5.2. */
export function completeError(
  error: ClientAuthError,
  { realm, acceptsBasic }: ErrorContext,
  usedAuthorization: boolean
): void {
  error.headers = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }
  if (error.reference !== undefined) error.headers[referenceHeader] = error.reference
  if (error.status === 503) error.headers['Retry-After'] = RETRY_AFTER
  if (error.status === 429) error.headers['Retry-After'] = String(error.detail?.retryAfter)
  if (error.code !== 'invalid_client') return
  // RFC 9110 §15.5.2: a 401 carries a challenge. RFC 6749 §5.2 allows 400 unless Authorization was used.
  if (acceptsBasic || usedAuthorization) {
    error.headers['WWW-Authenticate'] = `Basic realm="${realm.replace(/["\\]/g, '')}", charset="UTF-8"`
  } else {
    error.status = 400
  }
}

/** Puts the error's headers on the response; the answer itself may then be anybody's. */
export function setErrorHeaders(res: ServerResponse, error: ClientAuthError): void {
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value)
}

/** Answers with the error as OAuth JSON. */
export function sendError(res: ServerResponse, error: ClientAuthError): void {
  res.statusCode = error.status
  res.setHeader('Content-Type', 'application/json')
  res.end(JSON.stringify(error)) // Node counts what is sent in one piece
}

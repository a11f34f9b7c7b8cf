import { type ClientAuthErrorReason, reasons } from './reasons'
import type { ClientAuthErrorCode, Detail } from './reasons/reason'

/** RFC 6749 §5.2: error_description holds only %x20-21 / %x23-5B / %x5D-7E. */
const wireSafe = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')

/** All but the reason. */
interface ErrorParts {
  message?: string | undefined
  detail?: (() => Detail | undefined) | undefined
  cause?: unknown
}

/**
 * A refused request. `message` is safe for the wire: it is the `error_description`. `reason` and `detail` are for logs.
 * None of them, nor `cause`, ever holds a secret or an assertion.
 *
 * @example
 * clientAuth({
 *   issuer,
 *   getClient,
 *   onError: (error, req, res, next) => {
 *     logger.warn({ reason: error.reason, detail: error.detail, clientId: error.clientId })
 *     next(error) // the headers are set already
 *   }
 * })
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
  /** A random value that also stands in a header of the answer, with the option `reference`: it joins the two. */
  reference?: string
  #detail: Detail | (() => Detail | undefined) | undefined

  /** @internal */
  constructor(reason: ClientAuthErrorReason, { message, detail, cause }: ErrorParts = {}) {
    const { code, status, message: words } = reasons[reason]
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

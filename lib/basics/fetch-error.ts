/** Why a document could not be fetched: stable, for logs and events. */
export type FetchFault =
  | 'url'
  | 'host'
  | 'dns'
  | 'address'
  | 'busy'
  | 'timeout'
  | 'connection'
  | 'tls'
  | 'protocol'
  | 'status'
  | 'withdrawn'
  | 'content_type'
  | 'content_encoding'
  | 'too_large'
  | 'json'

/**
 * A document that was refused or could not be fetched. The message is for logs; it never holds any of the document's
 * content.
 *
 * @example
 * const why = error.cause instanceof FetchError ? error.cause.why : undefined // such as 'timeout'
 */
export class FetchError<Why extends string = FetchFault> extends Error {
  override readonly name: string = 'FetchError'
  constructor(
    readonly why: Why,
    message: string,
    /** The `Retry-After` of the answer (RFC 9110 §10.2.3). */
    readonly retryAfter?: string,
    /** What the application's own resolver threw. */
    cause?: unknown
  ) {
    super(message, cause === undefined ? {} : { cause })
  }
}

/** Whatever went wrong with a fetch, as an error of this class. */
export const errorOf =
  <E>(Kind: new (why: FetchFault, message: string, retryAfter?: string, cause?: unknown) => E) =>
  (cause: unknown): E => {
    if (cause instanceof Kind) return cause
    if (!(cause instanceof FetchError)) return new Kind('connection', 'the fetch failed', undefined, cause)
    const { why, message, retryAfter } = cause as FetchError
    return new Kind(why, message, retryAfter, cause.cause)
  }

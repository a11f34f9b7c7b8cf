/** Why a key set is not to be had: stable, for logs and events. */
export type KeySetFault =
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
  | 'keys'
  | 'private_key'

/** A key set that was refused or could not be had. The message never holds any of its content. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError'
  constructor(
    readonly why: KeySetFault,
    message: string,
    /** The `Retry-After` of the answer (RFC 9110 §10.2.3). */
    readonly retryAfter?: string,
    /** What the application's own resolver threw. */
    cause?: unknown
  ) {
    super(message, cause === undefined ? {} : { cause })
  }
}

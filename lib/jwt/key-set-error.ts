import { FetchError, type FetchFault } from '../basics/fetch-error'

/** Why a key set is not to be had: the faults of any fetch, and those of a set. Stable, for logs and events. */
export type KeySetFault = FetchFault | 'keys' | 'private_key' | 'not_renewed'

/**
 * A key set that was refused or could not be had. The message never holds any of its content.
 *
 * @example
 * await keySets.get(uri).catch((error) => logger.warn(error instanceof KeySetError ? error.why : 'unknown'))
 */
export class KeySetError extends FetchError<KeySetFault> {
  override readonly name = 'KeySetError'
}

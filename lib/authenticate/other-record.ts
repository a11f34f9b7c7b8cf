import { warnOnce } from '../basics/warn-once'
import { shownOtherId } from '../methods/look-up'

/**
 * What the operator is told where `getClient` returned the record of another client. The caller is told nothing.
 * Returns the error for the `failed` event; the process warning comes once.
 */
export function otherRecord(otherId: unknown): TypeError {
  warnOnce({
    code: 'OAUTH_CLIENT_AUTH_OTHER_RECORD',
    message: 'getClient returned a record with another client_id than it was asked for: the client counts as unknown.',
    detail:
      'Does the database compare texts without case? Compare client_id exactly: give its column a binary collation. ' +
      'The channel oauth-client-auth:failed tells each such request.'
  })
  return new TypeError(`getClient returned a record with another client_id: ${shownOtherId(otherId)}`)
}

import { warnOnce } from '../basics/warn-once'
import type { ReplayStore } from '../types'
import { createMemoryReplayStore } from './memory'

/** No server makes so many for one issuer when it starts. */
const tooMany = 100
const made = { issuer: '', count: 0 }

/**
 * The store of a server that was given none. Warns once where a server seems to be made anew for each request: each has a
 * store of its own, so an assertion would be accepted any number of times.
 */
export function ownReplayStore(issuer: string): ReplayStore {
  if (made.issuer !== issuer) Object.assign(made, { issuer, count: 0 })
  if (++made.count === tooMany) {
    warnOnce({
      type: 'SecurityWarning',
      code: 'OAUTH_CLIENT_AUTH_MADE_ANEW',
      message:
        `oauth-client-auth: ${tooMany} servers were made for the issuer ${issuer}, each with a replay store of its own. ` +
        'A used assertion is accepted once by each of them.',
      detail:
        'Call clientAuth({ … }) or createClientAuthenticator({ … }) once, at start-up, and mount its value at each ' +
        'route: not within a request. Several that are meant need one replayStore together.'
    })
  }
  return createMemoryReplayStore()
}

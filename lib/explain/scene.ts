import type { Claimed } from '../methods/method'
import type { Received } from '../request/credentials'
import type { ClientAuthRequest, OAuthClient } from '../types'
import type { Finding } from './findings'

/** What a near miss may look at: a refused request, and the check that failed. */
export interface Scene {
  readonly finding: Finding
  readonly request: ClientAuthRequest
  readonly received: Received
  /** The secret that was sent, or the empty text. */
  readonly secret: string
  /** Absent where there were no credentials to judge. */
  readonly claimed: Claimed | undefined
  /** As of when the request is judged, in seconds since the epoch. */
  readonly now: number
  /** Looks up another id, which may have been meant. */
  readonly lookUp: (id: string) => Promise<OAuthClient | undefined>
  /** Further clients, whose keys may have signed. */
  readonly others: readonly OAuthClient[]
}

export const looksLikeJwt = (text: string): boolean => /^\s*(?:Bearer\s+)?eyJ[\w-]+\.[\w-]+\.[\w-]*\s*$/i.test(text)

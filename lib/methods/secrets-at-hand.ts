import { withoutSecrets } from '../basics/printable'
import { presentedSecrets, type Received } from '../request/credentials'
import type { OAuthClient } from '../types'
import { storedSecrets } from './stored-secrets'

/** Facts for logs, in which no text shows a secret that the request presents or that is registered for its client. */
export const withoutSecretsAtHand = <T>(facts: T, received: Received, client: Partial<OAuthClient> | undefined): T =>
  withoutSecrets(facts, [...presentedSecrets(received), ...storedSecrets(client ?? {})])

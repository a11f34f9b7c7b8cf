// Without Express and with no types listed: the package brings what it needs of Node's types.
import {
  ClientAuthError,
  clientAuth,
  createClientAuthenticator,
  createJwksFetcher,
  createMemoryReplayStore,
  createRedisReplayStore,
  fapi2,
  rememberSecrets,
  validateClientMetadata,
  type ClientAuthErrorReason,
  type JwkSet,
  type KeySets,
  type OAuthClient,
  type ReplayStore
} from 'oauth-client-auth'

const issuer = 'https://as.example.com'
const client: OAuthClient = { client_id: 'app', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } }
const getClient = (clientId: string) => (clientId === client.client_id ? client : null)

const noKeys: JwkSet = { keys: [] }
const keySets: KeySets = { get: () => Promise.resolve(noKeys) }
const replayStore: ReplayStore = createRedisReplayStore({ sendCommand: (args) => Promise.resolve(args[0]) })

export const middleware = [
  clientAuth({ issuer, getClient, keySets, replayStore }),
  clientAuth({ ...fapi2, issuer, getClient, keySets: createJwksFetcher(), replayStore: createMemoryReplayStore() }),
  clientAuth({ issuer, getClient, verifySecret: rememberSecrets((presented, stored) => presented === stored) })
]

// `undefined` means absent, also under exactOptionalPropertyTypes; a key is typed as jose and node:crypto export it.
declare const maybe: { seconds?: number; text?: string; store?: ReplayStore }
declare const published: { kty?: string; kid?: string; key_ops?: string[]; [member: string]: unknown }
export const optional = clientAuth({
  issuer,
  getClient: (clientId) => ({ client_id: clientId, client_secret: maybe.text, jwks: { keys: [published] } }),
  clockTolerance: maybe.seconds,
  replayStore: maybe.store,
  keySets: createJwksFetcher({ timeout: maybe.seconds, hosts: { 'keys.corp': { ca: maybe.text } } })
})

export async function reasonOf(body: unknown): Promise<ClientAuthErrorReason | undefined> {
  validateClientMetadata(client)
  try {
    await createClientAuthenticator({ issuer, getClient })({ headers: {}, body })
    return undefined
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    const status: number = error.statusCode
    return status === 401 ? error.reason : undefined
  }
}

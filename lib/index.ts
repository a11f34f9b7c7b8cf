export { clientAuth, type ClientAuthMiddleware } from './client-auth'
export { createClientAuthenticator, type ClientAuthenticator } from './client-authenticator'
export {
  validateClientMetadata,
  type ClientMetadataOptions,
  type EndpointMetadata,
  type MetadataEndpoint
} from './client-metadata'
export { rememberSecrets, type RememberSecretsOptions, type VerifySecret } from './client-secret'
export { ClientAuthError, type ClientAuthErrorCode, type ClientAuthErrorReason } from './errors'
export { createJwksFetcher } from './jwks-fetcher'
export type { JwksFetcherOptions, JwksHost } from './jwks-options'
export { fapi2, type AuthenticatorOptions, type ClientAuthOptions } from './options'
export {
  createMemoryReplayStore,
  createRedisReplayStore,
  type MemoryReplayStoreOptions,
  type RedisReplayStoreOptions
} from './replay-store'
// by star, so that `declare module 'oauth-client-auth'` can merge into OAuthClient
export type * from './types'

export { clientAuth, type ClientAuthMiddleware } from './client-auth'
export { createClientAuthenticator, type ClientAuthenticator } from './authenticator'
export {
  validateClientMetadata,
  type ClientMetadataOptions,
  type EndpointMetadata,
  type MetadataEndpoint
} from './metadata'
export type { VerifySecret } from './methods/secret'
export { rememberSecrets, type RememberSecretsOptions } from './remember-secrets'
export { ClientAuthError, type ClientAuthErrorCode, type ClientAuthErrorReason } from './errors'
export { createJwksFetcher } from './jwks-uri/fetcher'
export type { JwksFetcherOptions, JwksHost } from './jwks-uri/options'
export { fapi2, type AuthenticatorOptions, type ClientAuthOptions } from './options'
export { createMemoryReplayStore, type MemoryReplayStoreOptions } from './replay-store/memory'
export { createRedisReplayStore, type RedisReplayStoreOptions } from './replay-store/redis'
// by star, so that `declare module 'oauth-client-auth'` can merge into OAuthClient
export type * from './types'

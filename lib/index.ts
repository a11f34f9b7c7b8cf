export type { ClientCertificates, PresentedCertificate } from './certificates/certificate-source'
export {
  createProxyCertificates,
  type ExactHeader,
  type ProxyCertificatesOptions
} from './certificates/proxy-certificates'
export {
  createTlsCertificates,
  type Pem,
  type TlsCertificates,
  type TlsCertificatesOptions,
  type TlsServerOptions
} from './certificates/tls-certificates'
export { createClientAuthenticator, type ClientAuthenticator } from './authenticator'
export { clientAuth, type ClientAuthMiddleware } from './client-auth'
export {
  ClientAuthError,
  clientAuthErrorReasons,
  type ClientAuthErrorCode,
  type ClientAuthErrorReason,
  type Detail
} from './errors'
export type { Explanation, ExplainOptions } from './explainer'
export { createJwksFetcher } from './jwks-uri/fetcher'
export { fapi2 } from './fapi2'
export type { JwksEvent } from './jwks-uri/events'
export type { JwksFetcherOptions, JwksHost } from './jwks-uri/options'
export { KeySetError, type KeySetFault } from './jwt/key-set-error'
export {
  validateClientMetadata,
  type ClientMetadataOptions,
  type EndpointMetadata,
  type MetadataEndpoint
} from './metadata'
export type { AuthenticatedEvent, FailedEvent, RejectedEvent } from './observer'
export type { AuthenticatorOptions, ClientAuthOptions } from './options'
export { rememberSecrets, type RememberSecretsOptions } from './remember-secrets'
export { createMemoryReplayStore, type MemoryReplayStoreOptions } from './replay-store/memory'
export { createRedisReplayStore, type RedisReplayStoreOptions } from './replay-store/redis'
export { createSqliteReplayStore, type SqliteDatabase, type SqliteReplayStoreOptions } from './replay-store/sqlite'
export { claimedClientId } from './request/credentials'
export type { Finding } from './rules'
// by star, so that `declare module 'oauth-client-auth'` can merge into OAuthClient
export type * from './types'

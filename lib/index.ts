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
export type { AllowedDocuments } from './client-documents/allow'
export { createClientDocuments, type ClientDocuments } from './client-documents/client-documents'
export { ClientDocumentError, type ClientDocumentFault } from './client-documents/document-error'
export type { ClientDocumentEvent } from './client-documents/events'
export type { ClientDocumentsOptions } from './client-documents/options'
export type { ClientDocument } from './client-documents/record'
export { createClientAuthenticator, type ClientAuthenticator } from './authenticate/authenticator'
export { clientAuth, type ClientAuthMiddleware } from './middleware/client-auth'
export { ClientAuthError } from './refusals/errors'
export { clientAuthErrorReasons, type ClientAuthErrorReason } from './refusals/reasons'
export type { ClientAuthErrorCode, Detail } from './refusals/reasons/reason'
export { recordRefusals, type RecordedRefusal, type RecordRefusalsOptions } from './explain/recorder'
export type { Explain, Explanation, ExplainOptions } from './explain/explanation'
export { createJwksFetcher } from './key-sets/fetcher'
export { fapi2 } from './options/fapi2'
export type { JwksEvent } from './key-sets/events'
export type { FetchProxy, JwksHost } from './guarded-fetch/fetch-options'
export type { FetchingEvent } from './guarded-fetch/fetching-events'
export type { JwksFetcherOptions } from './key-sets/options'
export { FetchError, type FetchFault } from './basics/fetch-error'
export { KeySetError, type KeySetFault } from './jwt/key-set-error'
export {
  validateClientMetadata,
  type ClientMetadataOptions,
  type EndpointMetadata,
  type MetadataEndpoint
} from './registration/metadata'
export type { AuthenticatedEvent, FailedEvent, RejectedEvent } from './authenticate/observer'
export type { AuthenticatorOptions, ClientAuthOptions } from './options/options'
export {
  createBrake,
  type Brake,
  type BrakeEvent,
  type BrakeCount,
  type BrakeLimiter,
  type BrakeOptions
} from './secrets/brake'
export { rememberSecrets, type RememberSecretsOptions } from './secrets/remember-secrets'
export { createMemoryReplayStore, type MemoryReplayStore, type MemoryReplayStoreOptions } from './replay-store/memory'
export { createRedisReplayStore, type RedisReplayStoreOptions } from './replay-store/redis'
export { createSqliteReplayStore, type SqliteDatabase, type SqliteReplayStoreOptions } from './replay-store/sqlite'
export { claimedClientId } from './request/credentials'
export type { Finding } from './explain/findings'
// by star, so that `declare module 'oauth-client-auth'` can merge into OAuthClient
export type * from './types'

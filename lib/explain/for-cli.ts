import { type ClientAuthOptions, resolveOptions } from '../options/options'
import { createExplainer, type Pasted } from './explainer'

// All that cli/ may use of lib/: the command imports this module and no other (`papers/layers.test.ts`).
export { type ClientCertificates, certificateOfRequest, RequestCertificate } from '../certificates/certificate-source'
export { lookAtCertificate } from '../certificates/undecoded-certificate'
export { refusalOf } from '../client-documents/document-error'
export { type DocumentInspection, inspectClientDocument } from '../client-documents/inspect'
export { type Explanation } from './explanation'
export { type Finding, findingOfLog } from './findings'
export { type JwksHost } from '../guarded-fetch/fetch-options'
export { type FetchStep } from '../guarded-fetch/steps'
export { decodeJws } from '../jwt/jws'
export { isObject } from '../basics/is-object'
export { algorithmsOf, keyFault, secretMembers } from '../jwt/jwk'
export { keysOf } from '../jwt/jwk-set'
export { type KeySetError, type KeySetFault } from '../jwt/key-set-error'
export { isSeconds } from '../jwt/numeric-date'
export { type Inspection, inspectFetch } from '../key-sets/inspect'
export { type JwksFetcherOptions } from '../key-sets/options'
export { keySourceOf } from '../methods/client-record'
export { type ClientAuthOptions } from '../options/options'
export { attempt } from '../basics/attempt'
export { equalTexts } from '../basics/equal-texts'
export { storedSecrets } from '../methods/stored-secrets'
export { printable, withoutSecrets } from '../basics/printable'
export { adviceFor, factsForSender } from '../refusals/reasons'
export { type Detail } from '../refusals/reasons/reason'
export { JWT_BEARER, JWT_SPIFFE, maxAssertion } from '../request/credentials'
export { type ClientAuthMethod, type KeySets, type OAuthClient, type ReplayStore } from '../types'

/**
 * `explain` of a server with these options.
 *
 * @throws TypeError for options that cannot be meant
 */
export const explainerFor = (options: ClientAuthOptions, pasted?: Pasted) =>
  createExplainer(resolveOptions('clientAuth', options), pasted)

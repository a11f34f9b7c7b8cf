import { certificateOfRequest, type RequestCertificate } from '../certificates/certificate-source'
import { type Credentials, credentialsOf, type Received } from '../request/credentials'
import type { ClientAuthRequest } from '../types'
import { createMethods } from './index'
import type { Method, Policy, Presented } from './method'

/** A request that has credentials: the method that judges them, and all that they are judged by. */
export interface Question {
  readonly method: Method<Credentials>
  readonly presented: Presented
}

/** As of when to judge, and by what, where not as of now and by the options of the server. */
interface Circumstances {
  readonly at?: Date | undefined
  readonly policy?: Policy
  /** Default: what the source says of the request. */
  readonly certificate?: RequestCertificate | undefined
}

/** As of when to judge, in seconds since the epoch. Default now. */
export const secondsOf = (at: Date | undefined): number => Math.floor((at?.getTime() ?? Date.now()) / 1000)

/**
 * Makes the question that `authenticate` and `explain` both answer: they differ in what they do with it, and not in
 * what they ask.
 */
export function createAsk(server: { policy: Policy; legacyAudiences: readonly string[] | undefined }) {
  const methodFor = createMethods(server.policy)
  return (request: ClientAuthRequest, received: Received, circumstances: Circumstances): Question => {
    const { at, policy = server.policy, certificate } = circumstances
    const credentials = credentialsOf(received)
    const presented = {
      credentials,
      policy,
      nowSeconds: secondsOf(at),
      legacyAudiences: server.legacyAudiences,
      certificate: certificate ?? certificateOfRequest(policy.clientCertificates, request),
      hasGrant: received.form.grant_type !== undefined
    }
    return { method: methodFor(credentials), presented }
  }
}

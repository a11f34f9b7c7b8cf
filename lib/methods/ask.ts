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

/** What replaces the current time, the server's options, or what the source of certificates says of the request. */
interface Circumstances {
  readonly at?: Date | undefined
  readonly policy?: Policy
  /** Default: what the source says of the request. */
  readonly certificate?: RequestCertificate | undefined
}

/** As of when to judge, in seconds since the epoch. Default now. */
export const secondsOf = (at: Date | undefined): number => Math.floor((at?.getTime() ?? Date.now()) / 1000)

/**
 * Reads and judges a request up to its method, for `authenticate` and for `explain`, so that the two cannot differ.
 */
export function createAsk(own: Policy) {
  const methodFor = createMethods(own)
  return (request: ClientAuthRequest, received: Received, circumstances: Circumstances): Question => {
    const { at, policy = own, certificate } = circumstances
    const credentials = credentialsOf(received)
    const presented = {
      credentials,
      policy,
      nowSeconds: secondsOf(at),
      certificate: certificate ?? certificateOfRequest(policy.clientCertificates, request),
      hasGrant: received.form.grant_type !== undefined
    }
    return { method: methodFor(credentials), presented }
  }
}

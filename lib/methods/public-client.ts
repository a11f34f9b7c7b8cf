import { certificateMethods } from '../certificates/source-check'
import type { BareCredentials } from '../request/credentials'
import type { Rule } from '../refusals/rules'
import { nobody } from './client-record'
import { type Claimed, type Method, provenRules, recordRules } from './method'
import { isRegisteredFor } from './registered-methods'
import { acceptedRule } from './secret'

/**
 * A client that is registered for certificates and shows one is no public client, even if the server does not accept its
 * method.
 */
export const noFallBackRule: Rule<Claimed<BareCredentials>> = {
  check: 'no fall-back to none',
  reason: 'method_not_registered',
  spec: 'our rule',
  holds: ({ policy, client, certificate }) => {
    if (certificate.found.kind !== 'shown') return true
    const registered = certificateMethods.filter((method) => isRegisteredFor(client, method))
    return registered.length === 0 || registered.some((method) => policy.methods.has(method))
  },
  canJudge: ({ client }) => client !== nobody,
  detail: ({ client }) => ({
    expected: certificateMethods.filter((method) => isRegisteredFor(client, method)).join(' or '),
    received: 'none, with a certificate'
  })
}

/** `none`: a public client, which proves nothing (RFC 6749 §2.1). */
export const publicMethod: Method<BareCredentials> = {
  requestRules: [acceptedRule],
  recordRules: [...recordRules, noFallBackRule],
  proofSteps: [],
  prove: () => ({ method: 'none', fault: undefined }),
  provenRules
}

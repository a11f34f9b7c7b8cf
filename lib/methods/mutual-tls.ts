import type { CertificateSourceError } from '../certificates/certificate-source'
import { type ClientCertificate, isRegistered, isValidAt, readCertificate } from '../certificates/client-certificate'
import { compareSubject } from '../certificates/registered-subject'
import { printable } from '../basics/printable'
import { unproven } from '../refusals/reasons/reason'
import type { BareCredentials } from '../request/credentials'
import { type Fault, faultOf, firstFaultInEqualTime, type Rule } from '../refusals/rules'
import type { ClientAuthMethod, JwkSet } from '../types'
import {
  datesFacts,
  identityOf,
  noneShown,
  registeredCertificateFacts,
  registeredSubjectFacts,
  strengthFacts,
  subjectFacts
} from './certificate-facts'
import { keySourceOf } from './client-record'
import {
  type Claimed,
  isJudgeable,
  type Method,
  type Presented,
  type Proof,
  type ProofStep,
  provenRules,
  recordRules
} from './method'
import { noFallBackRule } from './public-client'
import { inlineSetDetail, registeredKeysRule, unavailableSet } from './registered-keys'
import { isRegisteredFor } from './registered-methods'

type Asked = Presented<BareCredentials>
type ClaimedBare = Claimed<BareCredentials>

const isShown = ({ certificate: { found } }: Asked): boolean => found.kind === 'shown'
const shownIn = ({ certificate: { found } }: Asked): ClientCertificate | undefined =>
  found.kind === 'shown' ? readCertificate(found.certificate) : undefined

/** Whether the certificate rules can be judged: one is shown, or none is needed because public clients are let in. */
const isKnown = (subject: Asked): boolean =>
  isShown(subject) || (subject.certificate.found.kind === 'none' && subject.policy.methods.has('none'))

/** Passes without a certificate: the rule `certificate` reports that. */
const ofCertificate = <S extends Asked>(holds: (certificate: ClientCertificate, subject: S) => boolean) => ({
  holds: (subject: S): boolean => {
    const certificate = shownIn(subject)
    return certificate === undefined || holds(certificate, subject)
  },
  canJudge: isKnown
})

/** Why the source refuses what stands in the place of a certificate. */
const refusedBySource = ({ certificate: { found } }: Asked, why: CertificateSourceError['why']): string | undefined =>
  found.kind === 'unusable' && found.error.why === why ? found.error.message : undefined

const sourceRule = (
  reason: 'certificate_header' | 'certificate_proxy',
  why: 'header' | 'proxy',
  expected: string
): Rule<Asked> => ({
  check: `certificate, ${why}`,
  reason,
  spec: 'RFC 9440 §2.1, §4',
  holds: (subject) => refusedBySource(subject, why) === undefined,
  detail: (subject) => ({ expected, received: printable(refusedBySource(subject, why)) })
})

function weaknessOf(subject: Asked): string | undefined {
  const weakness = shownIn(subject)?.weakness
  return weakness === undefined ? refusedBySource(subject, 'key') : `the key ${weakness}`
}

/** What the request alone decides. */
const requestRules: readonly Rule<Asked>[] = [
  {
    check: 'certificate',
    reason: 'certificate_missing',
    spec: 'RFC 8705 §2',
    // Where public clients are let in, it depends on what is registered: see neededRule.
    holds: ({ certificate, policy }) => certificate.found.kind !== 'none' || policy.methods.has('none'),
    detail: noneShown
  },
  sourceRule('certificate_proxy', 'proxy', 'the certificate header from a trusted proxy only'),
  sourceRule('certificate_header', 'header', 'exactly one certificate in the header'),
  {
    check: 'dates of the certificate',
    reason: 'certificate_expired',
    spec: 'RFC 5280 §4.1.2.5',
    ...ofCertificate((certificate, { nowSeconds, policy }) =>
      isValidAt(certificate, nowSeconds, policy.clockTolerance)
    ),
    detail: (subject) => datesFacts(shownIn(subject), subject.nowSeconds)
  },
  {
    check: 'key of the certificate',
    reason: 'certificate_weak',
    spec: 'RFC 9325 §4.5',
    holds: (subject) => weaknessOf(subject) === undefined,
    canJudge: (subject) => isKnown(subject) || weaknessOf(subject) !== undefined,
    detail: (subject) => strengthFacts(weaknessOf(subject))
  }
]

const neededRule: Rule<ClaimedBare> = {
  check: 'certificate of this client',
  reason: 'certificate_missing',
  spec: 'RFC 8705 §2',
  holds: (subject) => isShown(subject) || isRegisteredFor(subject.client, 'none'),
  canJudge: (subject) => isJudgeable(subject) && isKnown(subject),
  words: () => unproven.message, // it depends on what is registered
  detail: noneShown
}

type Comparison = ReturnType<typeof compareSubject>
const comparisons = new WeakMap<ClaimedBare, Comparison>()

/** How the certificate compares with the registered subject: once a request, since several rules ask. */
function comparisonOf(subject: ClaimedBare): Comparison | undefined {
  const certificate = shownIn(subject)
  if (certificate === undefined) return undefined
  const known = comparisons.get(subject)
  if (known !== undefined) return known
  const comparison = compareSubject(certificate, subject.client)
  comparisons.set(subject, comparison)
  return comparison
}

const hasSubject = (subject: ClaimedBare): boolean => comparisonOf(subject) !== 'unusable'
const differsInForm = (subject: ClaimedBare): boolean => comparisonOf(subject) === 'form'
const subjectDetail = (subject: ClaimedBare) => subjectFacts(shownIn(subject), subject.client)

/** What the handshake or the proxy said of the certificate. */
const verdictOf = ({ certificate: { found } }: Asked) => (found.kind === 'shown' ? found.verdict : undefined)

/** tls_client_auth (RFC 8705 §2.1): somebody vouches for the certificate, and its subject is the registered one. */
const pkiRules: readonly Rule<ClaimedBare>[] = [
  {
    check: 'verified certificate',
    reason: 'certificate_unverified',
    spec: 'RFC 8705 §2.1',
    holds: ({ certificate: { found } }) => found.kind === 'shown' && found.verified,
    // Nobody vouches for a certificate that has ended, whoever has signed it.
    canJudge: (subject) => {
      const certificate = shownIn(subject)
      return certificate !== undefined && isValidAt(certificate, subject.nowSeconds, subject.policy.clockTolerance)
    },
    detail: (subject) => ({
      expected: 'a certificate of an authority that the server or its proxy trusts',
      received: identityOf(shownIn(subject), verdictOf(subject))
    })
  },
  {
    check: 'no authority',
    reason: 'certificate_unverified',
    spec: 'our rule',
    ...ofCertificate(({ x509 }) => !x509.ca),
    detail: () => ({ expected: 'a certificate of a client', received: 'one of an authority (CA:TRUE)' })
  },
  {
    check: 'registered subject',
    reason: 'certificate_subject_not_registered',
    spec: 'RFC 8705 §2.1.2',
    holds: hasSubject,
    detail: ({ client }) => registeredSubjectFacts(client)
  },
  {
    check: 'form of the subject',
    reason: 'certificate_subject_form',
    spec: 'RFC 4514 §2.1',
    holds: (subject) => !differsInForm(subject),
    canJudge: hasSubject,
    detail: subjectDetail
  },
  {
    check: 'subject',
    reason: 'certificate_subject',
    spec: 'RFC 8705 §2.1',
    holds: (subject) => comparisonOf(subject) === 'match',
    canJudge: (subject) => hasSubject(subject) && !differsInForm(subject),
    detail: subjectDetail
  }
]

const noKeys: JwkSet = { keys: [] }

const notRegistered = (certificate: ClientCertificate, set: JwkSet): Fault => ({
  reason: 'certificate_not_registered',
  detail: () => registeredCertificateFacts(certificate, set)
})

/** RFC 8705 §2.2, by the keys in the record. */
function inlineFault(certificate: ClientCertificate, jwks: JwkSet = noKeys): Fault | undefined {
  try {
    return isRegistered(certificate, jwks) ? undefined : notRegistered(certificate, jwks)
  } catch (cause) {
    return { reason: 'jwks_invalid', cause, detail: () => inlineSetDetail(jwks, cause) }
  }
}

const selfSigned = (fault: Fault | undefined): Proof => ({ method: 'self_signed_tls_client_auth', fault })

async function proveByUri(
  uri: string,
  certificate: ClientCertificate,
  { policy, client }: ClaimedBare
): Promise<Proof> {
  const isIn = (set: JwkSet) => isRegistered(certificate, set, Infinity)
  const keySets = policy.keySetsOf(client)
  try {
    const set = await keySets.get(uri)
    if (isIn(set)) return selfSigned(undefined)
    // A client renews by publishing old and new together: an unknown certificate asks for a newer set.
    const newer = await keySets.get(uri, { refresh: true })
    return selfSigned(newer !== set && isIn(newer) ? undefined : notRegistered(certificate, newer))
  } catch (cause) {
    return selfSigned(unavailableSet(client, uri, cause))
  }
}

const isUsable = (method: ClientAuthMethod, { policy, client }: ClaimedBare): boolean =>
  policy.methods.has(method) && isRegisteredFor(client, method)

/**
 * By the subject, else by the registered keys. Before a refusal both are compared, whatever is registered: else the time
 * would tell which of the two a client has, or that nobody has this id.
 */
function prove(subject: ClaimedBare): Proof | Promise<Proof> {
  const certificate = shownIn(subject)
  const isPublic = isUsable('none', subject)
  if (certificate === undefined) return { method: 'none', fault: isPublic ? undefined : faultOf(neededRule, subject) }
  const subjectFault = firstFaultInEqualTime(pkiRules, subject)
  const isPki = isUsable('tls_client_auth', subject)
  if (isPki && subjectFault === undefined) return { method: 'tls_client_auth', fault: undefined }
  const { jwks, uri } = keySourceOf(subject.client)
  const keyFault = inlineFault(certificate, jwks)
  if (isUsable('self_signed_tls_client_auth', subject)) {
    if (!registeredKeysRule.holds(subject)) return selfSigned(faultOf(registeredKeysRule, subject))
    return uri === undefined ? selfSigned(keyFault) : proveByUri(uri, certificate, subject)
  }
  if (isPki) return { method: 'tls_client_auth', fault: subjectFault }
  return { method: 'none', fault: isPublic ? undefined : subjectFault }
}

const step = ({ check, spec, reason }: Rule<never>): ProofStep => ({ check, spec, reasons: [reason] })

const selfSignedSteps: readonly ProofStep[] = [
  step(registeredKeysRule),
  { check: 'key set', spec: 'RFC 7591 §2', reasons: ['jwks_unavailable', 'client_keys_unavailable', 'jwks_invalid'] },
  { check: 'registered certificate', spec: 'RFC 8705 §2.2', reasons: ['certificate_not_registered'] }
]

/** A `client_id` alone, where certificates authenticate: tls_client_auth, self_signed_tls_client_auth, or none. */
export const mutualTls: Method<BareCredentials> = {
  requestRules,
  recordRules: [...recordRules, neededRule, noFallBackRule],
  proofSteps: [...pkiRules.map(step), ...selfSignedSteps],
  // Explain shows only the checks of the method that this client uses.
  proofOf: (method) => (method === 'tls_client_auth' ? pkiRules : method === 'none' ? [] : selfSignedSteps),
  prove,
  provenRules
}

import type { X509Certificate } from 'node:crypto'
import type { RequestCertificate } from '../certificates/certificate-source'
import { isRegistered, isValidAt, strengthFault } from '../certificates/client-certificate'
import { compareSubject, registeredSubject } from '../certificates/registered-subject'
import { printable } from '../refusals/errors'
import { unproven } from '../refusals/reasons/reason'
import type { BareCredentials } from '../request/credentials'
import { type Fault, firstFault, type Rule } from '../refusals/rules'
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
import { keySourceOf, methodOf, nobody } from './client-record'
import {
  type Claimed,
  isJudgeable,
  type Method,
  type Presented,
  type ProofStep,
  provenRules,
  recordRules
} from './method'
import { inlineSetDetail, registeredKeysRule, unavailableSetDetail } from './registered-keys'
import { isRegisteredFor } from './registered-methods'

type Asked = Presented<BareCredentials>
type Subject = Claimed<BareCredentials>

const x509Of = (certificate: RequestCertificate): X509Certificate | undefined =>
  certificate.kind === 'shown' ? certificate.certificate : undefined
const isShown = ({ certificate }: Asked): boolean => certificate.kind === 'shown'

/** Whether it is known what the certificate is. Where public clients are let in, it may be right to show none. */
const isKnown = (subject: Asked): boolean =>
  isShown(subject) || (subject.certificate.kind === 'none' && subject.policy.methods.has('none'))

/** A rule about the certificate that a request shows; kept where there is none, which is another rule's part. */
const ofCertificate = <S extends Asked>(holds: (certificate: X509Certificate, subject: S) => boolean) => ({
  holds: (subject: S): boolean => {
    const certificate = x509Of(subject.certificate)
    return certificate === undefined || holds(certificate, subject)
  },
  canJudge: isKnown
})

const sourceRule = (
  reason: 'certificate_header' | 'certificate_proxy',
  why: 'header' | 'proxy',
  expected: string
): Rule<Asked> => ({
  check: `certificate, ${why}`,
  reason,
  spec: 'RFC 9440 §2.1, §4',
  holds: ({ certificate }) => certificate.kind !== 'unusable' || certificate.error.why !== why,
  detail: ({ certificate }) => ({
    expected,
    received: certificate.kind === 'unusable' ? printable(certificate.error.message) : undefined
  })
})

/** What the request alone decides. */
const requestRules: readonly Rule<Asked>[] = [
  {
    check: 'certificate',
    reason: 'certificate_missing',
    spec: 'RFC 8705 §2',
    // Where public clients are let in, it depends on what is registered: see neededRule.
    holds: ({ certificate, policy }) => certificate.kind !== 'none' || policy.methods.has('none'),
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
    detail: ({ certificate, nowSeconds }) => datesFacts(x509Of(certificate), nowSeconds)
  },
  {
    check: 'key of the certificate',
    reason: 'certificate_weak',
    spec: 'RFC 9325 §4.5',
    ...ofCertificate((certificate) => strengthFault(certificate) === undefined),
    detail: ({ certificate }) => strengthFacts(x509Of(certificate))
  }
]

const neededRule: Rule<Subject> = {
  check: 'certificate of this client',
  reason: 'certificate_missing',
  spec: 'RFC 8705 §2',
  holds: (subject) => isShown(subject) || isRegisteredFor(subject.client, 'none'),
  canJudge: (subject) => isJudgeable(subject) && isKnown(subject),
  words: () => unproven.message, // it depends on what is registered
  detail: noneShown
}

/** What the registered subject says of a certificate, or why it says nothing. */
const subjectOutcome = (certificate: X509Certificate, { client }: Subject) => {
  const registered = registeredSubject(client)
  return typeof registered === 'string' ? 'unusable' : compareSubject(certificate, registered)
}

const differsInForm = (subject: Subject): boolean => {
  const x509 = x509Of(subject.certificate)
  return x509 !== undefined && subjectOutcome(x509, subject) === 'form'
}

const hasSubject = ({ client }: Subject): boolean => typeof registeredSubject(client) !== 'string'

const subjectDetail = ({ certificate, client }: Subject) => subjectFacts(x509Of(certificate), client)

/** tls_client_auth (RFC 8705 §2.1): somebody vouches for the certificate, and its subject is the registered one. */
const pkiRules: readonly Rule<Subject>[] = [
  {
    check: 'verified certificate',
    reason: 'certificate_unverified',
    spec: 'RFC 8705 §2.1',
    holds: ({ certificate }) => certificate.kind === 'shown' && certificate.verified,
    // Nobody vouches for a certificate that has ended, whoever has signed it.
    canJudge: ({ certificate, nowSeconds, policy }) =>
      certificate.kind === 'shown' && isValidAt(certificate.certificate, nowSeconds, policy.clockTolerance),
    detail: ({ certificate }) => ({
      expected: 'a certificate of an authority that the server or its proxy trusts',
      received: identityOf(x509Of(certificate))
    })
  },
  {
    check: 'no authority',
    reason: 'certificate_unverified',
    spec: 'our rule',
    ...ofCertificate(({ ca }) => !ca),
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
    ...ofCertificate((certificate, subject: Subject) => subjectOutcome(certificate, subject) === 'match'),
    canJudge: (subject) => hasSubject(subject) && !differsInForm(subject),
    detail: subjectDetail
  }
]

const notRegistered = (certificate: X509Certificate, set: JwkSet): Fault => ({
  reason: 'certificate_not_registered',
  detail: () => registeredCertificateFacts(certificate, set)
})

async function proveByUri(uri: string, certificate: X509Certificate, { policy }: Subject): Promise<Fault | undefined> {
  const isIn = (set: JwkSet) => isRegistered(certificate, set, Infinity)
  try {
    const set = await policy.keySets.get(uri)
    if (isIn(set)) return undefined
    // A client renews by publishing old and new together: an unknown certificate asks for a newer set.
    const newer = await policy.keySets.get(uri, { refresh: true })
    return newer !== set && isIn(newer) ? undefined : notRegistered(certificate, newer)
  } catch (cause) {
    return { reason: 'jwks_unavailable', cause, detail: () => unavailableSetDetail(uri, cause) }
  }
}

/** self_signed_tls_client_auth (RFC 8705 §2.2): the certificate itself, or its key, is registered. */
function proveSelfSigned(
  certificate: X509Certificate,
  subject: Subject
): Fault | undefined | Promise<Fault | undefined> {
  const unregistered = firstFault([registeredKeysRule], subject)
  if (unregistered !== undefined) return unregistered
  const { jwks, uri } = keySourceOf(subject.client)
  if (jwks === undefined) return proveByUri(uri ?? '', certificate, subject)
  try {
    return isRegistered(certificate, jwks) ? undefined : notRegistered(certificate, jwks)
  } catch (cause) {
    return { reason: 'jwks_invalid', cause, detail: () => inlineSetDetail(jwks, cause) }
  }
}

const isUsable = (method: ClientAuthMethod, { policy, client }: Subject): boolean =>
  policy.methods.has(method) && isRegisteredFor(client, method)

/** Unequal to any certificate's, so that an unknown client takes the same comparison. */
const decoy = { ...nobody, tls_client_auth_subject_dn: 'CN=nobody,O=nobody,C=ZZ' }

function prove(subject: Subject): Fault | undefined | Promise<Fault | undefined> {
  const certificate = x509Of(subject.certificate)
  if (subject.client === nobody) return firstFault(pkiRules, { ...subject, client: decoy })
  if (certificate === undefined) return undefined // a public client
  const isPki = isUsable('tls_client_auth', subject)
  const isSelfSigned = isUsable('self_signed_tls_client_auth', subject)
  const fault = isPki ? firstFault(pkiRules, subject) : undefined
  if (isSelfSigned && (fault !== undefined || !isPki)) return proveSelfSigned(certificate, subject)
  return fault
}

/** Which of the methods of its record a client has used. Without a certificate it is a public one. */
function provenMethod(subject: Subject): ClientAuthMethod | undefined {
  const first = methodOf(subject.credentials.methods, subject.policy.methods, subject.client)
  if (!isShown(subject)) return isUsable('none', subject) ? 'none' : first
  const isBySubject = isUsable('tls_client_auth', subject) && firstFault(pkiRules, subject) === undefined
  return !isBySubject && isUsable('self_signed_tls_client_auth', subject) ? 'self_signed_tls_client_auth' : first
}

const step = ({ check, spec, reason }: Rule<never>): ProofStep => ({ check, spec, reasons: [reason] })

const selfSignedSteps: readonly ProofStep[] = [
  step(registeredKeysRule),
  { check: 'key set', spec: 'RFC 7591 §2', reasons: ['jwks_unavailable', 'jwks_invalid'] },
  { check: 'registered certificate', spec: 'RFC 8705 §2.2', reasons: ['certificate_not_registered'] }
]

/** A subject is nothing to a self-signed certificate, nor a key set to a subject, nor either to a public client. */
function proofOf(subject: Subject) {
  const method = provenMethod(subject)
  if (method === 'tls_client_auth') return pkiRules
  return method === 'none' ? [] : selfSignedSteps
}

/** A `client_id` alone, where certificates authenticate: tls_client_auth, self_signed_tls_client_auth, or none. */
export const mutualTls: Method<BareCredentials> = {
  requestRules,
  recordRules: [...recordRules, neededRule],
  proofSteps: [...pkiRules.map(step), ...selfSignedSteps],
  proofOf,
  prove,
  provenRules,
  provenMethod
}

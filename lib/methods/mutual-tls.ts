import type { X509Certificate } from 'node:crypto'
import type { RequestCertificate } from '../certificates/certificate-source'
import {
  isRegistered,
  isValidAt,
  publicJwkOf,
  strengthFault,
  subjectOf,
  thumbprintOf
} from '../certificates/client-certificate'
import { asciiDistinguishedName } from '../certificates/distinguished-name'
import { compareSubject, registeredSubject } from '../certificates/registered-subject'
import { printable, reasons } from '../errors'
import type { BareCredentials } from '../request/credentials'
import { type Fault, firstFault, type Rule } from '../rules'
import type { ClientAuthMethod, JwkSet } from '../types'
import { keySetDetail, registeredKeysRule } from './assertion'
import { isRegisteredFor, keySourceOf, methodOf, nobody } from './client-record'
import { type Claimed, isJudgeable, type Method, type Presented, provenRules, recordRules } from './method'

type Asked = Presented<BareCredentials>
type Subject = Claimed<BareCredentials>

const x509Of = (certificate: RequestCertificate): X509Certificate | undefined =>
  certificate.kind === 'shown' ? certificate.certificate : undefined
const isShown = ({ certificate }: Asked): boolean => certificate.kind === 'shown'

/** A rule about the certificate that a request shows; kept where there is none, which is another rule's part. */
const ofCertificate = <S extends Asked>(holds: (certificate: X509Certificate, subject: S) => boolean) => ({
  holds: (subject: S): boolean => {
    const certificate = x509Of(subject.certificate)
    return certificate === undefined || holds(certificate, subject)
  },
  // Where public clients are let in, it may be right to show none.
  canJudge: (subject: S): boolean =>
    isShown(subject) || (subject.certificate.kind === 'none' && subject.policy.methods.has('none'))
})

const sourceRule = (reason: 'certificate_header' | 'certificate_proxy', why: 'header' | 'proxy'): Rule<Asked> => ({
  check: `certificate, ${why}`,
  reason,
  spec: 'RFC 9440 §2.1, §4',
  holds: ({ certificate }) => certificate.kind !== 'unusable' || certificate.error.why !== why,
  detail: ({ certificate }) => ({ received: certificate.kind === 'unusable' ? certificate.error.message : undefined })
})

/** What the request alone decides. */
const requestRules: readonly Rule<Asked>[] = [
  {
    check: 'certificate',
    reason: 'certificate_missing',
    spec: 'RFC 8705 §2',
    // Where public clients are let in, it depends on what is registered: see neededRule.
    holds: ({ certificate, policy }) => certificate.kind !== 'none' || policy.methods.has('none')
  },
  sourceRule('certificate_proxy', 'proxy'),
  sourceRule('certificate_header', 'header'),
  {
    check: 'dates of the certificate',
    reason: 'certificate_expired',
    spec: 'RFC 5280 §4.1.2.5',
    ...ofCertificate((certificate, { nowSeconds, policy }) =>
      isValidAt(certificate, nowSeconds, policy.clockTolerance)
    ),
    detail: ({ certificate }) => {
      const { validFrom, validTo } = x509Of(certificate) ?? {}
      return { expected: 'a certificate that is valid now', received: { validFrom, validTo } }
    }
  },
  {
    check: 'key of the certificate',
    reason: 'certificate_weak',
    spec: 'RFC 9325 §4.5',
    ...ofCertificate((certificate) => strengthFault(certificate) === undefined),
    detail: ({ certificate }) => {
      const x509 = x509Of(certificate)
      return {
        expected: 'RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519',
        received: x509 && `the key ${String(strengthFault(x509))}`
      }
    }
  }
]

const neededRule: Rule<Subject> = {
  check: 'certificate',
  reason: 'certificate_missing',
  spec: 'RFC 8705 §2',
  holds: (subject) => isShown(subject) || isRegisteredFor(subject.client, 'none'),
  canJudge: isJudgeable,
  words: () => reasons.unknown_client.message // it depends on what is registered
}

/** What the registered subject says of a certificate, or why it says nothing. */
const subjectOutcome = (certificate: X509Certificate, { client }: Subject) => {
  const registered = registeredSubject(client)
  return typeof registered === 'string' ? 'unusable' : compareSubject(certificate, registered)
}

/** The registered subject beside that of the certificate, both fit to be copied into the record. */
function subjectDetail({ certificate, client }: Subject) {
  const x509 = x509Of(certificate)
  const registered = registeredSubject(client)
  const subject = x509 && subjectOf(x509)
  return {
    expected:
      typeof registered === 'string' ? undefined : `${registered.kind.field}: ${String(printable(registered.value))}`,
    received: {
      subject: subject && asciiDistinguishedName(subject),
      subjectAltName: printable(x509?.subjectAltName)
    }
  }
}

/** tls_client_auth (RFC 8705 §2.1): somebody vouches for the certificate, and its subject is the registered one. */
const pkiRules: readonly Rule<Subject>[] = [
  {
    check: 'verified certificate',
    reason: 'certificate_unverified',
    spec: 'RFC 8705 §2.1',
    holds: ({ certificate }) => certificate.kind === 'shown' && certificate.verified,
    detail: () => ({ expected: 'a certificate of an authority that the server or its proxy trusts' })
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
    holds: ({ client }) => typeof registeredSubject(client) !== 'string',
    detail: ({ client }) => ({ expected: registeredSubject(client) })
  },
  {
    check: 'form of the subject',
    reason: 'certificate_subject_form',
    spec: 'RFC 4514 §2.1',
    ...ofCertificate((certificate, subject: Subject) => subjectOutcome(certificate, subject) !== 'form'),
    detail: subjectDetail
  },
  {
    check: 'subject',
    reason: 'certificate_subject',
    spec: 'RFC 8705 §2.1',
    ...ofCertificate((certificate, subject: Subject) => subjectOutcome(certificate, subject) === 'match'),
    detail: subjectDetail
  }
]

const notRegistered = (certificate: X509Certificate): Fault => ({
  reason: 'certificate_not_registered',
  detail: () => ({
    expected: 'a registered certificate, its thumbprint or its key',
    received: { 'x5t#S256': thumbprintOf(certificate), kty: publicJwkOf(certificate)?.kty }
  })
})

async function proveByUri(uri: string, certificate: X509Certificate, { policy }: Subject): Promise<Fault | undefined> {
  const isIn = (set: JwkSet) => isRegistered(certificate, set, Infinity)
  try {
    const set = await policy.keySets.get(uri)
    if (isIn(set)) return undefined
    // A client renews by publishing old and new together: an unknown certificate asks for a newer set.
    const newer = await policy.keySets.get(uri, { refresh: true })
    return newer !== set && isIn(newer) ? undefined : notRegistered(certificate)
  } catch (cause) {
    return { reason: 'jwks_unavailable', cause, detail: () => ({ uri: printable(uri), ...keySetDetail(cause) }) }
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
    return isRegistered(certificate, jwks) ? undefined : notRegistered(certificate)
  } catch (cause) {
    return { reason: 'jwks_invalid', cause, detail: () => keySetDetail(cause) }
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

const step = ({ check, spec, reason }: Rule<never>) => ({ check, spec, reasons: [reason] })

/** A `client_id` alone, where certificates authenticate: tls_client_auth, self_signed_tls_client_auth, or none. */
export const mutualTls: Method<BareCredentials> = {
  requestRules,
  recordRules: [...recordRules, neededRule],
  proofSteps: [
    ...pkiRules.map(step),
    step(registeredKeysRule),
    { check: 'key set', spec: 'RFC 7591 §2', reasons: ['jwks_unavailable', 'jwks_invalid'] },
    { check: 'registered certificate', spec: 'RFC 8705 §2.2', reasons: ['certificate_not_registered'] }
  ],
  prove,
  provenRules,
  provenMethod
}

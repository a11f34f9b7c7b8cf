import { type ClientCertificate, subjectOf } from '../certificates/client-certificate'
import { asciiDistinguishedName, readSubject, unknownTypes } from '../certificates/distinguished-name'
import { registeredSubject, subjectFields } from '../certificates/registered-subject'
import { printable } from '../basics/printable'
import { certificateOf, keysOf } from '../jwt/jwk-set'
import type { JwkSet, OAuthClient } from '../types'

/** How many keys are listed, as in the report on keys for assertions. */
const maxListed = 10

const nameOf = (name: ReturnType<typeof readSubject>): string | undefined => name && asciiDistinguishedName(name)

/** The facts where a certificate is needed and none is shown. */
export const noneShown = () => ({
  expected: 'a client certificate, in the TLS handshake or from a trusted proxy',
  received: 'none'
})

/** The dates of a certificate beside the time by which it is judged, in seconds since the epoch. */
export const datesFacts = (certificate: ClientCertificate | undefined, now: number) => ({
  expected: 'a certificate that is valid now',
  received: { validFrom: certificate?.x509.validFrom, validTo: certificate?.x509.validTo },
  now
})

/** Why a key is too weak. */
export const strengthFacts = (received: string | undefined) => ({
  expected: 'RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519',
  received
})

/** Whom a certificate names. A subject that cannot be read matches nothing: the types that are unknown are named. */
function subjectNamed(certificate: ClientCertificate | undefined) {
  const subject = nameOf(certificate && subjectOf(certificate.x509))
  if (certificate === undefined || subject !== undefined) return { subject }
  return { subject, unknownTypes: unknownTypes(certificate.x509.subject).slice(0, maxListed).map(printable) }
}

/** Whom a certificate names, who has signed it, and what whoever validated it said. */
export const identityOf = (certificate: ClientCertificate | undefined, verdict: string | undefined) => ({
  ...subjectNamed(certificate),
  issuer: nameOf(readSubject(certificate?.x509.issuer)),
  verdict: printable(verdict)
})

/** The registered subject beside that of the certificate, both fit to be copied into the record. */
export function subjectFacts(certificate: ClientCertificate | undefined, client: OAuthClient) {
  const registered = registeredSubject(client)
  return {
    expected: typeof registered === 'string' ? undefined : `${registered.field}: ${printable(registered.value)}`,
    received: { ...subjectNamed(certificate), subjectAltName: printable(certificate?.x509.subjectAltName) }
  }
}

/** What the record holds in place of one usable subject. */
export function registeredSubjectFacts(client: OAuthClient) {
  const fields = subjectFields(client).map((field) => [field, printable(client[field])] as const)
  return {
    expected: registeredSubject(client),
    received: fields.length === 0 ? 'none of them' : Object.fromEntries(fields)
  }
}

/** The certificate that a key stands for; the empty text stands for none. */
const certificateText = (thumbprint: string | undefined): unknown =>
  thumbprint === '' ? 'none: its x5c cannot be used' : printable(thumbprint ?? 'any certificate of this key')

/** RFC 7515 §2: base64url has no padding. The key still stands for one certificate, and no text of ours equals it. */
const paddingNote = (thumbprint: string | undefined) =>
  thumbprint?.endsWith('=') === true ? { note: 'x5t#S256 has padding (=), which base64url has not' } : {}

/** The registered certificates and keys beside the certificate that was shown, to be compared by thumbprint. */
export const registeredCertificateFacts = ({ thumbprint, jwk }: ClientCertificate, set: JwkSet) => ({
  expected: keysOf(set, Infinity)
    .slice(0, maxListed)
    .map((key) => ({
      kid: printable(key.kid),
      kty: printable(key.kty),
      use: printable(key.use),
      'x5t#S256': certificateText(certificateOf(key)),
      ...paddingNote(certificateOf(key))
    })),
  received: { 'x5t#S256': thumbprint, kty: jwk?.kty }
})

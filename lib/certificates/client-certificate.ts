import { hash, type X509Certificate } from 'node:crypto'
import { keyFault, valueMembers } from '../jwt/jwk'
import { certificateOf, keysOf } from '../jwt/jwk-set'
import type { Jwk, JwkSet } from '../types'
import { attempt } from '../basics/attempt'
import { canonicalBase64 } from '../basics/canonical-base64'
import { lookAtCertificate, type UndecodedCertificate } from './undecoded-certificate'
import { comparable, type ComparableName, type DistinguishedName, readSubject } from './distinguished-name'

/** RFC 8705 §3.1: the SHA-256 of the DER in base64url. */
export const thumbprintOf = ({ raw }: X509Certificate): string => hash('sha256', raw, 'base64url')

/** Whether a certificate bears the name and the signature of another. */
export const isIssuedBy = (one: X509Certificate, issuer: X509Certificate): boolean =>
  one.checkIssued(issuer) && one.verify(issuer.publicKey)

/** The subject, `undefined` where it has a type of attribute that we do not know: such a name matches nothing. */
export const subjectOf = ({ subject }: X509Certificate): DistinguishedName | undefined => readSubject(subject)

/** The public key as a JWK, `undefined` where it has no such form (RSA-PSS, DSA, an unknown algorithm). */
const publicJwkOf = (x509: X509Certificate): Jwk | undefined => attempt(() => x509.publicKey.export({ format: 'jwk' })) // the key is decoded when it is read

/** A certificate, and what each request asks of it. */
export interface ClientCertificate {
  readonly x509: X509Certificate
  readonly thumbprint: string
  /** RFC 5280 §4.1.2.5, in seconds since the epoch. NaN, which no time lies within, where a date cannot be read. */
  readonly validFrom: number
  readonly validTo: number
  readonly jwk: Jwk | undefined
  /**
   * Why the key is too weak, in words that follow "the key …". The same rules as for keys of assertions: RSA of 2048 to
   * 8192 bits with an odd e of 3 or more, P-256, P-384, P-521, Ed25519.
   */
  readonly weakness: string | undefined
  /** The subject, `undefined` as in {@link subjectOf}. */
  readonly name: ComparableName | undefined
  /** Keys that are not its own, and take as long to tell apart from its own as a client's. */
  readonly decoys: JwkSet
}

const read = new WeakMap<X509Certificate, ClientCertificate>()

/** Reads a certificate once: a connection shows the same one with each of its requests. */
export function readCertificate(x509: X509Certificate): ClientCertificate {
  const known = read.get(x509)
  if (known !== undefined) return known
  const jwk = publicJwkOf(x509)
  const subject = subjectOf(x509)
  const certificate = {
    x509,
    thumbprint: thumbprintOf(x509),
    validFrom: Date.parse(x509.validFrom) / 1000,
    validTo: Date.parse(x509.validTo) / 1000,
    jwk,
    // ML-DSA keys (kty AKP) are not supported in certificates yet.
    weakness: jwk === undefined || jwk.kty === 'AKP' ? 'has an unsupported type' : keyFault(jwk),
    name: subject && comparable(subject),
    decoys: { keys: [{ ...jwk, x: '', n: '' }] }
  }
  read.set(x509, certificate)
  return certificate
}

/** Whether a certificate is valid, with leeway in seconds. */
export const isValidAt = (
  { validFrom, validTo }: Omit<UndecodedCertificate, 'key'>,
  nowSeconds: number,
  leeway: number
): boolean => validFrom - leeway <= nowSeconds && nowSeconds <= validTo + leeway

const keyMembers = ['kty', 'crv', ...valueMembers]

/** Whether two public keys are one. That of a certificate has the canonical form, and no other may be registered. */
const isSameKey = (a: Jwk, b: Jwk): boolean => keyMembers.every((member) => a[member] === b[member])

/**
 * RFC 8705 §2.2: whether a certificate is among a client's registered keys. A key with a certificate (`x5c`) or its
 * thumbprint stands for that certificate alone, a bare key for any certificate over it. A key that is not for
 * signatures (`use`) stands for none. Where there are no keys, as for an unknown client, a decoy is compared with. Throws
 * a `KeySetError` where the set is none that may be used.
 */
export function isRegistered({ jwk, thumbprint, decoys }: ClientCertificate, set: JwkSet, maxKeys?: number): boolean {
  const keys = keysOf(set, maxKeys)
  return (keys.length > 0 ? keys : keysOf(decoys)).some(
    (key) =>
      jwk !== undefined &&
      isSameKey(jwk, key) &&
      keyFault(key, 'tls') === undefined &&
      [undefined, thumbprint].includes(certificateOf(key))
  )
}

/**
 * Why the certificate that stands with a JWK (`x5c`) could not authenticate its client, in words that follow
 * "the key …", or `undefined`. For registration, where anybody may send a hundred of them:
 * they are not decoded.
 */
export function registeredCertificateFault(jwk: Jwk, nowSeconds: number): string | undefined {
  if (jwk.x5c === undefined) return undefined
  const chain: unknown = jwk.x5c
  const first: unknown = Array.isArray(chain) ? chain[0] : undefined
  const der = canonicalBase64(first)
  const certificate = der && lookAtCertificate(der)
  if (der === undefined || certificate === undefined)
    return 'has an x5c that does not begin with a certificate in base64'
  const { key } = certificate
  if (typeof key === 'string') return `has an x5c whose key ${key}`
  if (!isSameKey(key, jwk)) return 'has an x5c of another key' // RFC 7517 §4.7
  const claimed = jwk['x5t#S256']
  if (claimed !== undefined && claimed !== hash('sha256', der, 'base64url'))
    return 'has an x5t#S256 that is not of its x5c'
  return isValidAt(certificate, nowSeconds, 0) ? undefined : 'has an x5c that is not valid now'
}

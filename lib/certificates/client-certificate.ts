import { hash, X509Certificate } from 'node:crypto'
import { keyFault } from '../jwt/jwk'
import { certificateOf, keysOf } from '../jwt/jwk-set'
import type { Jwk, JwkSet } from '../types'
import { type DistinguishedName, readSubject } from './distinguished-name'

/**
 * The certificate in these octets, `undefined` unless they are exactly one in DER. Node's parser would also take PEM,
 * and octets behind the certificate.
 */
export function parseCertificate(der: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der)
    return certificate.raw.equals(der) ? certificate : undefined
  } catch {
    return undefined // OpenSSL's words may quote the certificate
  }
}

/** Octets from base64 in its one canonical spelling (RFC 4648 §3.5): Node's decoder skips whatever it does not know. */
export function base64Octets(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64')
  return octets.length > 0 && octets.toString('base64') === text ? octets : undefined
}

/** RFC 8705 §3.1: the SHA-256 of the DER in base64url. */
export const thumbprintOf = ({ raw }: X509Certificate): string => hash('sha256', raw, 'base64url')

/** The subject, `undefined` where it has a type of attribute that we do not know: such a name matches nothing. */
export const subjectOf = ({ subject }: X509Certificate): DistinguishedName | undefined => readSubject(subject)

/** RFC 5280 §4.1.2.5, with leeway in seconds. A date that cannot be read makes the certificate invalid. */
export function isValidAt({ validFrom, validTo }: X509Certificate, nowSeconds: number, leeway: number): boolean {
  const [from, to] = [Date.parse(validFrom) / 1000, Date.parse(validTo) / 1000]
  return from - leeway <= nowSeconds && nowSeconds <= to + leeway
}

/** The public key as a JWK, `undefined` where it has no such form (RSA-PSS, DSA, an unknown algorithm). */
export function publicJwkOf(certificate: X509Certificate): Jwk | undefined {
  try {
    return certificate.publicKey.export({ format: 'jwk' })
  } catch {
    return undefined
  }
}

/**
 * Why the key of a certificate is too weak, in words that follow "the key …", or `undefined`. The same rules as for
 * keys of assertions: RSA of 2048 to 8192 bits with an odd e of 3 or more, P-256, P-384, P-521, Ed25519.
 */
export function strengthFault(certificate: X509Certificate): string | undefined {
  const jwk = publicJwkOf(certificate)
  return jwk === undefined ? 'has an unsupported type' : keyFault(jwk)
}

const keyMembers = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const

/** Whether a JWK is the public key of a certificate, which Node exports in the one canonical form. */
const isSameKey = (a: Jwk, b: Jwk): boolean => keyMembers.every((member) => a[member] === b[member])

/**
 * RFC 8705 §2.2: whether a certificate is among a client's registered keys. A key with a certificate (`x5c`) or its
 * thumbprint stands for that certificate alone, a bare key for any certificate over it. A key that is not for
 * signatures (`use`) stands for none. Throws a `KeySetError` where the set is none that may be used.
 */
export function isRegistered(certificate: X509Certificate, set: JwkSet, maxKeys?: number): boolean {
  const jwk = publicJwkOf(certificate)
  const thumbprint = thumbprintOf(certificate)
  return keysOf(set, maxKeys).some(
    (key) =>
      jwk !== undefined &&
      isSameKey(key, jwk) &&
      keyFault(key) === undefined &&
      [undefined, thumbprint].includes(certificateOf(key))
  )
}

/**
 * Why the certificate that stands with a JWK (`x5c`) could not authenticate its client, in words that follow
 * "the key …", or `undefined`. Made for registration.
 */
export function registeredCertificateFault(jwk: Jwk, nowSeconds: number): string | undefined {
  if (jwk.x5c === undefined) return undefined
  const chain: unknown = jwk.x5c
  const first: unknown = Array.isArray(chain) ? chain[0] : undefined
  const der = typeof first === 'string' ? base64Octets(first) : undefined
  const certificate = der && parseCertificate(der)
  if (certificate === undefined) return 'has an x5c that does not begin with a certificate in base64'
  const own = publicJwkOf(certificate)
  if (own === undefined || !isSameKey(own, jwk)) return 'has an x5c of another key' // RFC 7517 §4.7
  const claimed = jwk['x5t#S256']
  if (claimed !== undefined && claimed !== thumbprintOf(certificate)) return 'has an x5t#S256 that is not of its x5c'
  return isValidAt(certificate, nowSeconds, 0) ? undefined : 'has an x5c that is not valid now'
}

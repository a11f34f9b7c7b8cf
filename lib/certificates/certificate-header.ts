import type { X509Certificate } from 'node:crypto'
import { CertificateSourceError } from './certificate-source'
import { base64Octets, parseCertificate, thumbprintOf } from './client-certificate'

const refuse = (message: string): never => {
  throw new CertificateSourceError('header', message)
}

function fromBase64(text: string): X509Certificate {
  const octets = base64Octets(text)
  return (octets && parseCertificate(octets)) ?? refuse('the value is not one certificate in DER and base64')
}

/** PEM of one certificate, whose line breaks may have become spaces or tabs (RFC 7468 §3). */
function fromPem(text: string): X509Certificate {
  const [, body] = /^-----BEGIN CERTIFICATE-----(\s[A-Za-z0-9+/=\s]*\s)-----END CERTIFICATE-----\s*$/.exec(text) ?? []
  return body === undefined ? refuse('the value is not one certificate in PEM') : fromBase64(body.replace(/\s/g, ''))
}

/** Percent-encoded PEM. `+` stands for itself: AWS leaves it as it is, and this is no form. */
function fromEscapedPem(text: string): X509Certificate {
  let pem: string
  try {
    pem = decodeURIComponent(text)
  } catch {
    return refuse('the value is not percent-encoded as it should be')
  }
  return fromPem(pem)
}

/** Base64 of the leaf, and with commas and without spaces of the chain behind it (Traefik), which is not looked at. */
function fromList(text: string): X509Certificate {
  const [leaf, ...chain] = text.split(',') as [string, ...string[]]
  if (!chain.every((one) => base64Octets(one) !== undefined)) return refuse('the list holds something else than base64')
  return fromBase64(leaf)
}

/** Envoy's grammar: `Key=value` or `Key="value"` with `\` before quotes. Read, not split: a subject may hold `;Cert=`. */
const xfccPair = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))(?:;(?=.)|$)/y

/** One element of X-Forwarded-Client-Cert. A comma begins another: a proxy that appends is refused, not guessed about. */
function fromXfcc(text: string): X509Certificate {
  const values = new Map<string, string[]>()
  for (xfccPair.lastIndex = 0; xfccPair.lastIndex < text.length;) {
    const [whole, key = '', quoted, plain = ''] = xfccPair.exec(text) ?? []
    if (whole === undefined) return refuse('the value is not one element of X-Forwarded-Client-Cert')
    const name = key.toLowerCase()
    const before = values.get(name) ?? []
    before.push(quoted?.replace(/\\(.)/g, '$1') ?? plain)
    values.set(name, before)
  }
  const [certificates = [], hashes = []] = [values.get('cert'), values.get('hash')]
  const [pem] = certificates
  if (pem === undefined || certificates.length > 1 || hashes.length > 1)
    return refuse('X-Forwarded-Client-Cert needs Cert once, and Hash at most once')
  const certificate = fromEscapedPem(pem)
  const [digest] = hashes.map((hex) => Buffer.from(hex, 'hex').toString('base64url'))
  return digest === undefined || digest === thumbprintOf(certificate)
    ? certificate
    : refuse('Hash in X-Forwarded-Client-Cert is not that of Cert')
}

/** How a proxy says that there is no certificate: nothing, or `(null)` (Apache). */
export const isNone = (value: string): boolean => value === '' || value === '(null)'

/**
 * The leaf in a header of a proxy, known by its form. Throws a
 * {@link CertificateSourceError} unless the value is exactly one certificate, with nothing before or behind it.
 */
export function readCertificateHeader(value: string): X509Certificate {
  const structured = /^:(.*):$/.exec(value)?.[1] // RFC 9440 §2.1, RFC 8941 §3.3.5
  if (structured !== undefined) return fromBase64(structured)
  if (value.startsWith('-----BEGIN CERTIFICATE')) return fromPem(value)
  if (value.startsWith('-----BEGIN%20CERTIFICATE')) return fromEscapedPem(value)
  return /^[A-Za-z]+=(?!=*$)/.test(value) ? fromXfcc(value) : fromList(value)
}

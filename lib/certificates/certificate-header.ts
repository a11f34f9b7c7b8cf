import { hash, X509Certificate } from 'node:crypto'
import { CertificateSourceError } from './certificate-source'
import { attempt } from '../basics/attempt'
import { canonicalBase64 } from '../basics/canonical-base64'
import { isIssuedBy } from './client-certificate'
import { lookAtCertificate } from './undecoded-certificate'

const refuse = (message: string): never => {
  throw new CertificateSourceError('header', message)
}

const noCertificate = 'the value is not one certificate in DER and base64'

/** Decodes a certificate, once its key has been looked at: exactly one in DER, and no octets behind it. */
function decode(der: Buffer): X509Certificate {
  const { key } = lookAtCertificate(der) ?? refuse(noCertificate)
  if (typeof key === 'string') throw new CertificateSourceError('key', `the key ${key}`)
  return attempt(() => new X509Certificate(der)) ?? refuse(noCertificate) // OpenSSL's words may quote the certificate
}

function fromBase64(text: string): Buffer {
  const octets = canonicalBase64(text) ?? refuse(noCertificate)
  return octets.includes('-----BEGIN') ? refuse('the value is base64 of PEM, where that of DER is needed') : octets
}

/** PEM of one certificate, whose line breaks may have become spaces or tabs (RFC 7468 §3). */
function fromPem(text: string): Buffer {
  const [, body] = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----\s*$/.exec(text) ?? []
  if (body === undefined) return refuse('the value is not one certificate in PEM')
  if (!/^\s.*\s$/s.test(body)) return refuse('the value is PEM without white space behind BEGIN and before END')
  if (body.includes('\n') && /\S \S/.test(body))
    return refuse('the value is PEM with spaces where + was: it was decoded as a form')
  return fromBase64(body.replace(/\s/g, ''))
}

/** Percent-encoded PEM. `+` stands for itself: AWS leaves it as it is, and this is no form. */
const fromEscapedPem = (text: string): Buffer =>
  fromPem(attempt(() => decodeURIComponent(text)) ?? refuse('the value is not percent-encoded as it should be'))

const maxChain = 6

/**
 * Base64 of the leaf, and with commas and without spaces of the chain behind it (Traefik). Each certificate must have
 * issued the one before it: else these are two headers that were joined, and the first may be anybody's.
 */
function fromList(text: string): X509Certificate {
  const parts = text.split(',')
  if (parts.length > maxChain) return refuse(`the list has more than ${maxChain} certificates`)
  const chain = parts.map((part) => decode(fromBase64(part)))
  const isChain = chain.every((one, index) => {
    const issuer = chain[index + 1]
    return issuer === undefined || isIssuedBy(one, issuer)
  })
  return (
    (isChain ? chain[0] : undefined) ?? refuse('the list is no chain: a certificate was not issued by the next one')
  )
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
  const der = fromEscapedPem(pem)
  const [digest] = hashes.map((hex) => hex.toLowerCase())
  return digest === undefined || digest === hash('sha256', der)
    ? decode(der)
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
  if (structured !== undefined) return decode(fromBase64(structured))
  if (value.startsWith('-----BEGIN CERTIFICATE')) return decode(fromPem(value))
  if (value.startsWith('-----BEGIN%20CERTIFICATE')) return decode(fromEscapedPem(value))
  return /^[A-Za-z]+=(?!=*$)/.test(value) ? fromXfcc(value) : fromList(value)
}

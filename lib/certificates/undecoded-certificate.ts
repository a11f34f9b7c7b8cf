import type { Jwk } from '../types'
import { type DerValue, readDer } from './der'

/** What is read of a certificate before OpenSSL decodes it. */
export interface UndecodedCertificate {
  /** The public key, or why it must not be decoded, in words that follow "the key …". */
  readonly key: Jwk | string
  /** In seconds since the epoch; NaN for what is no date. */
  readonly validFrom: number
  readonly validTo: number
}

const sequence = 0x30
const inside = (value: DerValue | undefined, tag = sequence): DerValue[] =>
  value?.tag === tag ? (readDer(value.content) ?? []) : []
const hexOf = (value: DerValue | undefined, tag: number): string =>
  value?.tag === tag ? value.content.toString('hex') : ''
const base64url = (octets: Buffer): string => octets.toString('base64url')

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050, both in UTC and to the second. */
function secondsOf(value: DerValue | undefined): number {
  const text = value?.content.toString('latin1') ?? ''
  const century = value?.tag === 0x18 ? '' : Number(text.slice(0, 2)) < 50 ? '20' : '19'
  const [, date = '', time = ''] = /^(\d{8})(\d{6})Z$/.exec(century + text) ?? []
  return Date.parse(`${date.replace(/(..)(..)$/, '-$1-$2')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`) / 1000
}

/** The object identifiers of the curves (RFC 5480 §2.1.1.1), in hexadecimal. */
const curves: Readonly<Record<string, string>> = {
  '2a8648ce3d030107': 'P-256',
  '2b81040022': 'P-384',
  '2b81040023': 'P-521'
}

function ecKey(parameters: DerValue | undefined, point: Buffer): Jwk | string {
  // RFC 5480 §2.1.1: parameters that are written out must not be used. OpenSSL computes square roots to decode them.
  const crv = curves[hexOf(parameters, 0x06)]
  if (crv === undefined) return 'is not on P-256, P-384 or P-521'
  if (point[0] !== 4) return 'has a compressed point' // RFC 5480 §2.2: may be refused
  const middle = (point.length + 1) / 2
  return { kty: 'EC', crv, x: base64url(point.subarray(1, middle)), y: base64url(point.subarray(middle)) }
}

function rsaKey(octets: Buffer): Jwk | string {
  const [n, e] = inside(readDer(octets)?.[0]).map(({ content }) => (content[0] === 0 ? content.subarray(1) : content))
  if (n === undefined || e === undefined) return 'cannot be read'
  if (n.length > 1024) return `has ${n.length * 8} bits, not 2048 to 8192`
  return e.length > 8 ? 'has an unusable e' : { kty: 'RSA', n: base64url(n), e: base64url(e) }
}

/** RFC 5280 §4.1.2.7. The only kinds that are decoded: another may be one of these under a second name. */
function keyIn(info: DerValue): Jwk | string {
  const [algorithm, bits] = inside(info)
  const [type, parameters] = inside(algorithm)
  const key = bits?.tag === 0x03 && bits.content[0] === 0 ? bits.content.subarray(1) : Buffer.of()
  switch (hexOf(type, 0x06)) {
    case '2a8648ce3d0201':
      return ecKey(parameters, key)
    case '2a864886f70d010101':
      return rsaKey(key)
    case '2b6570':
      return { kty: 'OKP', crv: 'Ed25519', x: base64url(key) }
    default:
      return 'has an unsupported type'
  }
}

/**
 * A look at a certificate that somebody sent, before OpenSSL decodes it: a key that is made for it holds the event loop
 * for hundreds of milliseconds. `undefined` unless the octets are one certificate in DER.
 */
export function lookAtCertificate(octets: Buffer): UndecodedCertificate | undefined {
  const [certificate, behind] = readDer(octets) ?? []
  // Node would take a text in PEM that lies anywhere in the octets.
  const isSole = behind === undefined && !octets.includes('-----BEGIN')
  const [content] = isSole ? inside(certificate) : []
  const fields = inside(content)
  if (fields[0]?.tag === 0xa0) fields.shift() // the version
  const [, , , validity, , info] = fields
  if (info === undefined) return undefined
  const [from, to] = inside(validity)
  return { key: keyIn(info), validFrom: secondsOf(from), validTo: secondsOf(to) }
}

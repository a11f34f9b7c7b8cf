import { isUtf8 } from 'node:buffer'
import {
  constants,
  createHmac,
  timingSafeEqual,
  verify,
  webcrypto,
  type KeyObject,
  type VerifyKeyObjectInput
} from 'node:crypto'
import { attempt } from '../basics/attempt'
import { isObject } from '../basics/is-object'
import type { Algorithm } from './algorithms'
import { numericDate } from './numeric-date'

type Members = Readonly<Record<string, unknown>>

/** A decoded compact JWS whose payload is a JSON object. Nothing in it is verified, and only own members are read. */
export interface Jws {
  readonly header: Members
  readonly payload: Members
  readonly alg: unknown
  readonly typ: unknown
  readonly kid: unknown
  /** Whether the header has `crit` (RFC 7515 §4.1.11) or `b64` (RFC 7797 §6): neither is understood. */
  readonly isCritical: boolean
  readonly iss: unknown
  readonly sub: unknown
  readonly aud: unknown
  readonly jti: unknown
  /** Seconds since the epoch; NaN where it is no finite number. */
  readonly exp: number | undefined
  readonly nbf: number | undefined
  readonly iat: number | undefined
  /** The text that is signed: header and payload as they came (RFC 7515 §5.2). */
  readonly signingInput: string
  readonly signature: Buffer
}

/** RFC 7515 §2: base64url without padding. Its length is never 1 mod 4, but Buffer would drop such a character. */
const decodeBase64url = (text: string): Buffer | undefined =>
  text.length % 4 === 1 ? undefined : Buffer.from(text, 'base64url')

function decodeObject(part: string): Members | undefined {
  const octets = decodeBase64url(part)
  if (octets === undefined || !isUtf8(octets)) return undefined
  const value = attempt(() => JSON.parse(octets.toString()) as unknown) // its error quotes its input
  return isObject(value) ? value : undefined
}

/** A polluted `Object.prototype` must not supply a claim. */
const own = (members: Members, name: string): unknown => (Object.hasOwn(members, name) ? members[name] : undefined)

/** RFC 7515 §5.2: decodes one compact JWS with a JSON object as payload; `undefined` for anything else. */
export function decodeJws(token: string): Jws | undefined {
  const [, head, body, end] = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/.exec(token) ?? []
  if (head === undefined || body === undefined || end === undefined) return undefined
  const header = decodeObject(head)
  const payload = decodeObject(body)
  const signature = decodeBase64url(end)
  if (header === undefined || payload === undefined || signature === undefined) return undefined
  return {
    header,
    payload,
    alg: own(header, 'alg'),
    typ: own(header, 'typ'),
    kid: own(header, 'kid'),
    isCritical: header.crit !== undefined || header.b64 !== undefined,
    iss: own(payload, 'iss'),
    sub: own(payload, 'sub'),
    aud: own(payload, 'aud'),
    jti: own(payload, 'jti'),
    exp: numericDate(own(payload, 'exp')),
    nbf: numericDate(own(payload, 'nbf')),
    iat: numericDate(own(payload, 'iat')),
    signingInput: token.slice(0, head.length + 1 + body.length),
    signature
  }
}

/**
 * Whether a secret made the MAC (RFC 7518 §3.2). At once, since a MAC costs less than the way to another thread. The
 * whole MAC is compared, in constant time.
 */
export function verifyMac({ signingInput, signature }: Jws, { hash }: Algorithm, secret: string | Buffer): boolean {
  // As text, since a digest that makes a Buffer of its own costs another half a microsecond.
  const mac = Buffer.from(createHmac(String(hash), secret).update(signingInput, 'latin1').digest('binary'), 'binary')
  return mac.length === signature.length && timingSafeEqual(mac, signature)
}

/** An imported key. */
export interface PublicKey {
  readonly keyObject: KeyObject
  /** The same for WebCrypto, for each hash that it was asked with. */
  readonly cryptoKeys: Map<string, webcrypto.CryptoKey>
}

/** Writes one half of an ECDSA signature as a DER INTEGER, without its leading zeros; returns where the next begins. */
function writeInteger(target: Buffer, at: number, half: Buffer): number {
  let zeros = 0
  while (zeros < half.length - 1 && half[zeros] === 0) zeros++
  const sign = half.readUInt8(zeros) >> 7 // a first bit of 1 would make it negative
  target[at] = 0x02
  target[at + 1] = sign + half.length - zeros
  target[at + 2] = 0
  return at + 2 + sign + half.copy(target, at + 2 + sign, zeros)
}

/** ECDSA's r and s, which JWS puts side by side, as the DER SEQUENCE that OpenSSL takes (RFC 3279 §2.2.3). */
function derSignature(signature: Buffer): Buffer {
  const half = signature.length / 2
  const der = Buffer.allocUnsafe(9 + signature.length) // three heads: the sequence's of up to 3 octets, two of 3
  const middle = writeInteger(der, 3, signature.subarray(0, half))
  const end = writeInteger(der, middle, signature.subarray(half))
  const length = end - 3
  // X.690 §10.1: a length under 128 takes one octet, and OpenSSL refuses two.
  const start = length < 128 ? 1 : 0
  der.set(length < 128 ? [0x30, length] : [0x30, 0x81, length], start)
  return der.subarray(start, end)
}

/** On the thread pool. A failure of OpenSSL counts as a signature that does not verify. */
const verifyOnPool = (
  hash: string | undefined,
  input: Buffer,
  key: KeyObject | VerifyKeyObjectInput,
  signature: Buffer
): Promise<boolean> =>
  new Promise((resolve) => {
    verify(hash, input, key, signature, (error, isValid) => resolve(error === null && isValid))
  })

/** On Node 24 (measured on 24.18 to 24.21) a key with options costs another 11 to 35 µs, most of it on the event loop. */
const areOptionsSlow = process.versions.node.startsWith('24.')

/** The types are those of Node 20, which has no such method and does not need it. */
interface ConvertibleKey extends KeyObject {
  toCryptoKey(algorithm: webcrypto.RsaHashedImportParams, extractable: boolean, usages: string[]): webcrypto.CryptoKey
}

function cryptoKeyOf({ keyObject, cryptoKeys }: PublicKey, hash: string): webcrypto.CryptoKey {
  const params = { name: 'RSA-PSS', hash: hash.replace('sha', 'SHA-') }
  const cryptoKey = cryptoKeys.get(hash) ?? (keyObject as ConvertibleKey).toCryptoKey(params, true, ['verify'])
  cryptoKeys.set(hash, cryptoKey)
  return cryptoKey
}

function verifyPss(
  { hash, saltLength }: { hash: string; saltLength: number },
  input: Buffer,
  key: PublicKey,
  signature: Buffer
): Promise<boolean> {
  if (areOptionsSlow)
    return webcrypto.subtle.verify({ name: 'RSA-PSS', saltLength }, cryptoKeyOf(key, hash), signature, input)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return verifyOnPool(hash, input, { key: key.keyObject, padding, saltLength }, signature)
}

/**
 * Whether the private half of `key` made the signature. On the thread pool: even the fastest, RSA-2048 with some
 * 30 µs, holds the event loop for longer than handing it over does.
 */
export function verifySignature(
  { signingInput, signature }: Jws,
  algorithm: Algorithm,
  key: PublicKey
): Promise<boolean> {
  const { hash, kty, octets, saltLength } = algorithm
  const input = Buffer.from(signingInput, 'latin1')
  if (saltLength !== undefined) return verifyPss({ hash: String(hash), saltLength }, input, key, signature)
  if (kty !== 'EC') return verifyOnPool(hash, input, key.keyObject, signature)
  // RFC 7518 §3.4: two numbers of fixed length. The DER that some libraries send instead is refused.
  if (signature.length !== octets) return Promise.resolve(false)
  return verifyOnPool(hash, input, key.keyObject, derSignature(signature))
}

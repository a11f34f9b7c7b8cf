import { isUtf8 } from 'node:buffer'
import { createHmac, timingSafeEqual, webcrypto } from 'node:crypto'
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
  try {
    const value: unknown = JSON.parse(octets.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
  } catch {
    return undefined // the error of JSON.parse quotes its input
  }
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
export function verifyMac({ signingInput, signature }: Jws, { hash = 'sha256' }: Algorithm, secret: string): boolean {
  const mac = createHmac(hash, secret).update(signingInput, 'latin1').digest()
  return mac.length === signature.length && timingSafeEqual(mac, signature)
}

/** Whether the private half of `key` made the signature, on the thread pool. `key` was imported for this very algorithm. */
export const verifySignature = (
  { signingInput, signature }: Jws,
  { verify = '' }: Algorithm,
  key: webcrypto.CryptoKey
): Promise<boolean> => webcrypto.subtle.verify(verify, key, signature, Buffer.from(signingInput, 'latin1'))

import { constants, createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { algorithmOf } from '../jwt/algorithms'

/** A fresh key pair that fits an asymmetric algorithm; `modulusLength`, in bits, is for RSA. */
export function newKeyPair(alg: string, modulusLength = 2048): { privateKey: KeyObject; publicKey: KeyObject } {
  const { kty, crv = alg } = algorithmOf(alg)
  if (kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength })
  if (kty === 'EC') return generateKeyPairSync('ec', { namedCurve: crv })
  return generateKeyPairSync(crv.toLowerCase() as 'ed25519') // or ml-dsa-65, which the types of Node 20 lack
}

/** The public half as a JWK (RFC 7517 §4) that says what it is for. */
export const publicJwk = (alg: string, kid: string, publicKey: KeyObject) => {
  const { kty, ...members } = publicKey.export({ format: 'jwk' })
  return { kty: String(kty), kid, use: 'sig', alg, ...members }
}

/** 64 characters of 384 random bits: as long as the longest MAC, which HS512 needs (OIDC Core §16.19). */
export const newSecret = (): string => randomBytes(48).toString('base64url')

/** RFC 7518 §3, RFC 8037 §3.1, RFC 9964. `none` signs with nothing. */
function signature(alg: string, key: KeyObject | string, input: Buffer): Buffer {
  if (alg === 'none') return Buffer.alloc(0)
  const { kty, hash, saltLength } = algorithmOf(alg)
  if (typeof key === 'string' || kty === 'oct') return createHmac(String(hash), key).update(input).digest()
  if (kty === 'EC') return sign(hash, input, { key, dsaEncoding: 'ieee-p1363' })
  if (saltLength === undefined) return sign(hash, input, key)
  return sign(hash, input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
}

export const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

/** A compact JWS of any header and payload, right or wrong: a string stands as it is, anything else as JSON. */
export function jws(header: unknown, payload: unknown, alg: string, key: KeyObject | string): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signature(alg, key, Buffer.from(input)).toString('base64url')}`
}

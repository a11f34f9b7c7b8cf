import { constants, createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export const hmacAlgorithms = ['HS256', 'HS384', 'HS512'] as const
export const keyAlgorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const)
]

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

/** A fresh key pair that fits an asymmetric algorithm; `modulusLength`, in bits, is for RSA. */
export function newKeyPair(alg: string, modulusLength = 2048): { privateKey: KeyObject; publicKey: KeyObject } {
  if (/^[RP]S/.test(alg)) return generateKeyPairSync('rsa', { modulusLength })
  const namedCurve = curves[alg]
  return namedCurve === undefined ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve })
}

/** The public half as a JWK (RFC 7517 §4) that says what it is for. */
export const publicJwk = (alg: string, kid: string, publicKey: KeyObject) => {
  const { kty, ...members } = publicKey.export({ format: 'jwk' })
  return { kty: String(kty), kid, use: 'sig', alg, ...members }
}

/** 64 characters of 384 random bits: as long as the longest MAC, which HS512 needs (OIDC Core §16.19). */
export const newSecret = (): string => randomBytes(48).toString('base64url')

/** RFC 7518 §3, RFC 8037 §3.1. `none` signs with nothing. */
function signature(alg: string, key: KeyObject | string, input: Buffer): Buffer {
  const digest = `sha${alg.slice(-3)}`
  if (alg === 'none') return Buffer.alloc(0)
  if (typeof key === 'string' || alg.startsWith('HS')) return createHmac(digest, key).update(input).digest()
  if (alg.startsWith('Ed')) return sign(null, input, key)
  if (alg.startsWith('ES')) return sign(digest, input, { key, dsaEncoding: 'ieee-p1363' })
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return sign(digest, input, { key, ...(alg.startsWith('PS') ? pss : {}) })
}

export const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

/** A compact JWS of any header and payload, right or wrong: a string stands as it is, anything else as JSON. */
export function jws(header: unknown, payload: unknown, alg: string, key: KeyObject | string): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signature(alg, key, Buffer.from(input)).toString('base64url')}`
}

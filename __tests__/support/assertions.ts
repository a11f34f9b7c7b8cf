import { createHmac, generateKeyPairSync, randomUUID, sign, constants, type KeyObject } from 'node:crypto'

export const issuer = 'https://as.example.com'
export const tokenEndpoint = `${issuer}/token`
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface TestKey {
  alg: string
  kid: string
  privateKey: KeyObject
  /** The public half with kid, use and alg. */
  jwk: { kty: string; kid: string; alg: string; use: string; [member: string]: unknown }
}

function generate(alg: string, bits: number): { privateKey: KeyObject; publicKey: KeyObject } {
  if (/^[RP]S/.test(alg)) return generateKeyPairSync('rsa', { modulusLength: bits })
  const curves: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
  const namedCurve = curves[alg]
  return namedCurve === undefined ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve })
}

/** A fresh key pair for an asymmetric algorithm. */
export function makeKey(alg: string, kid = `${alg}-key`, bits = 2048): TestKey {
  const { privateKey, publicKey } = generate(alg, bits)
  return {
    alg,
    kid,
    privateKey,
    jwk: {
      ...publicKey.export({ format: 'jwk' }),
      kty: publicKey.export({ format: 'jwk' }).kty ?? '',
      kid,
      alg,
      use: 'sig'
    }
  }
}

const made = new Map<string, TestKey>()
/** The same key pair each time, since RSA keys are slow to make. */
export function keyFor(alg: string): TestKey {
  const key = made.get(alg) ?? makeKey(alg)
  made.set(alg, key)
  return key
}

function signature(alg: string, key: KeyObject | string, input: Buffer): Buffer {
  const digest = `sha${alg.slice(-3)}`
  if (alg === 'none') return Buffer.alloc(0)
  if (alg.startsWith('HS')) return createHmac(digest, key).update(input).digest()
  if (alg.startsWith('ES')) return sign(digest, input, { key: key as KeyObject, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('Ed')) return sign(null, input, key)
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return sign(digest, input, { key: key as KeyObject, ...(alg.startsWith('PS') ? pss : {}) })
}

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

/** A compact JWS of any header and payload, right or wrong: a string stands as it is, anything else as JSON. */
export function jws(header: unknown, payload: unknown, alg: string, key: KeyObject | string): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signature(alg, key, Buffer.from(input)).toString('base64url')}`
}

export const now = (): number => Math.floor(Date.now() / 1000)

export interface AssertionParts {
  clientId: string
  /** Added to, or with `undefined` taken from, the usual claims. */
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
}

const usualClaims = (clientId: string): Record<string, unknown> => ({
  iss: clientId,
  sub: clientId,
  aud: issuer,
  jti: randomUUID(),
  exp: now() + 60
})

/** A good assertion under a private key, with the given differences. */
export function keyAssertion(key: TestKey, { clientId, claims, header }: AssertionParts): string {
  return jws(
    { alg: key.alg, kid: key.kid, ...header },
    { ...usualClaims(clientId), ...claims },
    key.alg,
    key.privateKey
  )
}

/** A good assertion under a secret, with the given differences. */
export function secretAssertion(secret: string, { clientId, claims, header }: AssertionParts, alg = 'HS256'): string {
  return jws({ alg, ...header }, { ...usualClaims(clientId), ...claims }, alg, secret)
}

/** The form fields of an assertion. */
export const assertionForm = (client_assertion: string): Record<string, string> => ({
  client_assertion_type: JWT_BEARER,
  client_assertion
})

/** RFC 6749 §2.3.1: each half form-encoded, then base64. */
export function basic(id: string, secret: string): string {
  const encoded = [id, secret].map((half) => new URLSearchParams({ half }).toString().slice('half='.length))
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`
}

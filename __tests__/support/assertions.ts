// What lib/testing signs with, for the tests that break an assertion in ways its public face does not offer.
import crypto, { randomUUID, type KeyObject } from 'node:crypto'
import { jws, newKeyPair, publicJwk } from '../../lib/testing/signing'

export { jws } from '../../lib/testing/signing'
export { assertionForm, basic } from '../../lib/testing/test-client'

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

/** A fresh key pair for an asymmetric algorithm. */
export function makeKey(alg: string, kid = `${alg}-key`, bits = 2048): TestKey {
  const { privateKey, publicKey } = newKeyPair(alg, bits)
  return { alg, kid, privateKey, jwk: publicJwk(alg, kid, publicKey) }
}

/** Jest loads this file anew for each test file, and a module of Node once for all that a worker runs. */
const shared = crypto as { oauthClientAuthTestKeys?: Map<string, TestKey> }
const made = (shared.oauthClientAuthTestKeys ??= new Map())
/** The same key pair each time, since RSA keys are slow to make. */
export function keyFor(alg: string): TestKey {
  const known = made.get(alg)
  if (known !== undefined) return known
  const key = makeKey(alg)
  Object.freeze(key.jwk)
  made.set(alg, Object.freeze(key))
  return key
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

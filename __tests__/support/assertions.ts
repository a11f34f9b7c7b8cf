// What lib/testing signs with, for the tests that break an assertion in ways its public face does not offer.
import { randomUUID, type KeyObject } from 'node:crypto'
import { jws, newKeyPair, publicJwk } from '../../lib/testing/signing'
import { rsaPair } from './rsa-keys'

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

/** A key pair for an asymmetric algorithm that no other key of the test file has. */
export function makeKey(alg: string, kid = `${alg}-key`, bits = 2048): TestKey {
  const { privateKey, publicKey } = /^[RP]S/.test(alg) ? rsaPair(bits) : newKeyPair(alg)
  return { alg, kid, privateKey, jwk: publicJwk(alg, kid, publicKey) }
}

const made = new Map<string, TestKey>()
/** The same key pair each time. */
export function keyFor(alg: string): TestKey {
  const key = made.get(alg) ?? makeKey(alg)
  made.set(alg, key)
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

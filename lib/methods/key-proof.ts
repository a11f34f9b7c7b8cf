import { printable } from '../refusals/errors'
import { algorithmOf } from '../jwt/algorithms'
import { decoyKeys } from '../jwt/decoy-key'
import { keyReports } from '../jwt/jwk-set'
import { verifySignature } from '../jwt/jws'
import { candidates, keysFor, type VerificationKey } from '../jwt/key-ring'
import type { AssertionCredentials } from '../request/credentials'
import type { Fault } from '../refusals/rules'
import type { Jwk, JwkSet } from '../types'
import { keySourceOf } from './client-record'
import type { Claimed, Proof } from './method'
import { inlineSetDetail, unavailableSetDetail } from './registered-keys'

type Subject = Claimed<AssertionCredentials>

/**
 * RFC 8017 §8.2.2: an RSA signature is as long as the modulus and less than it. OpenSSL rejects any other at once, and
 * that speed would reveal the size of the client's key: such keys are skipped, and a decoy is verified with.
 */
const canVerify = ({ modulus }: VerificationKey, signature: Buffer): boolean =>
  modulus === undefined || (signature.length === modulus.length && signature.compare(modulus) < 0)

/** How a signature and some keys go together. */
type Outcome = 'verified' | 'no_matching_key' | 'signature_mismatch'

/**
 * Verifies with the keys that fit, until one verifies the signature. Where none fits, a decoy is verified with, in the
 * same number of steps: the time must not tell whether there was a key.
 */
async function verifyWith(own: readonly Jwk[], { jws }: AssertionCredentials): Promise<Outcome> {
  const algorithm = algorithmOf(jws.alg)
  const fits = (key: VerificationKey) => canVerify(key, jws.signature)
  const keys = own.length > 0 ? await keysFor(own, algorithm.alg) : []
  const fitting = keys.filter(fits)
  for (const key of fitting) if (await verifySignature(jws, algorithm, key)) return 'verified'
  if (fitting.length === 0) {
    const decoys = await keysFor(decoyKeys(algorithm, jws.signature.length), algorithm.alg)
    for (const key of decoys.filter(fits)) await verifySignature(jws, algorithm, key)
  }
  return keys.length === 0 ? 'no_matching_key' : 'signature_mismatch'
}

const proofWith = (fault: Fault | undefined): Proof => ({ method: 'private_key_jwt', fault })

function proofOf(outcome: Outcome, { jws }: AssertionCredentials, set: JwkSet): Proof {
  if (outcome === 'verified') return proofWith(undefined)
  const asked = { kid: printable(jws.kid), alg: printable(jws.alg) }
  if (outcome === 'signature_mismatch') return proofWith({ reason: outcome, detail: () => ({ received: asked }) })
  return proofWith({ reason: outcome, detail: () => ({ expected: keyReports(set, jws), received: asked }) })
}

async function proveByInlineKeys(set: JwkSet, credentials: AssertionCredentials): Promise<Proof> {
  try {
    return proofOf(await verifyWith(candidates(set, credentials.jws.kid), credentials), credentials, set)
  } catch (cause) {
    await verifyWith([], credentials)
    return proofWith({ reason: 'jwks_invalid', cause, detail: () => inlineSetDetail(set, cause) })
  }
}

async function proveByUri(uri: string, credentials: AssertionCredentials, { policy }: Subject): Promise<Proof> {
  const { kid } = credentials.jws
  const keysIn = (set: JwkSet) => candidates(set, kid, Infinity)
  try {
    const set = await policy.keySets.get(uri)
    const keys = keysIn(set)
    const outcome = await verifyWith(keys, credentials)
    const isKnownKey = outcome === 'signature_mismatch' && kid !== undefined
    if (outcome === 'verified' || isKnownKey) return proofOf(outcome, credentials, set)
    // OIDC Core §10.1.1: an unknown kid asks for a newer set; so does an assertion without kid that no key verifies.
    // Compared by text: a keySets of the application's own may edit its set in place.
    const text = JSON.stringify(keys)
    const newer = await policy.keySets.get(uri, { refresh: true })
    if (JSON.stringify(keysIn(newer)) === text) return proofOf(outcome, credentials, newer)
    const last = await verifyWith(keysIn(newer), credentials)
    return proofOf(last === 'no_matching_key' ? outcome : last, credentials, newer)
  } catch (cause) {
    await verifyWith([], credentials)
    return proofWith({ reason: 'jwks_unavailable', cause, detail: () => unavailableSetDetail(uri, cause) })
  }
}

/** RFC 7523 §3 item 9 with the client's registered public keys. */
export function proveByKey(claimed: Subject): Promise<Proof> {
  const { client, credentials } = claimed
  const { jwks, uri } = keySourceOf(client)
  if (jwks !== undefined) return proveByInlineKeys(jwks, credentials)
  return proveByUri(uri ?? '', credentials, claimed)
}

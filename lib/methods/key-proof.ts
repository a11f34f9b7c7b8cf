import { defined } from '../basics/defined'
import { printable } from '../basics/printable'
import { algorithmOf } from '../jwt/algorithms'
import { ageOf } from '../guarded-fetch/cached-document'
import { decoyKeys } from '../jwt/decoy-key'
import type { KeyUse } from '../jwt/jwk'
import { keyReports } from '../jwt/jwk-set'
import { verifySignature } from '../jwt/jws'
import { candidates, keysFor, type VerificationKey } from '../jwt/key-ring'
import type { AssertionCredentials } from '../request/credentials'
import type { Fault } from '../refusals/rules'
import type { Jwk, JwkSet, KeySets, OAuthClient } from '../types'
import { keySourceOf } from './client-record'
import type { ClaimedAssertion, Proof } from './method'
import { inlineSetDetail, unavailableSet } from './registered-keys'

type ProofFault = Fault | undefined

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
async function verifyWith(own: readonly Jwk[], { jws }: AssertionCredentials, use: KeyUse = 'sig'): Promise<Outcome> {
  const algorithm = algorithmOf(jws.alg)
  const fits = (key: VerificationKey) => canVerify(key, jws.signature)
  const keys = keysFor(own, algorithm, use)
  const fitting = keys.filter(fits)
  for (const key of fitting) if (await verifySignature(jws, algorithm, key)) return 'verified'
  if (fitting.length === 0) {
    const decoys = keysFor(decoyKeys(algorithm, jws.signature.length), algorithm, 'sig')
    for (const key of decoys.filter(fits)) await verifySignature(jws, algorithm, key)
  }
  return keys.length === 0 ? 'no_matching_key' : 'signature_mismatch'
}

function outcomeFault(outcome: Outcome, { jws }: AssertionCredentials, set: JwkSet, use: KeyUse = 'sig'): ProofFault {
  if (outcome === 'verified') return undefined
  const { kid, alg } = jws
  const cachedSeconds = ageOf(set)
  const detail = () => ({
    ...(outcome === 'signature_mismatch'
      ? defined({ cachedSeconds })
      : { expected: keyReports(set, { kid, alg, use }) }),
    received: { kid: printable(kid), alg: printable(alg) }
  })
  return { reason: outcome, detail }
}

/** How to get the keys that verify an assertion, and the fault to give if they cannot be had. */
export interface KeySource {
  /** The set; with `refresh` a newer one, if it is time to ask for one. */
  readonly get: (options?: { refresh?: boolean }) => Promise<JwkSet>
  /** What its keys must be for. */
  readonly use: KeyUse
  readonly unavailable: (cause: unknown) => Fault
}

async function proveByInlineKeys(set: JwkSet, credentials: AssertionCredentials): Promise<ProofFault> {
  try {
    return outcomeFault(await verifyWith(candidates(set, credentials.jws.kid), credentials), credentials, set)
  } catch (cause) {
    await verifyWith([], credentials)
    return { reason: 'jwks_invalid', cause, detail: () => inlineSetDetail(set, cause) }
  }
}

/** RFC 7523 §3 item 9 with the keys of a source that may have newer ones. */
export async function proveBySource(
  { get, use, unavailable }: KeySource,
  credentials: AssertionCredentials
): Promise<ProofFault> {
  const { kid } = credentials.jws
  const keysIn = (set: JwkSet) => candidates(set, kid, Infinity)
  try {
    const set = await get()
    const keys = keysIn(set)
    const outcome = await verifyWith(keys, credentials, use)
    const isKnownKey = outcome === 'signature_mismatch' && kid !== undefined
    if (outcome === 'verified' || isKnownKey) return outcomeFault(outcome, credentials, set, use)
    // OIDC Core §10.1.1: an unknown kid asks for a newer set; so does an assertion without kid that no key verifies.
    // Compared by text: a keySets of the application's own may edit its set in place.
    const text = JSON.stringify(keys)
    const newer = await get({ refresh: true })
    if (JSON.stringify(keysIn(newer)) === text) return outcomeFault(outcome, credentials, newer, use)
    const last = await verifyWith(keysIn(newer), credentials, use)
    return outcomeFault(last === 'no_matching_key' ? outcome : last, credentials, newer, use)
  } catch (cause) {
    await verifyWith([], credentials)
    return unavailable(cause)
  }
}

const registeredUri = (uri: string, client: OAuthClient, keySets: KeySets): KeySource => ({
  get: (options) => keySets.get(uri, options),
  use: 'sig',
  unavailable: (cause) => unavailableSet(client, uri, cause)
})

/** RFC 7523 §3 item 9 with the client's registered public keys. */
export async function proveByKey({ client, credentials, policy }: ClaimedAssertion): Promise<Proof> {
  const { jwks, uri } = keySourceOf(client)
  const fault =
    jwks === undefined
      ? await proveBySource(registeredUri(uri ?? '', client, policy.keySetsOf(client)), credentials)
      : await proveByInlineKeys(jwks, credentials)
  return { method: 'private_key_jwt', fault }
}

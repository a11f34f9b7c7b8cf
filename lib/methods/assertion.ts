import { hash } from 'node:crypto'
import { ClientAuthError, printable } from '../errors'
import { type Algorithm, algorithms, minSecretOctets } from '../jwt/algorithms'
import { decoyKeys } from '../jwt/decoy-key'
import { verifyMac, verifySignature } from '../jwt/jws'
import { keyReports, keySetShape } from '../jwt/jwk-set'
import { candidates, keysFor, type Keys, type VerificationKey } from '../jwt/key-ring'
import type { AssertionCredentials } from '../request/credentials'
import type { Fault, Rule } from '../rules'
import type { Jwk, JwkSet, ReplayEntry } from '../types'
import { assertionRules, audienceRule } from './assertion-rules'
import { keySourceOf, liveSecrets, looksHashed, registeredAlg } from './client-record'
import { type Claimed, isJudgeable, type Method, type Policy, provenRules, recordRules } from './method'
import { liveSecretRule, plainSecretRule } from './secret'

type Subject = Claimed<AssertionCredentials>
type ProofFault = Fault | undefined

const registeredAlgRule: Rule<Subject> = {
  check: 'registered alg',
  reason: 'alg_not_registered',
  spec: 'OIDC Registration §2, RFC 8725 §3.1',
  holds: ({ credentials, client }) => [undefined, credentials.jws.alg].includes(registeredAlg(client)),
  canJudge: isJudgeable,
  detail: ({ credentials, client }) => ({
    expected: printable(registeredAlg(client)),
    received: printable(credentials.jws.alg)
  })
}

export const registeredKeysRule: Rule<Claimed> = {
  check: 'registered keys',
  reason: 'keys_not_registered',
  spec: 'RFC 7591 §2',
  holds: ({ client }) => {
    const { jwks, uri } = keySourceOf(client)
    return (jwks === undefined) !== (uri === undefined)
  },
  canJudge: isJudgeable,
  detail: ({ client }) => ({
    expected: 'jwks or jwks_uri',
    received: keySourceOf(client).jwks === undefined ? 'neither' : 'both'
  })
}

const algorithmOf = ({ jws }: AssertionCredentials): Algorithm => {
  const algorithm = algorithms.get(jws.alg)
  if (algorithm === undefined) throw new TypeError('an alg that the rules let pass must be in the table')
  return algorithm
}

/**
 * RFC 8017 §8.2.2: an RSA signature is as long as the modulus and less than it. OpenSSL rejects any other at once, and
 * that speed would reveal the size of the client's key: such keys are skipped, and a decoy is verified with.
 */
const canVerify = ({ modulus }: VerificationKey, signature: Buffer): boolean =>
  modulus === undefined || (signature.length === modulus.length && signature.compare(modulus) < 0)

/** Verifies with each of the keys that fits the signature, until one verifies it; `undefined` where none fits. */
async function verifiesWithAny(
  keys: Keys,
  { jws }: AssertionCredentials,
  algorithm: Algorithm
): Promise<boolean | undefined> {
  let isTried = false
  // Keys that are imported already are not waited for.
  for (const key of 'then' in keys ? await keys : keys) {
    if (!canVerify(key, jws.signature)) continue
    isTried = true
    if (await verifySignature(jws, algorithm, key)) return true
  }
  return isTried ? false : undefined
}

/** How a signature and some keys go together. */
type Outcome = 'verified' | 'no_matching_key' | 'signature_mismatch'

/** Verifies with the keys that fit, or, where none does, with a decoy: something is always verified. */
async function verifyWith(own: readonly Jwk[], credentials: AssertionCredentials): Promise<Outcome> {
  const algorithm = algorithmOf(credentials)
  const { alg } = algorithm
  const keys = own.length > 0 ? keysFor(own, alg) : []
  const isVerified = await verifiesWithAny(keys, credentials, algorithm)
  if (isVerified !== undefined) return isVerified ? 'verified' : 'signature_mismatch'
  await verifiesWithAny(keysFor(decoyKeys(algorithm, credentials.jws.signature.length), alg), credentials, algorithm)
  return (await keys).length === 0 ? 'no_matching_key' : 'signature_mismatch'
}

function faultOf(outcome: Outcome, { jws }: AssertionCredentials, set: JwkSet): ProofFault {
  if (outcome === 'verified') return undefined
  const asked = { kid: printable(jws.kid), alg: printable(jws.alg) }
  if (outcome === 'signature_mismatch') return { reason: outcome, detail: () => ({ received: asked }) }
  return { reason: outcome, detail: () => ({ expected: keyReports(set, jws), received: asked }) }
}

async function proveByInlineKeys(set: JwkSet, credentials: AssertionCredentials): Promise<ProofFault> {
  try {
    return faultOf(await verifyWith(candidates(set, credentials.jws.kid), credentials), credentials, set)
  } catch (cause) {
    await verifyWith([], credentials)
    return { reason: 'jwks_invalid', cause, detail: () => inlineSetDetail(set, cause) }
  }
}

/** What is registered in place of a key set, by its kind alone. */
export function inlineSetDetail(set: unknown, cause: unknown) {
  const { why, received: message } = keySetDetail(cause)
  return { expected: 'a JWK Set of public keys', received: keySetShape(set), message, why }
}

/** What came of a `jwks_uri` in place of a key set. */
export const unavailableSetDetail = (uri: string, cause: unknown) => ({
  uri: printable(uri),
  expected: 'a JWK Set of public keys',
  ...keySetDetail(cause)
})

/** What the fetcher or a judge of keys says of a set: its own words and a stable `why`. */
function keySetDetail(cause: unknown): { received: unknown; why: unknown } {
  const { why, message } = Object(cause) as { why?: unknown; message?: unknown }
  return { received: printable(message), why: printable(why) }
}

async function proveByUri(uri: string, credentials: AssertionCredentials, { policy }: Subject): Promise<ProofFault> {
  const { kid } = credentials.jws
  const keysIn = (set: JwkSet) => candidates(set, kid, Infinity)
  try {
    const set = await policy.keySets.get(uri)
    const keys = keysIn(set)
    const outcome = await verifyWith(keys, credentials)
    const isKnownKey = outcome === 'signature_mismatch' && kid !== undefined
    if (outcome === 'verified' || isKnownKey) return faultOf(outcome, credentials, set)
    // OIDC Core §10.1.1: an unknown kid asks for a newer set; so does an assertion without kid that no key verifies.
    // Compared by text: a keySets of the application's own may edit its set in place.
    const text = JSON.stringify(keys)
    const newer = await policy.keySets.get(uri, { refresh: true })
    if (JSON.stringify(keysIn(newer)) === text) return faultOf(outcome, credentials, newer)
    const last = await verifyWith(keysIn(newer), credentials)
    return faultOf(last === 'no_matching_key' ? outcome : last, credentials, newer)
  } catch (cause) {
    await verifyWith([], credentials)
    return { reason: 'jwks_unavailable', cause, detail: () => unavailableSetDetail(uri, cause) }
  }
}

/** RFC 7523 §3 item 9 with the client's registered public keys. */
function proveByKey(claimed: Subject): Promise<ProofFault> {
  const { client, credentials } = claimed
  const { jwks, uri } = keySourceOf(client)
  if (jwks !== undefined) return proveByInlineKeys(jwks, credentials)
  return proveByUri(uri ?? '', credentials, claimed)
}

/** RFC 7523 §3 item 9 with the client's secrets as HMAC keys: the UTF-8 octets of each (OIDC Core §10.1). */
function proveBySecret({ credentials, client, nowSeconds }: Subject): ProofFault {
  const { jws } = credentials
  let match: string | undefined
  for (const secret of liveSecrets(client, nowSeconds)) {
    if (!looksHashed(secret) && verifyMac(jws, algorithmOf(credentials), secret)) match ??= secret
  }
  if (match === undefined)
    return { reason: 'signature_mismatch', detail: () => ({ received: { alg: printable(jws.alg) } }) }
  // Told only to a client that has just proven that it holds the secret.
  const [expected, octets] = [minSecretOctets(jws.alg), Buffer.byteLength(match)]
  if (octets >= expected) return undefined
  return {
    reason: 'secret_too_short',
    detail: () => ({ expected: `at least ${expected} octets`, received: `${octets} octets` })
  }
}

/** The id under which the use of an assertion is remembered: `jti`, or the digest of the signed part. */
const replayId = ({ jti, signingInput }: AssertionCredentials['jws']): string =>
  typeof jti === 'string' ? jti : hash('sha256', signingInput, 'base64url')

const replayEntry = ({ credentials: { clientId, jws }, policy }: Subject): ReplayEntry => ({
  clientId,
  id: replayId(jws),
  expiresAt: Math.ceil(Number(jws.exp) + policy.clockTolerance)
})

const replayed = ({ expiresAt }: ReplayEntry): Fault => ({
  reason: 'assertion_replayed',
  detail: () => ({
    expected: 'an assertion that was not used before',
    received: 'one that was',
    rememberedUntil: expiresAt
  })
})

/** RFC 7523 §3 item 7. Only once all else has passed: an assertion that fails must not use up its jti. */
async function consume(claimed: Subject): Promise<Fault | undefined> {
  const entry = replayEntry(claimed)
  let first: unknown
  try {
    const answer = claimed.policy.replayStore.consume(entry)
    first = typeof answer === 'boolean' ? answer : await answer
  } catch (cause) {
    if (cause instanceof ClientAuthError) throw cause
    return { reason: 'replay_store_unavailable', cause }
  }
  if (first === true) return undefined
  if (first === false) return replayed(entry)
  const cause = new TypeError('ReplayStore.consume must return true or false, or a promise of it')
  return { reason: 'replay_store_unavailable', cause }
}

/** For `explain`, which must not use an assertion up. A store that fails here refuses nothing. */
async function wasUsed(claimed: Subject): Promise<Fault | undefined | 'unknown'> {
  const entry = replayEntry(claimed)
  try {
    const isRemembered: unknown = await claimed.policy.replayStore.has?.(entry)
    if (isRemembered === true) return replayed(entry)
    return isRemembered === false ? undefined : 'unknown'
  } catch {
    return 'unknown'
  }
}

const signatureSpec = 'RFC 7523 §3 item 9'

/** private_key_jwt (RFC 7523 §2.2, OIDC Core §9). */
export const createPrivateKeyJwt = ({ audiencesDependOnClient }: Policy): Method<AssertionCredentials> => ({
  requestRules: assertionRules,
  recordRules: [...recordRules, registeredAlgRule, registeredKeysRule],
  proofSteps: [
    { check: 'key set', spec: 'RFC 7591 §2', reasons: ['jwks_unavailable', 'jwks_invalid'] },
    { check: 'key', spec: 'RFC 7515 §4.1.4, RFC 7517 §4', reasons: ['no_matching_key'] },
    { check: 'signature', spec: signatureSpec, reasons: ['signature_mismatch'] }
  ],
  prove: proveByKey,
  provenRules: audiencesDependOnClient ? [audienceRule, ...provenRules] : provenRules,
  consume,
  wasUsed
})

/** client_secret_jwt (RFC 7523 §2.2, OIDC Core §9). */
export const createClientSecretJwt = ({ audiencesDependOnClient }: Policy): Method<AssertionCredentials> => ({
  requestRules: assertionRules,
  recordRules: [...recordRules, liveSecretRule, plainSecretRule, registeredAlgRule],
  proofSteps: [
    { check: 'signature', spec: signatureSpec, reasons: ['signature_mismatch'] },
    { check: 'length of the secret', spec: 'OIDC Core §16.19', reasons: ['secret_too_short'] }
  ],
  prove: proveBySecret,
  provenRules: audiencesDependOnClient ? [audienceRule, ...provenRules] : provenRules,
  consume,
  wasUsed
})

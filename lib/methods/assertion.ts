import { isUtf8 } from 'node:buffer'
import { hash, randomBytes } from 'node:crypto'
import { jwtVerify } from 'jose'
import { judgeClaims, judgeHeader, judgeSubject, type AssertionPolicy, type DecodedAssertion } from './assertion-rules'
import { candidates, decoyKeys, fetchedKeys, hmacKey, inlineKeys, type VerificationKey } from '../jwt/key-ring'
import { hmacOctets, liveSecrets } from './secret'
import { ClientAuthError, type ClientAuthErrorReason } from '../errors'
import type { ClientAuthMethod, Jwk, KeySets, OAuthClient } from '../types'

/** An assertion that has passed every rule that the request alone decides; its signature is not verified yet. */
export interface ParsedAssertion extends DecodedAssertion {
  readonly kind: 'assertion'
  readonly token: string
  readonly method: 'private_key_jwt' | 'client_secret_jwt'
  readonly clientId: string
  readonly alg: string
  readonly kid: string | undefined
  /** When it was read, in whole seconds since the epoch: every check uses the same instant. */
  readonly now: number
}

/** What is known of a request so far, for events and errors: claimed, not proven. */
export interface Attempt {
  clientId?: string
  method?: ClientAuthMethod
  kid?: string | undefined
}

/** How a verification ended: `undefined` is success. `tried` where a key of the client's has been put to work. */
export type AssertionFault = { reason: ClientAuthErrorReason; cause?: unknown; tried?: boolean } | undefined

type Keys = readonly VerificationKey[]

function decodePart(part: string): Readonly<Record<string, unknown>> {
  if (part.length % 4 === 1) throw new TypeError() // base64url never ends so, but Buffer takes it
  const octets = Buffer.from(part, 'base64url')
  if (!isUtf8(octets)) throw new TypeError()
  const value: unknown = JSON.parse(octets.toString())
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError()
  return value as Record<string, unknown>
}

/**
 * RFC 7523 §2.2: exactly one JWT, a compact JWS. Here only to be judged before jose decodes and verifies the same
 * text. What went wrong is not passed on: it may quote the input.
 */
function decode(token: string): DecodedAssertion {
  const [, header = '', claims = ''] = /^([\w-]+)\.([\w-]+)\.[\w-]*$/.exec(token) ?? []
  try {
    return { header: decodePart(header), claims: decodePart(claims) }
  } catch {
    throw new ClientAuthError('assertion_malformed')
  }
}

/**
 * Decodes an assertion and judges all that the request alone decides, so that an expired or misaddressed
 * one costs no look-up, no fetch and no signature. `attempt` is told who and which key as soon as they are known.
 */
export function readAssertion(
  { assertion: token, clientId: inRequest }: { assertion: string; clientId: string | undefined },
  policy: AssertionPolicy,
  attempt: Attempt
): ParsedAssertion {
  const now = Math.floor(Date.now() / 1000)
  const { header, claims } = decode(token)
  const alg = judgeHeader(header, policy.algorithms)
  const method = alg in hmacOctets ? 'client_secret_jwt' : 'private_key_jwt'
  const kid = header.kid as string | undefined
  attempt.method = method
  attempt.kid = kid
  const clientId = judgeSubject(claims, inRequest)
  attempt.clientId = clientId
  judgeClaims({ header, claims }, policy, now)
  return { kind: 'assertion', token, header, claims, method, clientId, alg, kid, now }
}

/** The id under which the use of an assertion is remembered: `jti`, or the digest of the signed part. */
export const replayId = ({ claims: { jti }, token }: ParsedAssertion): string =>
  typeof jti === 'string' ? jti : hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url')

const signatureOf = (token: string): string => token.slice(token.lastIndexOf('.') + 1)

/**
 * RFC 8017 §8.2.2: an RSA signature has the length of the modulus and is less than it. OpenSSL refuses others
 * without the work; passed over here, so that the decoy is put to it instead and the time does not tell of the key.
 */
function mayVerify({ modulus }: VerificationKey, token: string): boolean {
  if (modulus === undefined) return true
  const signature = Buffer.from(signatureOf(token), 'base64url')
  return signature.length === modulus.length && signature.compare(modulus) < 0
}

/**
 * Whether one of the keys verifies the assertion: jose is the authority over signature and claims, under the
 * same policy and at the same instant.
 */
async function verifyWith(
  keys: Keys,
  parsed: ParsedAssertion,
  { clockTolerance }: AssertionPolicy
): Promise<'verified' | 'tried' | 'untried'> {
  const { token, alg, clientId, now } = parsed
  let outcome: 'tried' | 'untried' = 'untried'
  const options = {
    algorithms: [alg],
    issuer: clientId,
    subject: clientId,
    requiredClaims: ['aud', 'exp'],
    clockTolerance,
    currentDate: new Date(now * 1000)
  }
  for (const candidate of keys) {
    if (!mayVerify(candidate, token)) continue
    try {
      await jwtVerify(token, candidate.key, options)
      return 'verified'
    } catch {
      outcome = 'tried' // the next key may do
    }
  }
  return outcome
}

async function verifyByUri(
  parsed: ParsedAssertion,
  uri: string,
  policy: AssertionPolicy,
  keySets: KeySets
): Promise<AssertionFault> {
  const { alg, kid } = parsed
  const set = await keySets.get(uri)
  const keys = await fetchedKeys(set, alg, kid)
  const outcome = await verifyWith(keys, parsed, policy)
  if (outcome === 'verified') return undefined
  if (keys.length > 0 && kid !== undefined) return mismatch(outcome)
  // OIDC Core §10.1.1: an unknown kid asks for a newer set; so does an assertion without kid that no key verifies.
  const newer = await keySets.get(uri, { refresh: true })
  const newKeys = newer === set ? [] : await fetchedKeys(newer, alg, kid)
  const last = newKeys.length === 0 ? outcome : await verifyWith(newKeys, parsed, policy)
  if (last === 'verified') return undefined
  return keys.length + newKeys.length === 0 ? { reason: 'no_matching_key' } : mismatch(outcome, last)
}

const mismatch = (...outcomes: string[]): AssertionFault => ({
  reason: 'signature_mismatch',
  tried: outcomes.includes('tried')
})

/** OIDC Registration §2: a registered algorithm is the only one. */
const isRegisteredAlg = ({ token_endpoint_auth_signing_alg: registered }: OAuthClient, alg: string): boolean =>
  registered === undefined || registered === null || registered === alg

/** The client that an unknown one is taken for, so that it costs what a known one does; no kid names its key. */
const nobody: OAuthClient = {
  client_id: '',
  jwks: { keys: [{ kty: 'EC', kid: randomBytes(16).toString('base64url') }] }
}

const decoysFor = ({ alg, token }: ParsedAssertion) => decoyKeys(alg, Math.floor((signatureOf(token).length * 3) / 4))

/** RFC 7523 §3 item 9 with the client's registered public keys. Without a client the work is done in vain. */
export async function verifyPrivateKeyJwt(
  parsed: ParsedAssertion,
  client: OAuthClient | undefined,
  policy: AssertionPolicy,
  keySets: KeySets
): Promise<AssertionFault> {
  const fault = await verifyByKeys(parsed, client ?? nobody, policy, keySets)
  // Where no key of the client's was tried, one is tried in vain: "no such key" costs what "bad signature" does.
  if (fault !== undefined && fault.tried !== true) {
    await verifyWith(await inlineKeys(await decoysFor(parsed), parsed.alg, undefined), parsed, policy)
  }
  return fault
}

async function verifyByKeys(
  parsed: ParsedAssertion,
  client: OAuthClient,
  policy: AssertionPolicy,
  keySets: KeySets
): Promise<AssertionFault> {
  if (!isRegisteredAlg(client, parsed.alg)) return { reason: 'alg_not_registered' }
  const { jwks, jwks_uri: uri } = client
  // RFC 7591 §2: jwks and jwks_uri MUST NOT both be present.
  if (jwks && uri) return { reason: 'keys_not_registered' }
  if (uri) {
    return verifyByUri(parsed, uri, policy, keySets).catch((cause: unknown) => ({ reason: 'jwks_unavailable', cause }))
  }
  if (!jwks) return { reason: 'keys_not_registered' }
  let own: readonly Jwk[]
  let keys: Keys
  try {
    own = candidates(jwks, parsed.kid)
    // A kid that names no key takes the same path as one that does, with a decoy.
    keys = await (own.length > 0
      ? inlineKeys(own, parsed.alg, parsed.kid)
      : inlineKeys(await decoysFor(parsed), parsed.alg, undefined))
  } catch (cause) {
    return { reason: 'jwks_invalid', cause }
  }
  const outcome = await verifyWith(keys, parsed, policy)
  if (own.length === 0 || keys.length === 0) return { reason: 'no_matching_key', tried: outcome === 'tried' }
  return outcome === 'verified' ? undefined : mismatch(outcome)
}

const decoySecret = randomBytes(64).toString('base64url')

/** RFC 7523 §3 item 9 with the client's secrets as HMAC keys. Without a client a decoy is verified in vain. */
export async function verifyClientSecretJwt(
  parsed: ParsedAssertion,
  client: OAuthClient | undefined,
  policy: AssertionPolicy
): Promise<AssertionFault> {
  const secrets = client === undefined ? [] : liveSecrets(client, parsed.now)
  let match: string | undefined
  for (const secret of secrets.length > 0 ? secrets : [decoySecret]) {
    if ((await verifyWith([await hmacKey(secret, parsed.alg)], parsed, policy)) === 'verified') match ??= secret
  }
  if (secrets.length === 0) return { reason: 'no_live_secret' }
  if (client !== undefined && !isRegisteredAlg(client, parsed.alg)) return { reason: 'alg_not_registered' }
  if (match === undefined) return { reason: 'signature_mismatch' }
  // Told only to a client that has just proven that it holds the secret.
  const isLong = Buffer.byteLength(match) >= Number(hmacOctets[parsed.alg])
  return isLong ? undefined : { reason: 'secret_too_short' }
}

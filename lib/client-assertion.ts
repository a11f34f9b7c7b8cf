import { hash, randomBytes } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { judgeClaims, judgeHeader, judgeSubject, type AssertionPolicy, type DecodedAssertion } from './assertion-claims'
import { decoyKeys, fetchedKeys, hmacKey, inlineKeys, type VerificationKey } from './assertion-keys'
import { hmacOctets, liveSecrets } from './client-secret'
import { ClientAuthError, type ClientAuthErrorReason } from './errors'
import type { JwkSet, KeySets, OAuthClient } from './types'

/** An assertion that has passed every rule that the request alone decides; its signature is not verified yet. */
export interface ParsedAssertion extends DecodedAssertion {
  readonly token: string
  readonly method: 'private_key_jwt' | 'client_secret_jwt'
  readonly clientId: string
  readonly alg: string
  readonly kid: string | undefined
  /** When it was read, in whole seconds since the epoch: every check uses the same instant. */
  readonly now: number
}

/** How a verification ended: `undefined` is success. */
export type AssertionFault = { reason: ClientAuthErrorReason; cause?: unknown } | undefined

type Verification = (key: VerificationKey) => Promise<boolean>

/** RFC 7523 §2.2: exactly one JWT, a compact JWS. What jose says of it is not passed on: it may quote the input. */
function decode(token: string): DecodedAssertion {
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new ClientAuthError('assertion_malformed')
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) }
  } catch {
    throw new ClientAuthError('assertion_malformed')
  }
}

/**
 * Decodes an assertion and judges all that the request alone decides, so that an expired or misaddressed
 * one costs no look-up, no fetch and no signature. `told` hears who and which key as soon as they are known.
 */
export function readAssertion(
  { assertion: token, clientId: inRequest }: { assertion: string; clientId: string | undefined },
  policy: AssertionPolicy,
  told: (known: { clientId?: string; method: ParsedAssertion['method']; kid?: string | undefined }) => void
): ParsedAssertion {
  const now = Math.floor(Date.now() / 1000)
  const { header, claims } = decode(token)
  const alg = judgeHeader(header, policy.algorithms)
  const method = alg in hmacOctets ? 'client_secret_jwt' : 'private_key_jwt'
  const kid = header.kid as string | undefined
  const printable = kid?.replace(/[^\x20-\x7e]/g, '?').slice(0, 256)
  told({ method, kid: printable })
  const clientId = judgeSubject(claims, inRequest)
  told({ clientId, method, kid: printable })
  judgeClaims({ header, claims }, policy, now)
  return { token, header, claims, method, clientId, alg, kid, now }
}

/** The id under which the use of an assertion is remembered: `jti`, or the digest of the signed part. */
export const replayId = ({ claims: { jti }, token }: ParsedAssertion): string =>
  typeof jti === 'string' ? jti : hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url')

/** jose as the authority over signature and claims, under the same policy and at the same instant. */
function verification(parsed: ParsedAssertion, { clockTolerance }: AssertionPolicy): Verification {
  const { token, alg, clientId, now } = parsed
  const options = {
    algorithms: [alg],
    issuer: clientId,
    subject: clientId,
    requiredClaims: ['aud', 'exp'],
    clockTolerance,
    currentDate: new Date(now * 1000)
  }
  return async (key) => {
    try {
      await jwtVerify(token, key, options)
      return true
    } catch {
      return false
    }
  }
}

const anyOf = async (keys: readonly VerificationKey[], verify: Verification): Promise<boolean> => {
  for (const key of keys) if (await verify(key)) return true
  return false
}

async function verifyByUri(
  parsed: ParsedAssertion,
  uri: string,
  keySets: KeySets,
  verify: Verification
): Promise<AssertionFault> {
  const { alg, kid } = parsed
  const attempt = async (set: JwkSet) => {
    const keys = await fetchedKeys(set, alg, kid)
    return { verified: await anyOf(keys, verify), none: keys.length === 0 }
  }
  const set = await keySets.get(uri)
  const first = await attempt(set)
  if (first.verified) return undefined
  if (!first.none && kid !== undefined) return { reason: 'signature_mismatch' }
  // OIDC Core §10.1.1: an unknown kid asks for a newer set; so does an assertion without kid that no key verifies.
  const newer = await keySets.get(uri, { refresh: true })
  if (newer !== set && (await attempt(newer)).verified) return undefined
  return { reason: first.none ? 'no_matching_key' : 'signature_mismatch' }
}

/** OIDC Registration §2: a registered algorithm is the only one. */
const isRegisteredAlg = ({ token_endpoint_auth_signing_alg: registered }: OAuthClient, alg: string): boolean =>
  registered === undefined || registered === null || registered === alg

/** RFC 7523 §3 item 9 with the client's registered public keys. Without a client a decoy is verified in vain. */
export async function verifyPrivateKeyJwt(
  parsed: ParsedAssertion,
  client: OAuthClient | undefined,
  policy: AssertionPolicy,
  keySets: KeySets
): Promise<AssertionFault> {
  const verify = verification(parsed, policy)
  const fault =
    client === undefined ? { reason: 'unknown_client' as const } : await verifyByKeys(parsed, client, keySets, verify)
  // Where no key of the client's was tried, one is tried in vain: "no such key" costs what "bad signature" does.
  if (fault !== undefined && fault.reason !== 'signature_mismatch') await anyOf(await decoyKeys(parsed.alg), verify)
  return fault
}

async function verifyByKeys(
  parsed: ParsedAssertion,
  client: OAuthClient,
  keySets: KeySets,
  verify: Verification
): Promise<AssertionFault> {
  if (!isRegisteredAlg(client, parsed.alg)) return { reason: 'alg_not_registered' }
  const { jwks, jwks_uri: uri } = client
  // RFC 7591 §2: jwks and jwks_uri MUST NOT both be present.
  if ((!jwks && !uri) || (jwks && uri)) return { reason: 'keys_not_registered' }
  if (!jwks) {
    return verifyByUri(parsed, uri ?? '', keySets, verify).catch((cause: unknown) => ({
      reason: 'jwks_unavailable',
      cause
    }))
  }
  let keys: VerificationKey[]
  try {
    keys = await inlineKeys(jwks, parsed.alg, parsed.kid)
  } catch (cause) {
    return { reason: 'jwks_invalid', cause }
  }
  if (keys.length === 0) return { reason: 'no_matching_key' }
  return (await anyOf(keys, verify)) ? undefined : { reason: 'signature_mismatch' }
}

const decoySecret = randomBytes(64).toString('base64url')

/** RFC 7523 §3 item 9 with the client's secrets as HMAC keys. Without a client a decoy is verified in vain. */
export async function verifyClientSecretJwt(
  parsed: ParsedAssertion,
  client: OAuthClient | undefined,
  policy: AssertionPolicy
): Promise<AssertionFault> {
  const secrets = client === undefined ? [] : liveSecrets(client, parsed.now)
  const verify = verification(parsed, policy)
  let match: string | undefined
  for (const secret of secrets.length > 0 ? secrets : [decoySecret]) {
    if (await verify(await hmacKey(secret, parsed.alg))) match ??= secret
  }
  if (secrets.length === 0) return { reason: 'no_live_secret' }
  if (client !== undefined && !isRegisteredAlg(client, parsed.alg)) return { reason: 'alg_not_registered' }
  if (match === undefined) return { reason: 'signature_mismatch' }
  // Told only to a client that has just proven that it holds the secret.
  return Buffer.byteLength(match) < (hmacOctets[parsed.alg] ?? 64) ? { reason: 'secret_too_short' } : undefined
}

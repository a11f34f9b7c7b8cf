import { hash } from 'node:crypto'
import { equalTexts } from '../basics/equal-texts'
import { warnOnce } from '../basics/warn-once'
import { ClientAuthError } from '../refusals/errors'
import type { BareCredentials, SecretCredentials } from '../request/credentials'
import type { Fault, Rule } from '../refusals/rules'
import type { OAuthClient, VerifySecret } from '../types'
import { nobody } from './client-record'
import {
  type Claimed,
  isJudgeable,
  type Method,
  type Policy,
  type Presented,
  type Proof,
  provenRules,
  recordRules
} from './method'
import { decoySecret, liveSecrets, looksHashed, storedSecrets, unreadableSecret } from './stored-secrets'

/** Every stored secret is compared, also after a match. */
const matchesAny = (candidate: string, stored: readonly string[]): boolean =>
  stored.reduce((matched, secret) => equalTexts(candidate, secret) || matched, false)

type Live = Claimed<SecretCredentials>

export const liveSecretRule: Rule<Claimed> = {
  check: 'live secret',
  reason: 'no_live_secret',
  spec: 'RFC 7591 §3.2.1',
  holds: ({ client, nowSeconds }) => liveSecrets(client, nowSeconds).length > 0,
  canJudge: isJudgeable,
  detail: ({ client }) =>
    unreadableSecret(client) ?? {
      expected: 'a secret that has not expired',
      received: storedSecrets(client).length > 0 ? 'only expired secrets' : 'no secret'
    }
}

/** Without `verifySecret`, a stored hash would itself be the password (pass the hash). */
export const plainSecretRule: Rule<Claimed> = {
  check: 'stored secret',
  reason: 'secret_stored_as_hash',
  spec: 'our rule',
  holds: ({ client, nowSeconds, policy }) =>
    policy.verifySecret !== undefined || liveSecrets(client, nowSeconds).some((secret) => !looksHashed(secret)),
  canJudge: (claimed) => isJudgeable(claimed) && liveSecretRule.holds(claimed),
  detail: () => ({ expected: 'a secret in the clear, or the option verifySecret', received: 'a hash' })
}

/** The server accepts one of the methods that the request may mean. */
export const acceptedRule: Rule<Presented<SecretCredentials | BareCredentials>> = {
  check: 'method',
  reason: 'method_not_supported',
  spec: 'RFC 8414 §2',
  holds: ({ credentials, policy }) => credentials.methods.some((method) => policy.methods.has(method)),
  detail: ({ credentials, policy }) => ({ expected: [...policy.methods], received: credentials.methods.join(' or ') })
}

/** A request with a secret means one method. */
const proofBy = (
  { methods: [method = 'none'] }: SecretCredentials,
  reason?: Fault['reason'],
  client = nobody
): Proof => ({
  method,
  // Beside a secret that can be read, the one that was meant may be another
  fault: reason && { reason, detail: () => unreadableSecret(client) }
})

function comparePlain({ credentials, client, nowSeconds }: Live): Proof {
  const stored = liveSecrets(client, nowSeconds).filter((secret) => !looksHashed(secret))
  const { secret, undecoded } = credentials
  if (matchesAny(secret, stored)) return proofBy(credentials)
  const isUndecoded = undecoded !== undefined && matchesAny(undecoded, stored)
  return proofBy(credentials, isUndecoded ? 'secret_not_form_encoded' : 'secret_mismatch', client)
}

/**
 * What is compared with another client's hash for an id that nobody has. Never the presented secret itself, which
 * rememberSecrets may know; but as long, and the same for the same guess, so that equal guesses share one call as they
 * do for a client.
 */
function decoyGuess({ clientId, secret }: SecretCredentials): string {
  const text = hash('sha256', `${decoySecret} ${clientId} ${secret}`, 'base64url')
  return text.slice(0, secret.length).padEnd(secret.length, text)
}

async function callVerifier(verify: VerifySecret, presented: string, stored: string, client: OAuthClient) {
  const result: unknown = await verify(presented, stored, client)
  if (typeof result !== 'boolean') throw new TypeError('verifySecret must return true or false, or a promise of it')
  return result
}

const verifierThrew = {
  code: 'OAUTH_CLIENT_AUTH_VERIFIER_THREW',
  message:
    'verifySecret threw. It is called with (presented, stored, client). bcrypt: (presented, stored) => bcrypt.compare(presented, stored). ' +
    'argon2 takes the hash first: (presented, stored) => argon2.verify(stored, presented)'
}

/** `verifySecret` for a registered client. */
async function verifyOwn(verify: VerifySecret, presented: string, stored: string, client: OAuthClient) {
  try {
    return await callVerifier(verify, presented, stored, client)
  } catch (error) {
    if (!(error instanceof ClientAuthError)) warnOnce(verifierThrew)
    throw error
  }
}

/** `verifySecret` with the client's stored hashes, or with a decoy. */
function createHashComparison(verify: VerifySecret) {
  // The last hash that matched: a made-up one would be refused without the slow work. Before one has, the first tried.
  let decoyHash: string | undefined
  let isProven = false

  async function compareDecoy(credentials: SecretCredentials): Promise<void> {
    if (decoyHash === undefined) return
    // A record with the claimed id and nothing else: a verifier that counts failures must not count them against the
    // client whose hash this is. One that needs more of the record throws, which must not tell that nobody has this id.
    const record = { client_id: credentials.clientId }
    await callVerifier(verify, decoyGuess(credentials), decoyHash, record).catch((error: unknown) => {
      if (error instanceof ClientAuthError) throw error // too busy: said to known clients and unknown ones alike
    })
  }

  return async ({ credentials, client, nowSeconds }: Live): Promise<Proof> => {
    const stored = client === nobody ? [] : liveSecrets(client, nowSeconds)
    if (stored.length === 0) {
      await compareDecoy(credentials)
      return proofBy(credentials, 'no_live_secret')
    }
    let isMatched = false
    for (const secret of stored) {
      if (!isProven) decoyHash ??= secret
      if (!(await verifyOwn(verify, credentials.secret, secret, client))) continue
      isMatched = true
      decoyHash = secret
      isProven = true
    }
    return isMatched ? proofBy(credentials) : proofBy(credentials, 'secret_mismatch', client)
  }
}

/** client_secret_basic and client_secret_post (RFC 6749 §2.3.1). */
export const createSecretMethod = ({ verifySecret }: Policy): Method<SecretCredentials> => ({
  requestRules: [acceptedRule],
  recordRules: [...recordRules, liveSecretRule, plainSecretRule],
  proofSteps: [
    {
      check: 'secret',
      spec: 'RFC 6749 §2.3.1',
      reasons: ['no_live_secret', 'secret_mismatch', 'secret_not_form_encoded']
    }
  ],
  prove: verifySecret === undefined ? comparePlain : createHashComparison(verifySecret),
  provenRules
})

import { printable } from '../basics/printable'
import { algorithmOf, isSameAlgorithm, minSecretOctets } from '../jwt/algorithms'
import { verifyMac } from '../jwt/jws'
import type { AssertionCredentials } from '../request/credentials'
import type { Fault, Rule } from '../refusals/rules'
import { assertionRules, clientAudienceRule, soleAudienceRule } from './assertion-rules'
import { registeredAlg } from './client-record'
import { proveByKey } from './key-proof'
import { type ClaimedAssertion, isJudgeable, type Method, type Policy, provenRules, recordRules } from './method'
import { registeredKeysRule } from './registered-keys'
import { consume, wasUsed } from './replay'
import { liveSecretRule, plainSecretRule } from './secret'
import { liveSecrets, looksHashed } from './stored-secrets'

export const registeredAlgRule: Rule<ClaimedAssertion> = {
  check: 'registered alg',
  reason: 'alg_not_registered',
  spec: 'OIDC Registration §2, RFC 8725 §3.1',
  holds: ({ credentials, client }) => {
    const registered = registeredAlg(client)
    return registered === undefined || isSameAlgorithm(registered, credentials.jws.alg)
  },
  canJudge: isJudgeable,
  detail: ({ credentials, client }) => ({
    expected: printable(registeredAlg(client)),
    received: printable(credentials.jws.alg)
  })
}

/** RFC 7523 §3 item 9 with the client's secrets as HMAC keys: the UTF-8 octets of each (OIDC Core §10.1). */
function macFault({ credentials, client, nowSeconds }: ClaimedAssertion): Fault | undefined {
  const { jws } = credentials
  let match: string | undefined
  for (const secret of liveSecrets(client, nowSeconds)) {
    if (!looksHashed(secret) && verifyMac(jws, algorithmOf(jws.alg), secret)) match ??= secret
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

const signatureSpec = 'RFC 7523 §3 item 9'

/** private_key_jwt (RFC 7523 §2.2, OIDC Core §9). */
export const createPrivateKeyJwt = (policy: Policy): Method<AssertionCredentials> => ({
  requestRules: assertionRules(policy),
  recordRules: [...recordRules, registeredAlgRule, registeredKeysRule],
  proofSteps: [
    { check: 'key set', spec: 'RFC 7591 §2', reasons: ['jwks_unavailable', 'client_keys_unavailable', 'jwks_invalid'] },
    { check: 'key', spec: 'RFC 7515 §4.1.4, RFC 7517 §4', reasons: ['no_matching_key'] },
    { check: 'signature', spec: signatureSpec, reasons: ['signature_mismatch'] }
  ],
  prove: proveByKey,
  provenRules: [...(policy.audiencesOf ? [clientAudienceRule] : []), soleAudienceRule, ...provenRules],
  consume,
  wasUsed
})

/** client_secret_jwt (RFC 7523 §2.2, OIDC Core §9). */
export const createClientSecretJwt = (policy: Policy): Method<AssertionCredentials> => ({
  requestRules: assertionRules(policy),
  recordRules: [...recordRules, liveSecretRule, plainSecretRule, registeredAlgRule],
  proofSteps: [
    { check: 'signature', spec: signatureSpec, reasons: ['signature_mismatch'] },
    { check: 'length of the secret', spec: 'OIDC Core §16.19', reasons: ['secret_too_short'] }
  ],
  prove: (claimed) => ({ method: 'client_secret_jwt', fault: macFault(claimed) }),
  provenRules: policy.audiencesOf ? [clientAudienceRule, ...provenRules] : provenRules,
  consume,
  wasUsed
})

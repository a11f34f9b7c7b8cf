import { certificateOfRequest } from './certificates/certificate-source'
import type { ClientAuthErrorReason } from './errors'
import { algorithms } from './jwt/algorithms'
import { checkRecord, methodOf, nobody } from './methods/client-record'
import type { Claimed, Method, ProofStep } from './methods/method'
import { isJudgeable, withAudiences } from './methods/method'
import type { ResolvedOptions } from './options'
import { credentialRules } from './request/credential-rules'
import {
  claimedId,
  claimedMethod,
  credentialsOf,
  receive,
  type Credentials,
  type Received
} from './request/credentials'
import { isClientId } from './request/syntax'
import { failure, type Finding, findings, notChecked } from './rules'
import type { ClientAuthMethod, ClientAuthRequest, KeySets } from './types'

/** How a request is explained. */
export interface ExplainOptions {
  /** Judges the request as of then, such as an assertion from yesterday's log. Default now. */
  at?: Date | undefined
  /** Whether a `jwks_uri` may be fetched. Default `false`: only inline keys and cached sets are used. */
  fetch?: boolean | undefined
}

/** Why a request is accepted or refused. For operators: it tells what is registered, so never send it to the caller. */
export interface Explanation {
  /** Whether `authenticate` would let the request in, replays apart. Never `true` where a check could not be made. */
  readonly accepted: boolean
  /** The reason that `authenticate` would give. */
  readonly reason?: ClientAuthErrorReason
  /** The client that the request names. */
  readonly clientId?: string
  readonly method?: ClientAuthMethod
  /** Every check, in the order in which `authenticate` makes them. */
  readonly findings: readonly Finding[]
}

/** What a cache-only look-up rejects with: nothing is known about the keys. */
const notCached = new Error('the key set is not in the cache; ask with fetch: true')

/** Answers from the cache alone. */
const cachedOnly = (keySets: KeySets): KeySets => ({
  get: (uri) => {
    const set = keySets.cached?.(uri)
    return set === undefined ? Promise.reject(notCached) : Promise.resolve(set)
  }
})

const isPassed = ({ result }: Finding): boolean => result === 'passed'

/** Whether the credentials can be judged although the request breaks a rule: an assertion that decodes can be. */
const canReadOn = ({ mechanism, jws }: Received, read: readonly Finding[]): boolean =>
  mechanism === 'assertion' ? jws !== undefined : read.every(isPassed)

/** Each step of a proof: passed up to the one that failed, and not checked after it. */
function proofFindings(steps: readonly ProofStep[], fault: Parameters<typeof failure>[1] | undefined): Finding[] {
  const failed = fault === undefined ? steps.length : steps.findIndex(({ reasons }) => reasons.includes(fault.reason))
  return steps.map((step, index): Finding => {
    if (fault !== undefined && index === failed) return failure(step, fault)
    const { check, spec } = step
    return { check, spec, result: index < failed ? 'passed' : 'not_checked' }
  })
}

/** Whether there is something to verify with: the client's own, for a method of its own, by a known algorithm. */
const canProve = (claimed: Claimed, recorded: readonly Finding[]): boolean =>
  isJudgeable(claimed) &&
  recorded.every((finding) => isPassed(finding) || finding.reason === 'alg_not_registered') &&
  (claimed.credentials.kind !== 'assertion' || algorithms.has(claimed.credentials.jws.alg))

async function prove(claimed: Claimed, method: Method<Credentials>, recorded: readonly Finding[]): Promise<Finding[]> {
  if (!canProve(claimed, recorded)) return notChecked(method.proofSteps)
  const fault = await method.prove(claimed)
  if (fault?.cause !== notCached) return proofFindings(method.proofSteps, fault)
  return notChecked(method.proofSteps).map((finding) => ({ ...finding, advice: `Not checked: ${notCached.message}.` }))
}

const replayCheck = { check: 'used once', spec: 'RFC 7523 §3 item 7' }

/** `explain`, over the very lists of rules by which `authenticate` judges. Consumes nothing and publishes nothing. */
export function createExplainer(
  options: ResolvedOptions,
  methodFor: (credentials: Credentials) => Method<Credentials>
) {
  async function judge(received: Received, request: ClientAuthRequest, { at, fetch = false }: ExplainOptions) {
    const credentials = credentialsOf(received)
    const { policy, getClient, legacyAudiences, bareMethods } = options
    const { clientId } = credentials
    const method = methodFor(credentials)
    const presented = {
      credentials,
      policy: fetch ? policy : { ...policy, keySets: cachedOnly(policy.keySets) },
      nowSeconds: Math.floor((at?.getTime() ?? Date.now()) / 1000),
      legacyAudiences,
      certificate: certificateOfRequest(policy.clientCertificates, request),
      hasGrant: received.form.grant_type !== undefined
    }
    const asked = findings(method.requestRules, presented)
    const record = isClientId(clientId) ? checkRecord(await getClient(clientId, request), clientId) : undefined
    const claimed: Claimed = { ...presented, client: record ?? nobody }
    const recorded = isClientId(clientId) ? findings(method.recordRules, claimed) : notChecked(method.recordRules)
    const proof = await prove(claimed, method, recorded)
    const proven = isJudgeable(claimed)
      ? findings(method.provenRules, withAudiences(claimed, options.audiencesOf))
      : notChecked(method.provenRules)
    return {
      method: method.provenMethod?.(claimed) ?? methodOf(credentials.methods, policy.methods, claimed.client),
      findings: [...asked, ...recorded, ...proof, ...proven],
      replay: method.consume === undefined ? [] : notChecked([replayCheck]),
      bareMethods
    }
  }

  return async (request: ClientAuthRequest, how: ExplainOptions = {}): Promise<Explanation> => {
    const received = receive(request, options.bareMethods)
    const read = findings(credentialRules(received.mechanism), received)
    const judged = canReadOn(received, read) ? await judge(received, request, how) : undefined
    const all = [...read, ...(judged?.findings ?? [])]
    const reason = all.find(({ result }) => result === 'failed')?.reason
    const clientId = claimedId(received)
    const method = judged?.method ?? claimedMethod(received)
    return {
      accepted: judged !== undefined && all.every(isPassed),
      ...(reason === undefined ? {} : { reason }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(method === undefined ? {} : { method }),
      findings: [...all, ...(judged?.replay ?? [])]
    }
  }
}

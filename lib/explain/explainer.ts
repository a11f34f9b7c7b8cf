import { certificateOfRequest } from '../certificates/certificate-source'
import { ClientAuthError, type ClientAuthErrorReason } from '../refusals/errors'
import {
  cachedOnly,
  canProve,
  hasCredentials,
  isRules,
  namedIds,
  notCached,
  orderOf,
  type Proof,
  proofFindings,
  proofOf
} from './steps'
import { checkRecord, methodOf, nobody } from '../methods/client-record'
import { type Claimed, type Method, withAudiences } from '../methods/method'
import type { ResolvedOptions } from '../options/options'
import { credentialRules } from '../request/credential-rules'
import {
  claimedId,
  claimedMethod,
  credentialsOf,
  receive,
  type Credentials,
  type Received
} from '../request/credentials'
import { failure, type Finding, findings, isFailed, isPassed, notChecked } from './findings'
import type { ClientAuthMethod, ClientAuthRequest, OAuthClient } from '../types'

/** How a request is explained. */
export interface ExplainOptions {
  /** Judges the request as of then, such as an assertion from yesterday's log. Default now. */
  at?: Date | undefined
  /**
   * Whether a `jwks_uri` may be fetched, as `authenticate` would. Default `false`: only inline keys and cached sets are
   * used.
   */
  fetch?: boolean | undefined
}

/** Why a request is accepted or refused. For operators: it tells what is registered, so never send it to the caller. */
export interface Explanation {
  /**
   * Whether `authenticate` would let the request in. Never `true` where a check could not be made; replays apart, which
   * are judged only where the replay store has `has`, and not with `at`.
   */
  readonly accepted: boolean
  /** The reason that `authenticate` would give. */
  readonly reason?: ClientAuthErrorReason
  /** The client that the request names. */
  readonly clientId?: string
  readonly method?: ClientAuthMethod
  /** Every check, in the order in which `authenticate` makes them. */
  readonly findings: readonly Finding[]
}

type Checks = readonly { readonly check: string; readonly spec: string }[]

const replayCheck = { check: 'used once', spec: 'RFC 7523 §3 item 7' }
const everythingElse = { check: 'client and proof', spec: 'RFC 6749 §2.3' }

const registeredMethod = ({ credentials, policy, client }: Claimed): ClientAuthMethod | undefined =>
  methodOf(credentials.methods, policy.methods, client)

/** The findings so far, and how more are made. */
function createFindings(made: readonly Finding[]) {
  const all = [...made]
  /**
   * What the application throws must not hide an earlier refusal, since `authenticate` would not have called it. Without
   * one it is thrown, as `authenticate` would.
   */
  async function add(checks: Checks, work: () => Finding[] | Promise<Finding[]>): Promise<readonly Finding[]> {
    let more: Finding[]
    try {
      more = await work()
    } catch (thrown) {
      if (all.some(isFailed)) more = notChecked(checks)
      else if (thrown instanceof ClientAuthError) more = refusedBy(thrown, checks)
      else throw thrown
    }
    all.push(...more)
    return more
  }
  return { all, add }
}

/** `rememberSecrets` refuses by throwing: it is too busy to say anything of the secret. */
function refusedBy({ reason, detail = {} }: ClientAuthError, [first, ...others]: Checks): Finding[] {
  return first === undefined ? [] : [failure(first, { reason, detail: () => detail }), ...notChecked(others)]
}

/** `explain`, over the very lists of rules by which `authenticate` judges. Consumes nothing and publishes nothing. */
export function createExplainer(
  options: ResolvedOptions,
  methodFor: (credentials: Credentials) => Method<Credentials>
) {
  const { policy, getClient, legacyAudiences, audiencesOf, bareMethods } = options

  async function lookUp(ids: readonly string[], request: ClientAuthRequest): Promise<OAuthClient> {
    for (const id of ids) {
      const record = checkRecord(await getClient(id, request), id)
      if (record !== undefined) return record
    }
    return nobody
  }

  async function prove(claimed: Claimed, { prove }: Method<Credentials>, proof: Proof, mayFetch: boolean) {
    if (isRules(proof)) return findings(proof, claimed)
    const fault = await prove(claimed)
    const isOfCache = !mayFetch && claimed.credentials.kind !== 'secret' && Boolean(claimed.client.jwks_uri)
    return fault?.cause === notCached
      ? notChecked(proof, 'The key set is not in the cache: ask with fetch.')
      : proofFindings(proof, fault, isOfCache)
  }

  async function askStore(claimed: Claimed, { wasUsed }: Method<Credentials>): Promise<Finding[]> {
    const fault = await wasUsed?.(claimed)
    if (fault === 'unknown') return notChecked([replayCheck])
    return fault === undefined ? [{ ...replayCheck, result: 'passed' }] : [failure(replayCheck, fault)]
  }

  async function judge(received: Received, read: readonly Finding[], request: ClientAuthRequest, how: ExplainOptions) {
    const credentials = credentialsOf(received)
    const method = methodFor(credentials)
    const mayFetch = how.fetch === true
    const presented = {
      credentials,
      policy: mayFetch ? policy : { ...policy, keySets: cachedOnly(policy.keySets) },
      nowSeconds: Math.floor((how.at?.getTime() ?? Date.now()) / 1000),
      legacyAudiences,
      certificate: certificateOfRequest(policy.clientCertificates, request),
      hasGrant: received.form.grant_type !== undefined
    }
    const { early, late } = orderOf(method, { ...presented, client: nobody })
    const { all, add } = createFindings([...read, ...findings(early, presented)])
    const ids = namedIds(credentials)
    let client = nobody
    const recorded = await add(method.recordRules, async () => {
      client = await lookUp(ids, request)
      return ids.length === 0 ? notChecked(method.recordRules) : findings(method.recordRules, { ...presented, client })
    })
    const claimed: Claimed = { ...presented, client }
    const proof = proofOf(method, claimed)
    await add(proof, () => (canProve(claimed, recorded) ? prove(claimed, method, proof, mayFetch) : notChecked(proof)))
    await add(late, () => (client === nobody ? notChecked(late) : findings(late, withAudiences(claimed, audiencesOf))))
    const isAccepted = all.every(isPassed)
    if (method.wasUsed !== undefined) {
      // The store tells what it knows now, not what it knew then.
      const canTell = isAccepted && how.at === undefined
      await add([replayCheck], () => (canTell ? askStore(claimed, method) : notChecked([replayCheck])))
    }
    return {
      client,
      method: (method.provenMethod ?? registeredMethod)(claimed),
      accepted: isAccepted && !all.some(isFailed),
      findings: all
    }
  }

  return async (request: ClientAuthRequest, how: ExplainOptions = {}): Promise<Explanation> => {
    if (Number.isNaN(how.at?.getTime())) throw new TypeError('explain: option "at" must be a valid Date')
    const received = receive(request, bareMethods)
    const read = findings(credentialRules(received.mechanism), received)
    const judged = hasCredentials(received, read)
      ? await judge(received, read, request, how)
      : { client: nobody, method: undefined, accepted: false, findings: [...read, ...notChecked([everythingElse])] }
    const reason = judged.findings.find(isFailed)?.reason
    const clientId = judged.client === nobody ? claimedId(received) : judged.client.client_id
    const method = judged.method ?? claimedMethod(received)
    return {
      accepted: judged.accepted,
      ...(reason === undefined ? {} : { reason }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(method === undefined ? {} : { method }),
      findings: judged.findings
    }
  }
}

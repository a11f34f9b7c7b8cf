import { ClientAuthError } from '../refusals/errors'
import type { ClientAuthErrorReason } from '../refusals/reasons'
import {
  cachedOnly,
  canProve,
  canProveIssuer,
  hasCredentials,
  judgeable,
  isRules,
  namedIds,
  notCached,
  partsOf,
  proofFindings,
  type ProofParts,
  readText
} from './steps'
import { createAsk, type Question, secondsOf } from '../methods/ask'
import { methodOf, nobody } from '../methods/client-record'
import { idOf, lookedUp, type LookedUp } from '../methods/look-up'
import { type Claimed, claimedBy, type Method, type Proof, withAudiences } from '../methods/method'
import { withoutSecretsAtHand } from '../methods/secrets-at-hand'
import type { RequestCertificate } from '../certificates/certificate-source'
import type { ResolvedOptions } from '../options/options'
import { credentialRules } from '../request/credential-rules'
import { claimedMethod, receive, shownId, type Credentials, type Received } from '../request/credentials'
import { withNearMiss } from './near-misses'
import { applicable, failure, type Finding, factsOf, findings, isFailed, isPassed, notChecked } from './findings'
import type { ClientAuthMethod, ClientAuthRequest, OAuthClient } from '../types'

/** How a request is explained. */
export interface ExplainOptions {
  /** Judges the request as of then, such as an assertion from yesterday's log. Default now. */
  at?: Date | undefined
  /**
   * Whether a `jwks_uri` may be fetched, as `authenticate` would. Default `false`: only inline keys and cached sets are
   * used. `getClient` is called in either case, and may itself fetch a client document: whoever wants none asks
   * `documents.cached` in it.
   */
  fetch?: boolean | undefined
  /**
   * Whether mistakes that are almost right are looked for and named, such as a secret with a line break or a signature
   * in DER. Default `true`: a dozen comparisons and a few look-ups for a refused request.
   */
  nearMisses?: boolean | undefined
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

/**
 * Says why a request is accepted or refused: every check, also after the first failure. Has no effect: nothing is
 * consumed or published. `verifySecret` is called for registered clients alone.
 *
 * For operators. It tells what is registered, so never send it to the caller.
 *
 * @param request - headers and body: parsed, or its text as it was sent, which is read as `clientAuth` reads it
 * @param options - `at`: as of when to judge; `fetch`: whether a `jwks_uri` may be fetched, default false
 * @throws what `getClient`, `verifySecret` or `legacyAudiences` throws, unless the request is refused before it
 * @example
 * const { reason, findings } = await authenticateClient.explain(req)
 * for (const { check, result, advice } of findings) if (result === 'failed') console.log(check, advice)
 */
export type Explain = (request: ClientAuthRequest, options?: ExplainOptions) => Promise<Explanation>

type Checks = readonly { readonly check: string; readonly spec: string }[]

const replayCheck = { check: 'used once', spec: 'RFC 7523 §3 item 7' }
const everythingElse = { check: 'client and proof', spec: 'RFC 6749 §2.3' }

const registeredMethod = ({ credentials, policy, client }: Claimed): ClientAuthMethod | undefined =>
  methodOf(credentials.methods, policy.methods, client)

/** The findings so far. */
function createTrail(made: readonly Finding[]) {
  const all = [...made]
  const add = (more: readonly Finding[]): readonly Finding[] => {
    all.push(...more)
    return more
  }
  /**
   * What `work` returns. It calls functions of the application: what they throw must not hide an earlier refusal, since
   * `authenticate` would not have called them. Without one it is thrown, as `authenticate` would.
   */
  async function run<T>(checks: Checks, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (thrown) {
      if (all.some(isFailed)) add(notChecked(checks))
      else if (thrown instanceof ClientAuthError) add(refusedBy(thrown, checks))
      else throw thrown
      return undefined
    }
  }
  return { all, add, run }
}

type Trail = ReturnType<typeof createTrail>

/** `rememberSecrets` refuses by throwing: it is too busy to say anything of the secret. */
function refusedBy({ reason, detail = {} }: ClientAuthError, [first, ...others]: Checks): Finding[] {
  return first === undefined ? [] : [failure(first, { reason, detail: () => detail }), ...notChecked(others)]
}

/** What the command knows beside the options of the server. */
export interface Pasted {
  /** Further clients, whose keys may have signed. */
  readonly others?: readonly OAuthClient[]
  /** In place of what the source says of a request without a connection. */
  readonly certificate?: RequestCertificate | undefined
}

interface Judged {
  readonly received: Received
  /** Absent where there were no credentials to judge. */
  readonly claimed?: Claimed
  readonly method: ClientAuthMethod | undefined
  readonly accepted: boolean
  readonly findings: readonly Finding[]
}

/** A request without one set of credentials that could be judged. */
const unreadable = (received: Received, read: readonly Finding[]): Judged => ({
  received,
  method: undefined,
  accepted: false,
  findings: [...read, ...notChecked([everythingElse])]
})

/** `explain`, over the very lists of rules by which `authenticate` judges. Consumes nothing and publishes nothing. */
export function createExplainer(options: ResolvedOptions, { others = [], certificate }: Pasted = {}): Explain {
  const { policy, getClient, audiencesOf } = options
  const ask = createAsk(options)
  const cachedPolicy = {
    ...policy,
    keySets: cachedOnly(policy.keySets),
    keySetsOf: (client: OAuthClient) => cachedOnly(policy.keySetsOf(client))
  }

  async function lookUp(ids: readonly string[], request: ClientAuthRequest): Promise<LookedUp> {
    let last: LookedUp = { client: undefined }
    for (const id of ids) {
      last = lookedUp(await getClient(id, request), id)
      if (last.client !== undefined) return last
    }
    return last
  }

  /** Looks the client up and judges its record. Tells whether there is something of the client to verify with. */
  async function judgeRecord(trail: Trail, { method, presented }: Question, request: ClientAuthRequest) {
    const ids = namedIds(presented.credentials)
    const found = await trail.run(method.recordRules, () => lookUp(ids, request))
    const claimed = claimedBy(presented, found?.client ?? nobody, found?.otherId)
    if (found === undefined) return { claimed, recorded: [], isProvable: false }
    const recorded =
      ids.length === 0 ? notChecked(method.recordRules) : findings(judgeable(method.recordRules, claimed), claimed)
    return { claimed, recorded, isProvable: canProve(claimed, recorded) }
  }

  async function judgeProof(trail: Trail, method: Method<Credentials>, claimed: Claimed, isProvable: boolean) {
    const expected = claimed.client === nobody ? undefined : registeredMethod(claimed)
    const parts = partsOf(method, expected)
    if (!isProvable) {
      trail.add(notChecked(parts))
      return expected
    }
    const proof = await trail.run(parts, () => method.prove(claimed))
    if (proof !== undefined) trail.add(judged(partsOf(method, proof.method), proof, claimed))
    return proof?.method ?? expected
  }

  function judged(parts: ProofParts, { fault }: Proof, claimed: Claimed): Finding[] {
    if (isRules(parts)) return findings(parts, claimed)
    if (fault?.cause === notCached) return notChecked(parts, 'The key set is not in the cache: ask with fetch.')
    const isOfCache = claimed.policy === cachedPolicy && claimed.credentials.kind !== 'secret'
    return proofFindings(parts, fault, isOfCache && Boolean(claimed.client.jwks_uri))
  }

  async function judgeProven(trail: Trail, { provenRules }: Method<Credentials>, claimed: Claimed) {
    const rules = applicable(judgeable(provenRules, claimed), claimed)
    const judged = await trail.run(rules, () =>
      claimed.client === nobody ? notChecked(rules) : findings(rules, withAudiences(claimed, audiencesOf))
    )
    trail.add(judged ?? [])
  }

  /** The store tells what it knows now, not what it knew then. */
  async function judgeReplay(trail: Trail, { wasUsed }: Method<Credentials>, claimed: Claimed, { at }: ExplainOptions) {
    if (wasUsed === undefined) return
    const fault = trail.all.every(isPassed) && at === undefined ? await wasUsed(claimed) : 'unknown'
    if (fault === 'unknown') trail.add(notChecked([replayCheck]))
    else trail.add([fault === undefined ? { ...replayCheck, result: 'passed' } : failure(replayCheck, fault)])
  }

  async function judge(received: Received, read: readonly Finding[], request: ClientAuthRequest, how: ExplainOptions) {
    const question = ask(request, received, {
      at: how.at,
      policy: how.fetch === true ? policy : cachedPolicy,
      certificate
    })
    const { method, presented } = question
    const ofRequest = findings(judgeable(method.requestRules, presented), presented)
    const trail = createTrail([...read, ...ofRequest])
    const { claimed, recorded, isProvable } = await judgeRecord(trail, question, request)
    const { provesFirst } = method
    if (!provesFirst) trail.add(recorded)
    const proven = await judgeProof(trail, method, claimed, provesFirst ? canProveIssuer(ofRequest) : isProvable)
    if (provesFirst) trail.add(recorded)
    await judgeProven(trail, method, claimed)
    const isAccepted = trail.all.every(isPassed)
    await judgeReplay(trail, method, claimed, how)
    return {
      received,
      claimed,
      method: proven,
      accepted: isAccepted && !trail.all.some(isFailed),
      findings: trail.all
    }
  }

  function judgeRequest(request: ClientAuthRequest, how: ExplainOptions): Judged | Promise<Judged> {
    const { request: read, findings: text } = readText(request)
    const received = receive(read, options.accepted)
    if (text.some(isFailed)) return unreadable(received, text)
    const made = [...text, ...findings(credentialRules(received.mechanism), received)]
    return hasCredentials(received, made) ? judge(received, made, read, how) : unreadable(received, made)
  }

  /** The findings, with the advice of near misses where there are some. */
  async function spotAll(
    { received, claimed, findings: all }: Judged,
    request: ClientAuthRequest,
    how: ExplainOptions
  ) {
    const { basic, form } = received
    const lookUp = async (id: string) => lookedUp(await getClient(id, request), id).client
    const now = claimed?.nowSeconds ?? secondsOf(how.at)
    const scene = { request, received, claimed, now, secret: basic?.secret ?? form.client_secret ?? '', lookUp, others }
    const told: Finding[] = []
    for (const finding of all) told.push(isFailed(finding) ? await withNearMiss({ ...scene, finding }) : finding)
    return told
  }

  return async (request, how = {}) => {
    if (Number.isNaN(how.at?.getTime())) throw new TypeError('explain: option "at" must be a valid Date')
    const judged = await judgeRequest(request, how)
    const { received, claimed, accepted } = judged
    const all = how.nearMisses === false ? judged.findings : await spotAll(judged, request, how)
    const reason = all.find(isFailed)?.reason
    const client = claimed?.client ?? nobody
    const clientId = client === nobody ? shownId(received) : idOf(client)
    const method = judged.method ?? claimedMethod(received)
    return {
      accepted,
      ...(reason === undefined ? {} : { reason }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(method === undefined ? {} : { method }),
      findings: all.map((finding) => ({ ...finding, ...withoutSecretsAtHand(factsOf(finding), received, client) }))
    }
  }
}

import { defined } from '../basics/defined'
import { ClientAuthError } from '../refusals/errors'
import {
  cachedOnly,
  cacheNote,
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
import { keySourceOf, methodOf, nobody } from '../methods/client-record'
import { idOf, lookedUp, type LookedUp } from '../methods/look-up'
import { withAudiences } from '../methods/assertion-rules'
import { type Claimed, withClient, type Proof } from '../methods/method'
import { withoutSecretsAtHand } from '../methods/secrets-at-hand'
import { type Verdict, verdictOf } from './verdicts'
import type { RequestCertificate } from '../certificates/certificate-source'
import type { ResolvedOptions } from '../options/options'
import { credentialRules } from '../request/credential-rules'
import { claimedMethod, receive, shownId, type Received } from '../request/credentials'
import type { Explain, ExplainOptions } from './explanation'
import { withNearMiss } from './near-misses'
import { applicable, failure, type Finding, factsOf, findings, isFailed, isPassed, notChecked } from './findings'
import type { ClientAuthMethod, ClientAuthRequest, OAuthClient } from '../types'

type Checks = readonly { readonly check: string; readonly spec: string }[]

const replayCheck = { check: 'used once', spec: 'RFC 7523 §3 item 7' }
const everythingElse = { check: 'client and proof', spec: 'RFC 6749 §2.3' }

/** The findings so far. */
function createTrail(made: readonly Finding[]) {
  const all = [...made]
  const add = (more: readonly Finding[]): void => void all.push(...more)
  /**
   * What `work` returns. It calls functions of the application: what they throw must not hide an earlier refusal, since
   * `authenticate` would not have called them. Without one it is thrown, as `authenticate` would. A refusal (a client
   * document that breaks a rule) is a finding in either case, but for one that says that nothing is known now.
   */
  async function run<T>(checks: Checks, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (thrown) {
      const hasFailed = all.some(isFailed)
      if (thrown instanceof ClientAuthError && !(hasFailed && thrown.status >= 500)) add(refusedBy(thrown, checks))
      else if (hasFailed) add(notChecked(checks))
      else throw thrown
      return undefined
    }
  }
  return { all, add, run }
}

type Trail = ReturnType<typeof createTrail>

/** One request that is being explained. */
interface Case extends Question {
  readonly request: ClientAuthRequest
  readonly how: ExplainOptions
  /** What `authenticate` found of it, where it refused this very request. */
  readonly verdict: Verdict | undefined
  readonly trail: Trail
}

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

/** What the rules do not tell of a refusal: that the assertion was used, a store that failed, a body that broke off. */
const refusal = ({ reason, detail = {} }: ClientAuthError): Finding =>
  failure(reason.includes('replay') ? replayCheck : { check: 'request', spec: 'RFC 6749 §3.2' }, {
    reason,
    detail: () => detail
  })

/** `explain`, over the very lists of rules by which `authenticate` judges. Consumes nothing and publishes nothing. */
export function createExplainer(options: ResolvedOptions, { others = [], certificate }: Pasted = {}): Explain {
  const { policy, getClient } = options
  const ask = createAsk(policy)
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
  async function judgeRecord({ trail, method, presented, request, verdict }: Case) {
    const ids = verdict !== undefined && verdict.claimed === undefined ? [] : namedIds(presented.credentials)
    const found = await trail.run(method.recordRules, () => verdict?.claimed ?? lookUp(ids, request))
    const claimed = withClient(presented, found?.client ?? nobody, found?.otherId)
    if (found === undefined) return { claimed, recorded: [], isProvable: false }
    const recorded =
      ids.length === 0 ? notChecked(method.recordRules) : findings(judgeable(method.recordRules, claimed), claimed)
    return { claimed, recorded, isProvable: canProve(claimed, recorded) }
  }

  async function judgeProof({ trail, method, verdict }: Case, claimed: Claimed, isProvable: boolean) {
    const { credentials, client } = claimed
    const expected = client === nobody ? undefined : methodOf(credentials.methods, policy.methods, client)
    const parts = partsOf(method, expected)
    if (!isProvable || (verdict !== undefined && verdict.proof === undefined)) {
      trail.add(notChecked(parts))
      return expected
    }
    const proof = await trail.run(parts, () => verdict?.proof ?? method.prove(claimed))
    if (proof !== undefined) trail.add(judged(partsOf(method, proof.method), proof, claimed))
    return proof?.method ?? expected
  }

  function judged(parts: ProofParts, { fault }: Proof, claimed: Claimed): Finding[] {
    if (isRules(parts)) return findings(parts, claimed)
    if (fault?.cause === notCached) return notChecked(parts, 'The key set is not in the cache: ask with fetch.')
    const isOfCache = claimed.policy === cachedPolicy && claimed.credentials.kind !== 'secret'
    const { uri } = keySourceOf(claimed.client)
    const note = isOfCache && uri !== undefined ? cacheNote(policy.keySetsOf(claimed.client).cached?.(uri)) : undefined
    return proofFindings(parts, fault, note)
  }

  async function judgeProven({ trail, method }: Case, claimed: Claimed) {
    const rules = applicable(judgeable(method.provenRules, claimed), claimed)
    const judged = await trail.run(rules, () =>
      claimed.client === nobody ? notChecked(rules) : findings(rules, withAudiences(claimed, rules))
    )
    trail.add(judged ?? [])
  }

  /** The store tells what it knows now, not what it knew then. */
  async function judgeReplay({ trail, method, how }: Case, claimed: Claimed) {
    if (method.wasUsed === undefined) return
    const fault = trail.all.every(isPassed) && how.at === undefined ? await method.wasUsed(claimed) : 'unknown'
    if (fault === 'unknown') trail.add(notChecked([replayCheck]))
    else trail.add([fault === undefined ? { ...replayCheck, result: 'passed' } : failure(replayCheck, fault)])
  }

  async function judge(received: Received, read: readonly Finding[], request: ClientAuthRequest, how: ExplainOptions) {
    const verdict = verdictOf(how.refusal, explain)
    const question = ask(request, received, {
      at: verdict?.claimed === undefined ? how.at : new Date(verdict.claimed.nowSeconds * 1000),
      policy: how.fetch === true ? policy : cachedPolicy,
      certificate
    })
    const { method, presented } = question
    const ofRequest = findings(judgeable(method.requestRules, presented), presented)
    const trail = createTrail([...read, ...ofRequest])
    const one = { ...question, request, how, verdict, trail }
    const { claimed, recorded, isProvable } = await judgeRecord(one)
    const { provesFirst } = method
    if (!provesFirst) trail.add(recorded)
    const proven = await judgeProof(one, claimed, provesFirst ? canProveIssuer(ofRequest) : isProvable)
    if (provesFirst) trail.add(recorded)
    await judgeProven(one, claimed)
    const isAccepted = trail.all.every(isPassed)
    if (verdict === undefined) await judgeReplay(one, claimed)
    else if (how.refusal !== undefined && !trail.all.some(isFailed)) trail.add([refusal(how.refusal)])
    const accepted = isAccepted && !trail.all.some(isFailed)
    return { received, claimed, method: proven, accepted, findings: trail.all }
  }

  function judgeRequest(request: ClientAuthRequest, how: ExplainOptions): Judged | Promise<Judged> {
    const verdict = verdictOf(how.refusal, explain)
    if (how.refusal !== undefined && verdict?.received === undefined) {
      // Its body could not be read. Its headers may name the client.
      return unreadable(receive({ headers: request.headers, body: {} }, options.accepted), [refusal(how.refusal)])
    }
    const { request: read, findings: text } = readText(request)
    const received = verdict?.received ?? receive(read, options.accepted)
    if (text.some(isFailed)) return unreadable(received, text)
    const made = [...text, ...findings(credentialRules[received.mechanism], received)]
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
    const free = how.nearMisses === false
    const told: Finding[] = []
    for (const finding of all) told.push(isFailed(finding) ? await withNearMiss({ ...scene, finding }, free) : finding)
    return told
  }

  const explain: Explain = async (request, how = {}) => {
    if (Number.isNaN(how.at?.getTime())) throw new TypeError('explain: option "at" must be a valid Date')
    const judged = await judgeRequest(request, how)
    const { received, claimed, accepted } = judged
    const all = await spotAll(judged, request, how)
    const reason = all.find(isFailed)?.reason
    const client = claimed?.client ?? nobody
    const clientId = client === nobody ? shownId(received) : idOf(client)
    const method = judged.method ?? claimedMethod(received)
    return {
      accepted,
      ...defined({ reason, clientId, method }),
      findings: all.map((finding) => ({ ...finding, ...withoutSecretsAtHand(factsOf(finding), received, client) }))
    }
  }
  return explain
}

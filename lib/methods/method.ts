import { printable } from '../basics/printable'
import type { ClientCertificates, RequestCertificate } from '../certificates/certificate-source'
import type { Fault, Rule } from '../refusals/rules'
import type { ClientAuthMethod, JwkSet, KeySets, OAuthClient, ReplayStore, VerifySecret } from '../types'
import { type AssertionCredentials, type Credentials, shownClientId } from '../request/credentials'
import { methodOf, nobody, wantsBoundTokens } from './client-record'
import { shownOtherId } from './look-up'
import { registeredMethod } from './registered-methods'

/** What the server's options decide about proofs. */
export interface Policy {
  readonly issuer: string
  /** Methods that the server accepts. */
  readonly methods: ReadonlySet<string>
  readonly algorithms: readonly string[]
  readonly clockTolerance: number
  readonly maxAssertionLifetime: number
  readonly requireJti: boolean
  readonly stringAudience: boolean
  /** Further audiences; `undefined` where they depend on the client and it is not proven yet. */
  readonly legacyAudiences: readonly string[] | undefined
  /** The option `legacyAudiences`, where it is a function. */
  readonly audiencesOf: ((client: OAuthClient) => readonly string[]) | undefined
  readonly verifySecret: VerifySecret | undefined
  readonly keySets: KeySets
  /** What resolves the `jwks_uri` of a client: the owner of its record, if it has one, else `keySets`. */
  readonly keySetsOf: (client: OAuthClient) => KeySets
  readonly replayStore: ReplayStore
  /** The issuers whose tokens authenticate, by `iss` or by trust domain. */
  readonly trustedIssuers: ReadonlyMap<string, KnownIssuer>
  /** All accepted algorithms. Each method of issuers allows some of them, and never HMAC. */
  readonly allAlgorithms: readonly string[]
  readonly clientCertificates: ClientCertificates | undefined
}

/** A trusted issuer as the server's options make it. */
export interface KnownIssuer {
  /** Its key among the `trustedIssuers`: the `iss` of its tokens, or a trust domain. */
  readonly issuer: string
  /** The method that its tokens are for. */
  readonly method: ClientAuthMethod
  readonly jwks: JwkSet | undefined
  /** Where the keys are. Without `jwks` and this: by discovery. */
  readonly jwksUri: string | undefined
  readonly audience: string
  readonly reusable: boolean
  /** Seconds. */
  readonly maxLifetime: number
}

/** Credentials as a request presents them, and what they are judged by. */
export interface Presented<K extends Credentials = Credentials> {
  readonly credentials: K
  readonly policy: Policy
  /** Seconds since the epoch. Every check of a request uses the same instant. */
  readonly nowSeconds: number
  /** What the connection, or the proxy, shows of a certificate. */
  readonly certificate: RequestCertificate
  /** Whether the request has a `grant_type`: something is issued then. */
  readonly hasGrant: boolean
}

/** The same, and the client that they claim: `nobody` where there is none. */
export interface Claimed<K extends Credentials = Credentials> extends Presented<K> {
  readonly client: OAuthClient
  /** The `client_id` of the record that was found, where it is that of another client. */
  readonly otherId: unknown
}

/** The subject of the rules about assertions, before and after the client is looked up. */
export type PresentedAssertion = Presented<AssertionCredentials>
export type ClaimedAssertion = Claimed<AssertionCredentials>
export type AssertionRule = Rule<PresentedAssertion>

/** Field by field: on Node 20 a spread that adds a field costs a microsecond. */
export const withClient = (presented: Presented, client: OAuthClient, otherId?: unknown): Claimed => {
  const { credentials, policy, nowSeconds, certificate, hasGrant } = presented
  return { credentials, policy, nowSeconds, certificate, hasGrant, client, otherId }
}

/** What a proof comes to. */
export interface Proof {
  /** The method that has proven the client; beside a fault, the one that was tried last. */
  readonly method: ClientAuthMethod
  /** Why the client is not proven. */
  readonly fault: Fault | undefined
}

/** How one kind of credentials is judged and proven. All rules are lists, so that `explain` can go through them. */
export interface Method<K extends Credentials> {
  /** What the request and the server's options decide, before anything is looked up. May be told on the wire. */
  readonly requestRules: readonly Rule<Presented<K>>[]
  /** What is registered for the client. Told to the log only. */
  readonly recordRules: readonly Rule<Claimed<K>>[]
  /** The steps of `prove`, in order, with the reasons that each can give: so `explain` knows how far it came. */
  readonly proofSteps: readonly ProofStep[]
  /**
   * For `explain`, where the credentials may mean several methods: the part of the proof that is of this one. A proof by
   * rules alone is given as those rules, since each of them can be judged. Default: `proofSteps`.
   */
  readonly proofOf?: (method: ClientAuthMethod) => readonly Rule<Claimed<K>>[] | readonly ProofStep[]
  /** Does the same work for `nobody` as for a client. */
  readonly prove: (claimed: Claimed<K>) => Proof | Promise<Proof>
  /**
   * Whether the proof depends on the server's options alone and not on the client. Its faults are then told before those
   * of the record: one that is no secret (503) must not be told for known clients only.
   */
  readonly provesFirst?: true
  /** What only a proven client is told. */
  readonly provenRules: readonly Rule<Claimed<K>>[]
  /** Uses up what can be used once. Last of all, so that a refused request uses up nothing. */
  readonly consume?: (claimed: Claimed<K>) => Promise<Fault | undefined> | undefined
  /** What `consume` would say, asked without using anything up: `unknown` where the store cannot tell. */
  readonly wasUsed?: (claimed: Claimed<K>) => Promise<Fault | undefined | 'unknown'>
}

/** One step of a proof. */
export interface ProofStep {
  readonly check: string
  readonly spec: string
  readonly reasons: readonly Fault['reason'][]
}

/** What every record is judged by, whatever the credentials. */
export const recordRules: readonly Rule<Claimed>[] = [
  {
    check: 'client',
    reason: 'unknown_client',
    spec: 'RFC 6749 §2.2',
    holds: ({ client }) => client !== nobody,
    detail: ({ credentials, otherId }) => ({
      received: shownClientId(credentials),
      ...(otherId === undefined ? {} : { record: `that of another client_id: ${shownOtherId(otherId)}` })
    })
  },
  {
    // No fall-back from one method to another, ever.
    check: 'registered method',
    reason: 'method_not_registered',
    spec: 'RFC 7591 §2',
    holds: ({ credentials, policy, client }) => methodOf(credentials.methods, policy.methods, client) !== undefined,
    canJudge: ({ client }) => client !== nobody,
    detail: ({ credentials, client }) => ({
      expected: printable(registeredMethod(client)),
      received: credentials.methods.join(' or ')
    })
  }
]

/** What every proven client is judged by, whatever the credentials, before anything is used up. */
export const provenRules: readonly Rule<Claimed>[] = [
  {
    check: 'certificate for bound tokens',
    reason: 'certificate_required',
    spec: 'RFC 8705 §3',
    // Without a source, binding tokens is left to the application. Without a grant nothing is issued.
    holds: ({ client, policy, certificate, hasGrant }) =>
      policy.clientCertificates === undefined ||
      !hasGrant ||
      !wantsBoundTokens(client) ||
      certificate.found.kind === 'shown',
    detail: ({ certificate: { found } }) => ({
      expected: 'a client certificate: the client is registered for tokens that are bound to one',
      received: found.kind === 'unusable' ? printable(found.error.message) : 'none'
    })
  }
]

/** Whether the rest of the record can be judged: it is the client's, and the method is one of its own. */
export const isJudgeable = ({ credentials, policy, client }: Claimed): boolean =>
  client !== nobody && methodOf(credentials.methods, policy.methods, client) !== undefined

export const isAudience = (value: unknown): boolean => typeof value === 'string' && value !== ''

/** Whether a value can be further audiences. */
export const isAudienceList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(isAudience)

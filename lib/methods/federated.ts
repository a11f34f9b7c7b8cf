import { keyAlgorithms, svidAlgorithms } from '../jwt/algorithms'
import { printable } from '../basics/printable'
import type { AssertionCredentials } from '../request/credentials'
import type { Detail } from '../refusals/reasons/reason'
import type { Rule } from '../refusals/rules'
import type { Jws } from '../jwt/jws'
import type { ClientAuthMethod, FederatedIdentity, OAuthClient } from '../types'
import { registeredAlgRule } from './assertion'
import { audienceOf, explicitTypes, headerRules, jtiRule } from './assertion-rules'
import { issuerKeys } from './issuer-keys'
import { proveBySource } from './key-proof'
import {
  type Claimed,
  isJudgeable,
  type KnownIssuer,
  type Method,
  type Policy,
  type Presented,
  provenRules,
  recordRules
} from './method'
import { consume, wasUsed } from './replay'
import { fitsSpiffeId, trustDomainOf } from './spiffe-id'
import { subjectDifference } from './subject-difference'
import { timeRules } from './time-rules'

type Subject = Presented<AssertionCredentials>
type Owned = Claimed<AssertionCredentials>

/** What the two methods differ in. */
interface Kind {
  readonly method: ClientAuthMethod
  readonly types: readonly string[]
  readonly algorithms: readonly string[]
  /** Whose keys verify: a key of `trustedIssuers`, if it is one. */
  readonly issuerIn: (jws: Jws) => unknown
  readonly subjectRules: readonly Rule<Subject>[]
  /** Whether the record names this very identity. Must stand any record. */
  readonly fits: (jws: Jws, client: OAuthClient) => boolean
  /** What is registered, what came, and what differs. */
  readonly facts: (jws: Jws, client: OAuthClient) => Detail
}

const issuerOf = (kind: Kind, { credentials, policy }: Subject): KnownIssuer | undefined => {
  const known = policy.trustedIssuers.get(kind.issuerIn(credentials.jws) as string)
  return known?.method === kind.method ? known : undefined
}

/** RFC 7523 §3: all that the token and the server's options decide. No rule looks at a client or at a key. */
const requestRules = (kind: Kind, policy: Policy): readonly Rule<Subject>[] => {
  const known = (subject: Subject) => issuerOf(kind, subject)
  const isKnown = (subject: Subject) => known(subject) !== undefined
  const demanded = (subject: Subject) => known(subject)?.audience ?? policy.issuer
  const times = timeRules((subject) => known(subject)?.maxLifetime ?? Infinity)
  return [
    ...headerRules(
      policy.issuerAlgorithms.filter((alg) => kind.algorithms.includes(alg)),
      kind.types
    ),
    ...kind.subjectRules,
    {
      check: 'trusted issuer',
      reason: 'assertion_issuer',
      spec: 'RFC 7523 §3 item 1',
      holds: isKnown,
      detail: ({ credentials }) => ({
        expected: 'an issuer that this server trusts',
        received: printable(kind.issuerIn(credentials.jws)),
        trusted: [...policy.trustedIssuers.values()]
          .filter((one) => one.method === kind.method)
          .map((one) => one.issuer)
      })
    },
    ...times,
    jtiRule((subject) => !policy.requireJti || known(subject)?.reusable === true),
    {
      // The tokens of an issuer are for many servers: one that is for two of them, one of the two could pass on.
      check: 'aud',
      reason: 'assertion_audience',
      spec: 'RFC 10070 §4, RFC 7523 §3 item 3',
      holds: (subject) => audienceOf(subject).length === 1 && audienceOf(subject)[0] === demanded(subject),
      canJudge: isKnown,
      words: (subject) => `The aud of client_assertion must be this value alone: ${demanded(subject)}`,
      detail: (subject) => ({ expected: [demanded(subject)], received: printable(subject.credentials.jws.aud) })
    }
  ]
}

const identityRule = (kind: Kind): Rule<Owned> => ({
  check: 'registered identity',
  reason: 'federated_subject',
  spec: 'RFC 7523 §3 item 2',
  holds: ({ credentials, client }) => kind.fits(credentials.jws, client),
  canJudge: isJudgeable,
  detail: ({ credentials: { jws }, client }) => kind.facts(jws, client)
})

function createIssuerMethod(kind: Kind, policy: Policy): Method<AssertionCredentials> {
  const scopeOf = (subject: Subject) => `${String(issuerOf(kind, subject)?.issuer)} `
  const isReusable = (subject: Subject) => issuerOf(kind, subject)?.reusable === true
  return {
    requestRules: requestRules(kind, policy),
    recordRules: [...recordRules, registeredAlgRule, identityRule(kind)],
    proofSteps: [
      { check: 'keys of the issuer', spec: 'RFC 7523 §3 item 9', reasons: ['issuer_unavailable'] },
      { check: 'key', spec: 'RFC 7515 §4.1.4, RFC 7517 §4', reasons: ['no_matching_key'] },
      { check: 'signature', spec: 'RFC 7523 §3 item 9', reasons: ['signature_mismatch'] }
    ],
    provesFirst: true,
    prove: async (subject) => {
      const known = issuerOf(kind, subject)
      if (known === undefined) throw new TypeError('an issuer that the rules let pass must be a trusted one')
      const fault = await proveBySource(issuerKeys(known, subject.policy.keySets), subject.credentials)
      return { method: kind.method, fault }
    },
    provenRules,
    consume: (subject) => (isReusable(subject) ? undefined : consume(subject, scopeOf(subject))),
    wasUsed: (subject) => (isReusable(subject) ? Promise.resolve('unknown') : wasUsed(subject, scopeOf(subject)))
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function isIdentity(value: unknown): value is FederatedIdentity {
  const { issuer, subject } = Object(value) as Record<string, unknown>
  return isText(issuer) && isText(subject)
}

/** The identities of a record, without what is none. */
const identitiesOf = ({ federated_identities: list }: OAuthClient): readonly FederatedIdentity[] =>
  Array.isArray(list) ? list.filter(isIdentity) : []

const federated: Kind = {
  method: 'federated_jwt',
  types: ['jwt', ...explicitTypes],
  algorithms: keyAlgorithms,
  issuerIn: ({ iss }) => iss,
  subjectRules: [
    {
      check: 'sub',
      reason: 'assertion_subject',
      spec: 'RFC 7523 §3 item 2',
      holds: ({ credentials: { jws } }) => isText(jws.sub) && jws.sub.length <= 1024,
      words: () => 'sub of client_assertion must be a string of 1 to 1024 characters.',
      detail: ({ credentials: { jws } }) => ({ expected: '1 to 1024 characters', received: printable(jws.sub) })
    }
  ],
  // One with `*` was registered in the belief that it is a pattern.
  fits: ({ iss, sub }, client) =>
    identitiesOf(client).some(({ issuer, subject }) => issuer === iss && subject === sub && !subject.includes('*')),
  facts: ({ iss, sub }, client) => {
    const identities = identitiesOf(client)
    const ofIssuer = identities.filter(({ issuer }) => issuer === iss).map(({ subject }) => subject)
    return {
      expected: identities
        .slice(0, 10)
        .map(({ issuer, subject }) => ({ issuer: printable(issuer), subject: printable(subject) })),
      received: { issuer: printable(iss), subject: printable(sub) },
      ...subjectDifference(ofIssuer, String(sub))
    }
  }
}

const spiffe: Kind = {
  method: 'spiffe_jwt',
  types: ['jwt', 'jose'],
  algorithms: svidAlgorithms,
  issuerIn: ({ sub }) => trustDomainOf(sub),
  subjectRules: [
    {
      check: 'sub',
      reason: 'assertion_subject',
      spec: 'SPIFFE-ID §2',
      holds: ({ credentials: { jws } }) => trustDomainOf(jws.sub) !== undefined,
      words: () => 'sub of client_assertion must be a SPIFFE ID.',
      detail: ({ credentials: { jws } }) => ({ expected: 'a SPIFFE ID', received: printable(jws.sub) })
    }
  ],
  fits: ({ sub }, { spiffe_id: registered }) => fitsSpiffeId(String(sub), registered),
  facts: ({ sub }, { spiffe_id: registered }) => ({
    expected: printable(registered),
    received: printable(sub),
    ...subjectDifference(typeof registered === 'string' ? [registered] : [], String(sub))
  })
}

/** The signed token of another issuer (RFC 7523 with `iss` ≠ `sub`). */
export const createFederatedJwt = (policy: Policy): Method<AssertionCredentials> =>
  createIssuerMethod(federated, policy)

/** A SPIFFE JWT-SVID (draft-ietf-oauth-spiffe-client-auth §3). */
export const createSpiffeJwt = (policy: Policy): Method<AssertionCredentials> => createIssuerMethod(spiffe, policy)

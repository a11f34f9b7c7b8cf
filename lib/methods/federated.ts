import { keyAlgorithms, svidAlgorithms } from '../jwt/algorithms'
import { printable } from '../basics/printable'
import type { AssertionCredentials } from '../request/credentials'
import type { Fault, Rule } from '../refusals/rules'
import type { Jws } from '../jwt/jws'
import type { ClientAuthMethod, FederatedIdentity, OAuthClient } from '../types'
import { registeredAlgRule } from './assertion'
import { audienceOf, explicitTypes, headerRules, jtiRule } from './assertion-rules'
import { issuerKeys } from './issuer-keys'
import { proveBySource } from './key-proof'
import {
  type AssertionRule,
  type Claimed,
  isJudgeable,
  type KnownIssuer,
  type Method,
  type Policy,
  type PresentedAssertion,
  provenRules,
  recordRules
} from './method'
import { consume, wasUsed } from './replay'
import { fitsSpiffeId, registeredTrustDomain, trustDomainOf } from './spiffe-id'
import { difference } from './subject-difference'
import { timeRules } from './time-rules'

/** What the two methods differ in. */
interface Kind {
  readonly method: ClientAuthMethod
  readonly types: readonly string[]
  readonly algorithms: readonly string[]
  /** The issuer or trust domain that the token names. Its keys verify the token, if it is trusted. */
  readonly issuerIn: (jws: Jws) => unknown
  readonly isSubject: (sub: unknown) => boolean
  /** What a subject must be, in words. */
  readonly subject: string
  /** The identities in the client's record. The token must be of one of them. */
  readonly registered: (client: OAuthClient) => readonly FederatedIdentity[]
  readonly fits: (jws: Jws, registered: FederatedIdentity) => boolean
}

const issuerOf = (kind: Kind, { credentials, policy }: PresentedAssertion): KnownIssuer | undefined => {
  const known = policy.trustedIssuers.get(kind.issuerIn(credentials.jws) as string)
  return known?.method === kind.method ? known : undefined
}

/** With the issuer among the facts: it alone can change what the rule is about, and the client cannot. */
const naming = (kind: Kind, rule: AssertionRule): AssertionRule => ({
  ...rule,
  detail: (subject) => ({ ...rule.detail?.(subject), issuer: printable(kind.issuerIn(subject.credentials.jws)) })
})

/** RFC 7523 §3: all that the token and the server's options decide. No rule looks at a client or at a key. */
function requestRules(kind: Kind, policy: Policy): readonly AssertionRule[] {
  const known = (subject: PresentedAssertion) => issuerOf(kind, subject)
  const isKnown = (subject: PresentedAssertion) => known(subject) !== undefined
  const demanded = (subject: PresentedAssertion) => known(subject)?.audience ?? policy.issuer
  const algorithms = policy.allAlgorithms.filter((alg) => kind.algorithms.includes(alg))
  const trusted = [...policy.trustedIssuers.values()].filter(({ method }) => method === kind.method)
  return [
    ...headerRules(algorithms, kind.types),
    {
      check: 'sub',
      reason: 'assertion_subject',
      spec: 'RFC 7523 §3 item 2, SPIFFE-ID §2',
      holds: ({ credentials }) => kind.isSubject(credentials.jws.sub),
      words: () => `sub of client_assertion must be ${kind.subject}.`,
      detail: ({ credentials }) => ({ expected: kind.subject, received: printable(credentials.jws.sub) })
    },
    {
      check: 'trusted issuer',
      reason: 'assertion_issuer',
      spec: 'RFC 7523 §3 item 1',
      holds: isKnown,
      detail: ({ credentials }) => ({
        expected: 'an issuer that this server trusts',
        received: printable(kind.issuerIn(credentials.jws)),
        trusted: trusted.map(({ issuer }) => issuer)
      })
    },
    ...timeRules((subject) => known(subject)?.maxLifetime ?? Infinity).map((rule) => naming(kind, rule)),
    jtiRule((subject) => !policy.requireJti || known(subject)?.reusable === true),
    naming(kind, {
      // The tokens of an issuer are for many servers: one that is for two of them, one of the two could pass on.
      check: 'aud',
      reason: 'assertion_audience',
      spec: 'RFC 10070 §4, RFC 7523 §3 item 3',
      holds: (subject) => audienceOf(subject).length === 1 && audienceOf(subject)[0] === demanded(subject),
      canJudge: isKnown,
      words: (subject) => `The aud of client_assertion must be this value alone: ${demanded(subject)}`,
      detail: (subject) => ({ expected: [demanded(subject)], received: printable(subject.credentials.jws.aud) })
    })
  ]
}

const identityRule = (kind: Kind): Rule<Claimed<AssertionCredentials>> => ({
  check: 'registered identity',
  reason: 'federated_subject',
  spec: 'RFC 7523 §3 item 2',
  holds: ({ credentials: { jws }, client }) => kind.registered(client).some((one) => kind.fits(jws, one)),
  canJudge: (subject) => isJudgeable(subject) && issuerOf(kind, subject) !== undefined,
  detail: ({ credentials: { jws }, client }) => {
    const registered = kind.registered(client)
    const received = { issuer: String(kind.issuerIn(jws)), subject: String(jws.sub) }
    return {
      expected: registered.map(shown).slice(0, 10),
      received: shown(received),
      ...difference(registered, received)
    }
  }
})

const shown = ({ issuer, subject }: FederatedIdentity) => ({ issuer: printable(issuer), subject: printable(subject) })

const ofIssuer = (fault: Fault, issuer: string): Fault => ({
  ...fault,
  detail: () => ({ ...fault.detail?.(), issuer })
})

function createIssuerMethod(kind: Kind, policy: Policy): Method<AssertionCredentials> {
  const scopeOf = (subject: PresentedAssertion) => `${String(issuerOf(kind, subject)?.issuer)} `
  const isReusable = (subject: PresentedAssertion) => issuerOf(kind, subject)?.reusable === true
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
      return { method: kind.method, fault: fault && ofIssuer(fault, known.issuer) }
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

const federated: Kind = {
  method: 'federated_jwt',
  types: ['jwt', ...explicitTypes],
  algorithms: keyAlgorithms,
  issuerIn: ({ iss }) => iss,
  isSubject: (sub) => isText(sub) && sub.length <= 1024,
  subject: 'a string of 1 to 1024 characters',
  registered: ({ federated_identities: list }) => (Array.isArray(list) ? list.filter(isIdentity) : []),
  // One with `*` was registered in the belief that it is a pattern.
  fits: ({ iss, sub }, { issuer, subject }) => issuer === iss && subject === sub && !subject.includes('*')
}

const spiffe: Kind = {
  method: 'spiffe_jwt',
  types: ['jwt', 'jose'],
  algorithms: svidAlgorithms,
  issuerIn: ({ sub }) => trustDomainOf(sub),
  isSubject: (sub) => trustDomainOf(sub) !== undefined,
  subject: 'a SPIFFE ID',
  registered: ({ spiffe_id: id }) => {
    const issuer = registeredTrustDomain(id)
    return issuer === undefined ? [] : [{ issuer, subject: String(id) }]
  },
  fits: ({ sub }, { subject }) => fitsSpiffeId(String(sub), subject)
}

/** The signed token of another issuer (RFC 7523 with `iss` ≠ `sub`). */
export const createFederatedJwt = (policy: Policy): Method<AssertionCredentials> =>
  createIssuerMethod(federated, policy)

/** A SPIFFE JWT-SVID (draft-ietf-oauth-spiffe-client-auth §3). */
export const createSpiffeJwt = (policy: Policy): Method<AssertionCredentials> => createIssuerMethod(spiffe, policy)

import { given } from '../basics/given'
import { isObject } from '../basics/is-object'
import { registeredTrustDomain } from '../methods/spiffe-id'
import type { OAuthClient, TrustedIssuer } from '../types'

type Trusted = Readonly<Record<string, TrustedIssuer>>

/** A misspelt or further member would be ignored, and the client believed to be bound by it. */
function identityFault(identity: unknown, trusted: Trusted): string | undefined {
  if (!isObject(identity)) return 'must be { issuer, subject }'
  const { issuer, subject, ...others } = identity
  const [other] = Object.keys(others)
  if (other !== undefined) return `has ${other}: only issuer and subject are compared`
  if (typeof issuer !== 'string' || typeof subject !== 'string') return 'must have issuer and subject, both text'
  if (subject.includes('*')) return 'has a * in its subject, which is no pattern here: register each subject'
  if (subject === '' || subject.length > 1024) return 'must have a subject of 1 to 1024 characters'
  if (!Object.hasOwn(trusted, issuer) || issuer.startsWith('spiffe:')) return 'is of an issuer that is not trusted'
  return undefined
}

function identitiesFault(identities: unknown, trusted: Trusted): string | undefined {
  if (!Array.isArray(identities) || identities.length < 1 || identities.length > 20)
    return 'federated_identities must be a list of 1 to 20 identities'
  const faults = identities.map((identity) => identityFault(identity, trusted))
  const index = faults.findIndex((fault) => fault !== undefined)
  return index < 0 ? undefined : `federated_identities: identity ${index} ${String(faults[index])}`
}

function spiffeIdFault(id: unknown, trusted: Trusted): string | undefined {
  const trustDomain = registeredTrustDomain(id)
  if (trustDomain === undefined) return 'spiffe_id must be a SPIFFE ID, exact or ending in /*'
  return Object.hasOwn(trusted, trustDomain) ? undefined : 'spiffe_id is of a trust domain that is not trusted'
}

/** Why the identities in a record cannot be registered: those that its methods need, and, where any are trusted, all. */
export function registeredIdentityFault(
  { federated_identities: identities, spiffe_id: id }: Partial<OAuthClient>,
  methods: readonly string[],
  trusted: Trusted | undefined
): string | undefined {
  const isJudged = (value: unknown, method: string) =>
    methods.includes(method) || (trusted !== undefined && given(value) !== undefined)
  return (
    (isJudged(identities, 'federated_jwt') ? identitiesFault(identities, trusted ?? {}) : undefined) ??
    (isJudged(id, 'spiffe_jwt') ? spiffeIdFault(id, trusted ?? {}) : undefined)
  )
}

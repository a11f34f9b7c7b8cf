import { misnamed } from '../methods/member-names'
import type { ClientAuthErrorReason } from '../refusals/reasons'
import type { Finding } from './findings'
import * as request from './request-misses'
import type { Scene } from './scene'
import * as secret from './secret-misses'
import * as signature from './signature-misses'

/** A mistake that is almost right. Only `explain` looks for it: `authenticate` never tells how near a guess came. */
interface NearMiss {
  readonly reasons: readonly ClientAuthErrorReason[]
  /** What is wrong and what to change; `undefined` where it is not this mistake. */
  readonly spot: (scene: Scene) => string | undefined | Promise<string | undefined>
  /** Whether it looks others up or verifies: a stranger could make a server do that. */
  readonly costs?: true
  /** Whether the operator alone may read it: it tells of the record, of another client, or how near a guess came. */
  readonly isForOperator?: true
}

const ofSecret = ['secret_mismatch', 'no_live_secret', 'secret_stored_as_hash'] as const
const ofForm = ['no_credentials', 'client_id_missing', 'assertion_missing', 'assertion_type'] as const
const ofTime = ['assertion_expired', 'assertion_not_yet_valid', 'assertion_lifetime'] as const
const ofRecord = ['method_not_registered', 'keys_not_registered', 'no_live_secret'] as const
const ofKeys = ['signature_mismatch', 'no_matching_key'] as const

/** A member of the record under another name than the one that is read. */
const spotMisnamed = ({ claimed }: Scene): string | undefined => claimed && misnamed({ ...claimed.client })

/** A row for each mistake: the first that is spotted is told. */
const nearMisses: readonly NearMiss[] = [
  { reasons: ofForm, spot: request.spotQuery },
  { reasons: ofForm, spot: request.spotJsonBody },
  { reasons: ofForm, spot: request.spotNearName },
  { reasons: ['no_credentials', 'assertion_parameter'], spot: request.spotGrant },
  { reasons: ['authorization_scheme'], spot: request.spotBearer },
  {
    reasons: [...ofSecret, 'method_not_registered', 'unknown_client', 'parameter_malformed'],
    spot: request.spotJwtAsSecret
  },
  { reasons: ['basic_malformed'], spot: request.spotBasic },
  { reasons: ['assertion_malformed'], spot: request.spotCharacter },
  { reasons: ['assertion_subject'], spot: request.spotType },
  { reasons: ['assertion_audience'], spot: request.spotAudience },
  { reasons: ofTime, spot: request.spotTimeZone },
  { reasons: ofTime, spot: request.spotLifetime },
  { reasons: ofRecord, spot: spotMisnamed, isForOperator: true },
  { reasons: ['unknown_client'], spot: secret.spotSwapped, costs: true },
  { reasons: ['unknown_client'], spot: secret.spotOtherSpelling, costs: true, isForOperator: true },
  { reasons: ['secret_mismatch'], spot: secret.spotStored, costs: true, isForOperator: true },
  { reasons: ofSecret, spot: secret.spotSecret, costs: true },
  { reasons: ofSecret, spot: secret.spotNearSecret, costs: true, isForOperator: true },
  { reasons: ofKeys, spot: signature.spotSignature, costs: true },
  { reasons: ofKeys, spot: signature.spotNewKey, costs: true },
  { reasons: ofKeys, spot: signature.spotOtherClient, costs: true, isForOperator: true }
]

/**
 * The finding with the advice of the first near miss that it is; with `free`, only of those that cost nothing. What the
 * application throws meanwhile decides nothing.
 */
export async function withNearMiss(scene: Scene, free: boolean): Promise<Finding> {
  const { finding } = scene
  for (const { reasons, spot, isForOperator, costs } of nearMisses) {
    if (finding.reason === undefined || !reasons.includes(finding.reason) || (free && costs === true)) continue
    const advice = await Promise.resolve(scene)
      .then(spot)
      .catch(() => undefined)
    if (advice !== undefined) return { ...finding, advice, ...(isForOperator === true ? {} : { forSender: advice }) }
  }
  return finding
}

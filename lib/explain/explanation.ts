import type { ClientAuthError } from '../refusals/errors'
import type { ClientAuthErrorReason } from '../refusals/reasons'
import type { ClientAuthMethod, ClientAuthRequest } from '../types'
import type { Finding } from './findings'

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
   * Whether mistakes that are almost right are looked for, such as a secret with a line break or a signature in DER.
   * Default `true`: a dozen comparisons and a few look-ups for a refused request. Those that the request alone shows,
   * such as a Basic header in base64url, are named in either case.
   */
  nearMisses?: boolean | undefined
  /**
   * The error by which this server refused the very request, in a subscriber of `oauth-client-auth:rejected`: its record
   * and its verdict are used again, as of then. Nobody is looked up, and nothing is verified or fetched.
   */
  refusal?: ClientAuthError | undefined
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

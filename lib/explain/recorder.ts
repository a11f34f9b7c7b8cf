import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { attempt } from '../basics/attempt'
import { defined } from '../basics/defined'
import {
  checkOptions,
  isBoolean,
  isFunction,
  type OptionRule,
  optionRule,
  requireOptions
} from '../basics/option-checks'
import type { ClientAuthError } from '../refusals/errors'
import type { ClientAuthErrorReason } from '../refusals/reasons'
import type { ClientAuthMethod, ClientAuthRequest } from '../types'
import type { Explain } from './explanation'
import { type Finding, isFailed } from './findings'
import { explains, verdictOf } from './verdicts'

/** A refusal and why, as the recorder hands it to the log. */
export interface RecordedRefusal {
  readonly reason: ClientAuthErrorReason
  /** What stands in the header of the answer, where the server has `reference: true`. */
  readonly reference?: string
  /** The client that the request names. Claimed, not proven. */
  readonly clientId?: string
  readonly method?: ClientAuthMethod
  /** The failed checks, each with `expected`, `received`, `advice` and `forSender`. */
  readonly findings: readonly Finding[]
  /** How many refusals were not recorded since the last one that was. */
  readonly dropped: number
}

/** Options of `recordRefusals`. */
export interface RecordRefusalsOptions {
  /** `explain` of the server whose refusals are recorded. Those of other servers in this process are not. */
  explain: Explain
  /**
   * Takes each record, such as `(refusal) => console.log(JSON.stringify(refusal))`. It tells what is registered, so keep
   * it where operators alone can read it.
   */
  log: (refusal: RecordedRefusal) => void
  /**
   * Whether mistakes are looked for that the request alone does not show, such as a signature in DER. Default `false`:
   * it looks other ids up and verifies signatures, which a stranger could make the server do.
   */
  nearMisses?: boolean | undefined
}

/** The refusals of one client for one reason that are recorded in a minute. */
const perClient = 3
/** Of one reason in a minute, whoever is named: a stranger can name any number of clients. */
const perReason = 60
const minute = 60_000

const isExplain: OptionRule = {
  ...optionRule('the explain of a server', (value) => explains.has(value as object)),
  fix: () => 'write authenticateClient.explain'
}
const rules = { explain: isExplain, log: isFunction, nearMisses: isBoolean }

/** Says which refusals are recorded, so that a flood of one cannot hide the others. */
function createSample() {
  let counts = new Map<string, number>()
  let end = 0
  const isFull = (key: string, limit: number): boolean => (counts.get(key) ?? 0) >= limit
  const count = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)
  return (reason: string, clientId: string, isKnown: boolean): boolean => {
    const now = performance.now()
    if (now >= end) {
      counts = new Map()
      end = now + minute
    }
    // Known clients and strangers have shares of their own: nobody is hidden behind made-up ids.
    const share = `${reason} ${isKnown ? 'known' : 'strange'}`
    const client = `${share} ${clientId}`
    if (isFull(share, perReason) || isFull(client, perClient)) return false
    count(share)
    count(client)
    return true
  }
}

interface Rejection {
  readonly error: ClientAuthError
  readonly clientId?: string
  readonly request: ClientAuthRequest
}

/**
 * Explains refused requests beside their answers, and hands what failed and what to change to a log: nothing needs to be
 * pasted. It uses the record and the verdict of the refusal again, so it looks nobody up, fetches nothing and publishes
 * nothing. At most three refusals of one client for one reason are recorded in a minute, and sixty of one reason.
 *
 * @param options - see {@link RecordRefusalsOptions}
 * @returns a function that ends it; its `dropped` counts what was not recorded
 * @throws TypeError for options that cannot be meant
 *
 * @example
 * recordRefusals({ explain: authenticateClient.explain, log: (refusal) => logger.info(refusal) })
 */
export function recordRefusals(options: RecordRefusalsOptions): (() => void) & { readonly dropped: number } {
  checkOptions('recordRefusals', options, rules)
  requireOptions('recordRefusals', options, rules, 'explain', 'log')
  const { explain, log, nearMisses = false } = options
  const isSampled = createSample()
  let [dropped, reported] = [0, 0]

  async function record({ error, request }: Rejection): Promise<void> {
    const { clientId, method, findings } = await explain(request, { refusal: error, nearMisses })
    const { reason, reference } = error
    const failed = findings.filter(isFailed)
    log({ reason, ...defined({ reference, clientId, method }), findings: failed, dropped: dropped - reported })
    reported = dropped
  }

  const hear = (message: unknown): void => {
    const rejection = message as Rejection
    const verdict = verdictOf(rejection.error, explain)
    if (verdict === undefined) return
    const isKnown = verdict.claimed !== undefined && rejection.error.reason !== 'unknown_client'
    if (!isSampled(rejection.error.reason, rejection.clientId ?? '', isKnown)) {
      dropped++
      return
    }
    // The answer goes first. What the log throws must not end the process.
    setImmediate(() => {
      record(rejection).catch((thrown: unknown) => {
        dropped++
        attempt(() =>
          process.emitWarning(`a refusal could not be recorded: ${String(thrown)}`, 'OAuthClientAuthWarning')
        )
      })
    })
  }
  subscribe('oauth-client-auth:rejected', hear)
  const stop = (): void => void unsubscribe('oauth-client-auth:rejected', hear)
  return Object.defineProperty(stop, 'dropped', { get: () => dropped }) as typeof stop & { readonly dropped: number }
}

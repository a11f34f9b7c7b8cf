import { assertionReasons } from './assertion'
import { certificateReasons } from './certificate'
import { documentReasons } from './document'
import type { Detail, Reason } from './reason'
import { registeredReasons } from './registered'
import { requestReasons } from './request'
import { secretReasons } from './secret'
import { serverReasons } from './server'

/** The stable machine name of a failure, for logs, counters and alerts; never on the wire. */
export type ClientAuthErrorReason =
  | keyof typeof requestReasons
  | keyof typeof assertionReasons
  | keyof typeof secretReasons
  | keyof typeof registeredReasons
  | keyof typeof certificateReasons
  | keyof typeof documentReasons
  | keyof typeof serverReasons

/** Every way in which a request can fail: a row each, by subject. */
export const reasons: Readonly<Record<ClientAuthErrorReason, Reason>> = {
  ...requestReasons,
  ...assertionReasons,
  ...secretReasons,
  ...registeredReasons,
  ...certificateReasons,
  ...documentReasons,
  ...serverReasons
}

/**
 * Every {@link ClientAuthErrorReason}, for counters that start at zero and for tests.
 *
 * @example
 * const refusals = new Map(clientAuthErrorReasons.map((reason) => [reason, 0]))
 */
export const clientAuthErrorReasons: readonly ClientAuthErrorReason[] = Object.freeze(
  Object.keys(reasons) as ClientAuthErrorReason[]
)

/** What the sender or the operator has to change, in one sentence, as far as the facts tell the causes apart. */
export function adviceFor(reason: ClientAuthErrorReason, detail: Detail = {}): string {
  const { advice, cases = [] } = reasons[reason]
  return cases.find(({ applies }) => applies(detail))?.advice ?? advice
}

/** What the sender has to change. What follows a semicolon in advice is for the operator. */
export const senderAdviceFor = (reason: ClientAuthErrorReason, detail?: Detail): string =>
  reasons[reason].forSender ?? adviceFor(reason, detail).replace(/;.*/s, '.')

/** Which facts the sender may see. What the request alone decides tells nothing of the record. */
export function factsForSender(reason: ClientAuthErrorReason): 'all' | 'received' | 'none' {
  const isOfRequest = reason in requestReasons || reason in assertionReasons
  return reasons[reason].factsForSender ?? (isOfRequest ? 'all' : 'none')
}

import type { ClientAuthErrorReason, Detail } from '../errors'
import { assertionAdvice } from './assertion'
import { certificateAdvice } from './certificate'
import type { ReasonAdvice } from './reason-advice'
import { registeredAdvice } from './registered'
import { requestAdvice } from './request'

/** For each reason what it means, what usually causes it, and what to change. */
export const reasonAdvice: Readonly<Record<ClientAuthErrorReason, ReasonAdvice>> = {
  ...requestAdvice,
  ...assertionAdvice,
  ...certificateAdvice,
  ...registeredAdvice
}

/** What the sender or the operator has to change, in one sentence, as far as the facts tell the causes apart. */
export function adviceFor(reason: ClientAuthErrorReason, detail: Detail = {}): string {
  const { advice, cases = [] } = reasonAdvice[reason]
  return cases.find(({ applies }) => applies(detail))?.advice ?? advice
}

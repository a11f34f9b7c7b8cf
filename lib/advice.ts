import type { ClientAuthErrorReason } from './errors'

/** For each reason, what the sender or the operator has to change, in one sentence. */
export const advice: Readonly<Record<ClientAuthErrorReason, string>> = {} as Readonly<
  Record<ClientAuthErrorReason, string>
>

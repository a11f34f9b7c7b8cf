import type { Claimed, Proof } from '../methods/method'
import type { ClientAuthError } from '../refusals/errors'
import type { Received } from '../request/credentials'

/** What `authenticate` has found of a request so far. */
export interface Seen {
  /** Absent where the body could not be read. */
  received: Received | undefined
  /** The client that was found, or `nobody`; absent before the look-up. */
  claimed: Claimed | undefined
  /** What was verified of that client, and not of a stand-in. */
  proof: Proof | undefined
}

/** The same of a request that was refused, and the `explain` of the server that refused it. */
export interface Verdict extends Readonly<Seen> {
  readonly owner: object
}

/** The `explain` of each server, which alone can be the owner of a verdict. */
export const explains = new WeakSet()

const verdicts = new WeakMap<ClientAuthError, Verdict>()

/** Lets the recorder explain a refusal without doing its work again. */
export const rememberVerdict = (error: ClientAuthError, verdict: Verdict): void => {
  verdicts.set(error, verdict)
}

/** The verdict of a server on a request; `undefined` for an error of another one. */
export function verdictOf(error: ClientAuthError | undefined, owner: object): Verdict | undefined {
  const verdict = error && verdicts.get(error)
  return verdict?.owner === owner ? verdict : undefined
}

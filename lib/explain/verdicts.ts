import type { Claimed, Proof } from '../methods/method'
import type { ClientAuthError } from '../refusals/errors'
import type { Received } from '../request/credentials'

/** What `authenticate` found of a request before it refused it. */
export interface Verdict {
  /** The `explain` of the server that refused. */
  readonly owner: object
  /** Absent where the body could not be read. */
  readonly received: Received | undefined
  /** Absent where the request was refused before the look-up. */
  readonly claimed: Claimed | undefined
  /** Absent where nothing of this client was verified. */
  readonly proof: Proof | undefined
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

import { randomBytes } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { types } from 'node:util'
import { completeError, type ErrorContext } from '../refusals/error-response'
import { printable } from '../basics/printable'
import { ClientAuthError } from '../refusals/errors'
import { otherRecord } from './other-record'
import type { ClientAuthErrorReason } from '../refusals/reasons'
import { nobody } from '../methods/client-record'
import { withoutSecretsAtHand } from '../methods/secrets-at-hand'
import type { Explain } from '../explain/explanation'
import { explains, rememberVerdict, type Seen } from '../explain/verdicts'
import { claimedMethod, shownId } from '../request/credentials'
import { headerValues } from '../request/headers'
import type { ClientAuthentication, ClientAuthMethod, ClientAuthRequest } from '../types'

/** What all events about a request tell. Claimed, and proven only in {@link AuthenticatedEvent}. */
interface AttemptEvent {
  /** The client that the request names, wherever it names one. */
  readonly clientId?: string | undefined
  /** The method that the request uses, as far as it can be told. */
  readonly method?: ClientAuthMethod | undefined
  /** The `kid` of an assertion, which the sender chose: printable ASCII only, at most 256 characters. */
  readonly kid?: string | undefined
  /** Milliseconds from the arrival of the request, the time that its body took included. */
  readonly durationMs: number
  /** The request itself, for its address or id. Holds the credentials: never log it whole. */
  readonly request: unknown
}

/** Published on `oauth-client-auth:authenticated`: the client is proven. */
export interface AuthenticatedEvent extends AttemptEvent {
  readonly clientId: string
  readonly method: ClientAuthMethod
}

/** Published on `oauth-client-auth:rejected`: the request is refused. */
export interface RejectedEvent extends AttemptEvent {
  readonly reason: ClientAuthErrorReason
  /** What stands in the header of the answer, where the server has `reference: true`. */
  readonly reference?: string | undefined
  /** The refusal, with its `detail` and `cause`. */
  readonly error: ClientAuthError
}

/**
 * Published on `oauth-client-auth:failed`: a function of the application threw, and the request is a server error; or
 * `getClient` returned the record of another client, and the request is refused as one of an unknown client.
 */
export interface FailedEvent extends AttemptEvent {
  /** What was thrown, as an Error. */
  readonly error: Error
}

const authenticated = channel('oauth-client-auth:authenticated')
const rejected = channel('oauth-client-auth:rejected')
const failed = channel('oauth-client-auth:failed')

const isObserved = (): boolean => authenticated.hasSubscribers || rejected.hasSubscribers || failed.hasSubscribers

/** What an application's function threw, always as an Error, and never as one that is answered as a refusal. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof ClientAuthError) return new Error(thrown.message, { cause: thrown })
  return types.isNativeError(thrown) || thrown instanceof Error
    ? thrown
    : new Error('a function of the application threw something that is no Error', { cause: thrown })
}

/** Whose request it is, for logs: the id of a known client as it is, any other as a value from outside. */
function clientIdOf({ received, claimed }: Seen): string | undefined {
  const shown = received && shownId(received)
  return claimed === undefined || claimed.client === nobody ? shown : claimed.credentials.clientId
}

function attemptEvent(request: unknown, seen: Seen, start: number): AttemptEvent {
  const { received, claimed } = seen
  const kid = received?.jws?.kid
  return {
    clientId: clientIdOf(seen),
    method: received && claimedMethod(received),
    kid:
      received !== undefined && typeof kid === 'string'
        ? withoutSecretsAtHand(printable(kid), received, claimed?.client)
        : undefined,
    durationMs: performance.now() - start,
    request
  }
}

/** Surrounds one authentication: its error is completed for the wire, its outcome is published once. */
export function createObserver(context: ErrorContext, explain: Explain) {
  explains.add(explain)
  function refused(
    error: ClientAuthError,
    request: ClientAuthRequest,
    seen: Seen,
    start: number,
    reference: string | undefined
  ): ClientAuthError {
    const clientId = clientIdOf(seen)
    if (clientId !== undefined) error.clientId = clientId
    if (reference !== undefined) error.reference = reference
    completeError(error, context, headerValues(request.headers, 'authorization').length > 0)
    if (rejected.hasSubscribers) {
      rememberVerdict(error, { ...seen, owner: explain })
      const event: RejectedEvent = { ...attemptEvent(request, seen, start), reason: error.reason, error }
      rejected.publish(reference === undefined ? event : { ...event, reference })
    }
    if (seen.claimed?.otherId !== undefined) broken(otherRecord(seen.claimed.otherId), request, seen, start)
    return error
  }

  function broken(thrown: unknown, request: ClientAuthRequest, seen: Seen, start: number): Error {
    const error = asError(thrown)
    if (failed.hasSubscribers) failed.publish({ ...attemptEvent(request, seen, start), error } satisfies FailedEvent)
    return error
  }

  return async <T extends ClientAuthentication>(
    request: ClientAuthRequest,
    work: (request: ClientAuthRequest, seen: Seen) => Promise<T>
  ): Promise<T> => {
    const start = isObserved() ? performance.now() : 0
    const seen: Seen = { received: undefined, claimed: undefined, proof: undefined }
    const reference = context.hasReference ? randomBytes(6).toString('base64url') : undefined
    try {
      const result = await work(request, seen)
      if (authenticated.hasSubscribers) {
        const { clientId, method } = result
        const event: AuthenticatedEvent = { ...attemptEvent(request, seen, start), clientId, method }
        authenticated.publish(event)
      }
      return result
    } catch (thrown) {
      // An application that validates its records in getClient must not tell the client what is wrong with them.
      throw thrown instanceof ClientAuthError && thrown.code !== 'invalid_client_metadata'
        ? refused(thrown, request, seen, start, reference)
        : broken(thrown, request, seen, start)
    }
  }
}

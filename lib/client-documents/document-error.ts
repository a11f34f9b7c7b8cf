import { errorOf, FetchError, type FetchFault } from '../basics/fetch-error'
import { ClientAuthError } from '../refusals/errors'

const ofRules = ['client_id', 'secret', 'method', 'alg', 'keys', 'private_key', 'redirect_uris', 'field'] as const

/** What the owner of a document did wrong: the rules of `document-rules`. */
export type DocumentRuleFault = (typeof ofRules)[number]

/** Why a client document is not to be had or not to be used. Stable, for logs and events. */
export type ClientDocumentFault = FetchFault | 'policy' | DocumentRuleFault

/**
 * A client document that was refused or could not be had. The message never holds any of its content.
 *
 * @example
 * await documents.get(id).catch(({ cause }) => logger.warn(cause instanceof ClientDocumentError ? cause.why : 'unknown'))
 */
export class ClientDocumentError extends FetchError<ClientDocumentFault> {
  override readonly name = 'ClientDocumentError'
}

/** Whatever went wrong with a fetch, as callers see it. */
export const toDocumentError = errorOf(ClientDocumentError)

/** Refused before anything is fetched. */
const ofUrl: readonly ClientDocumentFault[] = ['url', 'host', 'policy']

/** Whose word it is: `broken` and `gone` are the owner's, and every other fault may be an outage. */
export const ownersWord = ({ why }: ClientDocumentError): 'broken' | 'gone' | undefined =>
  why === 'withdrawn' ? 'gone' : ofRules.some((one) => one === why) ? 'broken' : undefined

/** For the wire, where the message of the error names the host. */
const wireWords: Partial<Record<ClientDocumentFault, string>> = {
  host: 'The host of the client_id URL must be a name on the public internet.',
  withdrawn: 'There is no client metadata document at the client_id URL: its host answers 404 or 410.'
}

/**
 * The refusal of a request. Each is an error of its own, since whoever answers completes it. Of an outage it says
 * nothing more: whether an address is private or a port closed would tell a stranger what this network looks like.
 */
export function refusalOf(cause: ClientDocumentError): ClientAuthError {
  const { why, message } = cause
  const detail = () => ({ why, received: message })
  if (ofUrl.includes(why))
    return new ClientAuthError('client_document_url', { message: wireWords[why] ?? message, detail, cause })
  if (ownersWord(cause) === undefined) return new ClientAuthError('client_document_unavailable', { detail, cause })
  return new ClientAuthError('client_document_invalid', { message: wireWords[why] ?? message, detail, cause })
}

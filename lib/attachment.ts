import type { ParsedRequest } from './request/body'
import type { ClientAuthentication, OAuthClient } from './types'

const credentialParameters = ['client_secret', 'client_assertion', 'client_assertion_type']

/** A parser of the application's may have left URLSearchParams or FormData as body. */
const isParams = (body: unknown): body is URLSearchParams => typeof (body as URLSearchParams).getAll === 'function'

/** Puts the client, how it authenticated, and `body.client_id` onto the request, for the handlers behind. */
export function attach(
  req: ParsedRequest,
  property: string,
  client: OAuthClient,
  authentication: ClientAuthentication
): void {
  const body = (req.body ??= {})
  if (isParams(body)) body.set('client_id', authentication.clientId)
  else Object.assign(body, { client_id: authentication.clientId })
  Object.assign(req, { [property]: client, oauthClientAuth: authentication })
}

/** Removes the credentials, for handlers behind that would verify them again. */
export function strip(req: ParsedRequest, { method }: ClientAuthentication): void {
  const { body } = req
  for (const name of credentialParameters) {
    if (isParams(body)) body.delete(name)
    else Reflect.deleteProperty(Object(body) as object, name)
  }
  // Another scheme (DPoP, a user's token) is no client credential and belongs to the handler behind.
  if (method !== 'client_secret_basic') return
  delete req.headers.authorization
  delete (req as Partial<ParsedRequest>).headersDistinct?.authorization // node:http2 has none
  const { rawHeaders: raw = [] } = req as Partial<ParsedRequest>
  for (let index = raw.length - 2; index >= 0; index -= 2) {
    if (raw[index]?.toLowerCase() === 'authorization') raw.splice(index, 2)
  }
}

import type { ParsedRequest } from '../request/body'
import { readForm } from '../request/form'
import { countRaw, headerValues } from '../request/headers'
import type { ClientAuthentication, OAuthClient } from '../types'

const credentialParameters = ['client_secret', 'client_assertion', 'client_assertion_type']

/** A parser of the application's may have left URLSearchParams or FormData as body. */
const isParams = (body: unknown): body is URLSearchParams =>
  typeof (body as URLSearchParams | undefined)?.getAll === 'function'

/** What a request presents: the objects that hold it, and the values, each read as they are read to be judged. */
export function presentedBy(req: ParsedRequest): readonly unknown[] {
  const { headers, body, socket, rawHeaders } = req as Partial<ParsedRequest> & Pick<ParsedRequest, 'headers'>
  const { form, isReadable, repeated, malformed } = readForm(req)
  // Copied as text: a list may be edited in place.
  const authorization = JSON.stringify(headerValues(headers, 'authorization').map(String))
  const read = [authorization, countRaw(rawHeaders ?? [], 'authorization'), isReadable, repeated, malformed]
  return [headers, body, ...read, ...Object.values(form), socket]
}

/** Whether a request presents the very same as before. */
export const isSame = (before: readonly unknown[], now: readonly unknown[]): boolean =>
  before.every((value, index) => value === now[index])

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

const isAuthorization = (name: string | undefined): boolean => name?.toLowerCase() === 'authorization'

/** Removes the credentials, for handlers behind that would verify them again. */
export function strip(req: ParsedRequest, { method }: ClientAuthentication): void {
  const { body } = req
  for (const name of credentialParameters) {
    if (isParams(body)) body.delete(name)
    else if (!Reflect.deleteProperty(Object(body) as object, name)) {
      throw new TypeError(`stripCredentials: ${name} cannot be removed from a body that is sealed`)
    }
  }
  // Another scheme (DPoP, a user's token) is no client credential and belongs to the handler behind.
  if (method !== 'client_secret_basic') return
  for (const name of Object.keys(req.headers)) if (isAuthorization(name)) Reflect.deleteProperty(req.headers, name)
  delete (req as Partial<ParsedRequest>).headersDistinct?.authorization // node:http2 has none
  const { rawHeaders: raw = [] } = req as Partial<ParsedRequest>
  for (let index = raw.length - 2; index >= 0; index -= 2) {
    if (isAuthorization(raw[index])) raw.splice(index, 2)
  }
}

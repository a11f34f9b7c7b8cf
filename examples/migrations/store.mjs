// What stands for an application's own store of codes and refresh tokens. A move does not touch it.
import { createHash } from 'node:crypto'
import { issueToken, newSecret } from '../support/clients.mjs'

const codes = new Map()
const refreshTokens = new Map()

const isProven = ({ code_challenge }, { code_verifier = '' }) =>
  code_challenge === createHash('sha256').update(code_verifier).digest('base64url')

/** A code for this client, bound to its redirect URI and its PKCE challenge (RFC 7636). */
export function issueCode({ client_id }, { redirect_uri, code_challenge }, user) {
  const code = newSecret()
  codes.set(code, { client_id, redirect_uri, code_challenge, user })
  return code
}

/** The user that a code stands for; undefined unless it is this client's, unused and proven. */
export function redeemCode({ client_id }, form) {
  const issued = codes.get(form.code)
  codes.delete(form.code)
  const isRight = issued?.client_id === client_id && issued.redirect_uri === form.redirect_uri && isProven(issued, form)
  return isRight ? issued.user : undefined
}

/** The user that a refresh token stands for; undefined unless it is this client's and unused. */
export function redeemRefreshToken({ client_id }, token) {
  const issued = refreshTokens.get(token)
  if (issued?.client_id !== client_id) return undefined
  refreshTokens.delete(token)
  return issued.user
}

export function issueTokens(client, user) {
  const refresh_token = newSecret()
  refreshTokens.set(refresh_token, { client_id: client.client_id, user })
  return { ...issueToken(client), refresh_token }
}

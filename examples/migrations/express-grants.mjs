// Grants written by hand, for clients with a secret and for public ones with PKCE. The move does not touch them.
import { findClient, issueToken } from '../support/clients.mjs'
import { issueCode, issueTokens, redeemCode, redeemRefreshToken } from './store.mjs'

/** The authorization endpoint: a client is looked up here, not authenticated. */
export function authorize(req, res) {
  const { client_id, redirect_uri, state, code_challenge } = req.query
  const client = findClient(client_id)
  if (!client?.redirect_uris.includes(redirect_uri)) return res.status(400).json({ error: 'invalid_request' })
  const code = issueCode(client, { redirect_uri, code_challenge }, 'alice')
  res.redirect(`${redirect_uri}?${new URLSearchParams({ code, state })}`)
}

function tokensFor(client, form) {
  if (form.grant_type === 'client_credentials') return issueToken(client)
  const isCode = form.grant_type === 'authorization_code'
  const user = isCode ? redeemCode(client, form) : redeemRefreshToken(client, form.refresh_token)
  return user && issueTokens(client, user)
}

export function answerTokenRequest(client, form, res) {
  res.set('Cache-Control', 'no-store')
  if (!client.grants.includes(form.grant_type)) return res.status(400).json({ error: 'unauthorized_client' })
  const tokens = tokensFor(client, form)
  if (tokens === undefined) return res.status(400).json({ error: 'invalid_grant' })
  res.json(tokens)
}

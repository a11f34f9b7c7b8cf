// What the grants and exchanges of oauth2orize do. The move changes nothing here.
import oauth2orize from 'oauth2orize'
import pkce from 'oauth2orize-pkce'
import { findClient, issueToken } from '../support/clients.mjs'
import { issueCode, issueTokens, redeemCode, redeemRefreshToken } from './store.mjs'

/** The arguments of the library's callback: the access token, the refresh token, the rest. */
function give(tokens, done) {
  if (tokens === undefined) return done(null, false)
  const { access_token, refresh_token, ...rest } = tokens
  done(null, access_token, refresh_token, rest)
}

/** What the three exchanges do; each is called with the client. */
export const issueToClient = (client, scope, done) => {
  give(client.grants.includes('client_credentials') ? issueToken(client) : undefined, done)
}
export const issueForCode = (client, code, redirectUri, form, authInfo, done) => {
  const user = redeemCode(client, form)
  give(user && issueTokens(client, user), done)
}
export const issueForRefreshToken = (client, token, scope, done) => {
  const user = redeemRefreshToken(client, token)
  give(user && issueTokens(client, user), done)
}

/** Codes with PKCE. */
export function addCodeGrant(server) {
  server.grant(pkce.extensions())
  server.grant(
    oauth2orize.grant.code((client, redirect_uri, user, response, request, done) => {
      done(null, issueCode(client, { redirect_uri, code_challenge: request.codeChallenge }, user))
    })
  )
}

/** The authorization endpoint, for a user who is signed in and always agrees. */
export const authorize = (server) => [
  (req, res, next) => {
    req.user = 'alice'
    next()
  },
  server.authorize(
    (clientId, redirectUri, done) => {
      const client = findClient(clientId)
      done(null, client?.redirect_uris.includes(redirectUri) ? client : false, redirectUri)
    },
    (client, user, done) => done(null, true)
  ),
  server.errorHandler()
]

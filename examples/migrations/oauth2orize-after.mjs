import express from 'express'
import oauth2orize from 'oauth2orize'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer } from '../support/clients.mjs'
import { addCodeGrant, authorize, issueForCode, issueForRefreshToken, issueToClient } from './oauth2orize-server.mjs'

export const app = express()

// --- glue
const authenticateClient = clientAuth({ issuer, getClient: findClient })

// Every exchange needs it: without userProperty the library issues a token to the client `undefined`.
const byClientAuth = { userProperty: 'oauthClient' }
const server = oauth2orize.createServer()
addCodeGrant(server)
server.exchange(oauth2orize.exchange.clientCredentials(byClientAuth, issueToClient))
server.exchange(oauth2orize.exchange.authorizationCode(byClientAuth, issueForCode))
server.exchange(oauth2orize.exchange.refreshToken(byClientAuth, issueForRefreshToken))

// server.errorHandler() sends the message of every error to the caller: also of one that getClient threw.
function hideFailure(error, req, res, next) {
  if (error instanceof oauth2orize.OAuth2Error) return next(error)
  console.error(error)
  next(new Error('server error'))
}

app.get('/authorize', authorize(server))
app.post('/token', authenticateClient, server.token(), hideFailure, server.errorHandler())
// --- end

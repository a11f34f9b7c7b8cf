import express from 'express'
import oauth2orize from 'oauth2orize'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer } from '../support/clients.mjs'
import { addCodeGrant, authorize, issueForCode, issueForRefreshToken, issueToClient } from './oauth2orize-server.mjs'

export const app = express()

// --- glue
const authenticateClient = clientAuth({
  issuer,
  methods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  getClient: findClient
})

// Every exchange needs it: without userProperty the library issues a token to the client `undefined`.
const byClientAuth = { userProperty: 'oauthClient' }
const server = oauth2orize.createServer()
addCodeGrant(server)
server.exchange(oauth2orize.exchange.clientCredentials(byClientAuth, issueToClient))
server.exchange(oauth2orize.exchange.authorizationCode(byClientAuth, issueForCode))
server.exchange(oauth2orize.exchange.refreshToken(byClientAuth, issueForRefreshToken))

app.get('/authorize', authorize(server))
app.post('/token', authenticateClient, server.token(), server.errorHandler())
// --- end

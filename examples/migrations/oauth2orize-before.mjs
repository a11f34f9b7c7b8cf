import express from 'express'
import oauth2orize from 'oauth2orize'
import passport from 'passport'
import { BasicStrategy } from 'passport-http'
import { Strategy as ClientPasswordStrategy } from 'passport-oauth2-client-password'
import { findClient } from '../support/clients.mjs'
import { addCodeGrant, authorize, issueForCode, issueForRefreshToken, issueToClient } from './oauth2orize-server.mjs'

export const app = express()

// --- glue
function verifyClient(clientId, clientSecret, done) {
  const client = findClient(clientId)
  done(null, client?.client_secret === clientSecret ? client : false)
}
passport.use(new BasicStrategy(verifyClient))
passport.use(new ClientPasswordStrategy(verifyClient))
const authenticateClient = passport.authenticate(['basic', 'oauth2-client-password'], { session: false })

const server = oauth2orize.createServer()
addCodeGrant(server)
server.exchange(oauth2orize.exchange.clientCredentials(issueToClient))
server.exchange(oauth2orize.exchange.authorizationCode(issueForCode))
server.exchange(oauth2orize.exchange.refreshToken(issueForRefreshToken))

app.get('/authorize', authorize(server))
app.post('/token', express.urlencoded({ extended: false }), authenticateClient, server.token(), server.errorHandler())
// --- end

import ExpressOAuthServer from '@node-oauth/express-oauth-server'
import TokenHandler from '@node-oauth/oauth2-server/lib/handlers/token-handler.js'
import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer } from '../support/clients.mjs'
import { libraryClient, serverOptions, store } from './node-oauth-model.mjs'

export const app = express()

// --- glue
async function getClient(clientId) {
  const client = await findClient(clientId)
  return client && libraryClient(client)
}
const oauth = new ExpressOAuthServer({ model: { ...store, getClient }, ...serverOptions })

// The library's own token endpoint, but for the client: it is the one that clientAuth() has authenticated.
class AuthenticatedTokenHandler extends TokenHandler {
  async getClient(request) {
    if (!request.oauthClient) throw new Error('clientAuth() must stand before oauth.token()')
    return request.oauthClient
  }
}
oauth.server.token = function (request, response, options) {
  const defaults = { accessTokenLifetime: 3600, refreshTokenLifetime: 1_209_600 } // the library's
  return new AuthenticatedTokenHandler({ ...defaults, ...this.options, ...options }).handle(request, response)
}

const authenticateClient = clientAuth({
  issuer,
  methods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  getClient
})

app.get('/authorize', oauth.authorize())
app.post('/token', authenticateClient, oauth.token())
// --- end

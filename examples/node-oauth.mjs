// @node-oauth/oauth2-server 5 behind @node-oauth/express-oauth-server.
import ExpressOAuthServer from '@node-oauth/express-oauth-server'
import TokenHandler from '@node-oauth/oauth2-server/lib/handlers/token-handler.js'
import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate } from './support/demonstrate.mjs'

// One record for both: we read client_id, the library compares client.id (of codes and refresh tokens).
const getClient = (clientId) => {
  const client = findClient(clientId)
  return client && { ...client, id: client.client_id }
}

const model = {
  getClient, // still called by the authorization endpoint, where a client is looked up and not authenticated
  getUserFromClient: (client) => ({ id: client.id }),
  saveToken: (token, client, user) => ({ ...token, accessToken: issueToken(client).access_token, client, user })
}
const oauth = new ExpressOAuthServer({ model })

// --- glue: the token endpoint takes the authenticated client and looks at no credentials of its own
class AuthenticatedTokenHandler extends TokenHandler {
  async getClient(request) {
    if (!request.oauthClient) throw new Error('clientAuth() must stand before oauth.token()')
    return request.oauthClient
  }
}
const tokenOptions = { model, accessTokenLifetime: 3600, refreshTokenLifetime: 1209600 }
oauth.server.token = (request, response) => new AuthenticatedTokenHandler(tokenOptions).handle(request, response)
// --- end

const app = express()
app.post('/token', clientAuth({ issuer, getClient }), oauth.token())

await demonstrate('@node-oauth/oauth2-server 5', app.listen(0, '127.0.0.1'))

// @jmondi/oauth2-server 4 with its Express adapter.
import { AuthorizationServer, DateInterval } from '@jmondi/oauth2-server'
import { handleExpressError, handleExpressResponse, requestFromExpress } from '@jmondi/oauth2-server/express'
import express from 'express'
import { decodeJwt } from 'jose'
import { clientAuth } from 'oauth-client-auth'
import { clientOf, findClient, issuer, issueToken, newSecret } from './support/clients.mjs'
import { demonstrate } from './support/demonstrate.mjs'

// --- glue: the library sees no secrets, so it checks none: every route that calls it needs authenticateClient
const clientRepository = {
  async getByIdentifier(clientId) {
    const { client_id: id, grants: allowedGrants } = findClient(clientId)
    return { id, name: id, redirectUris: [], allowedGrants, scopes: [] }
  },
  isClientValid: async (grantType, client) => client.allowedGrants.includes(grantType)
}
const authenticateClient = clientAuth({ issuer, getClient: findClient })
// --- end

const tokenRepository = {
  issueToken: async (client, scopes) => ({
    accessToken: issueToken({ client_id: client.id }).access_token,
    accessTokenExpiresAt: new DateInterval('1h').getEndDate(),
    client,
    scopes
  }),
  persist: async () => {}
}
const scopeRepository = { getAllByIdentifiers: async () => [], finalize: async (scopes) => scopes }
const server = new AuthorizationServer(clientRepository, tokenRepository, scopeRepository, newSecret())
server.enableGrantType('client_credentials')

const app = express()
app.post('/token', authenticateClient, async (req, res) => {
  try {
    handleExpressResponse(res, await server.respondToAccessTokenRequest(requestFromExpress(req)))
  } catch (error) {
    handleExpressError(error, res)
  }
})

await demonstrate('@jmondi/oauth2-server 4', app.listen(0, '127.0.0.1'), {
  // Its access tokens are JWTs about the token that the repository issued.
  clientOf: (token) => clientOf(decodeJwt(token).jti)
})

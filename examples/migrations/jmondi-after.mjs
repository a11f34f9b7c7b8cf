import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer } from '../support/clients.mjs'
import { createServer, endpoints } from './jmondi-repositories.mjs'

export const app = express()

// --- glue: the entity has no secret, so the library asks for none
const clientRepository = {
  async getByIdentifier(clientId) {
    const client = await findClient(clientId)
    if (!client) return undefined // the library answers invalid_client
    const { client_id: id, redirect_uris: redirectUris, grants: allowedGrants } = client
    return { id, name: id, redirectUris, allowedGrants, scopes: [] }
  },
  isClientValid: async (grantType, { allowedGrants }) => allowedGrants.includes(grantType)
}
const { authorize, token } = endpoints(createServer(clientRepository))

const authenticateClient = clientAuth({
  issuer,
  methods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  getClient: findClient
})

app.get('/authorize', authorize)
app.post('/token', authenticateClient, token)
// --- end

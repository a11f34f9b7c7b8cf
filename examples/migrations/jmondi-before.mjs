import express from 'express'
import { findClient } from '../support/clients.mjs'
import { createServer, endpoints } from './jmondi-repositories.mjs'

export const app = express()

// --- glue
const clientRepository = {
  async getByIdentifier(clientId) {
    const client = await findClient(clientId)
    if (!client) return undefined
    const { client_id: id, client_secret: secret, redirect_uris: redirectUris, grants: allowedGrants } = client
    return { id, name: id, secret, redirectUris, allowedGrants, scopes: [], client }
  },
  async isClientValid(grantType, { secret, allowedGrants, client }, clientSecret) {
    const isPublic = client.token_endpoint_auth_method === 'none'
    return (isPublic || (secret && secret === clientSecret)) && allowedGrants.includes(grantType)
  }
}
const { authorize, token } = endpoints(createServer(clientRepository))

app.get('/authorize', authorize)
app.post('/token', express.urlencoded({ extended: false }), token)
// --- end

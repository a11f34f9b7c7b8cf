import ExpressOAuthServer from '@node-oauth/express-oauth-server'
import express from 'express'
import { findClient } from '../support/clients.mjs'
import { libraryClient, serverOptions, store } from './node-oauth-model.mjs'

export const app = express()

// --- glue
const model = {
  ...store,
  async getClient(clientId, clientSecret) {
    const client = await findClient(clientId)
    const isPublic = client?.token_endpoint_auth_method === 'none'
    const isLookup = clientSecret === null // by the authorization endpoint
    return client && (isLookup || isPublic || client.client_secret === clientSecret) ? libraryClient(client) : undefined
  }
}
const oauth = new ExpressOAuthServer({ model, ...serverOptions })

app.get('/authorize', oauth.authorize())
app.post('/token', express.urlencoded({ extended: false }), oauth.token())
// --- end

import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer } from '../support/clients.mjs'
import { authorize, createServer } from './oauth2orize-server.mjs'

export const app = express()

// --- glue
const authenticateClient = clientAuth({
  issuer,
  methods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  getClient: findClient
})

// For every exchange: without userProperty the library issues a token to the client `undefined`.
const server = createServer({ userProperty: 'oauthClient' })

app.get('/authorize', authorize(server))
app.post('/token', authenticateClient, server.token(), server.errorHandler())
// --- end

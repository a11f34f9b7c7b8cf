import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer } from '../support/clients.mjs'
import { answerTokenRequest, authorize } from './express-grants.mjs'

export const app = express()
app.get('/authorize', authorize)

// --- glue
const authenticateClient = clientAuth({
  issuer,
  methods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  getClient: findClient
})

app.post('/token', authenticateClient, (req, res) => {
  answerTokenRequest(req.oauthClient, req.body, res)
})
// --- end

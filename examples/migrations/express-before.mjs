import express from 'express'
import { findClient } from '../support/clients.mjs'
import { answerTokenRequest, authorize } from './express-grants.mjs'

export const app = express()
app.get('/authorize', authorize)

// --- glue
function basicAuth(req) {
  const [scheme, credentials = ''] = (req.get('Authorization') ?? '').split(' ')
  return scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString().split(':') : undefined
}

app.post('/token', express.urlencoded({ extended: false }), (req, res) => {
  const [id, secret] = basicAuth(req) ?? [req.body.client_id, req.body.client_secret]
  const client = findClient(id)
  const isPublic = client?.token_endpoint_auth_method === 'none'
  if (!client || (!isPublic && !(secret && client.client_secret === secret))) {
    return res.status(401).json({ error: 'invalid_client' })
  }
  answerTokenRequest(client, req.body, res)
})
// --- end

// Names that snippets marked `runs in: options` may use without declaring them.
import express from 'express'
import { clientAuth } from 'oauth-client-auth'

const issuer = 'https://as.example.com'
const clients = new Map([['shop', { client_id: 'shop', client_secret: 'a secret of at least thirty-two octets' }]])
const getClient = (clientId) => clients.get(clientId)
Object.assign(globalThis, {
  ...{ issuer, clients, getClient, findClient: getClient },
  app: express(),
  authenticateClient: clientAuth({ issuer, getClient }),
  issueToken: (req, res) => res.json({ access_token: `for ${req.oauthClient.client_id}`, token_type: 'Bearer' }),
  req: { headers: { authorization: 'Basic c2hvcDp3cm9uZw==' }, body: { grant_type: 'client_credentials' } },
  redis: { sendCommand: async () => 'OK' }
})

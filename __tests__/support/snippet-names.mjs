// node snippet-names.mjs FILE…: runs snippets marked `runs in: options`, which may use these names without declaring
// them, and prints what each threw.
import express from 'express'
import { clientAuth } from 'oauth-client-auth'

const issuer = 'https://as.example.com'
const clients = new Map([['shop', { client_id: 'shop', client_secret: 'a secret of at least thirty-two octets' }]])
const getClient = (clientId) => clients.get(clientId)
Object.assign(globalThis, {
  ...{ issuer, clients, getClient, findClient: getClient },
  ...{ app: express(), key: undefined, cert: undefined },
  authenticateClient: clientAuth({ issuer, getClient }),
  issueToken: (req, res) => res.json({ access_token: `for ${req.oauthClient.client_id}`, token_type: 'Bearer' }),
  req: { headers: { authorization: 'Basic c2hvcDp3cm9uZw==' }, body: { grant_type: 'client_credentials' } },
  redis: { sendCommand: async () => 'OK' }
})

const thrown = {}
for (const file of process.argv.slice(2))
  thrown[file] = await import(file).then(
    () => 'nothing',
    (error) => error.stack
  )
console.log(JSON.stringify(thrown))

// Express 4 as long-lived applications have it: body parsers for everything, mounted first.
import express from 'express4'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const app = express()
app.use(express.json())
app.use(express.urlencoded({ extended: true }))

// --- glue
const authenticateClient = clientAuth({ issuer, getClient: findClient })
// --- end

app.post('/token', authenticateClient, (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

await demonstrate('Express 4', app.listen(0, '127.0.0.1'))

// Bare node:http, no framework.
import { createServer } from 'node:http'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const authenticateClient = clientAuth({ issuer, getClient: findClient })

// --- glue
const server = createServer((req, res) => {
  if (req.method !== 'POST' || req.url !== '/token') return res.writeHead(404).end()
  // A refused client has been answered. An error means that getClient failed.
  authenticateClient(req, res, (error) => {
    if (error) return res.writeHead(500).end()
    res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    res.end(JSON.stringify(issueToken(req.oauthClient)))
  })
})
// --- end

await demonstrate('node:http', server.listen(0, '127.0.0.1'))

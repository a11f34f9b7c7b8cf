// The quick start: a token endpoint that accepts all four methods, asked by openid-client and by wrong clients.
// `npm start` goes on serving; `npm start -- --once` ends after the table.
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportJWK } from 'jose'
import express from 'express'
import { clientAuth, createJwksFetcher } from 'oauth-client-auth'
import * as openid from 'openid-client'
import { newKey, newSecret, issueToken } from './support/clients.mjs'
import { listen, row, table } from './support/demonstrate.mjs'
import { onLoopback, serveKeys } from './support/key-server.mjs'
import { requestToken, sendTwice } from './support/requests.mjs'
import { stateFile } from './support/state.mjs'

// --- the partner: publishes its public key over HTTPS and keeps the private one
const bankKey = await newKey('bank-2026')
const bank = await serveKeys('keys.partner-bank.example', () => [bankKey.jwk])

// --- the clients, as a database would hold them
const secrets = { shop: newSecret(), script: newSecret(), app: newSecret() }
const clients = new Map(
  [
    { client_id: 'web-shop', token_endpoint_auth_method: 'client_secret_basic', client_secret: secrets.shop },
    { client_id: 'old-script', token_endpoint_auth_method: 'client_secret_post', client_secret: secrets.script },
    { client_id: 'signing-app', token_endpoint_auth_method: 'client_secret_jwt', client_secret: secrets.app },
    { client_id: 'partner-bank', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: bank.jwks_uri },
    // The same keys under an address that nobody named as an exception:
    {
      client_id: 'inside-job',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `https://127.0.0.1:${bank.port}/jwks.json`
    }
  ].map((client) => [client.client_id, client])
)

// --- the server
const server = createServer()
const issuer = await listen(server, 3000)
const app = express()
const log = []
let isServing = false

/** Prints, for you alone, what a refused request was refused for and what to change. */
async function explainRefusal(error, req) {
  const { findings } = await authenticateClient.explain(req)
  console.log(`✗ refused ${error.clientId ?? 'a client that it does not name'}: ${error.reason}`)
  for (const { check, result, expected, received, advice } of findings) {
    if (result !== 'failed') continue
    const facts = Object.entries({ expected, received }).filter(([, fact]) => fact !== undefined)
    console.log([`  ${check}`, ...facts.map((fact) => `${fact[0]} ${JSON.stringify(fact[1])}`)].join(', '))
    console.log(`    ${advice}`)
  }
}

const authenticateClient = clientAuth({
  issuer,
  getClient: (clientId) => clients.get(clientId),
  keySets: createJwksFetcher(onLoopback(bank)), // the one way to a private address, by name
  onError: (error, req, res) => {
    log.push(error.cause ? `${error.reason}: ${error.cause.message}` : error.reason) // for you
    res.status(error.status).json(error) // for the client: RFC 6749 §5.2
    if (isServing) void explainRefusal(error, req)
  }
})

app.post('/token', authenticateClient, (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})
app.get('/.well-known/oauth-authorization-server', (req, res) => {
  res.json({ issuer, token_endpoint: `${issuer}/token`, ...authenticateClient.metadata() }) // RFC 8414
})
server.on('request', app)

// --- four right clients, four wrong ones
const discovered = await openid.discovery(new URL(issuer), 'anyone', undefined, undefined, {
  algorithm: 'oauth2',
  execute: [openid.allowInsecureRequests]
})
function ask(...request) {
  return () => requestToken(discovered.serverMetadata(), ...request)
}
function right(clientId, method, proof) {
  return row(method, clientId, { client: clientId }, ask(clientId, method, proof))
}
function wrong(what, reason, ...request) {
  return row('', what, { status: 401, error: 'invalid_client', reason }, ask(...request))
}
const basic = 'client_secret_basic'
const signed = 'private_key_jwt'
const again = { fetch: sendTwice }
const rows = [
  await right('web-shop', basic, secrets.shop),
  await right('old-script', 'client_secret_post', secrets.script),
  await right('signing-app', 'client_secret_jwt', secrets.app),
  await right('partner-bank', signed, bankKey),
  await wrong('a wrong secret', 'secret_mismatch', 'web-shop', basic, newSecret()),
  await wrong('an assertion used before', 'assertion_replayed', 'partner-bank', signed, bankKey, again),
  await wrong('a secret where a key is registered', 'method_not_registered', 'partner-bank', basic, newSecret()),
  await wrong('keys at a jwks_uri on 127.0.0.1', 'jwks_unavailable', 'inside-job', signed, bankKey)
]

const accepted = rows.slice(0, 4)
const refused = rows.slice(4)
const mark = ({ ok }) => (ok ? ' ✓' : ' ✗')
const report = `
A token endpoint behind clientAuth(), at ${issuer}/token

Tokens that openid-client fetched there
${table([['', 'method', 'client', 'status'], ...accepted.map((r) => [mark(r), r.method, r.what, r.status])])}

What refused clients see
${table([['', 'sent', 'status', 'error', 'description'], ...refused.map((r) => [mark(r), r.what, r.status, r.error, r.description])])}

What only the server's log says
${table([['', 'sent', 'reason'], ...refused.map((r, index) => ['  ', r.what, log[index]])])}
`
console.log(process.argv.includes('--json') ? JSON.stringify({ rows }) : report)

if (!rows.every(({ ok }) => ok)) process.exitCode = 1
if (process.argv.includes('--once') || process.exitCode) server.close()
else {
  mkdirSync(new URL('.', stateFile), { recursive: true })
  writeFileSync(
    stateFile,
    JSON.stringify({ issuer, secret: secrets.app, jwk: { ...(await exportJWK(bankKey.key)), kid: bankKey.kid } }),
    { mode: 0o600 }
  )
  const assertion = relative('', fileURLToPath(new URL('assertion.mjs', import.meta.url)))
  console.log(`Serving until Ctrl-C. Try it:

  curl -u web-shop:${secrets.shop} -d grant_type=client_credentials ${issuer}/token
  curl -d client_id=old-script -d client_secret=${secrets.script} -d grant_type=client_credentials ${issuer}/token
  curl -d "$(node ${assertion} client_secret_jwt)" ${issuer}/token
  curl -d "$(node ${assertion})" ${issuer}/token
  curl ${issuer}/.well-known/oauth-authorization-server

Change one of them, such as the secret: what it is refused for is told here, to you and not to the client.
`)
  isServing = true
}

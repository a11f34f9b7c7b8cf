// An audit log and a counter for each reason: node:diagnostics_channel.
import { subscribe } from 'node:diagnostics_channel'
import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { clients, findClient, issuer, issueToken, newSecret } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { requestToken } from './support/requests.mjs'

// --- audit: one line for each attempt, and no secret or assertion in any
const counters = new Map()
const audit = []
const record =
  (outcome) =>
  ({ clientId, method, kid, reason = 'none', durationMs, request }) => {
    counters.set(reason, (counters.get(reason) ?? 0) + 1)
    const milliseconds = Math.round(durationMs)
    audit.push(
      JSON.stringify({ outcome, clientId, method, kid, reason, address: request.socket?.remoteAddress, milliseconds })
    )
  }
subscribe('oauth-client-auth:authenticated', record('authenticated'))
subscribe('oauth-client-auth:rejected', record('rejected'))
// --- end

const app = express()
app.post('/token', clientAuth({ issuer, getClient: findClient }), (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const server = { issuer, token_endpoint: `${url}/token` }
const method = 'client_secret_basic'
const secretOf = (clientId) => clients.get(clientId).client_secret
const ask = (clientId, by, secret) => () => requestToken(server, clientId, by, secret)
const guess = ask('web-shop', method, newSecret())

const rows = [
  await row(method, 'the right secret', { client: 'web-shop' }, ask('web-shop', method, secretOf('web-shop'))),
  await row(method, 'a guess', { status: 401, error: 'invalid_client', reason: 'secret_mismatch' }, guess),
  await row(method, 'another guess', { status: 401, error: 'invalid_client', reason: 'secret_mismatch' }, guess),
  await row(
    'client_secret_post',
    'another client',
    { client: 'old-script' },
    ask('old-script', 'client_secret_post', secretOf('old-script'))
  ),
  await row('', 'audit: 2 accepted, 2 refused', { status: '2 and 2' }, async () => ({
    status: `${counters.get('none')} and ${counters.get('secret_mismatch')}`
  })),
  await row('', 'lines that hold a secret', { status: 0 }, async () => ({
    status: audit.filter((line) =>
      [...clients.values()].some(({ client_secret: secret }) => secret && line.includes(secret))
    ).length
  }))
]
report('Audit', rows)
if (!process.argv.includes('--json')) console.log(audit.join('\n'))
close()

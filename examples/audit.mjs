// An audit log, a counter for each reason, and a brake on guessing: diagnostics_channel and express-rate-limit.
import { subscribe } from 'node:diagnostics_channel'
import express from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { claimedClientId, clientAuth } from 'oauth-client-auth'
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

// --- guessing: failures are counted by address, and by address and the client that the request claims to be
const limit = (failures, keyGenerator) =>
  rateLimit({
    windowMs: 60_000,
    limit: failures,
    skipSuccessfulRequests: true,
    keyGenerator,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (req, res) =>
      res.status(429).json({ error: 'temporarily_unavailable', error_description: 'Too many failed attempts.' })
  })
const brake = [
  limit(100, (req) => ipKeyGenerator(req.ip)),
  express.urlencoded({ extended: false, limit: '64kb' }),
  limit(5, (req) => `${ipKeyGenerator(req.ip)} ${claimedClientId(req) ?? ''}`)
]
// --- end

const app = express()
app.post('/token', brake, clientAuth({ issuer, getClient: findClient }), (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const server = { issuer, token_endpoint: `${url}/token` }
const method = 'client_secret_basic'
const secretOf = (clientId) => clients.get(clientId).client_secret
const ask = (clientId, by, secret) => () => requestToken(server, clientId, by, secret)
const guess = ask('web-shop', method, newSecret())

const rows = [
  await row(method, 'the right secret', { client: 'web-shop' }, ask('web-shop', method, secretOf('web-shop')))
]
for (let attempt = 1; attempt <= 5; attempt++) {
  rows.push(
    await row(method, `guess ${attempt}`, { status: 401, error: 'invalid_client', reason: 'secret_mismatch' }, guess)
  )
}
const braked = { status: 429, error: 'temporarily_unavailable' }
rows.push(
  await row(method, 'guess 6', braked, guess),
  await row(method, 'the right secret, too late', braked, ask('web-shop', method, secretOf('web-shop'))),
  await row(
    'client_secret_post',
    'another client',
    { client: 'old-script' },
    ask('old-script', 'client_secret_post', secretOf('old-script'))
  ),
  await row('', 'audit: 2 accepted, 5 refused', { status: '2 and 5' }, async () => ({
    status: `${counters.get('none')} and ${counters.get('secret_mismatch')}`
  }))
)
report('Audit and rate limit', rows)
if (!process.argv.includes('--json')) console.log(audit.join('\n'))
close()

// A limit on guessing, by address and by the client that a request claims to be: express-rate-limit.
import express from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { claimedClientId, clientAuth } from 'oauth-client-auth'
import { byBasic, byPost } from './support/compare.mjs'
import { findClient, issuer, issueToken, newKey, newSecret } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { postForm, requestToken } from './support/requests.mjs'

// --- glue
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
const address = (req) => ipKeyGenerator(req.ip)

const limits = [
  limit(100, address),
  express.urlencoded({ extended: false, limit: '64kb' }), // the id may stand in the form
  limit(5, (req) => `${address(req)} ${claimedClientId(req)}`) // read as clientAuth() reads it, however it is spelt
]
// --- end

const app = express()
app.post('/token', limits, clientAuth({ issuer, getClient: findClient }), (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const client_credentials = { grant_type: 'client_credentials' }
const token = ({ form, headers }) => postForm(`${url}/token`, { ...form, ...client_credentials }, headers)
const refused = (reason) => ({ status: 401, error: 'invalid_client', reason })
const limited = { status: 429, error: 'temporarily_unavailable' }
const basic = 'client_secret_basic'
const post = 'client_secret_post'

const rows = [await row(basic, 'the right secret', {}, () => token(byBasic('web-shop')))]
for (const spelling of ['web-shop', '%77eb-shop', 'w%65b-shop', 'web%2Dshop', 'web%2dsho%70']) {
  rows.push(
    await row(basic, `a guess at ${spelling}`, refused('secret_mismatch'), () => token(byBasic(spelling, newSecret())))
  )
}
rows.push(
  await row(basic, 'the next, at %77%65b-shop', limited, () => token(byBasic('%77%65b-shop', newSecret()))),
  await row(post, 'the next, in the body', limited, () => token(byPost('web-shop', newSecret()))),
  await row(basic, 'the right secret, too late', limited, () => token(byBasic('web-shop'))),
  await row(post, 'another client', {}, () => token(byPost('old-script')))
)

// An assertion claims its `sub`, with or without client_id beside it.
const thief = await newKey('bank-1')
const signed = 'private_key_jwt'
const endpoint = { issuer, token_endpoint: `${url}/token` }
const forged = () => requestToken(endpoint, 'partner-bank', signed, thief, { fetch: withoutClientId })
function withoutClientId(to, { body, ...init }) {
  const form = new URLSearchParams(body)
  form.delete('client_id')
  return fetch(to, { ...init, body: form })
}
for (let guess = 1; guess <= 5; guess++) {
  rows.push(await row(signed, `a forged assertion, ${guess}`, refused('signature_mismatch'), forged))
}
rows.push(await row(signed, 'the next', limited, forged))
report('Rate limit', rows)
close()

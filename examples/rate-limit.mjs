// A limit on guessing that refuses no right request: the brake, over rate-limiter-flexible.
import express from 'express'
import { clientAuth, createBrake } from 'oauth-client-auth'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { byBasic, byPost } from './support/compare.mjs'
import { findClient, issuer, issueToken, newKey, newSecret } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { postForm, requestToken } from './support/requests.mjs'

const app = express()
// --- glue
const authenticateClient = clientAuth({ issuer, getClient: findClient })
const brake = createBrake({ limiter: new RateLimiterMemory({ points: 5, duration: 60 }) })

app.post('/token', brake.over(authenticateClient), authenticateClient, (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})
// --- end

const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const client_credentials = { grant_type: 'client_credentials' }
const token = ({ form, headers }) => postForm(`${url}/token`, { ...form, ...client_credentials }, headers)
const refused = (reason) => ({ status: 401, error: 'invalid_client', reason })
const limited = { status: 429, error: 'temporarily_unavailable', reason: 'too_many_failures' }
const basic = 'client_secret_basic'
const post = 'client_secret_post'

const rows = [
  await row(basic, 'the right secret', {}, () => token(byBasic('web-shop'))),
  await row(basic, 'a hundred times at once', {}, async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => token(byBasic('web-shop'))))
    return answers.find((answer) => answer.status !== 200) ?? answers[0]
  })
]
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

// Partners move one at a time: from a secret to a key, and from the older audience to the issuer.
import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { issuer, issueToken, newKey, newSecret } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { requestToken } from './support/requests.mjs'

const tokenEndpoint = `${issuer}/oauth/token`
const secret = newSecret()
const key = await newKey('partner-2026')

// --- the record of one partner, through its move
const before = { client_id: 'partner', token_endpoint_auth_method: 'client_secret_basic', client_secret: secret }

const during = {
  ...before,
  token_endpoint_auth_method: ['client_secret_basic', 'private_key_jwt'], // either, for a while
  jwks: { keys: [key.jwk] },
  legacy_audiences: [tokenEndpoint] // what its library names as audience today
}

const after = { client_id: 'partner', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
// --- end

let partner = before

// --- glue
const authenticateClient = clientAuth({
  issuer,
  legacyAudiences: (client) => client.legacy_audiences ?? [],
  getClient: (clientId) => (clientId === partner.client_id ? partner : undefined)
})
// --- end

const app = express()
app.post('/oauth/token', authenticateClient, (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const accepted = { client: 'partner' }
const refused = (reason) => ({ status: 401, error: 'invalid_client', reason })
const token_endpoint = `${url}/oauth/token`
const bySecret = (what, must) =>
  row('client_secret_basic', what, must, () =>
    requestToken({ issuer, token_endpoint }, 'partner', 'client_secret_basic', secret)
  )
const byKey = (what, must, audience = issuer) =>
  row('private_key_jwt', what, must, () =>
    requestToken({ issuer: audience, token_endpoint }, 'partner', 'private_key_jwt', key)
  )

const rows = [
  await bySecret('before: the secret', accepted),
  await byKey('before: the key', refused('method_not_registered'))
]
partner = during
rows.push(
  await bySecret('during: the secret', accepted),
  await byKey('during: the key', accepted),
  await byKey('during: the key, for the token endpoint', accepted, tokenEndpoint),
  await byKey('during: the key, for another endpoint', refused('assertion_audience'), `${issuer}/other`)
)
partner = after
rows.push(
  await bySecret('after: the secret', refused('method_not_registered')),
  await byKey('after: the key', accepted),
  await byKey('after: the key, for the token endpoint', refused('assertion_audience'), tokenEndpoint)
)
report('Moving a partner', rows)
close()

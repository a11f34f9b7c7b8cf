// The FAPI 2 security profile: assertions by private keys alone, for the issuer alone, short-lived, with a jti.
import express from 'express'
import { clientAuth, fapi2 } from 'oauth-client-auth'
import { clients, findClient, issuer, issueToken, newKey } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { requestToken } from './support/requests.mjs'

const [ps256, rs256] = [await newKey('ps256', 'PS256'), await newKey('rs256', 'RS256')]
const client_id = 'fapi-partner'
clients.set(client_id, {
  client_id,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [ps256.jwk, rs256.jwk] }
})

const app = express()
app.post('/token', clientAuth({ ...fapi2, issuer, getClient: findClient }), (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const token_endpoint = `${url}/token`
const refused = (reason, status = 400) => ({ status, error: 'invalid_client', reason })
const secret = (method, clientId, must) =>
  row(method, 'right elsewhere', must, () =>
    requestToken({ issuer, token_endpoint }, clientId, method, clients.get(clientId).client_secret)
  )
const key = (what, must, proof, metadata) =>
  row('private_key_jwt', what, must, () =>
    requestToken({ issuer, token_endpoint, ...metadata }, client_id, 'private_key_jwt', proof)
  )

report('FAPI 2', [
  await key('PS256, for the issuer', { client: client_id }, ps256),
  await key('RS256', refused('assertion_alg'), rs256),
  await key('for the token endpoint', refused('assertion_audience'), ps256, { issuer: token_endpoint }),
  await secret('client_secret_basic', 'web-shop', refused('method_not_supported', 401)),
  await secret('client_secret_post', 'old-script', refused('method_not_supported')),
  // The HMAC algorithms are refused before anybody asks which method they stand for.
  await secret('client_secret_jwt', 'signing-app', refused('assertion_alg'))
])
close()

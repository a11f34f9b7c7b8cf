// Dynamic registration (RFC 7591): a partner is onboarded by its jwks_uri, renews its key, and is revoked alone.
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { clientAuth, ClientAuthError, createJwksFetcher, validateClientMetadata } from 'oauth-client-auth'
import { issuer, issueToken, newKey, newSecret } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { onLoopback, serveKeys } from './support/key-server.mjs'
import { requestToken } from './support/requests.mjs'

// --- two partners, each with keys of its own
const [oldKey, newerKey, shippingKey] = [await newKey('2025'), await newKey('2026'), await newKey('only')]
let bankKeys = [oldKey]
const bank = await serveKeys('keys.bank.example', () => bankKeys.map(({ jwk }) => jwk))
const shipping = await serveKeys('keys.shipping.example', () => [shippingKey.jwk])

// --- the server: one set of options judges registrations and requests alike
const cooldown = 1 // the default, 30 s, is too long to watch
const policy = {
  methods: ['private_key_jwt'],
  algorithms: ['ES256', 'PS256'],
  keySets: createJwksFetcher({ ...onLoopback(bank, shipping), cooldown, minTtl: 1, maxTtl: 1 })
}
const registered = new Map()
const initialAccessToken = newSecret()
const app = express()
const bearer = (req) => req.get('authorization')?.replace(/^Bearer /, '')

app.post('/register', express.json(), (req, res) => {
  if (bearer(req) !== initialAccessToken) return res.status(401).set('WWW-Authenticate', 'Bearer').end()
  const { client_name, token_endpoint_auth_method, token_endpoint_auth_signing_alg, jwks, jwks_uri } = req.body ?? {}
  const metadata = { client_name, token_endpoint_auth_method, token_endpoint_auth_signing_alg, jwks, jwks_uri }
  try {
    validateClientMetadata(metadata, policy)
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    return res.status(error.status).json(error) // invalid_client_metadata, RFC 7591 §3.2.2
  }
  const client = { ...metadata, client_id: newSecret(), client_id_issued_at: Math.floor(Date.now() / 1000) }
  registered.set(client.client_id, client)
  res.status(201).set('Cache-Control', 'no-store').json(client)
})
app.use('/register', (error, req, res, next) => {
  if (!error.expose) return next(error) // not of the body
  res.status(400).json({ error: 'invalid_client_metadata', error_description: 'The body cannot be read as JSON.' })
})

app.post('/token', clientAuth({ issuer, ...policy, getClient: (id) => registered.get(id) }), (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

// --- what the partners do
const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const server = { issuer, token_endpoint: `${url}/token` }

async function send(text) {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${initialAccessToken}` }
  const response = await fetch(`${url}/register`, { method: 'POST', headers, body: text })
  const body = await response.json()
  return { status: response.status, error: body.error, description: body.error_description, body }
}
const register = (metadata) => send(JSON.stringify(metadata))
const byUri = (client_name, { jwks_uri }) =>
  register({ client_name, token_endpoint_auth_method: 'private_key_jwt', jwks_uri })
const refusal = { status: 400, error: 'invalid_client_metadata' }
const method = 'private_key_jwt'
const bad = (what, metadata) =>
  row('', what, refusal, () => register({ token_endpoint_auth_method: method, ...metadata }))
const token = (what, must, { client_id }, key) =>
  row(method, what, must, () => requestToken(server, client_id, method, key))
const accepted = ({ client_id }) => ({ client: client_id })
// Without Basic among the methods there is no challenge to send, so 400 (RFC 6749 §5.2).
const refused = (reason) => ({ status: 400, error: 'invalid_client', reason })

const { body: bankClient } = await byUri('Bank', bank)
const { body: shippingClient } = await byUri('Shipping', shipping)
const rows = [
  await row('', 'registration that is no JSON', refusal, () => send('{bad')),
  await bad('registration without keys', {}),
  await bad('registration with a jwks_uri inside', { jwks_uri: 'https://10.0.0.1/jwks.json' }),
  await bad('registration of a secret method', { token_endpoint_auth_method: 'client_secret_post' }),
  await token('the bank, onboarded', accepted(bankClient), bankClient, oldKey),
  await token('the shipping firm, onboarded', accepted(shippingClient), shippingClient, shippingKey)
]

bankKeys = [oldKey, newerKey] // the bank publishes its new key beside the old one, then signs with it
await sleep((cooldown + 0.5) * 1000)
rows.push(
  await token('the bank, with its new key', accepted(bankClient), bankClient, newerKey),
  await token('the bank, still with the old one', accepted(bankClient), bankClient, oldKey)
)

bankKeys = [newerKey] // the overlap is over
await sleep((cooldown + 0.5) * 1000)
rows.push(
  await token('the bank, with the withdrawn key', refused('no_matching_key'), bankClient, oldKey),
  await token('the bank, with its new key', accepted(bankClient), bankClient, newerKey)
)

registered.delete(bankClient.client_id) // revoked, and nobody else with it
rows.push(
  await token('the bank, revoked', refused('unknown_client'), bankClient, newerKey),
  await token('the shipping firm, untouched', accepted(shippingClient), shippingClient, shippingKey)
)
report('Dynamic registration', rows)
close()

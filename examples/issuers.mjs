// Several issuers in one process: one middleware for each, over shared stores.
import express from 'express'
import { clientAuth, createJwksFetcher, createMemoryReplayStore } from 'oauth-client-auth'
import { findClient as findOther, issueToken, newKey } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { onLoopback, serveKeys } from './support/key-server.mjs'
import { requestToken } from './support/requests.mjs'

// --- a client that both issuers know, with its keys at a jwks_uri
const key = await newKey('bank-2026')
let fetches = 0
const bank = await serveKeys('keys.partner-bank.example', () => {
  fetches += 1
  return [key.jwk]
})
const record = { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: bank.jwks_uri }
const findClient = (clientId) => (clientId === record.client_id ? record : findOther(clientId))
const keySets = createJwksFetcher(onLoopback(bank))

// --- glue
const shared = {
  getClient: findClient,
  keySets, // createJwksFetcher(): each key set is fetched once for all issuers
  replayStore: createMemoryReplayStore()
}
const issuers = { north: 'https://north.example.com', south: 'https://south.example.com' }

const app = express()
for (const [tenant, issuer] of Object.entries(issuers)) {
  const authenticateClient = clientAuth({ ...shared, issuer })
  app.post(`/${tenant}/token`, authenticateClient, (req, res) => {
    res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
  })
  app.get(`/.well-known/oauth-authorization-server/${tenant}`, (req, res) => {
    res.json({ issuer, ...authenticateClient.metadata() })
  })
}
// --- end

const { url, close } = await listening(app.listen(0, '127.0.0.1'))

// --- what the client does: `audience` is the issuer that it names, `tenant` the one that it asks
const signed = 'private_key_jwt'
const ask = (tenant, audience, options) =>
  requestToken({ issuer: issuers[audience], token_endpoint: `${url}/${tenant}/token` }, 'bank', signed, key, options)
const wrongAudience = { status: 401, error: 'invalid_client', reason: 'assertion_audience' }
const used = { status: 401, error: 'invalid_client', reason: 'assertion_replayed' }

let sent
const recorded = (to, init) => {
  sent = [to, init]
  return fetch(to, init)
}
const sendAgain = () => fetch(...sent)

const rows = [
  await row(signed, 'north, for north', { client: 'bank' }, () => ask('north', 'north', { fetch: recorded })),
  await row(signed, 'the same again', used, () => ask('north', 'north', { fetch: sendAgain })),
  await row(signed, 'south, for south', { client: 'bank' }, () => ask('south', 'south')),
  await row(signed, 'south, with an assertion for north', wrongAudience, () => ask('south', 'north')),
  await row('', 'fetches of its key set', { status: 1 }, async () => ({ status: fetches }))
]
report('Several issuers', rows)
close()

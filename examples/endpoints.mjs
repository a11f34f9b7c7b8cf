// Endpoints with different methods over one store: public clients may ask for tokens, but not introspect.
import express from 'express'
import { clientAuth, createJwksFetcher, createMemoryReplayStore } from 'oauth-client-auth'
import { clientOf, findClient, issuer, issueToken, revokeToken } from './support/clients.mjs'
import { byBasic, byId, byKey } from './support/compare.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { postForm } from './support/requests.mjs'

// --- glue
const shared = {
  issuer,
  getClient: findClient,
  keySets: createJwksFetcher(),
  replayStore: createMemoryReplayStore() // one: an assertion used at one endpoint is used at all
}
const methods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt']
const anyClient = clientAuth({ ...shared, methods: [...methods, 'none'] })
const provenClient = clientAuth({ ...shared, methods })

const app = express()
app.post('/token', anyClient, (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})
app.post('/revoke', anyClient, (req, res) => {
  if (clientOf(req.body.token) === req.oauthClient.client_id) revokeToken(req.body.token)
  res.end()
})
app.post('/introspect', provenClient, (req, res) => {
  const client_id = clientOf(req.body.token) // RFC 7662 §2.1: whoever asks must be authenticated
  res.json(client_id === undefined ? { active: false } : { active: true, client_id })
})
app.get('/.well-known/oauth-authorization-server', (req, res) => {
  const metadata = [
    anyClient.metadata('token'),
    anyClient.metadata('revocation'),
    provenClient.metadata('introspection')
  ]
  res.json(Object.assign({ issuer }, ...metadata))
})
// --- end

const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const send = ({ form, headers }, path, parameters) => postForm(url + path, { ...form, ...parameters }, headers)
const code = { grant_type: 'authorization_code' }
const { body: tokens } = await send(byId('phone-app'), '/token', code)
const token = tokens.access_token
const missing = { status: 401, error: 'invalid_client', reason: 'no_credentials' }
const used = { status: 401, error: 'invalid_client', reason: 'assertion_replayed' }
const assertion = await byKey()

async function advertised(endpoint) {
  const metadata = await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json()
  return { status: metadata[`${endpoint}_endpoint_auth_methods_supported`].includes('none') ? 'none' : 'no none' }
}

const rows = [
  await row('none', 'a public client at the token endpoint', {}, () => send(byId('phone-app'), '/token', code)),
  await row('none', 'at introspection', missing, () => send(byId('phone-app'), '/introspect', { token })),
  await row('client_secret_basic', 'a client with a secret, there', {}, () =>
    send(byBasic('web-shop'), '/introspect', { token })
  ),
  await row('none', 'a public client at revocation', {}, () => send(byId('phone-app'), '/revoke', { token })),
  await row('private_key_jwt', 'an assertion at the token endpoint', {}, () => send(assertion, '/token', code)),
  await row('private_key_jwt', 'the same at introspection', used, () => send(assertion, '/introspect', { token })),
  await row('', 'what is advertised for the token endpoint', { status: 'none' }, () => advertised('token')),
  await row('', 'for revocation', { status: 'none' }, () => advertised('revocation')),
  await row('', 'for introspection', { status: 'no none' }, () => advertised('introspection'))
]
report('Methods by endpoint', rows)
close()

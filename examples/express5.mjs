// Express 5 with grants written by hand; introspection, revocation and PAR stand behind the same middleware.
import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import { clientOf, clients, findClient, issuer, issueToken, newSecret, revokeToken } from './support/clients.mjs'
import { demonstrate, row } from './support/demonstrate.mjs'
import { postForm } from './support/requests.mjs'

const app = express()
const authenticateClient = clientAuth({ issuer, getClient: findClient })
const pushedRequests = new Map()

app.post('/token', authenticateClient, (req, res) => {
  if (req.body.grant_type !== 'client_credentials') return res.status(400).json({ error: 'unsupported_grant_type' })
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})

// RFC 7662 §2.1
app.post('/introspect', authenticateClient, (req, res) => {
  const client_id = clientOf(req.body.token)
  res.json(client_id === undefined ? { active: false } : { active: true, client_id })
})

// RFC 7009 §2.1: a client revokes its own tokens, and an unknown one is no error.
app.post('/revoke', authenticateClient, (req, res) => {
  if (clientOf(req.body.token) === req.oauthClient.client_id) revokeToken(req.body.token)
  res.end()
})

// RFC 9126 §2
app.post('/par', authenticateClient, (req, res) => {
  const request_uri = `urn:ietf:params:oauth:request_uri:${newSecret()}`
  pushedRequests.set(request_uri, { ...req.body, client_id: req.oauthClient.client_id })
  res.status(201).json({ request_uri, expires_in: 60 })
})

await demonstrate('Express 5', app.listen(0, '127.0.0.1'), { more: otherEndpoints })

async function otherEndpoints(url) {
  const secretOf = (client_id) => ({ client_id, client_secret: clients.get(client_id).client_secret })
  const basicOf = ({ client_id, client_secret }) => ({
    authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`
  })
  const { access_token: token } = issueToken(clients.get('old-script'))
  const shop = basicOf(secretOf('web-shop'))
  const owner = secretOf('old-script')
  const missing = { status: 401, error: 'invalid_client', reason: 'no_credentials' }
  const send = (path, form, headers) => () => postForm(url + path, form, headers)
  const active = (yes, path, form, headers) => async () => {
    const answer = await postForm(url + path, form, headers)
    return answer.body.active === yes ? answer : { status: `active is ${answer.body.active}` }
  }

  return [
    await row('client_secret_basic', 'introspection', {}, active(true, '/introspect', { token }, shop)),
    await row('', 'introspection, no credentials', missing, send('/introspect', { token })),
    await row('client_secret_basic', "revocation of another's token", {}, send('/revoke', { token }, shop)),
    await row('client_secret_basic', 'which leaves it active', {}, active(true, '/introspect', { token }, shop)),
    await row('client_secret_post', "revocation by the token's owner", {}, send('/revoke', { token, ...owner })),
    await row('client_secret_basic', 'which ends it', {}, active(false, '/introspect', { token }, shop)),
    await row('', 'revocation, no credentials', missing, send('/revoke', { token })),
    await row(
      'client_secret_post',
      'pushed authorization',
      { status: 201 },
      send('/par', { ...owner, response_type: 'code' })
    ),
    await row('', 'pushed authorization, id alone', missing, send('/par', { client_id: 'old-script' }))
  ]
}

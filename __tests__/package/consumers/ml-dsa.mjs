// Keys that oauth4webapi makes, and assertions that it and openid-client sign with them, against a server on HTTP.
// Needs a Node.js whose WebCrypto has ML-DSA: 24.7 or newer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { clientAuth } from 'oauth-client-auth'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const records = new Map()
const reasons = []
const server = createServer((req, res) =>
  authenticate(req, res, () =>
    res.end(JSON.stringify({ access_token: req.oauthClient.client_id, token_type: 'bearer' }))
  )
).listen(0, '127.0.0.1')
await once(server, 'listening')
const issuer = `http://127.0.0.1:${server.address().port}`
const authenticate = clientAuth({
  issuer,
  methods: ['private_key_jwt'],
  getClient: (clientId) => records.get(clientId),
  onError(error, _req, res) {
    reasons.push(error.reason)
    res.writeHead(error.status, { 'content-type': 'application/json' }).end(JSON.stringify(error))
  }
})
server.prependListener('request', (_req, res) => res.setHeader('content-type', 'application/json'))

const metadata = { issuer, token_endpoint: `${issuer}/token` }
const insecure = { [oauth.allowInsecureRequests]: true }
const libraries = {
  async oauth4webapi(client_id, key) {
    const client = { client_id }
    const authentication = oauth.PrivateKeyJwt({ key, kid: 'k' })
    const answer = await oauth.clientCredentialsGrantRequest(
      metadata,
      client,
      authentication,
      new URLSearchParams(),
      insecure
    )
    return (await oauth.processClientCredentialsResponse(metadata, client, answer)).access_token
  },
  async 'openid-client'(client_id, key) {
    const config = new openid.Configuration(metadata, client_id, undefined, openid.PrivateKeyJwt({ key, kid: 'k' }))
    openid.allowInsecureRequests(config)
    return (await openid.clientCredentialsGrant(config)).access_token
  }
}

/** The reason of a refusal. */
async function refused(ask) {
  await assert.rejects(ask, (error) => error.error === 'invalid_client')
  return reasons.pop()
}

for (const alg of ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87', 'Ed25519']) {
  const { privateKey, publicKey } = await oauth.generateKeyPair(alg, { extractable: true })
  const other = await oauth.generateKeyPair(alg)
  const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'k' }
  const record = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }
  records.set('known', { ...record, client_id: 'known', token_endpoint_auth_signing_alg: alg })
  records.set('bare', { ...record, client_id: 'bare', jwks: { keys: [{ ...jwk, alg: undefined }] } })
  for (const [library, ask] of Object.entries(libraries)) {
    assert.equal(await ask('known', privateKey), 'known')
    assert.equal(await refused(() => ask('known', other.privateKey)), 'signature_mismatch')
    assert.equal(await refused(() => ask('nobody', privateKey)), 'unknown_client')
    if (alg !== 'Ed25519') assert.equal(await refused(() => ask('bare', privateKey)), 'no_matching_key')
    console.log(`${alg} ${library}`)
  }
}
server.close()

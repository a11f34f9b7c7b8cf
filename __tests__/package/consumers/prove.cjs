// What each JavaScript consumer runs: one client accepted by a signed assertion, its secret refused.
const assert = require('node:assert/strict')
const { createHmac } = require('node:crypto')

const issuer = 'https://as.example.com'
const client = {
  client_id: 'app',
  client_secret: 'a secret of at least thirty-two octets',
  token_endpoint_auth_method: 'client_secret_jwt'
}

function assertion() {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'app', sub: 'app', aud: issuer, jti: '1', exp: Math.floor(Date.now() / 1000) + 60 }
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', client.client_secret).update(signed).digest('base64url')}`
}

module.exports = async function prove({ ClientAuthError, createClientAuthenticator }) {
  const getClient = (clientId) => (clientId === client.client_id ? client : null)
  const authenticate = createClientAuthenticator({ issuer, getClient })

  const accepted = await authenticate({
    headers: {},
    body: {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion()
    }
  })
  assert.equal(accepted.client, client)
  assert.equal(accepted.method, 'client_secret_jwt')

  const body = { client_id: client.client_id, client_secret: client.client_secret }
  await assert.rejects(authenticate({ headers: {}, body }), (error) => {
    assert.ok(error instanceof ClientAuthError)
    assert.equal(error.reason, 'method_not_registered')
    return true
  })
}

// What each JavaScript consumer runs: one client accepted by a signed assertion, another method of its own refused.
const assert = require('node:assert/strict')

const issuer = 'https://as.example.com'

module.exports = async function prove({ ClientAuthError, createClientAuthenticator }, { createTestClient }) {
  const client = createTestClient({ client_id: 'app', method: 'client_secret_jwt', issuer })
  const getClient = (clientId) => (clientId === 'app' ? client.record : null)
  const authenticate = createClientAuthenticator({ issuer, getClient })

  const { headers, form } = client.request()
  const accepted = await authenticate({ headers, body: form })
  assert.equal(accepted.client, client.record)
  assert.equal(accepted.method, 'client_secret_jwt')

  const body = { client_id: 'app', client_secret: client.record.client_secret }
  await assert.rejects(authenticate({ headers: {}, body }), (error) => {
    assert.ok(error instanceof ClientAuthError)
    assert.equal(error.reason, 'method_not_registered')
    return true
  })
}

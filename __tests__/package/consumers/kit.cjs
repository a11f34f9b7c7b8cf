// Each method and each algorithm of the test kit against the package, in this runtime.
const assert = require('node:assert/strict')
const { createClientAuthenticator } = require('oauth-client-auth')
const { createTestClient } = require('oauth-client-auth/testing')

const issuer = 'https://as.example.com'
const everywhere = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const newer = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'].filter((alg) => {
  try {
    return createTestClient({ client_id: 'app', method: 'private_key_jwt', alg, issuer })
  } catch (error) {
    assert.match(error.message, /need Node\.js 24\.6 or newer/)
    return false
  }
})
const keyed = [...everywhere, ...newer]
const rows = [
  ...keyed.map((alg) => ({ method: 'private_key_jwt', alg, tamper: 'signature' })),
  ...['HS256', 'HS384', 'HS512'].map((alg) => ({ method: 'client_secret_jwt', alg, tamper: 'signature' })),
  { method: 'client_secret_basic', tamper: 'secret' },
  { method: 'client_secret_post', tamper: 'secret' },
  { method: 'none' }
]

async function run() {
  let accepted = 0
  for (const { method, alg, tamper } of rows) {
    const client = createTestClient({ client_id: 'app', method, alg, issuer })
    const authenticate = createClientAuthenticator({ issuer, methods: [method], getClient: () => client.record })
    const send = ({ headers, form }) => authenticate({ headers, body: form })
    assert.equal((await send(client.request())).method, method)
    accepted++
    if (tamper !== undefined) {
      await assert.rejects(send(client.request({ tamper })), { reason: /^(signature|secret)_mismatch$/ })
    }
  }
  console.log(`${accepted}${newer.length > 0 ? ', with ML-DSA,' : ''} accepted`)
}
run()

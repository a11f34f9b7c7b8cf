// node --expose-gc renewing-client.mjs inline|fetched ROUNDS: prints the megabytes of the process above the start, when
// a client has renewed its keys that often. A process of its own, with nothing else in it.
import { generateKeyPairSync } from 'node:crypto'
import { createClientAuthenticator } from '../../dist/lib/index.js'

const [kind, rounds] = process.argv.slice(2)
const isInline = kind === 'inline'
const issuer = 'https://as.example.com'
const { n } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
const modulus = Buffer.from(n, 'base64url')
let made = 0
// Any odd number will do as a modulus: nobody signs with it.
const newKeys = (count) => ({
  keys: Array.from({ length: count }, () => {
    modulus.writeUInt32BE(made++, 16)
    return { kty: 'RSA', kid: 'k', n: modulus.toString('base64url'), e: 'AQAB' }
  })
})

let record
const renew = () => {
  const keys = isInline ? { jwks: newKeys(8) } : { jwks_uri: `https://c${made}.example.com/jwks` }
  record = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt', ...keys }
}
const sets = new Map()
const get = async (uri) => {
  if (!sets.has(uri)) {
    sets.clear()
    sets.set(uri, newKeys(100))
  }
  return sets.get(uri)
}
const authenticate = createClientAuthenticator({ issuer, getClient: () => record, keySets: { get } })

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
async function ask() {
  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
    const claims = { iss: 'c', sub: 'c', aud: issuer, exp: Date.now() / 1000 + 60 }
    const client_assertion = `${encode({ alg, kid: 'k' })}.${encode(claims)}.${'A'.repeat(342)}`
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const reason = await authenticate({ headers: {}, body: { client_assertion, client_assertion_type } }).then(
      () => 'accepted',
      (error) => error.reason
    )
    if (reason !== 'signature_mismatch') throw new Error(`expected signature_mismatch, not ${reason}`)
  }
}
const megabytes = () => {
  for (let times = 0; times < 4; times++) globalThis.gc()
  return process.memoryUsage().rss / 1e6
}

for (let warmUp = 0; warmUp < 20; warmUp++) {
  renew()
  await ask()
}
const before = megabytes()
for (let round = 0; round < Number(rounds); round++) {
  renew()
  await ask()
}
console.log(Math.round(megabytes() - before))

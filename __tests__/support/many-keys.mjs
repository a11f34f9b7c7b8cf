// node many-keys.mjs CLIENTS KEYS kid|none: prints how many keys are imported when that many clients with that many RSA
// keys each are named in turn, once and once more. A process of its own, with nothing else in it.
import crypto, { randomBytes } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

let imports = 0
const { createPublicKey } = crypto
crypto.createPublicKey = (...given) => {
  imports++
  return createPublicKey(...given)
}
syncBuiltinESMExports()
const { createClientAuthenticator } = await import('../../dist/lib/index.js')

const [clients, keys] = process.argv.slice(2, 4).map(Number)
const hasKid = process.argv[4] === 'kid'
const issuer = 'https://as.example.com'
// Any odd number will do as a modulus: nobody signs with it.
const newKey = (_, index) => {
  const n = randomBytes(256).fill(0xff, 0, 8)
  n[255] |= 1
  return { kty: 'RSA', kid: `k${index}`, n: n.toString('base64url'), e: 'AQAB' }
}
const clientOf = (client_id, count) => ({
  client_id,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: Array.from({ length: count }, newKey) }
})
const records = new Map(Array.from({ length: clients }, (_, index) => [`c${index}`, clientOf(`c${index}`, keys)]))
const authenticate = createClientAuthenticator({ issuer, getClient: (id) => records.get(id) })

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
const signature = randomBytes(256).fill(0, 0, 8).toString('base64url')
const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const algs = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
async function ask(clientId, kid, alg) {
  const claims = { iss: clientId, sub: clientId, aud: issuer, exp: Date.now() / 1000 + 60 }
  const header = hasKid ? { alg, kid } : { alg }
  const client_assertion = `${encode(header)}.${encode(claims)}.${signature}`
  const reason = await authenticate({ headers: {}, body: { client_assertion, client_assertion_type } }).then(
    () => 'accepted',
    (error) => error.reason
  )
  if (reason !== 'signature_mismatch') throw new Error(`expected signature_mismatch, not ${reason}`)
}

/** Names each client, each of its keys and each algorithm in turn, and says how many keys were imported. */
async function importsOf() {
  const before = imports
  for (const alg of algs)
    for (let kid = 0; kid < keys; kid++) for (const id of records.keys()) await ask(id, `k${kid}`, alg)
  return imports - before
}

console.log(JSON.stringify([await importsOf(), await importsOf()]))

// node many-keys.mjs CLIENTS KEYS kid|none: prints how many times as long a request takes, in processor time, when that
// many clients with that many RSA keys each are named in turn, as when it is one client with as many keys as a request
// is verified with. A process of its own, with nothing else in it.
import { randomBytes } from 'node:crypto'
import { createClientAuthenticator } from '../../dist/lib/index.js'

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
const many = Array.from({ length: clients }, (_, index) => clientOf(`c${index}`, keys))
const records = new Map([...many, clientOf('one', hasKid ? 1 : 8)].map((record) => [record.client_id, record]))
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

/** Processor time of a request, in µs, when each client, each of its keys and each algorithm is named in turn. */
async function costOf(names, kids) {
  const askAll = async () => {
    for (const alg of algs)
      for (let kid = 0; kid < kids; kid++) for (const name of names) await ask(name, `k${kid}`, alg)
  }
  await askAll()
  const before = process.cpuUsage()
  await askAll()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (algs.length * kids * names.length)
}

for (let warmUp = 0; warmUp < 200; warmUp++) await costOf(['one'], 1)
const one = await costOf(Array(300).fill('one'), 1)
const inTurn = await costOf(
  many.map(({ client_id }) => client_id),
  keys
)
console.log((inTurn / one).toFixed(2), `times ${one.toFixed(0)} µs`)

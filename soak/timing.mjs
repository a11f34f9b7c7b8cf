// Does the time of a refusal tell whether a client exists? npm run timing -- --samples 100000
//
// Each sample belongs to one of two classes, drawn at random, so that noise on the machine affects both alike. Welch's t
// says whether the means of the classes differ. The run fails when |t| reaches 4.5. A few slow samples can hide a small
// difference, so t and the difference in nanoseconds are also printed for the samples below some percentiles. Such
// differences cannot be seen over a network, but they show whether a change of this code made one.
import { execFileSync } from 'node:child_process'
import {
  createHmac,
  generateKeyPairSync,
  randomBytes,
  scrypt,
  sign,
  timingSafeEqual,
  X509Certificate
} from 'node:crypto'
import { parseArgs, promisify } from 'node:util'
import { createClientAuthenticator, rememberSecrets } from '../dist/lib/index.js'

const { values } = parseArgs({ options: { samples: { type: 'string', default: '100000' }, only: { type: 'string' } } })
const samples = Number(values.samples)
const limit = 4.5
const issuer = 'https://as.example.com'

const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
/** Node.js 24.6 or newer. */
const mlDsa = () => {
  try {
    return generateKeyPairSync('ml-dsa-65')
  } catch {
    return undefined
  }
}
const jwkOf = ({ publicKey }, alg, kid) => ({ ...publicKey.export({ format: 'jwk' }), alg, kid, use: 'sig' })
const secretOf = () => randomBytes(32).toString('base64url')

const keys = { ES256: ec(), RS256: rsa(), 'ML-DSA-65': mlDsa() }
const strangers = { ES256: ec(), RS256: rsa(), 'ML-DSA-65': mlDsa() }
const kids = { ES256: 'ec', RS256: 'rsa', 'ML-DSA-65': 'ml' }
const made = Object.entries(keys).filter(([, key]) => key !== undefined)
const jwks = { keys: made.map(([alg, key]) => jwkOf(key, alg, kids[alg])) }
const records = [
  { client_id: 'client-basic', client_secret: secretOf() },
  { client_id: 'client-post', client_secret: secretOf(), token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'client-hmac', client_secret: secretOf(), token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'client-keys', jwks, token_endpoint_auth_method: 'private_key_jwt' }
]
const clients = new Map(records.map((record) => [record.client_id, record]))
const getClient = (id) => clients.get(id)

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
function assertion(clientId, alg, kid) {
  const exp = Math.floor(Date.now() / 1000) + 3500
  const claims = { iss: clientId, sub: clientId, aud: issuer, jti: randomBytes(16).toString('hex'), exp }
  const input = `${encode({ alg, kid })}.${encode(claims)}`
  const signed =
    alg === 'HS256'
      ? createHmac('sha256', 'x'.repeat(32)).update(input).digest()
      : sign(alg === 'ML-DSA-65' ? null : 'sha256', Buffer.from(input), {
          key: strangers[alg].privateKey,
          dsaEncoding: 'ieee-p1363'
        })
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const client_assertion = `${input}.${signed.toString('base64url')}`
  return { headers: {}, body: { client_assertion_type, client_assertion } }
}
const basic = (id, secret) => ({
  headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
  body: {}
})
const post = (client_id, client_secret) => ({ headers: {}, body: { client_id, client_secret } })

const stored = clients.get('client-basic').client_secret
const other = (letter) => (letter === 'A' ? 'B' : 'A')
const firstWrong = other(stored[0]) + stored.slice(1)
const lastWrong = stored.slice(0, -1) + other(stored.at(-1))
/** Two ways to be refused, of ids of the same length; each makes one request. */
const subjects = {
  'plain secret, Basic: unknown or wrong secret': [
    () => basic('client-nobdy', secretOf()),
    () => basic('client-basic', secretOf())
  ],
  'plain secret, post: unknown or wrong secret': [
    () => post('client-nobd', secretOf()),
    () => post('client-post', secretOf())
  ],
  'plain secret, Basic: first or last character wrong': [
    () => basic('client-basic', firstWrong),
    () => basic('client-basic', lastWrong)
  ],
  'plain secret, Basic: unknown or registered for keys': [
    () => basic('client-nobd', secretOf()),
    () => basic('client-keys', secretOf())
  ],
  'ES256: unknown or wrong signature': [
    () => assertion('client-nobd', 'ES256', 'ec'),
    () => assertion('client-keys', 'ES256', 'ec')
  ],
  'ES256: unknown or no such key': [
    () => assertion('client-nobd', 'ES256', 'no'),
    () => assertion('client-keys', 'ES256', 'no')
  ],
  'RS256: unknown or wrong signature': [
    () => assertion('client-nobd', 'RS256', 'rsa'),
    () => assertion('client-keys', 'RS256', 'rsa')
  ],
  ...(keys['ML-DSA-65'] && {
    'ML-DSA-65: unknown or wrong signature': [
      () => assertion('client-nobd', 'ML-DSA-65', 'ml'),
      () => assertion('client-keys', 'ML-DSA-65', 'ml')
    ],
    'ML-DSA-65: unknown or no such key': [
      () => assertion('client-nobd', 'ML-DSA-65', 'no'),
      () => assertion('client-keys', 'ML-DSA-65', 'no')
    ]
  }),
  'HS256: unknown or wrong secret': [() => assertion('client-nobd', 'HS256'), () => assertion('client-hmac', 'HS256')]
}

/** A certificate of a stranger, and one client of each kind: none of them may be told from an id that nobody has. */
const openssl = [
  'req',
  '-x509',
  '-newkey',
  'ec',
  '-pkeyopt',
  'ec_paramgen_curve:P-256',
  '-nodes',
  '-keyout',
  '/dev/null'
]
const naming = ['-subj', '/C=DE/O=Stranger/CN=stranger.example', '-addext', 'subjectAltName=DNS:stranger.example']
const shown = new X509Certificate(execFileSync('openssl', [...openssl, ...naming, '-days', '30'], { stdio: 'pipe' }))
const pki = { token_endpoint_auth_method: 'tls_client_auth' }
const certificateClients = {
  dn: { ...pki, tls_client_auth_subject_dn: 'CN=client.example,O=Client AG,C=DE' },
  dns: { ...pki, tls_client_auth_san_dns: 'client.example' },
  uri: { ...pki, tls_client_auth_san_uri: 'https://client.example/a' },
  ip: { ...pki, tls_client_auth_san_ip: '192.0.2.7' },
  email: { ...pki, tls_client_auth_san_email: 'ops@client.example' },
  keys: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [jwks.keys[0]] } }
}
for (const [kind, record] of Object.entries(certificateClients))
  clients.set(`tls-${kind}`, { client_id: `tls-${kind}`, ...record })
const bare = (client_id) => ({ headers: {}, body: { client_id } })
/** What `createClientAuthenticator` is given beside issuer and look-up, by the name of the subject. */
const optionsOf = {}
for (const kind of Object.keys(certificateClients)) {
  for (const verified of [true, false]) {
    const name = `mutual TLS, ${verified ? 'verified' : 'unverified'}: unknown or ${kind}`
    subjects[name] = [() => bare(`no--${kind}`), () => bare(`tls-${kind}`)]
    optionsOf[name] = {
      methods: ['client_secret_basic', 'tls_client_auth', 'self_signed_tls_client_auth'],
      clientCertificates: { get: () => ({ certificate: shown, verified }) }
    }
  }
}

const percentiles = [1, 0.99, 0.9, 0.5]

function moments(list, below) {
  let [n, mean, squares] = [0, 0, 0]
  for (const value of list) {
    if (value > below) continue
    n++
    const delta = value - mean
    mean += delta / n
    squares += delta * (value - mean)
  }
  return { n, mean, variance: squares / (n - 1) }
}

/** Welch's t of the samples of both classes that lie below the percentile of all. */
function welch(first, second, percentile) {
  const all = Float64Array.from([...first, ...second]).sort()
  const below = all[Math.ceil(percentile * all.length) - 1]
  const [a, b] = [moments(first, below), moments(second, below)]
  return { t: (a.mean - b.mean) / Math.sqrt(a.variance / a.n + b.variance / b.n), means: [a.mean, b.mean] }
}

async function refused(authenticate, request) {
  const start = process.hrtime.bigint()
  try {
    await authenticate(request)
  } catch (error) {
    if (error.message === 'Client authentication failed.') return Number(process.hrtime.bigint() - start)
    throw error
  }
  throw new Error('let in')
}

async function sample(make, authenticate, count, warmup) {
  const pools = make.map((one) => Array.from({ length: 512 }, one))
  const times = [new Float64Array(count), new Float64Array(count)]
  const taken = [-warmup, -warmup]
  const coins = randomBytes(1 << 16)
  for (let i = 0; taken[0] < count || taken[1] < count; i++) {
    // When one class is full the other goes on alone for a little: too little to matter
    const one = coins[i & 0xffff] & 1
    if (taken[one] >= count && taken[1 - one] < count && i < 2.2 * (count + warmup)) continue
    const which = taken[one] >= count ? 1 - one : one
    const time = await refused(authenticate, pools[which][(i * 31) & 511])
    if (taken[which] >= 0) times[which][taken[which]] = time
    taken[which]++
  }
  return times
}

let failed = false
const micro = (nanoseconds) => (nanoseconds / 1000).toFixed(2)

async function compareTimes(name) {
  const authenticate = createClientAuthenticator({ issuer, getClient, ...optionsOf[name] })
  const [first, second] = await sample(subjects[name], authenticate, samples, Math.min(10_000, samples))
  const [whole, ...parts] = percentiles.map((percentile) => welch(first, second, percentile))
  failed ||= Math.abs(whole.t) >= limit
  console.log(`${name}: ${whole.means.map(micro).join(' and ')} µs, t ${whole.t.toFixed(2)}`)
  const told = ({ t, means: [a, b] }, i) => `${100 * percentiles[i + 1]} %: t ${t.toFixed(2)}, ${(a - b).toFixed(0)} ns`
  console.log(`  below ${parts.map(told).join('; ')}`)
}

/** With a slow hash each sample is worth more: means within 5 %. scrypt, since Node has it: nothing to install. */
async function compareHashes() {
  const derive = promisify(scrypt)
  const [salt, cost] = [randomBytes(16), { N: 1024 }]
  const hash = (await derive(stored, salt, 32, cost)).toString('hex')
  const hashed = (id) => (id === 'client-basic' ? { client_id: id, client_secret: hash } : undefined)
  const compare = async (presented, stored) =>
    timingSafeEqual(await derive(presented, salt, 32, cost), Buffer.from(stored, 'hex'))
  for (const [name, verifySecret] of [
    ['scrypt', compare],
    ['scrypt with rememberSecrets', rememberSecrets(compare)]
  ]) {
    const authenticate = createClientAuthenticator({ issuer, getClient: hashed, verifySecret })
    await authenticate(basic('client-basic', stored))
    const make = subjects['plain secret, Basic: unknown or wrong secret']
    const times = await sample(make, authenticate, Math.min(1000, samples), 10)
    const [a, b] = times.map((list) => moments(list, Infinity).mean)
    failed ||= Math.abs(a / b - 1) > 0.05
    console.log(`${name}: ${micro(a)} and ${micro(b)} µs, ${(100 * (a / b - 1)).toFixed(1)} % apart`)
  }
}

for (const name of Object.keys(subjects)) if (name.includes(values.only ?? '')) await compareTimes(name)
if ('scrypt'.includes(values.only ?? '')) await compareHashes()
process.exitCode = failed ? 1 : 0

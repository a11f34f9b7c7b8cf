// What the key set cache costs: a cached hit beside a bare lru-cache get, and a cold fetch, with its DNS answer, its
// vetting and its key checks, beside a bare https.get to the same server. Build first: npm run build.
import { generateKeyPairSync } from 'node:crypto'
import https from 'node:https'
import { LRUCache } from 'lru-cache'
import selfsigned from 'selfsigned'
import { createJwksFetcher } from '../dist/lib/index.js'

const host = 'keys.example.com'
const certificate = await selfsigned.generate([{ name: 'commonName', value: host }], {
  keyType: 'ec',
  algorithm: 'sha256',
  extensions: [
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 2, value: host }] }
  ]
})
const keys = ['a', 'b'].map((kid) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
})
const body = JSON.stringify({ keys })
const server = https.createServer({ key: certificate.private, cert: certificate.cert }, (_request, response) => {
  response.setHeader('content-type', 'application/json').end(body)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const { port } = server.address()
const uri = (index = '') => `https://${host}:${port}/${index}`

const fetcher = createJwksFetcher({
  hosts: { [host]: { addresses: ['127.0.0.1'], ports: [port], ca: certificate.cert } },
  resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
})
const lru = new LRUCache({ max: 1000, ttl: 600_000, ttlResolution: 0 })
lru.set(uri(), await fetcher.get(uri()))

function bareGet(index) {
  const lookup = (_host, { all }, callback) =>
    setImmediate(callback, null, all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4)
  return new Promise((resolve, reject) => {
    const options = { agent: false, ca: certificate.cert, lookup }
    https
      .get(uri(index), options, async (response) => resolve(JSON.parse((await response.toArray()).join(''))))
      .on('error', reject)
  })
}

/** Seconds per call: the median of several rounds, so that one disturbance does not decide. */
async function cost(calls, rounds, work) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    for (let i = 0; i < calls; i++) await work(`${round}-${i}`)
    times.push((performance.now() - started) / 1000 / calls)
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]
}

const microseconds = (seconds) => `${(seconds * 1e6).toFixed(seconds < 1e-4 ? 2 : 0)} µs`
const rows = [
  ['cached hit', await cost(200_000, 7, () => fetcher.get(uri()))],
  ['lru-cache get, awaited', await cost(200_000, 7, () => lru.get(uri()))],
  ['cold fetch', await cost(100, 7, (index) => fetcher.get(uri(index)))],
  ['bare https.get', await cost(100, 7, (index) => bareGet(index))]
]
console.log(`Node ${process.version}`)
for (const [name, seconds] of rows) console.log(`${name.padEnd(24)}${microseconds(seconds).padStart(12)}`)
server.close()

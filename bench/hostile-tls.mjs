// What hostile jwks_uri hosts cost the event loop by TLS alone, before any certificate is trusted. Build first.
//
//   node bench/hostile-tls.mjs [--seconds 60] [--fetches 5] [--dist path]
//
// 1. The longest block of the event loop during one fetch: by https.get with Node's defaults, and by createJwksFetcher.
// 2. A good Basic client beside 24 registered hosts of each of the worst kinds, asked for 0.76 times a second.
// --dist measures another build (an older one, for "before").
import { fork } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { createServer, request } from 'node:http'
import https from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { generate } from 'selfsigned'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    fetches: { type: 'string', default: '5' },
    dist: { type: 'string', default: new URL('../dist', import.meta.url).pathname },
    serve: { type: 'string' }
  }
})
const { createJwksFetcher, clientAuth } = await import(pathToFileURL(`${values.dist}/lib/index.js`))
const issuer = 'https://as.example.com'
const host = 'host.attacker.net'
const hostNames = Array.from({ length: 24 }, (_, i) => `h${i}.attacker.net`)

const resolver = () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
const fetcherFor = (names, port, ca) => {
  const rules = { addresses: ['127.0.0.1'], ports: [port], ...(ca && { ca }) }
  return createJwksFetcher({ hosts: Object.fromEntries(names.map((name) => [name, rules])), resolver })
}

/** The app under attack: forked, so that nothing but its own work is in its event loop. */
async function serve(port) {
  const record = (client_id) =>
    client_id === 'good'
      ? { client_id, client_secret: 'a secret of at least thirty-two octets' }
      : { client_id, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `https://${client_id}:${port}/jwks` }
  const authenticate = clientAuth({ issuer, getClient: record, keySets: fetcherFor(hostNames, port) })
  const server = createServer((req, res) => authenticate(req, res, () => res.end('{}')))
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  process.send(server.address().port)
  process.on('disconnect', () => process.exit())
}

const quantile = (values, q) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]
const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`.padStart(10)

/** The longest time between two turns of the event loop while `work` is under way. */
async function longestBlock(work) {
  let longest = 0
  let last = performance.now()
  let isOver = false
  const turn = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work().catch(() => undefined)
  await wait(20) // the block itself may end the work
  isOver = true
  return longest
}

function bareGet(port, ca) {
  const lookup = (_host, { all }, callback) =>
    setImmediate(callback, null, all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4)
  return new Promise((resolve, reject) => {
    https
      .get(`https://${host}:${port}/jwks`, { agent: false, lookup, ca }, (response) =>
        response.resume().on('close', resolve)
      )
      .on('error', reject)
  })
}

async function blocks(ports, ca) {
  const count = Number(values.fetches)
  const measure = async (work) => {
    const all = []
    for (let i = 0; i < count; i++) all.push(await longestBlock(work))
    return `${ms(quantile(all, 0.5))}${ms(Math.max(...all))}`
  }
  console.log(`\nLongest block of the event loop during one fetch, median and worst of ${count}`)
  console.log(`${''.padEnd(48)}${"Node's defaults".padStart(20)}${'createJwksFetcher'.padStart(20)}`)
  await measure(() => bareGet(ports['an honest server'])) // loads the root certificates
  for (const [name, port] of Object.entries(ports)) {
    if (port === undefined) continue
    const byNode = await measure(() => bareGet(port, ca))
    const bySets = await measure(() => fetcherFor([host], port, ca).get(`https://${host}:${port}/jwks`))
    console.log(`${name.padEnd(48)}${byNode}${bySets}`)
  }
}

function post(port, headers, body) {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const headersSent = { 'content-type': 'application/x-www-form-urlencoded', ...headers }
    request({ host: '127.0.0.1', port, method: 'POST', headers: headersSent }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode, ms: performance.now() - started }))
    })
      .on('error', reject)
      .end(body)
  })
}

/** 20 good requests a second for so long: how long each took. */
async function goodClient(port, seconds) {
  const authorization = `Basic ${Buffer.from('good:a+secret+of+at+least+thirty-two+octets').toString('base64')}`
  const times = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    times.push(post(port, { authorization }, 'grant_type=client_credentials').then(({ ms }) => ms))
    await wait(50)
  }
  return Promise.all(times)
}

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
const unauthenticated = (clientId) => {
  const claims = { iss: clientId, sub: clientId, aud: issuer, jti: `${Math.random()}`, exp: Date.now() / 1000 + 60 }
  const client_assertion = `${encode({ alg: 'ES256', kid: 'k' })}.${encode(claims)}.${Buffer.alloc(64, 1).toString('base64url')}`
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return new URLSearchParams({ client_assertion_type, client_assertion }).toString()
}

async function beside(name, hostilePort) {
  const args = ['--dist', values.dist, '--serve', String(hostilePort)]
  const app = fork(new URL(import.meta.url), args)
  const [port] = await new Promise((done) => app.once('message', (message) => done([message])))
  const seconds = Number(values.seconds)
  await goodClient(port, 3)
  const quiet = await goodClient(port, seconds / 3)
  let isOver = false
  const attack = (async () => {
    for (let i = 0; !isOver; i++) {
      post(port, {}, unauthenticated(hostNames[i % 24])).catch(() => undefined)
      await wait(1000 / 0.76)
    }
  })()
  const attacked = await goodClient(port, seconds)
  isOver = true
  await attack
  app.disconnect()
  const row = (times) => [0.5, 0.9, 0.99].map((q) => ms(quantile(times, q))).join('') + ms(Math.max(...times))
  console.log(`${name.padEnd(48)}quiet   ${row(quiet)}`)
  console.log(`${''.padEnd(48)}attacked${row(attacked)}`)
}

if (values.serve !== undefined) await serve(Number(values.serve))
else {
  const made = await generate([{ name: 'commonName', value: host }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [host, ...hostNames].map((value) => ({ type: 2, value })) }]
  })
  const key = createPrivateKey(made.private).export({ type: 'pkcs8', format: 'pem' })
  const hosts = fork(new URL('hostile-hosts.mjs', import.meta.url), [JSON.stringify([key, made.cert])])
  const ports = await new Promise((done) => hosts.once('message', done))
  console.log(`Node ${process.version}, OpenSSL ${process.versions.openssl}, ${values.dist}`)
  await blocks(ports, made.cert)
  console.log(`\nA good Basic client, 20 requests a second: 50th, 90th, 99th percentile, longest`)
  for (const name of [
    'TLS 1.2, DHE of 10,000 bits',
    '10 certificates of RSA-3072, e of 3,071 bits',
    '8 certificates of DSA-10000'
  ])
    await beside(name, ports[name])
  hosts.disconnect()
}

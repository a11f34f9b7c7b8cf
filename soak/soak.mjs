// A load test: good and hostile clients at once, slow and broken connections, a key host that is up and down by turns,
// and a Redis that is killed and started again. Needs redis-server. npm run build && node soak/soak.mjs --minutes 10
//
// Holds: every good request that could be served was served, no assertion was accepted twice, nothing reached the error
// handler, and at the end the server holds no more than at the beginning.
import { fork, spawn } from 'node:child_process'
import { createHmac, generateKeyPairSync, randomBytes, randomInt, randomUUID, scryptSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { generate } from 'selfsigned'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const duration = Number(values.minutes) * 60_000
const issuer = 'https://as.example.com'
const host = '127.0.0.1'

// Clients

const makePair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const [pair, stranger] = [makePair(), makePair()]
const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }
const secret = randomBytes(32).toString('base64url')
const keyMethod = { token_endpoint_auth_method: 'private_key_jwt' }
const keyHost = { name: 'keys.example.com' }

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
function assertion(clientId, { alg = 'ES256', kid = 'k', key = pair.privateKey, ...more } = {}) {
  // Short-lived, so that what is remembered reaches its full number soon
  const claims = { iss: clientId, sub: clientId, aud: issuer, jti: randomUUID(), exp: Date.now() / 1000 + 15, ...more }
  const input = `${encode({ alg, kid })}.${encode(claims)}`
  const signature =
    alg === 'HS256'
      ? createHmac('sha256', key).update(input).digest()
      : sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
const formOf = (client_assertion) => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion
})
const basic = (id, password) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`
const pick = (list) => list[randomInt(list.length)]

const good = [
  () => ({ path: '/memory', authorization: basic('basic', secret) }),
  () => ({ path: '/memory', form: { client_id: 'post', client_secret: secret } }),
  () => ({ path: '/hashed', authorization: basic('hashed', secret) }),
  () => ({ path: '/memory', form: formOf(assertion('key')) }),
  () => ({ path: '/memory', form: formOf(assertion('hmac', { alg: 'HS256', key: secret })) }),
  () => ({ path: '/redis', form: formOf(assertion('key')) }),
  () => ({ path: '/redis', form: formOf(assertion('hmac', { alg: 'HS256', key: secret })) }),
  () => ({ path: '/uri', form: formOf(assertion('uri')) })
]
const hostile = [
  () => ({ path: '/memory', authorization: basic('basic', 'wrong') }),
  () => ({ path: '/memory', authorization: 'Basic !!!' }),
  () => ({ path: '/memory', authorization: basic('nobody', secret), form: { client_secret: secret } }),
  () => ({ path: '/hashed', authorization: basic(pick(['hashed', 'nobody']), randomUUID()) }),
  () => ({ path: pick(['/memory', '/redis', '/uri']), form: formOf(assertion('key', { key: stranger.privateKey })) }),
  () => ({ path: '/uri', form: formOf(assertion('uri', { kid: randomUUID(), key: stranger.privateKey })) }),
  () => ({ path: '/uri', form: formOf(assertion('uri', { kid: undefined, key: stranger.privateKey })) }),
  () => ({ path: '/memory', form: formOf(assertion('key', { exp: 1 })) }),
  () => ({ path: '/memory', form: formOf(randomBytes(100).toString('base64url')) }),
  () => ({ path: '/memory', body: 'client_id=a&client_id=b' }),
  () => ({ path: '/memory', body: Buffer.alloc(200_000, 'a') }),
  () => ({ path: '/memory', body: randomBytes(100), type: 'application/json' }),
  () => ({ path: '/memory', body: randomBytes(100), coding: 'gzip' })
]

// What came of it

const tally = {
  good: 0,
  unserved: {},
  excused: {},
  refused: 0,
  hostileServed: 0,
  server: {},
  broken: 0,
  slow: 0,
  replays: 0
}
const add = (table, name) => (table[name] = (table[name] ?? 0) + 1)
/** How often each assertion was accepted, for as long as it could be. */
const uses = new Map()
let acceptedTwice = 0
const recent = []

function accepted({ form }) {
  const token = form?.client_assertion
  if (token === undefined) return
  const times = (uses.get(token) ?? 0) + 1
  if (times > 1) acceptedTwice++
  uses.set(token, times)
  setTimeout(() => uses.delete(token), 120_000).unref()
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
let port

function open({ path, authorization, type = 'application/x-www-form-urlencoded', coding, length }) {
  const headers = {
    'content-type': type,
    ...(authorization === undefined ? {} : { authorization }),
    ...(coding === undefined ? {} : { 'content-encoding': coding }),
    ...(length === undefined ? {} : { 'content-length': length })
  }
  return request({ host, port, agent, method: 'POST', path, headers })
}
const bodyOf = ({ form = {}, body = new URLSearchParams(form).toString() }) => body

/** The status, or the code of the error. */
async function answerTo(req) {
  try {
    const [response] = await once(req, 'response')
    response.resume()
    await once(response, 'end')
    return response.statusCode
  } catch (error) {
    return error.code ?? 'error'
  }
}

async function send(one) {
  const req = open(one)
  const answer = answerTo(req)
  req.end(bodyOf(one))
  return answer
}

/** In drips over a second or two. */
async function sendSlowly(one) {
  const body = Buffer.from(bodyOf(one))
  const req = open({ ...one, length: body.length })
  const answer = answerTo(req)
  for (let at = 0; at < body.length; at += 100) {
    req.write(body.subarray(at, at + 100))
    await wait(randomInt(50, 400))
  }
  req.end()
  return answer
}

async function breakOff(one) {
  const req = open({ ...one, length: 5000 })
  const answer = answerTo(req)
  req.write(Buffer.from(bodyOf(one)).subarray(0, 4000))
  await wait(randomInt(300))
  req.destroy()
  await answer
}

async function sendNoise() {
  const socket = connect(port, host).on('error', () => undefined)
  socket.write(
    pick(['GET / HTTP/1.1\r\n', 'POST /memory HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na', randomBytes(50)])
  )
  await wait(randomInt(500))
  socket.destroy()
}

// The outages

let redisDown = { from: Infinity, to: Infinity }
/** A request that was under way while Redis was not there could not be served. */
const couldNotBeServed = (path, from, to) => path === '/redis' && from < redisDown.to && to > redisDown.from

async function freePort() {
  const server = createTcpServer().listen(0, host)
  await once(server, 'listening')
  const { port: free } = server.address()
  server.close()
  return free
}

const directory = mkdtempSync(join(tmpdir(), 'soak-redis-'))
let redis, server
process.on('exit', () => {
  redis?.kill('SIGKILL')
  server?.kill()
  rmSync(directory, { recursive: true, force: true })
})
async function startRedis(redisPort) {
  const kept = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  redis = spawn('redis-server', ['--port', redisPort, '--bind', host, '--dir', directory, ...kept], { stdio: 'ignore' })
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(redisPort, host).on('error', () => undefined)
    socket.write('PING\r\n')
    const [reply] = await Promise.race([once(socket, 'data').catch(() => ['']), wait(200, [''])])
    socket.destroy()
    if (String(reply).startsWith('+PONG')) return
    await wait(50)
  }
  throw new Error('redis-server did not start')
}
async function stopRedis() {
  const ended = once(redis, 'exit')
  redis.kill('SIGKILL')
  await ended
}

let outages = 0
async function restartRedis(redisPort) {
  redisDown = { from: Date.now(), to: Infinity }
  await stopRedis()
  await wait(3000)
  await startRedis(redisPort)
  // Its client needs a moment to find it again
  redisDown.to = Date.now() + 2000
  outages++
}

const json = { 'content-type': 'application/json' }
const moods = {
  well: (res) => res.writeHead(200, json).end(JSON.stringify({ keys: [jwk] })),
  broken: (res) => res.writeHead(500).end(),
  garbage: (res) => res.writeHead(200, json).end(randomBytes(200)),
  private: (res) => res.writeHead(200, json).end(JSON.stringify({ keys: [pair.privateKey.export({ format: 'jwk' })] })),
  gone: (res) => res.destroy(),
  silent: () => undefined,
  flood: (res) => {
    res.writeHead(200, json)
    const more = () => !res.destroyed && res.write('x'.repeat(10_000), () => setImmediate(more))
    more()
  }
}
let mood = 'well'
async function serveKeys() {
  const { cert, private: key } = await generate([{ name: 'commonName', value: keyHost.name }], {
    ...{ keyType: 'ec', notAfterDate: new Date(Date.now() + 86_400_000) },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: keyHost.name }] }]
  })
  const server = createHttpsServer({ key, cert }, (_req, res) => moods[mood](res))
  server.listen(0, host)
  await once(server, 'listening')
  Object.assign(keyHost, { port: server.address().port, cert })
}

// The run

const redisPort = await freePort()
await startRedis(redisPort)
await serveKeys()
const clients = [
  { client_id: 'basic', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'hashed', client_secret: scryptSync(secret, 'salt', 32).toString('hex') },
  { client_id: 'hmac', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'key', jwks: { keys: [jwk] }, ...keyMethod },
  { client_id: 'uri', jwks_uri: `https://${keyHost.name}:${keyHost.port}/jwks`, ...keyMethod }
]
server = fork(
  new URL('./soak-server.mjs', import.meta.url),
  [JSON.stringify({ issuer, clients, redisPort, keyHost })],
  { execArgv: ['--expose-gc'] }
)
;[{ port }] = await once(server, 'message')
const ask = async () => {
  server.send('report')
  const [report] = await once(server, 'message')
  return report
}
if ((await send(good.at(-1)())) !== 200) throw new Error('the key set cannot be had') // before its host flaps
const before = await ask()

const until = Date.now() + duration
const running = () => Date.now() < until
const repeat = async (count, pause, work) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      while (running()) {
        await work()
        await wait(randomInt(pause))
      }
    })
  )

async function tryGood(how) {
  const one = pick(good)()
  const from = Date.now()
  const status = await how(one)
  if (status === 200) {
    tally.good++
    accepted(one)
    if (one.form?.client_assertion !== undefined) recent[randomInt(200)] = one
  } else if (couldNotBeServed(one.path, from, Date.now())) {
    add(tally.excused, `${one.path} ${status}`)
    if (status === 503) recent[randomInt(200)] = one // it may be taken once, or not
  } else {
    add(tally.unserved, `${one.path} ${status}`)
  }
}

async function tryHostile() {
  const status = await send(pick(hostile)())
  if (status === 200) tally.hostileServed++
  else if (typeof status !== 'number') add(tally.server, status)
  else if (status >= 500) add(tally.server, String(status))
  else tally.refused++
}

/** Several at once, soon and late, also after Redis came back. */
async function tryReplay() {
  const one = recent[randomInt(200)]
  if (one === undefined) return
  const statuses = await Promise.all([send(one), send(one)])
  for (const status of statuses) {
    tally.replays++
    if (status === 200) accepted(one)
  }
}

const flap = async () => {
  while (running()) {
    mood = 'well'
    await wait(randomInt(3000, 6000))
    mood = pick(Object.keys(moods))
    await wait(randomInt(2000, 8000))
  }
}
const restarts = async () => {
  while (running()) {
    await wait(Math.min(30_000, duration / 4))
    if (running()) await restartRedis(redisPort)
  }
}
const minutes = []
const watch = async () => {
  while (running()) {
    await wait(Math.min(10_000, duration / 6))
    const { heapUsed, external, rss, handles } = await ask()
    const total = Object.values(handles).reduce((sum, count) => sum + count, 0)
    minutes.push({ heap: (heapUsed + external) / 2 ** 20, rss: rss / 2 ** 20, handles: total })
  }
}

await Promise.all([
  repeat(6, 60, () => tryGood(send)),
  repeat(10, 500, async () => {
    tally.slow++
    await tryGood(sendSlowly)
  }),
  repeat(6, 60, tryHostile),
  repeat(2, 60, tryReplay),
  repeat(6, 300, async () => {
    tally.broken++
    await pick([breakOff, sendNoise])(pick(good)())
  }),
  flap(),
  restarts(),
  watch()
])
agent.destroy()
await wait(Math.min(12_000, duration)) // what was left open has run into its time
const after = await ask()

const mean = (list, name) => list.reduce((sum, one) => sum + one[name], 0) / list.length
const show = (list) =>
  `heap ${mean(list, 'heap').toFixed(1)} MB, rss ${mean(list, 'rss').toFixed(0)} MB, ${mean(list, 'handles').toFixed(0)} handles`
const [first, second, last] = [minutes.slice(0, 6), minutes.slice(6, 12), minutes.slice(-6)]
console.log(JSON.stringify({ ...tally, acceptedTwice, redisOutages: outages }, null, 2))
console.log('server:', JSON.stringify(after.counts, null, 2))
console.log(`first minute: ${show(first)}\nlast minute:  ${show(last)}`)
console.log(`handles before: ${JSON.stringify(before.handles)}\nhandles after:  ${JSON.stringify(after.handles)}`)

const faults = [
  Object.keys(tally.unserved).length > 0 && 'good requests were not served',
  acceptedTwice > 0 && 'an assertion was accepted twice',
  tally.hostileServed > 0 && 'a hostile request was served',
  after.counts.passedOn + after.counts.unhandled > 0 && 'something reached the error handler',
  second.length > 0 && mean(last, 'heap') - mean(second, 'heap') > 10 && 'memory grows',
  (after.handles.TCPSocketWrap ?? 0) > (before.handles.TCPSocketWrap ?? 0) && 'sockets are left'
].filter(Boolean)
console.log(faults.length === 0 ? 'all held' : faults.join('\n'))
process.exitCode = faults.length === 0 ? 0 : 1

process.exit()

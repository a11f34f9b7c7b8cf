// What clients that nobody registered cost those that are registered. Build first.
//
//   node bench/documents.mjs [--ids 1000000] [--seconds 60] [--only flood,valid,keys] [--dist path]
//
// flood  so many distinct URL ids at the token endpoint, under a list of hosts and under 'anyone'; beside them, for
//        comparison, a tenth as many unknown ids that are no URLs
// valid  for so many seconds 300 valid documents of strangers a minute, in a cache of 100: does a named client's stay?
// keys   44 documents whose jwks_uris are hostile TLS servers, while registered clients need key sets of their own
//
// All servers are on loopback, each in a process of its own: the server under attack, the hosts of documents and keys,
// and the hostile hosts of hostile-hosts.mjs.
import { fork } from 'node:child_process'
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { generate } from 'selfsigned'
import { attackers, issuer, keysHost, named, partners, secret, strangers } from './documents-server.mjs'

const { values } = parseArgs({
  options: {
    ids: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string', default: 'flood,valid,keys' },
    dist: { type: 'string', default: new URL('../dist', import.meta.url).pathname }
  }
})

// The clients

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }
const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
function signed(id, isForged = false) {
  const claims = { iss: id, sub: id, aud: issuer, jti: randomUUID(), exp: Math.floor(Date.now() / 1000) + 60 }
  const input = `${encode({ alg: 'ES256', kid: 'k' })}.${encode(claims)}`
  const signature = isForged
    ? Buffer.alloc(64, 1)
    : sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return { form: { client_assertion_type, client_assertion: `${input}.${signature.toString('base64url')}` } }
}
const byBasic = () => ({ headers: { authorization: `Basic ${btoa(`basic:${secret}`)}` }, form: {} })

const agent = new Agent({ keepAlive: true })
function post(port, { headers = {}, form }) {
  const started = performance.now()
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', headers: { ...type, ...headers } })
    sent.on('error', reject).on('response', (answer) => {
      answer.resume().on('end', () => resolve({ status: answer.statusCode, ms: performance.now() - started }))
    })
    sent.end(new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString())
  })
}

/** 20 requests a second of registered clients, by turns by Basic and by a key, until `isOver()`. */
async function registeredClients(port, isOver) {
  const answers = []
  for (let i = 0; !isOver(); i++) {
    answers.push(post(port, i % 2 === 0 ? byBasic() : signed('key')))
    await wait(50)
  }
  return Promise.all(answers)
}

/** What registered clients get while `work` is under way. */
async function beside(port, work) {
  let isOver = false
  const clients = registeredClients(port, () => isOver)
  const result = await work()
  isOver = true
  return { result, answers: await clients }
}

/** So many requests with distinct ids, each of 16 connections one at a time. By bare sockets, to be faster than the server. */
async function flood(port, count, idOf) {
  const statuses = {}
  let next = 0
  const head = 'POST / HTTP/1.1\r\nhost: as\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: '
  const work = () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let answer = ''
      const ask = () => {
        if (next >= count) {
          socket.end(resolve)
          return
        }
        const body = `client_id=${encodeURIComponent(idOf(next++))}`
        socket.write(`${head}${body.length}\r\n\r\n${body}`)
      }
      socket.on('error', reject).on('connect', ask).setEncoding('latin1')
      socket.on('data', (text) => {
        answer += text
        if (!answer.includes('}')) return // the last character of a refusal, which has a Content-Length
        const status = answer.slice(9, 12)
        statuses[status] = (statuses[status] ?? 0) + 1
        answer = ''
        ask()
      })
    })
  const started = performance.now()
  await Promise.all(Array.from({ length: 16 }, work))
  return { statuses, seconds: (performance.now() - started) / 1000 }
}

// The program

const children = []
/** Forks a program of this folder. `ready`: what it sends first. */
function start(file, ...args) {
  const child = fork(new URL(file, import.meta.url), args, { execArgv: ['--expose-gc'] })
  children.push(child)
  const next = () => new Promise((done) => child.once('message', done))
  return { ready: next(), ask: (question = '') => (child.send(question), next()), stop: () => child.disconnect() }
}
const startServer = (role, config) => start('documents-server.mjs', role, JSON.stringify(config))

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
const MB = (octets) => `${(octets / 1048576).toFixed(1)} MB`
function tell(name, answers) {
  const times = answers.map(({ ms }) => ms).toSorted((a, b) => a - b)
  const cells = [0.5, 0.99, 1].map((q) => `${quantile(times, q).toFixed(1)} ms`.padStart(10)).join('')
  const refused = answers.filter(({ status }) => status !== 200).length
  console.log(`  ${name.padEnd(44)}${cells}   ${answers.length} requests, ${refused} refused`)
}
const counts = (object) =>
  Object.entries(object)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ') || 'none'
const seconds = Number(values.seconds)

/** A new server under attack, and what has changed at its end. */
async function attacked(world, config, work) {
  const server = startServer('server', { ...world, ...config, dist: values.dist })
  const port = await server.ready
  await beside(port, () => flood(port, 20_000, (i) => `warm-${i}`))
  const hostsBefore = await world.hosts.ask()
  const before = await server.ask()
  await work(port, server)
  const after = await server.ask()
  const hostsAfter = await world.hosts.ask()
  const made = (kind) => (hostsAfter[kind] ?? 0) - (hostsBefore[kind] ?? 0)
  console.log(
    `  fetches made: ${made('strangers')} of strangers, ${made('named')} of ${named}, ${made('registered')} of registered clients`
  )
  const { documents, keysOfDocuments, keySets } = after
  console.log(`  attempts: documents: ${counts(documents)}; their keys: ${counts(keysOfDocuments)};`)
  console.log(`    keys of registered clients: ${counts(keySets)}`)
  console.log(
    `  heap ${MB(before.heapUsed)} before, ${MB(after.heapUsed)} after; resident ${MB(before.rss)}, ${MB(after.rss)}`
  )
  console.log(
    `  replay store: ${after.replay.registered} uses of registered clients, ${after.replay.strangers} of strangers`
  )
  server.stop()
}

async function floods(world) {
  const ids = Number(values.ids)
  const hosts = [...strangers, ...partners]
  const urlOf = (i) => `https://${hosts[i % hosts.length]}:${world.port}/${i}`
  for (const allow of [[named, '*.partner.example'], 'anyone']) {
    console.log(`\n${ids} distinct URL ids, allow: ${JSON.stringify(allow)}`)
    await attacked(world, { allow }, async (port) => {
      tell('registered clients alone', await registeredClients(port, endAfter(5)))
      const control = await beside(port, () => flood(port, Math.ceil(ids / 10), (i) => `nobody-${i}`))
      tell('beside ids that are no URLs', control.answers)
      const { result, answers } = await beside(port, () => flood(port, ids, urlOf))
      tell('beside URL ids', answers)
      console.log(
        `  answers: ${counts(result.statuses)}, in ${result.seconds.toFixed(0)} s (${Math.round(ids / result.seconds)} a second)`
      )
    })
  }
}

function endAfter(seconds) {
  const end = performance.now() + seconds * 1000
  return () => performance.now() >= end
}

async function validDocuments(world) {
  const count = 5 * seconds
  console.log(`\n${count} valid documents of strangers in ${seconds} s, allow: ["${named}","anyone"], maxEntries 100`)
  const id = `https://${named}:${world.port}/valid/named`
  await attacked(world, { allow: [named, 'anyone'], maxEntries: 100 }, async (port, server) => {
    const statuses = {}
    const note =
      (who) =>
      ({ status }) =>
        (statuses[`${who} ${status}`] = (statuses[`${who} ${status}`] ?? 0) + 1)
    await post(port, signed(id)).then(note('named'))
    const { answers } = await beside(port, async () => {
      const under = []
      for (let i = 0; i < count; i++) {
        const stranger = `https://${strangers[i % 100]}:${world.port}/valid/${i}`
        under.push(post(port, signed(stranger)).then(note('stranger')))
        if (i % 25 === 24) under.push(post(port, signed(id)).then(note('named')))
        await wait(200)
      }
      await Promise.all(under)
    })
    tell('registered clients', answers)
    const { isCached } = await server.ask(id)
    console.log(`  answers: ${counts(statuses)}; the named document is ${isCached ? 'still cached' : 'LOST'}`)
  })
}

async function hostileKeys(world) {
  const kinds = Object.values(world.hostile).filter((port) => port !== undefined)
  console.log(
    `\n44 documents of strangers whose jwks_uris are ${kinds.length} kinds of hostile TLS servers, allow: "anyone"`
  )
  const config = { allow: 'anyone', hostilePorts: kinds }
  await attacked(world, config, async (port) => {
    let next = 0
    /** Each second a registered client whose key set was never had. */
    const firstLoads = async (isOver) => {
      const under = []
      while (!isOver()) {
        under.push(post(port, signed(`uri-${next++}`)))
        await wait(1000)
      }
      return Promise.all(under)
    }
    await post(port, signed(`uri-${next++}`)) // starts the process that fetches
    const quiet = await beside(port, () => firstLoads(endAfter(seconds / 4)))
    tell('quiet: registered clients', quiet.answers)
    tell('quiet: with a key set that was never had', quiet.result)
    const isOver = endAfter(seconds / 2)
    const statuses = {}
    const attack = async () => {
      const under = []
      for (let i = 0; !isOver(); i++) {
        const kind = kinds[i % kinds.length]
        const id = `https://${strangers[i % 44]}:${world.port}/hostile/${kind}/${i % 44}`
        under.push(post(port, signed(id, true)).then(({ status }) => (statuses[status] = (statuses[status] ?? 0) + 1)))
        await wait(100)
      }
      await Promise.all(under)
    }
    const attacking = attack()
    const loud = await beside(port, () => firstLoads(isOver))
    await attacking
    tell('attacked: registered clients', loud.answers)
    tell('attacked: with a key set that was never had', loud.result)
    console.log(`  answers to the strangers: ${counts(statuses)}`)
  })
}

async function main() {
  const wanted = values.only.split(',')
  const started = performance.now()
  const altNames = [named, keysHost, '*.stranger.net', '*.partner.example'].map((value) => ({ type: 2, value }))
  const made = await generate([{ name: 'commonName', value: named }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames }]
  })
  const tls = { key: made.private, cert: made.cert }
  const hosts = startServer('hosts', { ...tls, jwk })
  const world = { port: await hosts.ready, ca: made.cert, jwk, hosts, hostilePorts: [1], hostile: {} }
  console.log(`Node ${process.version}, OpenSSL ${process.versions.openssl}, ${values.dist}`)
  console.log('Times of registered clients, 20 requests a second: median, 99th percentile, longest')
  if (wanted.includes('flood')) await floods(world)
  if (wanted.includes('valid')) await validDocuments(world)
  if (wanted.includes('keys')) {
    const rsa = await generate([{ name: 'commonName', value: attackers[0] }], { keySize: 2048, algorithm: 'sha256' })
    const pair = JSON.stringify([rsa.private, rsa.cert])
    const hostile = start('hostile-hosts.mjs', pair, JSON.stringify(attackers))
    await hostileKeys({ ...world, hostile: await hostile.ready })
  }
  console.log(`\n${Math.round((performance.now() - started) / 1000)} s in all`)
  for (const child of children) if (child.connected) child.disconnect()
  agent.destroy()
}

await main()

// What the recorder of refusals costs: 200 refusals a second beside a good client, with it and without it.
// node bench/recorder.mjs [--seconds N] [--rounds N], after npm run build.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { localMeter } from './measure.mjs'

const file = fileURLToPath(import.meta.url)
const issuer = 'https://as.example.com'
const secret = 'a-good-secret-of-more-than-thirty-two-octets'
const clients = Array.from({ length: 50 }, (_, index) => ({ client_id: `client-${index}`, client_secret: secret }))

/** The token endpoint, in a process of its own; `how`: no recorder, one, or one that looks for near misses. */
async function serve(how) {
  const require = createRequire(new URL('../package.json', import.meta.url))
  const { clientAuth, recordRefusals } = require('./dist/lib/index.js')
  const express = require('express')
  const byId = new Map(clients.map((client) => [client.client_id, client]))
  const authenticate = clientAuth({ issuer, getClient: (id) => byId.get(id) })
  const out = createWriteStream('/dev/null')
  let [records, octets] = [0, 0]
  const log = (refusal) => {
    const line = `${JSON.stringify(refusal)}\n`
    records++
    octets += line.length
    out.write(line)
  }
  let recorder = { dropped: 0 }
  const app = express().post('/token', authenticate, (_req, res) => res.json({}))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const meter = localMeter()
  process.on('message', (message) => {
    if (message === 'start') {
      // Only now, since what it records is counted by the minute
      if (how !== 'none')
        recorder = recordRefusals({ explain: authenticate.explain, log, nearMisses: how === 'near misses' })
      meter.start()
    } else {
      process.send({ load: meter.stop().main, records, octets, dropped: recorder.dropped })
    }
  })
  process.send({ port: server.address().port })
}

const agent = new Agent({ keepAlive: true })
const basic = (id, given) => `Basic ${Buffer.from(`${id}:${given}`).toString('base64')}`

/** One request; the milliseconds until its answer has ended. */
async function post(port, authorization, body = 'grant_type=client_credentials') {
  const start = performance.now()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...(authorization ? { authorization } : {}) }
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST', path: '/token', agent, headers })
  outgoing.end(body)
  const [answer] = await once(outgoing, 'response')
  await once(answer.resume(), 'end')
  return { ms: performance.now() - start, status: answer.statusCode }
}

/** A stranger's flood: wrong secrets of many clients, made-up ids, assertions that no key verifies, nothing at all. */
const refusals = [
  (port, n) => post(port, basic(`client-${n % 50}`, `wrong ${n}`)),
  (port, n) => post(port, basic(`made-up-${n}`, 'x')),
  (port, n) => {
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: `c${n}`, sub: `c${n}`, aud: `${issuer}/token`, exp: Math.floor(Date.now() / 1000) + 60 }
    const token = `${encode({ alg: 'ES256' })}.${encode(claims)}.${'A'.repeat(86)}`
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    return post(port, undefined, String(new URLSearchParams({ client_assertion_type: type, client_assertion: token })))
  },
  (port) => post(port, undefined)
]

/** Sends `rate` requests a second at even times, whether earlier ones have been answered or not. */
async function pace(rate, seconds, send) {
  const start = performance.now()
  const sent = []
  for (let n = 0; n < rate * seconds; n++) {
    const due = start + (n * 1000) / rate
    if (due > performance.now()) await wait(due - performance.now())
    sent.push(send(n))
  }
  return Promise.all(sent)
}

async function round(how, seconds) {
  const child = fork(file, ['--serve', how])
  const [{ port }] = await once(child, 'message')
  const good = (n) => post(port, basic(`client-${n % 50}`, secret))
  const both = (duration) =>
    Promise.all([pace(50, duration, good), pace(200, duration, (n) => refusals[n % refusals.length](port, n))])
  await both(2) // warm
  child.send('start')
  const [times, refused] = await both(seconds)
  child.send('stop')
  const [told] = await once(child, 'message')
  child.kill()
  await once(child, 'exit')
  if (times.some(({ status }) => status !== 200) || refused.some(({ status }) => status < 400))
    throw new Error('a good client was refused, or a bad one accepted')
  return { ...told, times: times.map(({ ms }) => ms), load: told.load / seconds / 10_000 }
}

const quantile = (sorted, q) => sorted[Math.ceil(sorted.length * q) - 1]

async function measure({ seconds, rounds }) {
  const kinds = ['none', 'recorder', 'near misses']
  const all = new Map(kinds.map((how) => [how, []]))
  for (let n = 0; n < rounds; n++)
    for (const how of n % 2 ? kinds.toReversed() : kinds) all.get(how).push(await round(how, seconds))
  console.log(`200 refusals a second beside 50 good requests, ${rounds} rounds of ${seconds} s\n`)
  console.log('recorder      main thread  good client: p50     p99    longest  recorded  dropped  octets a record')
  for (const [how, seen] of all) {
    const sum = (name) => seen.reduce((total, one) => total + one[name], 0)
    const times = seen.flatMap((one) => one.times).sort((a, b) => a - b)
    const [p50, p99, longest] = [0.5, 0.99, 1].map((q) => `${quantile(times, q).toFixed(1)} ms`.padStart(9))
    const load = `${(sum('load') / rounds).toFixed(1)} %`.padStart(8)
    const size = sum('records') === 0 ? '' : Math.round(sum('octets') / sum('records'))
    console.log(
      `${how.padEnd(13)} ${load}        ${p50} ${p99} ${longest}  ${sum('records')}  ${sum('dropped')}  ${size}`
    )
  }
  agent.destroy()
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    serve: { type: 'string' }
  }
})
if (values.serve === undefined) await measure({ seconds: Number(values.seconds), rounds: Number(values.rounds) })
else await serve(values.serve)

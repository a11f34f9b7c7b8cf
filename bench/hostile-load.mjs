// What hostile-tls.mjs and hostile-minutes.mjs share: the hosts, the server under attack, and who asks it.
import { fork } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { request } from 'node:http'
import https from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { generate } from 'selfsigned'

export const issuer = 'https://as.example.com'

export const quantile = (values, q) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]
export const ms = (value) => (value === undefined ? '-' : `${value.toFixed(value < 10 ? 1 : 0)} ms`).padStart(10)
/** 50th, 90th, 99th percentile, longest. */
export const spread = (times) => [0.5, 0.9, 0.99, 1].map((q) => ms(quantile(times, q))).join('')

/** Starts the hostile servers and an honest one; `names` are in the certificate of the latter. */
export async function startHosts(names) {
  const made = await generate([{ name: 'commonName', value: names[0] }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) }]
  })
  const key = createPrivateKey(made.private).export({ type: 'pkcs8', format: 'pem' })
  const hosts = fork(new URL('hostile-hosts.mjs', import.meta.url), [JSON.stringify([key, made.cert])])
  const ports = await new Promise((done) => hosts.once('message', done))
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }] })
  const honest = https.createServer({ key, cert: made.cert }, (_request, response) => {
    response.setHeader('content-type', 'application/json').end(body)
  })
  // On every address: each host has one of its own on the loopback interface
  await new Promise((done) => honest.listen(0, '0.0.0.0', done))
  const stop = () => {
    hosts.disconnect()
    honest.close()
    honest.closeAllConnections()
  }
  return { ports, honestPort: honest.address().port, ca: made.cert, privateKey, stop }
}

/** Starts the server under attack; `onEvent` is told each event of its processes that fetch, and each failed fetch. */
export async function startApp(dist, hosts, onEvent = () => {}) {
  const app = fork(new URL('hostile-app.mjs', import.meta.url), [JSON.stringify({ dist, issuer, hosts })])
  const port = await new Promise((done) => app.once('message', (told) => done(told.port)))
  let onCpu
  app.on('message', (told) => ('cpu' in told ? onCpu(told.cpu) : onEvent(told)))
  const cpu = () => {
    app.send('cpu')
    return new Promise((done) => (onCpu = done))
  }
  return { port, cpu, stop: () => app.disconnect() }
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

/** 20 good requests a second until `isOver`: how long each took. */
export async function goodClient(port, isOver) {
  const authorization = `Basic ${Buffer.from('good:a+secret+of+at+least+thirty-two+octets').toString('base64')}`
  const times = []
  while (!isOver()) {
    times.push(post(port, { authorization }, 'grant_type=client_credentials').then(({ ms }) => ms))
    await wait(50)
  }
  return Promise.all(times)
}

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** One request of a client whose key set must be had, signed by `privateKey`; without it, by nobody. */
export function askSigned(port, clientId, privateKey) {
  const claims = { iss: clientId, sub: clientId, aud: issuer, jti: randomUUID(), exp: Date.now() / 1000 + 60 }
  const content = `${encode({ alg: 'ES256', kid: 'k' })}.${encode(claims)}`
  const signature = privateKey
    ? sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    : Buffer.alloc(64, 1)
  const client_assertion = `${content}.${signature.toString('base64url')}`
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return post(port, {}, new URLSearchParams({ client_assertion_type, client_assertion }).toString())
}

// Real client libraries, run for real against a token endpoint on loopback. docs/clients.md is written from this.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { clientAuth, type OAuthClient } from '../../lib'
import { makeAuthority, makeCertificate } from '../support/tls-certificates'
import { realClients, versionOf, type RealClient } from './client-list'
import { cellsOf, markdown, rowsOf, traits, type Row, type Trait, type Verdict } from './matrix'
import { RunningClient } from './running-client'

const page = join(__dirname, '../../docs/clients.md')
const required = process.env.REQUIRE_CLIENTS === '1'
const versions = new Map<string, string>()
for (const client of realClients) {
  const version = versionOf(client)
  if (version !== undefined) versions.set(client.name, version)
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'key-1' }
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'key-1' }] }
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' })

/** What the server knows and sees of one case. */
interface Seen {
  client: OAuthClient
  events: { reason?: string; method?: string }[]
  audience?: unknown
  told?: string
}
let seen: Seen = { client: { client_id: 'nobody' }, events: [] }
const issued = new Map<string, string>()
subscribe('oauth-client-auth:authenticated', (event) => seen.events.push(event as object))
subscribe('oauth-client-auth:rejected', (event) => seen.events.push(event as object))

const folder = mkdtempSync(join(tmpdir(), 'real-clients-'))
const ca = join(folder, 'ca.pem')
const servers: Server[] = []
let http: string
let https: string

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

const tokenPaths = ['/token', '/oauth/token', '/oauth2/v1/token']

/** The token endpoint under the paths that clients insist on, discovery for msal, and an API for auth0. */
function application(): express.Express {
  const app = express()
  const legacyAudiences = [http, https].flatMap((origin) => tokenPaths.map((path) => origin + path))
  const authenticateClient = clientAuth({
    issuer: https,
    legacyAudiences: [...legacyAudiences, `${https}/`],
    getClient: (clientId) => (clientId === seen.client.client_id ? seen.client : undefined),
    onError: (error, _req, res) => {
      seen.told ??= error.message
      res.statusCode = error.status
      res.setHeader('Content-Type', 'application/json').end(JSON.stringify(error))
    }
  })
  app.post(tokenPaths, authenticateClient, (req, res) => {
    const access_token = randomBytes(16).toString('hex')
    issued.set(access_token, req.oauthClient?.client_id ?? '')
    seen.audience = req.oauthClientAuth?.assertion?.claims.aud
    res.json({ access_token, token_type: 'Bearer', expires_in: 300 })
  })
  app.get(/\/\.well-known\/openid-configuration$/, (_req, res) => {
    const [authorization_endpoint, token_endpoint, jwks_uri] = ['/authorize', '/token', '/jwks'].map(
      (path) => https + path
    )
    res.json({ issuer: https, authorization_endpoint, token_endpoint, jwks_uri })
  })
  app.get(/^\/api\//, (req, res) => res.json({ token: req.get('authorization')?.slice('Bearer '.length) }))
  return app
}

beforeAll(async () => {
  const authority = await makeAuthority()
  const certificate = await makeCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] })
  writeFileSync(ca, authority.cert)
  const [plain, secure] = [createServer(), createHttpsServer(certificate)]
  http = `http://127.0.0.1:${await listen(plain)}`
  https = `https://localhost:${await listen(secure)}`
  const app = application()
  plain.on('request', app)
  secure.on('request', app)
})

afterAll(() => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  rmSync(folder, { recursive: true })
})

const ordinary = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJ'
const record = (method: string, { id = '', secret = '' }: Trait): OAuthClient => ({
  client_id: `client${id}id`,
  token_endpoint_auth_method: method,
  client_secret: `${ordinary.slice(0, 18)}${secret}${ordinary.slice(18)}`,
  jwks
})

const audienceName = (aud: unknown): string | undefined => {
  const names = { [https]: 'issuer', [`${https}/`]: 'issuer with `/`', undefined: undefined }
  return String(aud) in names ? names[String(aud)] : 'token endpoint'
}

/** A secret matters to all methods but private_key_jwt, a second token to assertions alone. */
const applies = ({ again }: RealClient, method: string, trait: Trait): boolean =>
  trait.again === true
    ? again === true && method.endsWith('_jwt')
    : method !== 'private_key_jwt' || trait.secret === undefined

async function judge(running: RunningClient, client: RealClient, method: string, trait: Trait): Promise<Verdict> {
  const current = record(method, trait)
  seen = { client: current, events: [] }
  const origin = client.https === true ? https : http
  const one = {
    ...current,
    method,
    jwk,
    pem,
    issuer: https,
    origin,
    token_endpoint: `${origin}/token`,
    again: trait.again
  }
  const { token, error } = await running.ask(one)
  const { events, told, audience } = seen
  const refusal = events.find(({ reason }) => reason !== undefined)
  if (refusal?.reason !== undefined)
    return { verdict: refusal.reason, ...(told === undefined ? {} : { description: told }) }
  if (events.length === 0) return { verdict: 'refused by the client', description: error ?? '' }
  // Only a token that was issued to this client, by this method, counts.
  const right = token !== undefined && issued.get(token) === current.client_id && events.at(-1)?.method === method
  if (!right) return { verdict: `wrong: ${error ?? 'another client or method'}` }
  const aud = audienceName(audience)
  return { verdict: 'ok', ...(aud === undefined ? {} : { aud }) }
}

const rows: Row[] = []

async function runClient(client: RealClient): Promise<Row[]> {
  const env = {
    NODE_EXTRA_CA_CERTS: ca,
    REQUESTS_CA_BUNDLE: ca,
    OAUTHLIB_INSECURE_TRANSPORT: '1',
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    GOCACHE: join(folder, 'go'),
    NO_PROXY: '*',
    PYTHONDONTWRITEBYTECODE: '1'
  }
  const running = new RunningClient(client, env)
  const found: Row[] = []
  try {
    for (const method of client.methods) {
      const verdicts = new Map<string, Verdict>()
      for (const trait of traits.filter((each) => applies(client, method, each))) {
        verdicts.set(trait.title, await judge(running, client, method, trait))
      }
      found.push({ client, method, verdicts })
    }
  } finally {
    running.end()
  }
  return found
}

const updating = process.env.UPDATE === '1'

async function holds(client: RealClient): Promise<void> {
  const found = await runClient(client)
  rows.push(...found)
  // By every method that it has, with an ordinary id and secret, each client works.
  expect(found.map(({ method, verdicts }) => [method, verdicts.get('ordinary')?.verdict])).toEqual(
    client.methods.map((method) => [method, 'ok'])
  )
  if (updating) return
  const committed = rowsOf(readFileSync(page, 'utf8'))
  for (const row of found) {
    expect([row.method, cellsOf(row)]).toEqual([row.method, committed.get(`${client.name} ${row.method}`)])
  }
}

for (const client of realClients) {
  const version = versions.get(client.name)
  if (version !== undefined) {
    test(`${client.name} ${version}`, () => holds(client), 180_000)
  } else {
    const from = client.npm === undefined ? `Debian's ${client.debian ?? ''}` : 'the npm packages of __tests__/clients'
    test(`${client.name} is MISSING and was not run: install ${from}`, () => {
      console.warn(`${client.name} is missing and was not run: install ${from}`)
      expect(required || updating).toBe(false)
    })
  }
}

test('docs/clients.md names every client, and no other', () => {
  if (updating) {
    writeFileSync(page, markdown(rows, versions))
    execFileSync('npx', ['oxfmt', page], { stdio: 'ignore' })
  }
  const named = realClients.flatMap(({ name, methods }) => methods.map((method) => `${name} ${method}`))
  expect([...rowsOf(readFileSync(page, 'utf8')).keys()]).toEqual(named)
})

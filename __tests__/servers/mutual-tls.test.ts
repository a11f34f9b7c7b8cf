// Mutual TLS with what stands in front of real deployments: nginx and HAProxy, and TLS in the process; with curl,
// openid-client and oauth4webapi as clients.
import { execFile } from 'node:child_process'
import { existsSync as isThere, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import express from 'express'
import { clientAuth, createTlsCertificates, type ClientCertificates, type OAuthClient } from '../../lib'
import { issuer, jws, makeKey } from '../support/assertions'
import { encoded } from '../support/certificate-headers'
import { certificate, publicJwk } from '../support/client-certificates'
import { haproxy, nginx, startProxy, type ProxyKind, type RunningProxy } from '../support/mutual-tls-proxies'
import { listenHttp, listenTls, send, type Listening } from '../support/mutual-tls-server'
import { describeWith, findProgram } from '../support/own-servers'

const run = promisify(execFile)
const tokenKey = makeKey('ES256')
const clients: OAuthClient[] = [
  {
    client_id: 'bank',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=bank.example,O=Bank AG,C=DE',
    tls_client_certificate_bound_access_tokens: true
  },
  {
    client_id: 'self',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...publicJwk('self-bank'), x5c: [certificate('self-bank').der.toString('base64')] }] },
    tls_client_certificate_bound_access_tokens: true
  }
]

/** A token endpoint: its access token is a JWT with the `cnf` that the middleware gives (RFC 8705 §3.1). */
function application(source: ClientCertificates): express.Express {
  const app = express()
  const authenticate = clientAuth({
    issuer,
    getClient: (id) => clients.find(({ client_id }) => client_id === id),
    methods: ['tls_client_auth', 'self_signed_tls_client_auth', 'client_secret_basic'],
    clientCertificates: source,
    onError: (error, _req, res) => {
      res.writeHead(error.status, { 'Content-Type': 'application/json', 'X-Reason': error.reason })
      res.end(JSON.stringify(error))
    }
  })
  app.post('/token', authenticate, (req, res) => {
    const { clientId, cnf } = req.oauthClientAuth!
    const access_token = jws({ alg: 'ES256', typ: 'at+jwt' }, { sub: clientId, cnf }, 'ES256', tokenKey.privateKey)
    res.json({ access_token, token_type: 'Bearer', expires_in: 60 })
  })
  return app
}

/** What a token is bound to, and whose it is. */
const claimsOf = (token: string): unknown => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
const boundTo = (clientId: string, id: string) => ({ sub: clientId, cnf: { 'x5t#S256': certificate(id).thumbprint } })

const directory = mkdtempSync(join(tmpdir(), 'mutual-tls-'))
afterAll(() => {
  rmSync(directory, { recursive: true })
})

type Result = { token: string } | { error: string }

/** curl with a certificate, or without. */
async function curl(port: number, clientId: string, id?: string, headers: string[] = []): Promise<Result> {
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const identity =
    id === undefined
      ? []
      : ['--cert', file(`${id}.crt.pem`, certificate(id).pem), '--key', file(`${id}.key.pem`, certificate(id).key)]
  const { stdout } = await run('curl', [
    ...['--silent', '--show-error', '--cacert', file('server.pem', certificate('server').pem), ...identity],
    ...headers.flatMap((header) => ['--header', header]),
    ...['--data', `grant_type=client_credentials&client_id=${clientId}`, `https://localhost:${port}/token`]
  ])
  // nginx refuses some certificates, such as expired ones, with a page of its own.
  if (stdout.startsWith('<')) return { error: /<title>(.*)<\/title>/.exec(stdout)?.[1] ?? stdout }
  const { access_token: token, error } = JSON.parse(stdout) as { access_token?: string; error?: string }
  return token === undefined ? { error: String(error) } : { token }
}

/** openid-client or oauth4webapi. */
async function library(name: string, port: number, clientId: string, id: string): Promise<Result> {
  const { key, pem: cert } = certificate(id)
  const asked = { library: name, port, path: '/token', clientId, key, cert, ca: certificate('server').pem }
  const program = join(__dirname, '../support/mutual-tls-client.mjs')
  const { stdout } = await run(process.execPath, [program, JSON.stringify(asked)])
  return JSON.parse(stdout) as Result
}

const wrong: [clientId: string, id: string | undefined][] = [
  ['bank', undefined],
  ['bank', 'shop'],
  ['bank', 'bank-evil'],
  ['bank', 'bank-expired'],
  ['bank', 'self-bank'],
  ['self', undefined],
  ['self', 'self-attacker'],
  ['self', 'bank'],
  ['nobody', 'bank']
]

/** What must hold wherever TLS ends. */
function clientsAt(port: () => number): void {
  test.each([
    ['bank', 'bank'],
    ['self', 'self-bank']
  ])('curl as %s: the token is bound to its certificate', async (clientId, id) => {
    const result = await curl(port(), clientId, id)
    expect('token' in result && claimsOf(result.token)).toEqual(boundTo(clientId, id))
  })

  test.each([
    ['openid-client', 'bank', 'bank'],
    ['openid-client', 'self', 'self-bank'],
    ['oauth4webapi', 'bank', 'bank'],
    ['oauth4webapi', 'self', 'self-bank']
  ])('%s as %s: the token is bound to its certificate', async (name, clientId, id) => {
    const result = await library(name, port(), clientId, id)
    expect('token' in result && claimsOf(result.token)).toEqual(boundTo(clientId, id))
  })

  test.each(wrong)('as %s with the certificate %s: refused', async (clientId, id) => {
    const refusals = [{ error: 'invalid_client' }, { error: '400 The SSL certificate error' }]
    expect(refusals).toContainEqual(await curl(port(), clientId, id))
  })

  test('openid-client with another certificate: refused', async () => {
    // Its own words: it stops at the challenge of the 401.
    expect(await library('openid-client', port(), 'bank', 'shop')).toMatchObject({
      error: expect.stringContaining('challenge')
    })
  })
}

describe('TLS ends in the process', () => {
  const tls = createTlsCertificates({ ca: certificate('ca').pem })
  const profile = { methods: [], source: tls, tls }
  const app = application(tls)
  let watched: Awaited<ReturnType<typeof listenTls>>
  let ordinary: Awaited<ReturnType<typeof listenTls>>
  beforeAll(async () => {
    watched = await listenTls(app, profile)
    ordinary = await listenTls(app, profile, false)
  })
  afterAll(async () => {
    await watched.close()
    await ordinary.close()
  })

  clientsAt(() => watched.port)

  test('the ordinary port of the same app, which is not watched, knows no certificate', async () => {
    expect(await curl(ordinary.port, 'bank', 'bank')).toEqual({ error: 'invalid_client' })
  })
})

function behind(kind: ProxyKind): void {
  const path =
    findProgram(kind.program) ?? ['/usr/sbin', '/usr/local/sbin'].map((at) => join(at, kind.program)).find(isThere)
  describeWith(kind.program, path, 'REQUIRE_PROXIES', () => {
    let backend: Listening<unknown>
    let proxy: RunningProxy
    beforeAll(async () => {
      backend = await listenHttp(application(kind.source))
      proxy = await startProxy(kind, path!, backend.port)
    })
    afterAll(async () => {
      await proxy.stop()
      await backend.close()
    })

    clientsAt(() => proxy.port)

    const stolen = encoded({ encode: 'base64', certificate: 'bank' })
    // Threat 52: a certificate header of the client, sent through a real proxy
    test.each([undefined, 'shop', 'self-attacker'])(
      'a client with the certificate %s that sends the header itself: refused',
      async (id) => {
        const headers = [`X-SSL-Client-Cert: ${stolen}`, 'X-SSL-Client-Verify: SUCCESS', 'x-ssl-client-verify: 0']
        expect(await curl(proxy.port, 'bank', id, headers)).toEqual({ error: 'invalid_client' })
      }
    )

    // Threat 52: a certificate header sent past a real proxy
    test('a direct connection to the backend with the headers of the proxy: refused', async () => {
      const headers: [string, string][] = [
        ['X-SSL-Client-Cert', stolen],
        ['X-SSL-Client-Verify', kind === nginx ? 'SUCCESS' : '0']
      ]
      const form = { grant_type: 'client_credentials', client_id: 'bank' }
      const direct = await send({ port: backend.port, form, headers })
      expect([direct.status, direct.reason]).toEqual([401, 'certificate_proxy'])
      // The very same request from the address of the proxy is let in: only the address stands between.
      const fromProxy = await send({ port: backend.port, form, headers, localAddress: kind.address })
      expect(fromProxy.status).toBe(200)
    })
  })
}

behind(nginx)
behind(haproxy)

// jwks in a cron job: what is about to break, whose fault it is, and the exit codes that tell them apart.
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { Readable } from 'node:stream'
import { runJwks } from '../../../cli/jwks/command'
import { keyFor, makeKey } from '../../support/assertions'
import { certificate as clientCertificate, publicJwk } from '../../support/client-certificates'
import { explicitCurve } from '../../support/hostile-certificates'
import { unfolded } from '../../support/run-command'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { serveHttps, type TestServer } from '../../support/tls-server'

const host = 'keys.client-app.net'
const { jwk } = keyFor('ES256')
const folder = mkdtempSync(path.join(tmpdir(), 'jwks-cron-'))
const servers: TestServer[] = []
let authority: Certificate
let tls: Certificate
beforeAll(async () => {
  authority = await makeAuthority()
  tls = await makeCertificate(authority, { names: [host] })
})
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** DNS that knows one address for every name, or fails. */
const resolverOf = (fault?: string) => () => ({
  resolve4: () =>
    fault === undefined
      ? Promise.resolve(['127.0.0.1'])
      : Promise.reject(Object.assign(new Error(fault), { code: fault })),
  resolve6: () =>
    fault === undefined ? Promise.resolve([]) : Promise.reject(Object.assign(new Error(fault), { code: fault })),
  cancel: () => undefined
})

async function run(args: string[], dns?: string) {
  const printed: string[] = []
  const io = {
    stdin: Readable.from([]),
    stdout: { write: (text: string) => printed.push(text) },
    stderr: { write: () => 0 },
    env: {}
  }
  const code = await runJwks(args, io, { resolver: resolverOf(dns), ca: authority.cert })
  return { code, text: unfolded(printed.join('')) }
}

async function served(
  body: unknown,
  args: string[] = [],
  { status = 200, headers = {}, dns = '', certificate = tls } = {}
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = { 'content-type': 'application/json' }
  const server = await serveHttps(certificate, (_, res) => res.writeHead(status, { ...type, ...headers }).end(text))
  servers.push(server)
  const at = `${host}:${server.port}`
  return run([`https://${at}/jwks`, '--host', `${at}=127.0.0.1`, ...args], dns || undefined)
}
const inFile = (value: unknown, ...args: string[]) => {
  const name = path.join(folder, 'set.json')
  writeFileSync(name, JSON.stringify(value))
  return run([name, ...args])
}
const x5c = (id: string) => [clientCertificate(id).der.toString('base64')]

test('a good set: 0, and no warning', async () => {
  const { code, text } = await served({ keys: [jwk] }, ['--warn-days', '0'])
  expect([code, text.includes('!')]).toEqual([0, false])
})

test('the certificate of the server ends within the days: 3, and how many are left', async () => {
  const left = Math.floor((Date.parse(new X509Certificate(tls.cert).validTo) - Date.now()) / 86_400_000)
  const { code, text } = await served({ keys: [jwk] }, ['--warn-days', String(left + 1)])
  expect(code).toBe(3)
  expect(text).toMatch(new RegExp(`! the certificate of the server ends in ${left} days`))
  expect((await served({ keys: [jwk] }, ['--warn-days', String(left)])).code).toBe(0)
})

test.each<[string, object[], RegExp]>([
  ['several keys with one kid', [jwk, { ...makeKey('ES256', jwk.kid).jwk }], /! several keys have the kid ES256-key/],
  [
    'x5c of another key',
    [{ ...jwk, x5c: x5c('bank') }],
    /! the certificate \(x5c\) of key ES256-key belongs to another key/
  ],
  [
    'x5c that has ended',
    [{ ...publicJwk('self-bank-expired'), kid: 'k', x5c: x5c('self-bank-expired') }],
    /! the certificate \(x5c\) of key k has ended/
  ]
])('%s: 3', async (_name, keys, words) => {
  const { code, text } = await inFile({ keys })
  expect(text).toMatch(words)
  expect(code).toBe(3)
})

test('the same kid for keys of two types is no mistake (RFC 7517 §4.5)', async () => {
  expect((await inFile({ keys: [jwk, { ...keyFor('RS256').jwk, kid: jwk.kid }] })).code).toBe(0)
})

test.each<[string, unknown, RegExp]>([
  [
    '101 keys',
    { keys: Array.from({ length: 101 }, (_, index) => ({ ...jwk, kid: `k${index}` })) },
    /has 101 keys, more than 100\n\n {2}advice {2}The owner has to take old keys out of the set: at most 100 are read\.\n$/
  ],
  ['a single JWK', jwk, /This is one JWK: publish \{ "keys"/],
  ['a client record', { client_id: 'bank', jwks: { keys: [jwk] } }, /This is the record of a client/],
  ['a private key', { keys: [keyFor('ES256').privateKey.export({ format: 'jwk' })] }, /Treat this key as stolen/]
])('%s: 1, and what it is', async (_name, value, words) => {
  for (const { code, text } of [await inFile(value), await served(value)]) {
    expect(text).toMatch(words)
    expect(code).toBe(1)
  }
})

test('a redirect: 1, and where it leads', async () => {
  const { code, text } = await served('', [], { status: 302, headers: { location: 'https://elsewhere.example/jwks' } })
  expect(code).toBe(1)
  expect(text).toContain('Location: https://elsewhere.example/jwks')
})

test.each([
  [
    'its title',
    '<!doctype html><HTML lang="en"><head><title>\n Sign in to continue </title>',
    /not JSON: a page "Sign in to continue"$/m
  ],
  ['nothing where it has none', '<html>', /which is not JSON$/m],
  ['no control characters of it', '<title>\u001b[2J</title>', /not JSON: a page "\?\[2J"$/m]
])('a page of HTML: 1, and %s', async (_name, page, words) => {
  for (const status of [200, 404]) {
    const { code, text } = await served(page, [], { status, headers: { 'content-type': 'text/html; charset=utf-8' } })
    if (status === 200) expect(text).toMatch(words)
    expect(code).toBe(1)
  }
})

test('in a loop, a certificate that ends in 8 days is warned of each time', async () => {
  const certificate = await makeCertificate(authority, { names: [host], days: 8.1 })
  for (let hour = 0; hour < 3; hour++) {
    const { code, text } = await served({ keys: [jwk] }, ['--warn-days', '30'], { certificate })
    expect(text).toMatch(/ {2}! the certificate of the server ends in 8 days \(\w+, \d\d \w+ \d{4} [\d:]+ GMT\)\.\n$/)
    expect(code).toBe(3)
  }
})

const privatePem = keyFor('ES256').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
test('a private key in PEM is an alarm, published or in a file', async () => {
  const name = path.join(folder, 'private.pem')
  writeFileSync(name, privatePem)
  for (const { code, text } of [await served(privatePem), await run([name])]) {
    expect(text).toMatch(/advice {2}Treat this key as stolen/)
    expect(text).not.toContain(privatePem.split('\n')[1])
    expect(code).toBe(1)
  }
})

// Threat 33: OpenSSL computes for hundreds of milliseconds to decode such a key
test('a certificate in x5c is looked at and not decoded', async () => {
  const { code, text } = await inFile({ keys: [{ ...jwk, x5c: [explicitCurve().toString('base64')] }] })
  expect(text).toContain('! the key in the certificate (x5c) of key ES256-key is not on P-256, P-384 or P-521.')
  expect(code).toBe(3)
})

const ourDns = /advice {2}The DNS server of this machine did not answer/
test.each([
  ['DNS that does not answer in time is trouble on our side: 4', 'ETIMEOUT', 4, ourDns],
  ['DNS that fails is trouble on our side: 4', 'ESERVFAIL', 4, ourDns],
  ['DNS that refuses us is trouble on our side: 4', 'ECONNREFUSED', 4, ourDns],
  ['a name that nobody has is theirs: 1', 'ENOTFOUND', 1, /advice {2}Check the name\. If it is right, the owner has to/]
])('%s', async (_name, dns, code, advice) => {
  const told = await served({ keys: [jwk] }, [], { dns })
  expect(told.text).toMatch(advice)
  expect(told.code).toBe(code)
})

/** A proxy that answers each CONNECT with `status`; none listens where it is 0. */
async function proxyUrl(status: number): Promise<string> {
  const proxy = createServer().on('connect', (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`))
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  const close = () => new Promise((resolve) => proxy.close(resolve))
  if (status === 0) await close()
  else servers.push({ close } as unknown as TestServer)
  return `http://127.0.0.1:${port}`
}

test.each([
  ['wants other credentials', 407, /the proxy 127\.0\.0\.1 wants other credentials \(407\)/],
  ['refuses this host', 403, /the proxy 127\.0\.0\.1 refused to connect to .* \(403\)/],
  ['does not listen', 0, /the proxy 127\.0\.0\.1 refused the connection \(ECONNREFUSED\)/]
])('a proxy that %s is trouble on our side: 4, and the option is named', async (_name, status, words) => {
  const file = path.join(folder, `proxy-${status}.cjs`)
  writeFileSync(file, `module.exports = { proxy: { url: '${await proxyUrl(status)}', resolve: 'proxy' } }`)
  const printed: string[] = []
  const io = {
    stdin: Readable.from([]),
    stdout: { write: (text: string) => printed.push(text) },
    stderr: process.stderr
  }
  const code = await runJwks([`https://${host}/jwks`, '--config', file], { ...io, env: {} })
  const text = unfolded(printed.join(''))
  expect(text).toMatch(words)
  expect(text).toMatch(
    /advice {2}The owner of the key set can change nothing: correct the option "proxy", or let the proxy/
  )
  expect(code).toBe(4)
})

test('a host that is called proxy, and does not listen, is theirs: 1', async () => {
  const server = await serveHttps(tls, (_, res) => res.end())
  await server.close()
  const at = `proxy.client-app.net:${server.port}`
  const { code, text } = await run([`https://${at}/jwks`, '--host', `${at}=127.0.0.1`])
  expect(text).toMatch(/advice {2}Nothing listens at this address and port: the owner has to start the server/)
  expect(code).toBe(1)
})

test('--json has the reason, the end of the certificate and the warnings', async () => {
  const { text } = await served({ keys: [] }, ['--json', '--warn-days', '9999'])
  expect(JSON.parse(text)).toMatchObject({
    usable: false,
    validTo: expect.stringMatching(/GMT$/) as string,
    warnings: [expect.stringContaining('certificate of the server') as string]
  })
  const refused = await served('no json', ['--json'])
  expect(JSON.parse(refused.text)).toMatchObject({ usable: false, why: 'json' })
})

test('--config gives the hosts', async () => {
  const server = await serveHttps(tls, (_, res) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
  )
  servers.push(server)
  const file = path.join(folder, 'hosts.cjs')
  const hosts = { [host]: { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert } }
  writeFileSync(file, `module.exports = { hosts: ${JSON.stringify(hosts)} }`)
  expect((await run([`https://${host}:${server.port}/jwks`, '--config', file])).code).toBe(0)
})

test('days that are none are a wrong call', async () => {
  await expect(run(['x.json', '--warn-days', 'soon'])).rejects.toThrow('--warn-days needs a number of days')
})

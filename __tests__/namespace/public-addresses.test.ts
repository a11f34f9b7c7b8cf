import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import type { Socket } from 'node:net'
import path from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { ClientAuthError, createClientAuthenticator } from '../../lib'
import { createJwksFetcher } from '../../lib/key-sets/fetcher'
import corpus from '../fixtures/jwks-uri.json'
import { assertionForm, issuer, jws, now } from '../support/assertions'
import { nameOf, optionsOf, type UriCase, uriCases, watchNetwork } from '../support/jwks-uri-cases'
import { type Certificate, makeAuthority, makeCertificate } from '../support/tls-certificates'

/** With the default options: real addresses, real port, real certificates. `run.mjs` makes the world for it. */
const cases = uriCases.filter(
  ({ expect, stage, fetches }) =>
    expect === 'allowed' || fetches !== undefined || stage === 'response' || stage === 'tls'
)

const directory = process.env.TEST_AUTHORITY
if (directory === undefined) throw new Error('run this suite by: npm run test:namespace')
const authority: Certificate = {
  cert: readFileSync(path.join(directory, 'ca.pem'), 'utf8'),
  key: readFileSync(path.join(directory, 'ca.key'), 'utf8')
}

const privateKey = createPrivateKey({ key: corpus.fixtures.ES256.private, format: 'jwk' })
const keySet = JSON.stringify({ keys: [{ ...corpus.fixtures.ES256.public, kid: 'k1' }] })

interface Seen {
  address: string | undefined
  sni: string | false | null
  request: string
}

function answerOf({ response }: UriCase): string {
  const {
    status,
    headers,
    body = ''
  } = response ?? { status: 200, headers: { 'content-type': 'application/json' }, body: keySet }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = status < 200 ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`
  return `HTTP/1.1 ${status} Reason\r\n${lines.join('')}${length}\r\n${body}`
}

async function certificateFor({ url, tls = 'valid' }: UriCase): Promise<Certificate> {
  const { hostname } = new URL(url)
  if (tls === 'self-signed') return makeCertificate(undefined, { names: [hostname] })
  if (tls === 'wrong-name') return makeCertificate(authority, { names: ['other.client-app.net'] })
  if (tls === 'wrong-name-ip-san') return makeCertificate(authority, { addresses: ['93.184.215.14'] })
  return makeCertificate(authority, { names: [hostname] })
}

async function serve(uriCase: UriCase) {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const onTls = (socket: TLSSocket) => {
    socket
      .on('error', () => undefined)
      .once('data', (data: Buffer) => {
        seen.push({ address: socket.localAddress, sni: socket.servername, request: data.toString() })
        socket.write(answerOf(uriCase))
      })
  }
  const server = uriCase.tls === 'plaintext' ? createPlainServer() : createServer(await certificateFor(uriCase), onTls)
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)))
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((done) => server.listen(443, '::', done))
  const close = () =>
    new Promise((done) => {
      server.close(done)
      for (const socket of sockets) socket.destroy()
    })
  return { seen, sockets, close }
}

beforeEach(() => {
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: [
      'setTimeout',
      'clearTimeout',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'nextTick',
      'queueMicrotask',
      'hrtime'
    ]
  })
})
afterEach(() => {
  jest.useRealTimers()
})

test('all that apply are here', () => {
  expect(cases.length).toBe(56)
})

test.each(cases.map((uriCase) => [nameOf(uriCase), uriCase] as const))('%s', async (_name, uriCase) => {
  const server =
    uriCase.connect === undefined
      ? await serve(uriCase)
      : { seen: [], sockets: new Set(), close: () => Promise.resolve() }
  const fetcher = createJwksFetcher({ ...optionsOf(uriCase), staleIfError: 0 })
  const network = watchNetwork()
  const expected = uriCase.fetches ?? [uriCase.expect]
  try {
    for (const verdict of expected) {
      const fetched = fetcher.get(uriCase.url)
      if (verdict === 'allowed') expect((await fetched).keys).toHaveLength(1)
      else await expect(fetched).rejects.toMatchObject({ name: 'KeySetError' })
      jest.advanceTimersByTime(86_400_000) // ages are counted on the monotonic clock: both clocks move
    }
  } finally {
    network.stop()
    await server.close()
  }
  const host = new URL(uriCase.url).hostname
  const addresses = uriCase.mustConnectOnlyTo ?? uriCase.dns?.[host] ?? uriCase.dnsSequence?.[host]?.at(-1)
  for (const { address, sni, request } of server.seen) {
    expect(addresses).toContain(address?.replace('::ffff:', ''))
    expect(sni).toBe(host)
    expect(request).toMatch(new RegExp(`^GET .*\r\nhost: ${host.replaceAll('.', '\\.')}\r\n`, 'is'))
  }
  const completed = expected.filter((verdict) => verdict === 'allowed').length
  // One connection per fetch, no second one after a redirect, none at all where DNS said no
  expect(server.sockets.size).toBe(uriCase.connect ? 0 : uriCase.stage ? 1 : completed)
  // Connections belong to the process that fetches. That one is started once at most, and asks no DNS of its own.
  expect(network.seen).toEqual({ connects: 0, lookups: 0, processes: expect.any(Number) })
  expect(network.seen.processes).toBeLessThanOrEqual(1)
})

test.each(cases.map((uriCase) => [nameOf(uriCase), uriCase] as const))(
  '%s: explain, allowed to fetch, gives the reason of authenticate',
  async (_name, uriCase) => {
    const server = uriCase.connect === undefined ? await serve(uriCase) : { close: () => Promise.resolve() }
    const record = { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: uriCase.url }
    // One each: explain with fetch fills the cache, and the answers of DNS come in order
    const make = () =>
      createClientAuthenticator({
        issuer,
        getClient: () => record,
        keySets: createJwksFetcher({ ...optionsOf(uriCase), staleIfError: 0 })
      })
    const [explaining, authenticate] = [make(), make()]
    try {
      for (const verdict of uriCase.fetches ?? [uriCase.expect]) {
        const claims = { iss: 'bank', sub: 'bank', aud: issuer, exp: now() + 60, jti: `${Math.random()}` }
        const sent = { headers: {}, body: assertionForm(jws({ alg: 'ES256', kid: 'k1' }, claims, 'ES256', privateKey)) }
        const explanation = await explaining.explain(sent, { fetch: true })
        const refusal: unknown = await authenticate(sent).then(
          () => undefined,
          (error: unknown) => error
        )
        expect(refusal instanceof ClientAuthError ? refusal.reason : refusal).toBe(explanation.reason)
        expect([explanation.accepted, explanation.reason]).toEqual(
          verdict === 'allowed' ? [true, undefined] : [false, 'jwks_unavailable']
        )
        const failed = explanation.findings.find(({ result }) => result === 'failed')
        expect(failed?.detail).toEqual((refusal as ClientAuthError | undefined)?.detail)
        jest.advanceTimersByTime(86_400_000)
      }
    } finally {
      await server.close()
    }
  }
)

test('the authority is known to Node only by NODE_EXTRA_CA_CERTS: another one is refused', async () => {
  const [uriCase] = uriCases.filter(({ id }) => id === 'legit-001')
  const stranger = await makeAuthority()
  const server = createServer(await makeCertificate(stranger, { names: ['keys.client-app.net'] }))
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((done) => server.listen(443, '::', done))
  await expect(createJwksFetcher(optionsOf(uriCase!)).get(uriCase!.url)).rejects.toMatchObject({ why: 'tls' })
  await new Promise((done) => server.close(done))
})

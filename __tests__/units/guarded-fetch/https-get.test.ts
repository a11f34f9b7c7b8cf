import { setTimeout as sleep } from 'node:timers/promises'
import type { TlsOptions } from 'node:tls'
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { type GuardOptions, httpsGet } from '../../../lib/guarded-fetch/https-get'
import { createJwksFetcher } from '../../../lib/key-sets/fetcher'
import type { JwksFetcherOptions } from '../../../lib/key-sets/options'
import { parseRange } from '../../../lib/basics/address-range'
import corpus from '../../fixtures/jwks-uri.json'
import { deflateSync, gzipSync } from 'node:zlib'
import { nameOf, watchNetwork } from '../../support/jwks-uri-cases'
import { answer, goodBody, goodPlays, head, hostilePlays } from '../../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { type Play, serveRaw, serveSilence, type TestServer } from '../../support/tls-server'

// Handshakes by the hundred, on machines that have other work too
jest.setTimeout(60_000)

const host = 'keys.client-app.net'
const timeout = 0.5
let authority: Certificate
let rsaAuthority: Certificate
let server: TestServer
const servers: TestServer[] = []
/** Closed afterwards, whatever becomes of the test. */
const kept = (made: TestServer): TestServer => {
  servers.push(made)
  return made
}
const plays = new Map<string, Play>()
const resourcesBefore = process.getActiveResourcesInfo()
const network = watchNetwork()

const toLoopback = () => ({
  resolve4: () => Promise.resolve(['127.0.0.1']),
  resolve6: () => Promise.resolve([]),
  cancel: () => undefined
})

beforeAll(async () => {
  authority = await makeAuthority()
  rsaAuthority = await makeAuthority('rsa')
  const certificate = await makeCertificate(authority, { names: [host] })
  server = kept(await serveRaw(certificate, (path) => plays.get(path) ?? (() => undefined)))
  // The process that fetches is started once, and takes longer on a busy machine than the limits that are tried
  await fetcherFor(server.port, { timeout: 60 }).get(uriFor(answer()))
})
afterAll(async () => {
  await Promise.all(servers.map((each) => each.close()))
})

function fetcherFor(port: number, options: JwksFetcherOptions = {}) {
  const hosts = { [host]: { addresses: ['127.0.0.0/8'], ports: [port], ca: [authority.cert, rsaAuthority.cert] } }
  return createJwksFetcher({ hosts, resolver: toLoopback, timeout: 5, ...options })
}

function uriFor(play: Play): string {
  const path = `/jwks/${plays.size}?q=%20`
  plays.set(path, play)
  return `https://${host}:${server.port}${path}`
}

/** A moment after the outcome the server sees its connection closed. */
async function expectNoSocket(of: TestServer): Promise<void> {
  while (of.open > 0) await sleep(10)
}

describe('a server that', () => {
  test.each(Object.entries(hostilePlays))('%s is refused in time, and leaves no socket', async (_name, [play, why]) => {
    // Long enough for a handshake on a busy machine, where the deadline is not what is tried
    const seconds = why === 'timeout' ? timeout : 5
    const refused = await fetcherFor(server.port, { timeout: seconds })
      .get(uriFor(play))
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'KeySetError', why, message: expect.stringContaining('') as string })
    expect(String(refused)).not.toMatch(/N7jV|<html|ESMTP/)
    expect(refused).not.toHaveProperty('cause')
    await expectNoSocket(server)
  })

  test.each(Object.entries(goodPlays))('%s is understood, and leaves no socket', async (_name, play) => {
    expect((await fetcherFor(server.port, { timeout: 5 }).get(uriFor(play))).keys).toHaveLength(1)
    await expectNoSocket(server)
  })

  test('never shakes hands is refused in time', async () => {
    const silent = kept(await serveSilence())
    await expect(fetcherFor(silent.port, { timeout }).get(`https://${host}:${silent.port}/`)).rejects.toMatchObject({
      why: 'timeout'
    })
    await expectNoSocket(silent)
  })

  test('is not there is refused', async () => {
    const gone = await serveSilence()
    await gone.close()
    await expect(fetcherFor(gone.port).get(`https://${host}:${gone.port}/`)).rejects.toMatchObject({
      why: 'connection',
      message: `${host} refused the connection (ECONNREFUSED)`
    })
  })
})

describe('TLS', () => {
  const certificates: [string, () => Promise<Certificate>, RegExp][] = [
    [
      'of an unknown authority',
      async () => makeCertificate(await makeAuthority('ec', 'Another authority'), { names: [host] }),
      /has a certificate by "Another authority", of an authority that is not trusted here .*\(UNABLE_TO_\w+\)$/
    ],
    [
      'of an authority that only has the name of a known one',
      async () => makeCertificate(await makeAuthority(), { names: [host] }),
      /has a certificate whose signature is wrong \(CERT_SIGNATURE_FAILURE\)$/
    ],
    [
      'self-signed',
      async () => makeCertificate(undefined, { names: [host] }),
      /has a self-signed certificate, .* \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/
    ],
    [
      'for another name',
      async () => makeCertificate(authority, { names: ['other.client-app.net'] }),
      /has a certificate for other names \(DNS:other\.client-app\.net\) \(ERR_TLS_CERT_ALTNAME_INVALID\)$/
    ],
    [
      'for the address only',
      async () => makeCertificate(authority, { addresses: ['127.0.0.1'] }),
      /has a certificate for other names \(IP Address:127\.0\.0\.1\)/
    ],
    [
      'that has expired',
      async () => makeCertificate(authority, { names: [host], expired: true }),
      /has expired, itself or one above it \(valid until .* GMT\) \(CERT_HAS_EXPIRED\)$/
    ]
  ]
  // Threat 6: a certificate that only the environment accepts
  test.each(certificates)('a certificate %s is refused, whatever the environment says', async (_name, make, words) => {
    const other = kept(await serveRaw(await make(), () => answer()))
    await expect(fetcherFor(other.port).get(`https://${host}:${other.port}/`)).rejects.toMatchObject({
      why: 'tls',
      message: expect.stringMatching(words) as string
    })
    await expectNoSocket(other)
  })

  test('below 1.2 is refused', async () => {
    const certificate = await makeCertificate(authority, { names: [host] })
    const tls = { ...certificate, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const
    const old = kept(await serveRaw(tls, () => answer()))
    await expect(fetcherFor(old.port).get(`https://${host}:${old.port}/`)).rejects.toMatchObject({ why: 'tls' })
  })

  const serveTls = async (tls: TlsOptions, keyType: 'ec' | 'rsa' = 'ec', play: Play = answer()) =>
    kept(
      await serveRaw(
        { ...(await makeCertificate(keyType === 'ec' ? authority : rsaAuthority, { names: [host], keyType })), ...tls },
        () => play
      )
    )
  const getFrom = ({ port }: TestServer) => fetcherFor(port).get(`https://${host}:${port}/`)

  // Servers that could agree on nothing else: what a hostile one could choose
  // Threat 17: finite-field Diffie-Hellman with a huge group blocks the event loop
  test.each<[string, TlsOptions, 'ec' | 'rsa']>([
    [
      'finite-field Diffie-Hellman in TLS 1.2',
      { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-GCM-SHA256', dhparam: 'auto' },
      'rsa'
    ],
    ['finite-field Diffie-Hellman in TLS 1.3', { minVersion: 'TLSv1.3', ecdhCurve: 'ffdhe2048' }, 'ec'],
    ['RSA without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }, 'rsa'],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }, 'ec'],
    ['the curve P-521', { ecdhCurve: 'P-521' }, 'ec']
  ])('with %s is refused', async (_name, tls, keyType) => {
    await expect(getFrom(await serveTls(tls, keyType))).rejects.toMatchObject({
      why: 'tls',
      message: expect.stringMatching(/shares no TLS settings .* \(ERR_SSL_[\w/]+\)$/) as string
    })
  })

  test.each<[string, TlsOptions, 'ec' | 'rsa']>([
    ['TLS 1.3, X25519', { minVersion: 'TLSv1.3', ecdhCurve: 'X25519' }, 'ec'],
    ['TLS 1.3, P-256', { minVersion: 'TLSv1.3', ecdhCurve: 'P-256' }, 'rsa'],
    ['TLS 1.3, P-384', { minVersion: 'TLSv1.3', ecdhCurve: 'P-384' }, 'ec'],
    ['TLS 1.3, ChaCha20', { minVersion: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }, 'ec'],
    ['TLS 1.2, ECDSA', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, 'ec'],
    ['TLS 1.2, RSA', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'rsa'],
    ['TLS 1.2, ChaCha20', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' }, 'rsa']
  ])('with %s is understood', async (_name, tls, keyType) => {
    expect((await getFrom(await serveTls(tls, keyType))).keys).toHaveLength(1)
  })

  // Threat 17: renegotiation
  test('is not renegotiated', async () => {
    let outcome: unknown = 'no answer'
    const play: Play = (socket, request) => {
      socket.renegotiate({}, (error) => (outcome = error ?? 'renegotiated'))
      setTimeout(() => {
        answer()(socket, request)
      }, 200)
    }
    await getFrom(await serveTls({ maxVersion: 'TLSv1.2' }, 'ec', play)).catch(() => undefined)
    expect(outcome).not.toBe('renegotiated')
  })

  const manyNames = (count: number) => Array.from({ length: count }, (_, i) => `a-rather-long-name-${i}.client-app.net`)

  // Threat 17: chains of certificates that are expensive to verify
  test('with a handshake of more than 16 KiB is refused, though its certificate is good', async () => {
    const certificate = await makeCertificate(authority, { names: [host, ...manyNames(500)] })
    await expect(getFrom(await serveTls(certificate))).rejects.toMatchObject({
      why: 'tls',
      message: `${host} sent a TLS handshake of more than 16384 octets`
    })
  })

  test('with a handshake of 12 KiB is understood', async () => {
    const certificate = await makeCertificate(authority, { names: [host, ...manyNames(300)] })
    expect((await getFrom(await serveTls(certificate))).keys).toHaveLength(1)
  })

  // Threat 17: session tickets and padding, which no body counts
  test('that wraps each octet is refused, though the body is small enough', async () => {
    const inPieces: Play = (socket) => {
      const text = head(200, { 'content-type': 'application/json', 'content-length': 20_000 }) + goodBody.padEnd(20_000)
      const write = (at: number): void => {
        if (at < text.length && socket.writable)
          socket.write(text.slice(at, at + 1), () => {
            write(at + 1)
          })
      }
      write(0)
    }
    const made = await serveTls({}, 'ec', inPieces)
    await expect(getFrom(made)).rejects.toMatchObject({
      why: 'too_large',
      message: `${host} sent more octets than its answer needs`
    })
    await expectNoSocket(made)
  })

  // Threat 6: TLS tickets reused across addresses
  test('is never resumed: each fetch shakes hands anew', async () => {
    const reused: boolean[] = []
    const certificate = await makeCertificate(authority, { names: [host] })
    const play: Play = (socket, request) => {
      reused.push(socket.isSessionReused())
      answer()(socket, request)
    }
    const tickets = kept(await serveRaw({ ...certificate, maxVersion: 'TLSv1.2' }, () => play))
    const fetcher = fetcherFor(tickets.port)
    for (const path of ['a', 'b', 'c']) await fetcher.get(`https://${host}:${tickets.port}/${path}`)
    expect(reused).toEqual([false, false, false])
    expect(tickets.connections).toBe(3)
  })
})

describe('the connection', () => {
  const get = (addresses: unknown, signal = AbortSignal.timeout(5000), more: Partial<GuardOptions> = {}) => {
    const loopback = parseRange('127.0.0.0/8')
    const guard: GuardOptions = {
      hosts: new Map([[host, { addresses: loopback && [loopback], ports: [server.port], ca: [authority.cert] }]]),
      denied: [],
      maxBytes: 65_536,
      side: 'registered',
      resolver: () => ({ ...toLoopback(), resolve4: () => Promise.resolve(addresses as string[]) }),
      ...more
    }
    const asked = { accept: 'application/json', noun: 'a key set' }
    return httpsGet(uriFor(answer()), asked, guard, {
      deadline: { signal, pauseFor: () => undefined },
      observe: () => undefined
    })
  }

  test('tries one vetted address after another', async () => {
    // Nothing listens at the first two
    expect((await get(['127.0.0.3', '127.0.0.2', '127.0.0.1'])).body.toString()).toBe(goodBody)
  })

  // Threat 16: an empty answer from DNS
  test.each([
    ['an empty list', []],
    ['no list', undefined],
    ['null', null],
    ['a list with a gap', ['127.0.0.1', undefined]],
    ['a string', '127.0.0.300']
  ])('a resolver that answers with %s is refused and breaks nothing', async (_name, addresses) => {
    await expect(get(addresses)).rejects.toMatchObject({ name: 'FetchError' })
  })

  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(`queryA ${code}`), { code }))
  test.each([
    ['that has no record', failing('ENOTFOUND'), failing('ENODATA'), /has no address in DNS \(only DNS is asked/],
    ['whose server fails', failing('ESERVFAIL'), failing('ENODATA'), /^DNS gave no answer for .* \(ESERVFAIL\)$/],
    ['that cannot be asked', failing('ECONNREFUSED'), failing('ECONNREFUSED'), /^DNS gave no answer .*ECONNREFUSED/],
    ['whose resolver throws nothing', () => Promise.reject(undefined), failing('ENODATA'), /\(the resolver failed\)$/]
  ])('a name %s is told as such', async (_name, resolve4, resolve6, message) => {
    const resolver = () => ({ ...toLoopback(), resolve4, resolve6 })
    await expect(get([], undefined, { resolver })).rejects.toMatchObject({
      why: 'dns',
      message: expect.stringMatching(message) as string
    })
  })

  test.each([
    ['10.0.0.1', undefined, /resolves to 10\.0\.0\.1, which is not a public address \(private\)$/],
    ['::1', undefined, /resolves to ::1, which is not a public address \(loopback\)$/],
    ['10.0.0.1', '127.0.0.0/8', /which is outside of the addresses that "hosts" names for it$/],
    ['x'.repeat(999), undefined, /resolves to x{256}, which is not an IP address$/]
  ])('the address %.9s is told with the reason why it is refused', async (address, range, message) => {
    const allowed = parseRange(range)
    const hosts = new Map([[host, { addresses: allowed && [allowed], ports: [server.port] }]])
    await expect(get([address], undefined, { hosts })).rejects.toMatchObject({
      why: 'address',
      message: expect.stringMatching(message) as string
    })
  })

  test.each<[Play, RegExp]>([
    [answer('', {}, 403), /answered 403, but a key set must be readable by everybody$/],
    [answer('', { location: '/' }, 307), /answered 307, and redirects are not followed$/],
    [answer('', { 'content-type': 'text/html' }), /content type "text\/html", which is not JSON$/],
    [answer('', { 'content-encoding': 'br' }), /content coding "br", though asked for none$/],
    [answer('', { x: 'x'.repeat(9000) }), /sent more than 8 KiB of headers \(HPE_HEADER_OVERFLOW\)$/],
    [(socket) => socket.write('220 mail ESMTP\r\n'), /sent an answer that is not HTTP\/1\.1 \(HPE_\w+\)$/],
    [(socket) => socket.destroy(), /(broke|closed) the connection/]
  ])('the refusal of an answer says what to mend: %#', async (play, message) => {
    await expect(fetcherFor(server.port).get(uriFor(play))).rejects.toMatchObject({
      message: expect.stringMatching(message) as string
    })
  })

  // Threat 16: a resolver that throws
  test('a resolver that throws is no more than a failure', async () => {
    const resolver = () => {
      throw new Error('of the operator')
    }
    await expect(fetcherFor(server.port, { resolver }).get(uriFor(answer()))).rejects.toMatchObject({
      name: 'KeySetError'
    })
  })

  // Threat 16: a promise that never settles
  test('an unanswered question is cancelled at the deadline', async () => {
    let cancelled = 0
    const never = () => new Promise<string[]>(() => undefined)
    const resolver = () => ({
      resolve4: never,
      resolve6: never,
      cancel: () => {
        cancelled++
      }
    })
    await expect(get([], AbortSignal.timeout(100), { resolver })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(cancelled).toBe(1)
  })

  test('one family is enough when the other fails', async () => {
    const resolve6 = () => Promise.reject(new Error('ESERVFAIL'))
    const answered = await get([], undefined, { resolver: () => ({ ...toLoopback(), resolve6 }) })
    expect(answered.body.toString()).toBe(goodBody)
  })

  test('asks for the name, as itself, uncompressed, for one answer', async () => {
    let request = ''
    const uri = uriFor((socket, text) => {
      request = text
      answer()(socket, text)
    })
    await fetcherFor(server.port).get(uri)
    expect(
      request
        .split('\r\n')
        .filter(Boolean)
        .sort((a, b) => a.localeCompare(b))
    ).toEqual([
      'accept-encoding: identity',
      'accept: application/jwk-set+json, application/json',
      'Connection: close',
      `GET ${new URL(uri).pathname}?q=%20 HTTP/1.1`,
      `Host: ${host}:${server.port}`,
      'user-agent: oauth-client-auth'
    ])
  })
})

interface BodyCase {
  id: string
  name: string
  status: number
  headers: Record<string, string>
  body?: string
  bodyBase64?: string
  gen?: Record<string, unknown> & { op: string }
  select: { alg: string; kid?: string }
  expect: 'accept' | 'reject-set' | 'skip-key' | 'multiple'
  level: string
  why: string
}

const repeat = (count: number, make: (index: number) => unknown): string =>
  JSON.stringify({ keys: Array.from({ length: count }, (_, i) => make(i)) })
const numbered = (value: unknown, i: number): unknown => JSON.parse(JSON.stringify(value).replace('%i', String(i)))

/** Answers as a case of the test vectors describes. */
function playOf({ status, headers, body, bodyBase64, gen }: BodyCase): Play {
  if (gen === undefined) {
    const octets = bodyBase64 === undefined ? Buffer.from(body ?? '') : Buffer.from(bodyBase64, 'base64')
    return (socket) => {
      socket.write(head(status, { ...headers, 'content-length': octets.length }))
      socket.write(octets)
    }
  }
  const { base, key, count } = gen as { base?: unknown; key?: object; count?: number }
  const made: Record<string, () => Play> = {
    nest: () => answer(String(gen.wrap).replace('%s', '['.repeat(Number(gen.depth)) + ']'.repeat(Number(gen.depth)))),
    repeatKey: () => answer(repeat(Number(count), (i) => numbered(key, i))),
    sameKid: () => answer(repeat(Number(count), () => key)),
    pad: () =>
      answer(
        JSON.stringify({ ...(base as object), pad: '' }).replace(
          '"pad":""',
          (pad) =>
            `${pad.slice(0, -1)}${'x'.repeat(Number(gen.totalBytes) - JSON.stringify({ ...(base as object), pad: '' }).length)}"`
        )
      ),
    encode: () => answer((gen.codec === 'gzip' ? gzipSync : deflateSync)(JSON.stringify(base)), headers),
    endless: () => (socket) => {
      socket.write(head(status, headers))
      socket.write(Buffer.alloc(200_000, Number(gen.byte)))
    },
    truncate: () => (socket) =>
      socket.end(head(status, { ...headers, 'content-length': Number(gen.contentLength) }) + '{'),
    status101: () => (socket) => socket.write(head(101, { connection: 'upgrade', upgrade: 'x' })),
    clTe: () => (socket) =>
      socket.write(
        head(200, { ...headers, 'content-length': 5, 'transfer-encoding': 'chunked' }) + '5\r\nhello\r\n0\r\n\r\n'
      ),
    raw: () => (socket) => socket.end(String(gen.text)),
    headerFlood: () => answer(goodBody, { x: 'x'.repeat(Number(gen.bytes)) }),
    trailers: () => (socket) =>
      socket.write(
        `${head(200, { ...headers, 'transfer-encoding': 'chunked' })}${goodBody.length.toString(16)}\r\n${goodBody}\r\n0\r\n${'x-trailer: x\r\n'.repeat(Number(count))}\r\n`
      )
  }
  const play = made[gen.op]
  if (play === undefined) throw new Error(`unknown generator ${gen.op}`)
  return play()
}

describe('the test vectors', () => {
  const cases = corpus.jwks as unknown as BodyCase[]
  const overTls = cases.filter(({ gen }) => gen?.op !== 'tlsStall')

  test('are all here, but for the one that never gets so far', () => {
    expect(overTls.length).toBe(cases.length - 1)
    expect(cases.length).toBe(96)
  })

  test.each(overTls.map((vector) => [nameOf({ ...vector, why: `${vector.name}: ${vector.why}` }), vector] as const))(
    '%s',
    async (_name, vector) => {
      const fetched = fetcherFor(server.port, { timeout: 5 }).get(uriFor(playOf(vector)))
      if (vector.expect === 'reject-set') {
        await expect(fetched).rejects.toMatchObject({
          name: 'KeySetError',
          why: expect.not.stringMatching('timeout') as string
        })
        return
      }
      const select = createLocalJWKSet((await fetched) as JSONWebKeySet)(vector.select)
      if (vector.expect === 'accept') await expect(select).resolves.toMatchObject({ type: 'public' })
      else
        await expect(select).rejects.toMatchObject({
          code:
            vector.expect === 'multiple'
              ? 'ERR_JWKS_MULTIPLE_MATCHING_KEYS'
              : (expect.stringMatching(/NO_MATCHING_KEY|NOT_SUPPORTED/) as string)
        })
    }
  )
})

test('all of it was fetched in one process of its own', () => {
  network.stop()
  expect(network.seen).toEqual({ connects: 0, lookups: 0, processes: 1 })
})

test('afterwards nothing is left but the server', async () => {
  await expectNoSocket(server)
  const count = (all: string[], kind: RegExp) => all.filter((name) => kind.test(name)).length
  const isLeft = (kind: RegExp, more = 0): boolean =>
    count(process.getActiveResourcesInfo(), kind) > count(resourcesBefore, kind) + more
  // Until then; a leak would last. One timer is that of this test
  while (isLeft(/TCPSocketWrap|TLSWrap|TCPCONNECTWRAP|QUERYWRAP/) || isLeft(/Timeout/, 1)) await sleep(1)
})

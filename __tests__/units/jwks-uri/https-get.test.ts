import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { type GuardOptions, httpsGet } from '../../../lib/jwks-uri/https-get'
import { createJwksFetcher } from '../../../lib/jwks-uri/fetcher'
import type { JwksFetcherOptions } from '../../../lib/jwks-uri/options'
import { parseRange } from '../../../lib/jwks-uri/guard'
import corpus from '../../fixtures/jwks-uri.json'
import { deflateSync, gzipSync } from 'node:zlib'
import { nameOf } from '../../support/jwks-uri-cases'
import { answer, goodBody, goodPlays, head, hostilePlays } from '../../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { type Play, serveRaw, serveSilence, type TestServer } from '../../support/tls-server'

// Handshakes by the hundred, on machines that have other work too
jest.setTimeout(60_000)

const host = 'keys.client-app.net'
const timeout = 0.5
let authority: Certificate
let server: TestServer
const servers: TestServer[] = []
/** Closed afterwards, whatever becomes of the test. */
const kept = (made: TestServer): TestServer => {
  servers.push(made)
  return made
}
const plays = new Map<string, Play>()
const resourcesBefore = process.getActiveResourcesInfo()

const toLoopback = () => ({
  resolve4: () => Promise.resolve(['127.0.0.1']),
  resolve6: () => Promise.resolve([]),
  cancel: () => undefined
})

beforeAll(async () => {
  authority = await makeAuthority()
  const certificate = await makeCertificate(authority, { names: [host] })
  server = kept(await serveRaw(certificate, (path) => plays.get(path) ?? (() => undefined)))
})
afterAll(async () => {
  await Promise.all(servers.map((each) => each.close()))
})

function fetcherFor(port: number, options: JwksFetcherOptions = {}) {
  const hosts = { [host]: { addresses: ['127.0.0.0/8'], ports: [port], ca: authority.cert } }
  return createJwksFetcher({ hosts, resolver: toLoopback, timeout: 5, ...options })
}

function uriFor(play: Play): string {
  const path = `/jwks/${plays.size}?q=%20`
  plays.set(path, play)
  return `https://${host}:${server.port}${path}`
}

/** Within a moment of the outcome the server sees its connection closed. */
async function expectNoSocket(of: TestServer): Promise<void> {
  for (let i = 0; i < 100 && of.open > 0; i++) await sleep(10)
  expect(of.open).toBe(0)
}

describe('a server that', () => {
  test.each(Object.entries(hostilePlays))('%s is refused in time, and leaves no socket', async (_name, [play, why]) => {
    const started = performance.now()
    // Long enough for a handshake on a busy machine, where the deadline is not what is tried
    const seconds = why === 'timeout' ? timeout : 5
    const refused = await fetcherFor(server.port, { timeout: seconds })
      .get(uriFor(play))
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'KeySetError', why, message: expect.stringContaining('') as string })
    expect(performance.now() - started).toBeLessThan((seconds + 1) * 1000)
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
    const started = performance.now()
    await expect(fetcherFor(silent.port, { timeout }).get(`https://${host}:${silent.port}/`)).rejects.toMatchObject({
      why: 'timeout'
    })
    expect(performance.now() - started).toBeLessThan((timeout + 1) * 1000)
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
  const certificates: [string, () => Promise<Certificate>][] = [
    ['of an unknown authority', async () => makeCertificate(await makeAuthority(), { names: [host] })],
    ['self-signed', async () => makeCertificate(undefined, { names: [host] })],
    ['for another name', async () => makeCertificate(authority, { names: ['other.client-app.net'] })],
    ['for the address only', async () => makeCertificate(authority, { addresses: ['127.0.0.1'] })],
    ['that has expired', async () => makeCertificate(authority, { names: [host], expired: true })]
  ]
  test.each(certificates)('a certificate %s is refused, whatever the environment says', async (_name, make) => {
    const other = kept(await serveRaw(await make(), () => answer()))
    await expect(fetcherFor(other.port).get(`https://${host}:${other.port}/`)).rejects.toMatchObject({ why: 'tls' })
    await expectNoSocket(other)
  })

  test('below 1.2 is refused', async () => {
    const certificate = await makeCertificate(authority, { names: [host] })
    const tls = { ...certificate, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const
    const old = kept(await serveRaw(tls, () => answer()))
    await expect(fetcherFor(old.port).get(`https://${host}:${old.port}/`)).rejects.toMatchObject({ why: 'tls' })
  })

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
      hosts: new Map([[host, { addresses: loopback && [loopback], ports: [server.port], ca: authority.cert }]]),
      denied: [],
      maxBytes: 65_536,
      resolver: () => ({ ...toLoopback(), resolve4: () => Promise.resolve(addresses as string[]) }),
      ...more
    }
    return httpsGet(uriFor(answer()), guard, { signal, observe: () => undefined })
  }

  test('tries one vetted address after another', async () => {
    // Nothing listens at the first two
    expect((await get(['127.0.0.3', '127.0.0.2', '127.0.0.1'])).body.toString()).toBe(goodBody)
  })

  test.each([
    ['an empty list', []],
    ['no list', undefined],
    ['null', null],
    ['a list with a gap', ['127.0.0.1', undefined]],
    ['a string', '127.0.0.300']
  ])('a resolver that answers with %s is refused and breaks nothing', async (_name, addresses) => {
    await expect(get(addresses)).rejects.toMatchObject({ name: 'KeySetError' })
  })

  test('a resolver that throws is no more than a failure', async () => {
    const resolver = () => {
      throw new Error('of the operator')
    }
    await expect(fetcherFor(server.port, { resolver }).get(uriFor(answer()))).rejects.toMatchObject({
      name: 'KeySetError'
    })
  })

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

test('afterwards nothing is left but the server', async () => {
  await expectNoSocket(server)
  const count = (all: string[], kind: RegExp) => all.filter((name) => kind.test(name)).length
  const now = process.getActiveResourcesInfo()
  expect(count(now, /TCPSocketWrap|TLSWrap|TCPCONNECTWRAP|QUERYWRAP/)).toBeLessThanOrEqual(
    count(resourcesBefore, /TCPSocketWrap|TLSWrap|TCPCONNECTWRAP|QUERYWRAP/)
  )
  expect(count(now, /Timeout/)).toBeLessThanOrEqual(count(resourcesBefore, /Timeout/) + 1)
})

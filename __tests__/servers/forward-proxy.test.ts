// Key sets through the forward proxies of real networks: squid and tinyproxy. There is no internet in a test, so each of
// them hands what it is asked for to a proxy of ours, which writes it down and leads it to the key server.
import { inspect } from 'node:util'
import { createJwksFetcher, type JwksFetcherOptions } from '../../lib'
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy'
import { type ForwardProxyOptions, squid, startForwardProxy, tinyproxy } from '../support/forward-proxies'
import { describeWith, findProgram } from '../support/own-servers'
import { goodBody } from '../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../support/tls-certificates'
import { serveHttps, type TestServer } from '../support/tls-server'

jest.setTimeout(60_000)

const host = 'keys.client-app.net'
const uri = `https://${host}/jwks`
const address = '93.184.215.14'
const credentials = ['fetch-user', 'pass-w0rd-of-proxy'] as const

let authority: Certificate
let keyServer: TestServer
let upstream: ConnectProxy
const opened: { close(): Promise<void> | void }[] = []

const resolver = () => ({
  resolve4: () => Promise.resolve([address]),
  resolve6: () => Promise.resolve([]),
  cancel: () => undefined
})

function fetch(proxy: NonNullable<JwksFetcherOptions['proxy']>, more: JwksFetcherOptions = {}) {
  const judged = proxy.resolve === 'proxy' ? {} : { resolver }
  const fetcher = createJwksFetcher({
    hosts: { [host]: { ca: authority.cert } },
    timeout: 30,
    proxy,
    ...judged,
    ...more
  })
  opened.push(fetcher)
  return fetcher.get(uri)
}

beforeAll(async () => {
  authority = await makeAuthority()
  keyServer = await serveHttps(await makeCertificate(authority, { names: [host] }), (_request, response) => {
    response.setHeader('content-type', 'application/json').end(goodBody)
  })
  opened.push(keyServer)
})
beforeEach(async () => {
  upstream = await startConnectProxy({ to: keyServer.port })
  opened.push(upstream)
})
afterAll(async () => {
  for (const each of opened) await each.close()
})

describe.each([
  ['squid', squid],
  ['tinyproxy', tinyproxy]
])('%s', (program, kind) => {
  const path = findProgram(program) ?? findProgram(`../sbin/${program}`)
  describeWith(program, path, 'REQUIRE_PROXIES', () => {
    const start = async (options: Partial<ForwardProxyOptions> = {}) => {
      const started = await startForwardProxy(kind, String(path), { upstream: upstream.port, ...options })
      opened.push(started)
      return started
    }

    test.each([
      ['here', `${address}:443`],
      ['proxy', `${host}:443`]
    ] as const)('resolve: "%s": a key set comes through, and %s is asked for', async (resolve, target) => {
      const proxy = await start()
      const set = await fetch({ url: `http://127.0.0.1:${proxy.port}`, resolve })
      expect(set.keys).toHaveLength(1)
      expect(upstream.asked.map((asked) => asked.target)).toEqual([target])
    })

    test('407 is told in words; with user and password in the URL it works, and no text holds them', async () => {
      const proxy = await start({ credentials })
      const refused: unknown = await fetch({ url: `http://127.0.0.1:${proxy.port}` }).catch((error: unknown) => error)
      const [user, password] = credentials
      const wrong: unknown = await fetch({ url: `http://${user}:not-${password}@127.0.0.1:${proxy.port}` }).catch(
        (error: unknown) => error
      )
      for (const error of [refused, wrong]) {
        expect(error).toMatchObject({
          why: 'connection',
          message: expect.stringMatching(
            /^the proxy 127\.0\.0\.1 wants other credentials \(40[17]\): they belong into the URL of the option "proxy"$/
          )
        })
        expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(password)
      }
      expect(upstream.asked).toEqual([])
      const set = await fetch({ url: `http://${user}:${password}@127.0.0.1:${proxy.port}` })
      expect(set.keys).toHaveLength(1)
      // Nor does squid or tinyproxy hand them on
      expect(upstream.asked).toEqual([expect.objectContaining({ authorization: undefined })])
    })

    test('that only connects to names: told with the way out, which works', async () => {
      const proxy = await start({ only: host })
      const url = `http://127.0.0.1:${proxy.port}`
      await expect(fetch({ url })).rejects.toMatchObject({
        why: 'connection',
        message:
          `the proxy 127.0.0.1 refused to connect to ${address}:443 (403). ` +
          'If it refuses addresses, resolve: "proxy" sends it names'
      })
      expect(upstream.asked).toEqual([])
      expect((await fetch({ url, resolve: 'proxy' })).keys).toHaveLength(1)
    })

    test('that cannot reach the host is told as such', async () => {
      const proxy = await start()
      await upstream.close()
      await expect(fetch({ url: `http://127.0.0.1:${proxy.port}`, resolve: 'proxy' })).rejects.toMatchObject({
        why: 'connection',
        message: expect.stringMatching(
          /^the proxy 127\.0\.0\.1 refused to connect to keys\.client-app\.net:443 \(5\d\d\)$/
        )
      })
    })

    test('a private address is refused before the proxy, which would allow it, is asked', async () => {
      const proxy = await start()
      const inside = () => ({ ...resolver(), resolve4: () => Promise.resolve(['10.0.0.1']) })
      const fetched = fetch({ url: `http://127.0.0.1:${proxy.port}` }, { resolver: inside })
      await expect(fetched).rejects.toMatchObject({ why: 'address' })
      expect(upstream.asked).toEqual([])
    })
  })
})

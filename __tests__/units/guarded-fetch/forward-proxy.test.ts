import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { createJwksFetcher } from '../../../lib'
import { inspectFetch } from '../../../lib/key-sets/inspect'
import type { JwksFetcherOptions } from '../../../lib/key-sets/options'
import { type ConnectProxy, startConnectProxy } from '../../support/connect-proxy'
import { goodBody } from '../../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { serveHttps, serveSilence, type TestServer } from '../../support/tls-server'

// Handshakes and a process to start, on machines that have other work too
jest.setTimeout(60_000)

const host = 'keys.client-app.net'
const uri = `https://${host}/jwks`
const address = '93.184.215.14'
const [user, password] = ['fetch-user', 'p@ss:w0rd/é']
const withCredentials = (port: number) =>
  `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}`
const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

let authority: Certificate
let proxyAuthority: Certificate
let keyServer: TestServer
interface Closing {
  close(): Promise<void> | void
}
const opened: Closing[] = []
/** Closed afterwards, whatever becomes of the test. */
function kept<T extends Closing>(made: T): T {
  opened.push(made)
  return made
}
type ProxyOptions = Omit<Parameters<typeof startConnectProxy>[0], 'to'>
const makeProxy = async (options: ProxyOptions = {}): Promise<ConnectProxy> =>
  kept(await startConnectProxy({ to: keyServer.port, ...options }))

/** DNS as the internet has it: the proxy of the test leads this address to the server on loopback. */
const answering =
  (...addresses: string[]) =>
  () => ({
    resolve4: () => Promise.resolve(addresses),
    resolve6: () => Promise.resolve([]),
    cancel: () => undefined
  })

function optionsFor(
  proxy: NonNullable<JwksFetcherOptions['proxy']>,
  more: JwksFetcherOptions = {}
): JwksFetcherOptions {
  const resolver = proxy.resolve === 'proxy' ? undefined : answering(address)
  return { hosts: { [host]: { ca: authority.cert } }, resolver, timeout: 30, proxy, ...more }
}

const fetcherFor = (...given: Parameters<typeof optionsFor>) => kept(createJwksFetcher(optionsFor(...given)))
const at = ({ port }: { port: number }) => `http://127.0.0.1:${port}`
/** What the environment of all these tests, and of the process that fetches, names as proxy. */
let trap: ConnectProxy

beforeAll(async () => {
  trap = kept(await startConnectProxy({ to: 0 }))
  process.env.NODE_USE_ENV_PROXY = '1'
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) process.env[name] = at(trap)
  authority = await makeAuthority()
  proxyAuthority = await makeAuthority('ec', 'Authority of the proxy')
  keyServer = kept(
    await serveHttps(await makeCertificate(authority, { names: [host] }), (_request, response) => {
      response.setHeader('content-type', 'application/json').end(goodBody)
    })
  )
})
afterEach(() => {
  // The environment has no say: not where the option is given, and not where it is not
  expect(trap.asked).toEqual([])
})
afterAll(async () => {
  for (const each of opened) await each.close()
})

describe.each([
  ['in a process of its own', false],
  ['in the server', true]
])('fetched %s', (_place, inProcess) => {
  test.each([
    ['here', `${address}:443`],
    ['proxy', `${host}:443`]
  ] as const)('resolve: "%s" asks the proxy for %s', async (resolve, target) => {
    const proxy = await makeProxy()
    const set = await fetcherFor({ url: at(proxy), resolve }, { inProcess }).get(uri)
    expect(set.keys).toHaveLength(1)
    expect(proxy.asked).toEqual([{ target, host: target, authorization: undefined }])
    // What has been opened is closed again
    while (proxy.open > 0 || keyServer.open > 0) await sleep(10)
  })
})

test('an IPv6 address is asked for in brackets', async () => {
  const proxy = await makeProxy()
  await fetcherFor({ url: at(proxy) }, { resolver: answering('2606:2800:21f:cb07:6820:80da:af6b:8b2c') }).get(uri)
  expect(proxy.asked[0]?.target).toBe('[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443')
})

test('the ports that "hosts" names hold, and do not lead around the proxy', async () => {
  const proxy = await makeProxy()
  const hosts = { [host]: { ca: authority.cert, ports: [8443] } }
  const fetcher = fetcherFor({ url: at(proxy) }, { hosts })
  await fetcher.get(`https://${host}:8443/jwks`)
  expect(proxy.asked.map(({ target }) => target)).toEqual([`${address}:8443`])
  await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'url' })
})

describe('the proxy has no say on what is judged', () => {
  test.each(['10.0.0.1', '127.0.0.1', '169.254.169.254'])('%s is refused before it is asked', async (privateOne) => {
    const proxy = await makeProxy()
    const fetched = fetcherFor({ url: at(proxy) }, { resolver: answering(privateOne) }).get(uri)
    await expect(fetched).rejects.toMatchObject({ why: 'address', message: expect.stringContaining(privateOne) })
    expect(proxy.asked).toEqual([])
  })

  test('"denyAddresses" holds', async () => {
    const proxy = await makeProxy()
    const fetched = fetcherFor({ url: at(proxy) }, { denyAddresses: [address] }).get(uri)
    await expect(fetched).rejects.toMatchObject({ why: 'address' })
    expect(proxy.asked).toEqual([])
  })

  test.each(['https://127.0.0.1/jwks', 'https://printer/jwks', 'https://metadata.internal/jwks'])(
    'the rules on names stand where the proxy resolves: %s',
    async (refused) => {
      const proxy = await makeProxy()
      const fetched = fetcherFor({ url: at(proxy), resolve: 'proxy' }).get(refused)
      await expect(fetched).rejects.toMatchObject({ why: 'host' })
      expect(proxy.asked).toEqual([])
    }
  )

  test('the certificate must be one for the name, whoever resolves it', async () => {
    const other = kept(await serveHttps(await makeCertificate(authority, { names: ['other.net'] }), () => undefined))
    for (const resolve of ['here', 'proxy'] as const) {
      const proxy = kept(await startConnectProxy({ to: other.port }))
      await expect(fetcherFor({ url: at(proxy), resolve }).get(uri)).rejects.toMatchObject({
        why: 'tls',
        message: expect.stringContaining(`${host} has a certificate for other names`)
      })
    }
  })
})

test('a host that names addresses is reached directly', async () => {
  const proxy = await makeProxy()
  const hosts = { [host]: { addresses: ['127.0.0.0/8'], ports: [keyServer.port], ca: authority.cert } }
  const fetcher = fetcherFor({ url: at(proxy) }, { hosts, resolver: answering('127.0.0.1') })
  expect((await fetcher.get(`https://${host}:${keyServer.port}/jwks`)).keys).toHaveLength(1)
  expect(proxy.asked).toEqual([])
})

test.each([false, true])('without the option no proxy is asked, in the server: %s', async (inProcess) => {
  const hosts = { [host]: { addresses: ['127.0.0.0/8'], ports: [keyServer.port], ca: authority.cert } }
  const fetcher = kept(createJwksFetcher({ hosts, resolver: answering('127.0.0.1'), timeout: 30, inProcess }))
  expect((await fetcher.get(`https://${host}:${keyServer.port}/jwks`)).keys).toHaveLength(1)
})

describe('credentials', () => {
  const demanding = () =>
    makeProxy({
      behave: (client, { headers }, connectIt) => {
        if (headers['proxy-authorization'] === basic) connectIt()
        else client.end('HTTP/1.1 407 Who are you\r\nproxy-authenticate: Basic realm="corp"\r\n\r\n')
      }
    })

  test('none: 407 is told in words', async () => {
    const proxy = await demanding()
    await expect(fetcherFor({ url: at(proxy) }).get(uri)).rejects.toMatchObject({
      why: 'connection',
      message: 'the proxy 127.0.0.1 wants other credentials (407): they belong into the URL of the option "proxy"'
    })
  })

  test('those of the URL are decoded and sent to the proxy, and never to the host', async () => {
    const proxy = await demanding()
    const sent: unknown[] = []
    const watched = kept(
      await serveHttps(await makeCertificate(authority, { names: [host] }), ({ headers }, response) => {
        sent.push(headers)
        response.setHeader('content-type', 'application/json').end(goodBody)
      })
    )
    const toWatched = kept(await startConnectProxy({ to: watched.port }))
    expect((await fetcherFor({ url: withCredentials(proxy.port) }).get(uri)).keys).toHaveLength(1)
    expect((await fetcherFor({ url: withCredentials(toWatched.port) }).get(uri)).keys).toHaveLength(1)
    expect(proxy.asked.concat(toWatched.asked).map(({ authorization }) => authorization)).toEqual([basic, basic])
    expect(sent).toHaveLength(1)
    expect(inspect(sent)).not.toMatch(/authorization/i)
  })

  /** Everything that is said while `work` runs: events, warnings, and what is written. */
  async function saidDuring(work: () => Promise<unknown>): Promise<string> {
    const said: unknown[] = []
    const note = (...given: unknown[]): void => void said.push(given)
    const written = [jest.spyOn(process.stdout, 'write'), jest.spyOn(process.stderr, 'write')]
    for (const spy of written) spy.mockImplementation((text) => said.push(String(text)) > 0)
    const channels = ['oauth-client-auth:jwks', 'oauth-client-auth:fetching']
    for (const name of channels) subscribe(name, note)
    process.on('warning', note)
    try {
      said.push(await work())
    } finally {
      process.off('warning', note)
      for (const name of channels) unsubscribe(name, note)
      for (const spy of written) spy.mockRestore()
    }
    const whole = { depth: Infinity, showHidden: true, maxStringLength: null, maxArrayLength: null }
    return said.map((each) => `${inspect(each, whole)}${JSON.stringify(each)}`).join('\n')
  }

  test('no error, event, step or text holds them, whatever goes wrong', async () => {
    const silent = kept(await serveSilence())
    const proxies = {
      407: await makeProxy({ behave: (client) => client.end('HTTP/1.1 407 No\r\n\r\n') }),
      403: await makeProxy({ behave: (client) => client.end('HTTP/1.1 403 No\r\n\r\n') }),
      garbage: await makeProxy({ behave: (client) => client.end('no HTTP at all\r\n\r\n') }),
      closing: await makeProxy({ behave: (client) => client.destroy() }),
      good: await makeProxy(),
      silent,
      closed: { port: 1 }
    }
    const said = await saidDuring(async () => {
      const outcomes: unknown[] = []
      for (const { port } of Object.values(proxies)) {
        for (const resolve of ['here', 'proxy'] as const) {
          const proxy = { url: withCredentials(port), resolve }
          const timeout = port === silent.port ? 0.2 : 30
          const fetcher = fetcherFor(proxy, { timeout })
          outcomes.push(await fetcher.get(uri).catch((error: unknown) => error), fetcher)
          outcomes.push(await inspectFetch(uri, optionsFor(proxy, { timeout })))
        }
      }
      const mistakes: JwksFetcherOptions[] = [
        { proxy: { url: `${withCredentials(1)}/path` } },
        { proxy: { url: withCredentials(1).replace('http:', 'socks5:') } },
        { proxy: { url: `http://${user}:%E9${encodeURIComponent(password)}@proxy.corp` } },
        { proxy: withCredentials(1) as never }
      ]
      for (const options of mistakes) {
        let thrown: unknown
        try {
          createJwksFetcher(options)
        } catch (error) {
          thrown = error
        }
        expect(thrown).toBeInstanceOf(TypeError)
        outcomes.push(thrown)
      }
      return outcomes
    })
    // Told at all: else there would be nothing to search
    expect(said).toContain('wants other credentials (407)')
    expect(said).toMatch(/event: 'fetched'/)
    for (const secret of [password, encodeURIComponent(password), basic.slice('Basic '.length), user])
      expect(said).not.toContain(secret)
  })
})

describe('a proxy that', () => {
  const advice = '. If it refuses addresses, resolve: "proxy" sends it names'
  const html = '<html>Blocked by policy</html>'
  const page = `content-type: text/html\r\ncontent-length: ${html.length}\r\n\r\n${html}`
  test.each<[string, string, string, 'here' | 'proxy']>([
    ['refuses', 'HTTP/1.1 403 Forbidden\r\n\r\n', `refused to connect to ${address}:443 (403)${advice}`, 'here'],
    ['refuses a name', 'HTTP/1.1 403 Forbidden\r\n\r\n', `refused to connect to ${host}:443 (403)`, 'proxy'],
    ['answers with a page', `HTTP/1.1 502 Bad\r\n${page}`, `refused to connect to ${host}:443 (502)`, 'proxy'],
    ['redirects', 'HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n', `refused to connect to ${host}:443 (302)`, 'proxy'],
    ['speaks no HTTP', `${html}\r\n\r\n`, 'sent an answer that is not HTTP/1.1 (HPE_INVALID_CONSTANT)', 'here'],
    [
      'sends endless headers',
      `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(9000)}\r\n\r\n`,
      'sent more than 8 KiB of headers (HPE_HEADER_OVERFLOW)',
      'here'
    ],
    ['closes', '', 'broke the connection (ECONNRESET)', 'here']
  ])('%s is told as such', async (_name, answer, words, resolve) => {
    const proxy = await makeProxy({ behave: (client) => client.end(answer) })
    await expect(fetcherFor({ url: at(proxy), resolve }).get(uri)).rejects.toMatchObject({
      why: 'connection',
      message: `the proxy 127.0.0.1 ${words}`
    })
    while (proxy.open > 0) await sleep(10)
  })

  test('is not there is told as such', async () => {
    const gone = await serveSilence()
    await gone.close()
    await expect(fetcherFor({ url: at(gone) }).get(uri)).rejects.toMatchObject({
      why: 'connection',
      message: 'the proxy 127.0.0.1 refused the connection (ECONNREFUSED)'
    })
  })

  test('puts a page of its own where the host should be is told as such', async () => {
    const proxy = await makeProxy({ behave: (client) => client.end(`HTTP/1.1 200 OK\r\n${page}`) })
    await expect(fetcherFor({ url: at(proxy) }).get(uri)).rejects.toMatchObject({
      why: 'tls',
      message: `${host} does not speak TLS at this port (ERR_SSL_WRONG_VERSION_NUMBER)`
    })
  })

  test.each([
    ['http', 'here'],
    ['http', 'proxy'],
    ['https', 'here'],
    ['https', 'proxy']
  ] as const)('hangs is left in time: %s:, names resolved by "%s"', async (scheme, resolve) => {
    const silent = kept(await serveSilence())
    const fetcher = fetcherFor({ url: `${scheme}://127.0.0.1:${silent.port}`, resolve }, { timeout: 0.5 })
    await expect(fetcher.get(uri)).rejects.toMatchObject({
      why: 'timeout',
      message: `${host} was not connected to by the proxy within 0.5 s`
    })
    while (silent.open > 0) await sleep(10)
  })
})

describe('names that are not found here', () => {
  test.each([
    ['ENOTFOUND', 'dns'],
    ['ESERVFAIL', 'dns']
  ])('%s: told with the way out', async (code, why) => {
    const proxy = await makeProxy()
    const failing = () => Promise.reject(Object.assign(new Error(code), { code }))
    const resolver = () => ({ resolve4: failing, resolve6: failing, cancel: () => undefined })
    await expect(fetcherFor({ url: at(proxy) }, { resolver }).get(uri)).rejects.toMatchObject({
      why,
      message: expect.stringMatching(/Where only the proxy can resolve names: resolve: "proxy"$/)
    })
  })

  test('DNS that never answers: told with the way out', async () => {
    const proxy = await makeProxy()
    const never = () => new Promise<string[]>(() => undefined)
    const resolver = () => ({ resolve4: never, resolve6: never, cancel: () => undefined })
    await expect(fetcherFor({ url: at(proxy) }, { resolver, timeout: 0.2 }).get(uri)).rejects.toMatchObject({
      why: 'timeout',
      message: `${host} was not found by DNS within 0.2 s. Where only the proxy can resolve names: resolve: "proxy"`
    })
  })
})

describe('a proxy that is spoken to by TLS', () => {
  const makeTlsProxy = async () =>
    makeProxy({ tls: await makeCertificate(proxyAuthority, { addresses: ['127.0.0.1'] }) })
  const overTls = ({ port }: { port: number }) => `https://127.0.0.1:${port}`

  test.each(['here', 'proxy'] as const)('is trusted by its own "ca", names resolved by "%s"', async (resolve) => {
    const proxy = await makeTlsProxy()
    const fetcher = fetcherFor({ url: overTls(proxy), resolve, ca: proxyAuthority.cert })
    expect((await fetcher.get(uri)).keys).toHaveLength(1)
    expect(proxy.asked).toHaveLength(1)
    while (proxy.open > 0) await sleep(10)
  })

  test('is not trusted without it, and the words name the option', async () => {
    const proxy = await makeTlsProxy()
    await expect(fetcherFor({ url: overTls(proxy) }).get(uri)).rejects.toMatchObject({
      why: 'tls',
      message: expect.stringMatching(/^the proxy 127\.0\.0\.1 has a certificate by "Authority of the proxy", .*"proxy"/)
    })
    expect(proxy.asked).toEqual([])
  })

  test('its "ca" is not trusted for hosts', async () => {
    const proxy = await makeTlsProxy()
    const options = { url: overTls(proxy), ca: proxyAuthority.cert }
    await expect(fetcherFor(options, { hosts: {} }).get(uri)).rejects.toMatchObject({
      why: 'tls',
      message: expect.stringMatching(new RegExp(`^${host} has a certificate by "Test authority"`))
    })
  })

  test('at a port that speaks no TLS is told as such', async () => {
    const proxy = await makeProxy()
    await expect(fetcherFor({ url: overTls(proxy) }).get(uri)).rejects.toMatchObject({
      why: 'tls',
      message: 'the proxy 127.0.0.1 does not speak TLS at this port (ERR_SSL_WRONG_VERSION_NUMBER)'
    })
  })

  test('spoken to without TLS is told as such', async () => {
    const proxy = await makeTlsProxy()
    await expect(fetcherFor({ url: at(proxy) }).get(uri)).rejects.toMatchObject({
      why: 'connection',
      message: expect.stringMatching(/^the proxy 127\.0\.0\.1 /)
    })
  })
})

test('a proxy that opens TLS itself is trusted for the hosts that name its authority alone', async () => {
  const made = await makeCertificate(proxyAuthority, { names: [host] })
  const opening = kept(
    await serveHttps(made, (_request, response) => {
      response.setHeader('content-type', 'application/json').end(goodBody)
    })
  )
  const proxy = kept(await startConnectProxy({ to: opening.port }))
  const hosts = { [host]: { ca: proxyAuthority.cert } }
  expect((await fetcherFor({ url: at(proxy) }, { hosts }).get(uri)).keys).toHaveLength(1)
  await expect(fetcherFor({ url: at(proxy) }).get(uri)).rejects.toMatchObject({ why: 'tls' })
})

describe('impossible options', () => {
  const url = 'http://proxy.corp:3128'
  test.each<[string, JwksFetcherOptions, RegExp]>([
    ['denyAddresses', { proxy: { url, resolve: 'proxy' }, denyAddresses: [] }, /"denyAddresses" has no say .*"proxy"/],
    ['resolver', { proxy: { url, resolve: 'proxy' }, resolver: answering() }, /"resolver" has no say .*"proxy"/],
    ['no url', { proxy: {} as never }, /^createJwksFetcher: proxy: option "url" is missing$/],
    ['a path', { proxy: { url: `${url}/x` } }, /proxy: option "url" must be an http: or https: URL/],
    ['another scheme', { proxy: { url: 'socks5://proxy.corp' } }, /proxy: option "url" must be an http: or https: URL/],
    ['resolve', { proxy: { url, resolve: 'there' as 'here' } }, /proxy: option "resolve" must be 'here' or 'proxy'/],
    ['ca', { proxy: { url, ca: '/etc/ca.pem' } }, /proxy: option "ca" must be PEM text/],
    ['a string', { proxy: url as never }, /option "proxy" must be an object with a url/]
  ])('%s: a TypeError that names it', (_name, options, words) => {
    expect(() => createJwksFetcher(options)).toThrow(words)
    expect(() => createJwksFetcher(options)).toThrow(TypeError)
  })
})

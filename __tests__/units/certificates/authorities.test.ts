// Who vouches for clients: the authorities of the option "ca", and nobody else, whatever a context of the server trusts.
import { once } from 'node:events'
import { createServer, get, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { createTlsCertificates, type TlsCertificatesOptions } from '../../../lib'
import { certificate } from '../../support/client-certificates'
import { serverCertificate } from '../../support/mutual-tls-server'

const pem = (...ids: string[]) => ids.map((id) => certificate(id).pem).join('')
const own = serverCertificate()

let warning: jest.SpyInstance
const warned = () => warning.mock.calls.map(([text]) => String(text)).join()
beforeEach(() => {
  warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
})

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  warning.mockRestore()
})

interface Shown {
  verified: boolean
  verdict?: string
}

/** A watched server that answers with the verdict on what a client shows. */
async function start(change: (server: Server) => void, more: TlsOptions = {}, options: TlsCertificatesOptions = {}) {
  const certificates = createTlsCertificates({ ca: pem('ca'), dedicated: true, ...options })
  const server = createServer({ ...own, ...more, ...certificates.serverOptions }, ({ headers, socket }, res) => {
    const { verified, verdict } = certificates.get({ headers, socket })!
    res.end(JSON.stringify({ verified, verdict }))
  })
  certificates.watch(server)
  change(server)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return async (id: string, chain: string[] = [], servername = 'alias.test'): Promise<Shown> => {
    const identity = { key: certificate(id).key, cert: pem(id, ...chain) }
    const request = get({ ...identity, host: '127.0.0.1', port, servername, agent: false, rejectUnauthorized: false })
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
    return JSON.parse(text) as Shown
  }
}

const nothing = () => undefined
const sni = (options: SecureContextOptions): TlsOptions => ({
  SNICallback: (_name, done) => {
    done(null, createSecureContext(options))
  }
})

// Threat 37: a context whose own list vouches for all clients. `ca-evil` bears the name of `ca`.
describe.each<[string, (server: Server) => void, TlsOptions]>([
  [
    'setSecureContext',
    (server) => {
      server.setSecureContext({ ...own, ca: [pem('ca'), pem('ca-evil'), pem('ca-other')] })
    },
    {}
  ],
  [
    'addContext',
    (server) => {
      server.addContext('alias.test', { ...own, ca: pem('ca', 'ca-evil', 'ca-other') })
    },
    {}
  ],
  ['an SNICallback', nothing, sni({ ...own, ca: [pem('ca'), pem('ca-evil'), pem('ca-other')] })]
])('%s with a list that trusts others too', (_, change, more) => {
  test.each<[string, string, string[]]>([
    ['of another authority', 'bank-other-ca', []],
    ['of one with the same name', 'bank-evil', []],
    ['of one with the same name, and ours is sent with it', 'bank-evil', ['ca']],
    ['of another, and its list of names is joined to ours by what is sent', 'bank-other-ca', ['ca-evil', 'ca']]
  ])('a certificate %s is not verified', async (_title, id, chain) => {
    expect((await (await start(change, more))(id, chain)).verified).toBe(false)
  })

  test('a certificate of ours is', async () => {
    const ask = await start(change, more)
    expect(await ask('bank')).toEqual({ verified: true })
  })
})

test('through an intermediate authority as well, and over another host name', async () => {
  const ask = await start((server) => {
    server.addContext('alias.test', { ...own, ca: pem('ca', 'ca-evil') })
  })
  expect(await ask('bank-intermediate', ['ca-intermediate'])).toEqual({ verified: true })
  expect(await ask('bank-evil', [], 'localhost')).toMatchObject({ verified: false })
})

// docs/mutual-tls.md: with an SNICallback Node 24 shows the server intermediate certificates from 24.22 on only
const [major, minor] = process.versions.node.split('.').map(Number)
const isChainShown = major !== 24 || minor! >= 22
test.each([
  [10, isChainShown],
  [11, false]
])('an SNICallback, %i intermediate authorities: verified %p', async (count, verified) => {
  const links = Array.from({ length: count }, (_, index) => `ca-link-${count - index}`)
  const ask = await start(nothing, sni({ ...own, ca: pem('ca', 'ca-evil') }))
  expect((await ask(`bank-below-${count}`, links)).verified).toBe(verified)
})

test('an authority of a context that is not ours is told', async () => {
  await start((server) => {
    server.addContext('alias.test', { ...own, ca: pem('ca-evil') })
  })
  expect(warned()).toContain('addContext: an authority that is not in "ca"')
})

// Threat 34: OpenSSL decodes what a client sends before any code of this package runs
test('that clients can hold the process is told at start-up, once, unless it is dedicated', () => {
  createTlsCertificates({ ca: pem('ca'), dedicated: true })
  expect(warned()).toBe('')
  createTlsCertificates({ ca: pem('ca') })
  expect(warned()).toMatch(/hold the event loop .*docs\/mutual-tls\.md.* say dedicated: true/)
  expect(warning.mock.calls[0]?.[1]).toMatchObject({ code: 'OAUTH_CLIENT_AUTH_SHARED_PROCESS' })
  createTlsCertificates({ ca: pem('ca') })
  expect(warning).toHaveBeenCalledTimes(1)
  expect(() => createTlsCertificates({ dedicated: 'yes' as unknown as boolean })).toThrow(/"dedicated" must be true or/)
})

describe.each(['setSecureContext', 'addContext'] as const)('%s takes the PEM that the option takes', (name) => {
  test.each<[string, unknown]>([
    ['ca', ''],
    ['ca', false],
    ['ca', []],
    ['ca', './ca.pem'],
    ['ca', null],
    ['ca', [pem('ca'), '']],
    ['crl', ''],
    ['crl', []]
  ])('%s: %j is a TypeError', async (option, value) => {
    const refused = (server: Server) => {
      const options = { ...own, [option]: value } as SecureContextOptions
      if (name === 'addContext') server.addContext('alias.test', options)
      else server.setSecureContext(options)
    }
    await start((server) => {
      expect(() => {
        refused(server)
      }).toThrow(TypeError)
      expect(() => {
        refused(server)
      }).toThrow(new RegExp(`^${name}: option "${option}" must be .* in PEM`))
    })
  })
})

test('a server with contexts of its own making is not watched', () => {
  const certificates = createTlsCertificates({ ca: pem('ca'), dedicated: true })
  const server = createServer({ ...own, ...certificates.serverOptions })
  server.addContext('alias.test', { ...own, ca: pem('ca-evil') })
  expect(() => {
    certificates.watch(server)
  }).toThrow(/call it before addContext/)
})

test('a server is watched once: a second watch would wrap it again', async () => {
  const certificates = createTlsCertificates({ ca: pem('ca'), dedicated: true })
  const server = createServer({ ...own, ...certificates.serverOptions })
  certificates.watch(server)
  expect(() => {
    certificates.watch(server)
  }).toThrow(new TypeError('watch: this server is watched already; call it once'))
})

describe('what the handshake said is kept', () => {
  test.each<[string, string, string[], string]>([
    ['no intermediate', 'bank-intermediate', [], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['for servers only', 'bank-server-only', [], 'INVALID_PURPOSE'],
    ['expired', 'bank-expired', [], 'CERT_HAS_EXPIRED'],
    ['signed by itself', 'self-bank', [], 'DEPTH_ZERO_SELF_SIGNED_CERT']
  ])('%s', async (_title, id, chain, verdict) => {
    expect(await (await start(nothing))(id, chain)).toEqual({ verified: false, verdict })
  })

  test('no authorities', async () => {
    const ask = await start(nothing, {}, { ca: undefined })
    expect(await ask('bank')).toEqual({ verified: false, verdict: 'no authorities: option "ca" is not given' })
  })
})

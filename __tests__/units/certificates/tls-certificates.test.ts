import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:crypto'
import { connect as connectHttp2, createSecureServer } from 'node:http2'
import { createServer, get, type Server } from 'node:https'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, type Server as TlsServer, type TlsOptions, type TLSSocket } from 'node:tls'
import {
  createTlsCertificates,
  type TlsCertificates,
  type TlsCertificatesOptions
} from '../../../lib/certificates/tls-certificates'
import { certificate, revocationList } from '../../support/client-certificates'
import { serverCertificate } from '../../support/mutual-tls-server'
import { describeWith, findProgram } from '../../support/own-servers'

const pem = (id: string) => certificate(id).pem
const SWITCHES = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

interface Seen {
  /** Thumbprint of the certificate, or null. */
  shown: string | null
  verified: boolean | null
  reused: boolean
}

const servers: TlsServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const answerWith = (certificates: TlsCertificates) => (socket: object) => {
  const found = certificates.get({ headers: {}, socket: socket })
  return JSON.stringify({
    shown: found?.certificate.fingerprint256 ?? null,
    verified: found?.verified ?? null,
    reused: (socket as TLSSocket).isSessionReused()
  })
}

/** A watched server that answers with what its source finds. */
async function start(options: TlsCertificatesOptions, more: TlsOptions = {}) {
  const certificates = createTlsCertificates(options)
  const answer = answerWith(certificates)
  const server = createServer({ ...serverCertificate(), ...more, ...certificates.serverOptions }, (req, res) =>
    res.end(answer(req.socket))
  )
  certificates.watch(server)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, certificates, port: (server.address() as AddressInfo).port }
}

interface Ask {
  id?: string
  servername?: string
  session?: Buffer | undefined
  version?: 'TLSv1.2' | 'TLSv1.3'
  onSession?: (session: Buffer) => void
}

async function ask(
  port: number,
  { id, servername = 'localhost', session, version, onSession }: Ask = {}
): Promise<Seen> {
  const identity = id === undefined ? {} : { key: certificate(id).key, cert: pem(id) }
  const request = get({
    ...identity,
    ...{ host: '127.0.0.1', port, servername, session, agent: false, rejectUnauthorized: false },
    ...(version === undefined ? {} : { minVersion: version, maxVersion: version })
  })
  request.on('socket', (socket: Socket) => socket.on('session', (fresh: Buffer) => onSession?.(fresh)))
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return JSON.parse(text) as Seen
}

const fingerprint = (id: string) => certificate(id).thumbprint
const shown = ({ shown: value, verified }: Seen) => [
  value === null ? null : Buffer.from(value.replaceAll(':', ''), 'hex').toString('base64url'),
  verified
]

describe('certificate and verdict', () => {
  test.each([
    ['of a trusted authority', 'bank', true],
    ['of an authority that bears its name', 'bank-evil', false],
    ['signed by itself', 'self-bank', false],
    ['expired', 'bank-expired', false],
    ['for servers only', 'bank-server-only', false],
    ['of a leaf that is no authority', 'bank-by-leaf', false]
  ])('%s: %s', async (_title, id, verified) => {
    const { port } = await start({ ca: pem('ca') })
    expect(shown(await ask(port, { id }))).toEqual([fingerprint(id), verified])
  })

  test('without a certificate there is none', async () => {
    const { port } = await start({ ca: pem('ca') })
    expect(shown(await ask(port))).toEqual([null, null])
  })

  // Threat 52: Node's own authorities vouch for clients
  test('without ca nothing is verified, and the list is empty: Node would take its own authorities', async () => {
    const { port, server, certificates } = await start({})
    expect(certificates.verifies).toBe('never')
    expect((server as Server & { ca?: unknown }).ca).toEqual([])
    expect(shown(await ask(port, { id: 'bank' }))).toEqual([fingerprint('bank'), false])
  })

  test.each([
    ['on it', 'ca', 'bank-revoked', false],
    ['not on it', 'ca', 'bank', true],
    ['not on a list that has ended', 'ca-ended', 'bank', false]
  ])('a revocation list, and a certificate %s', async (_title, list, id, verified) => {
    const { port } = await start({ ca: pem('ca'), crl: revocationList(list) })
    expect(shown(await ask(port, { id }))).toEqual([fingerprint(id), verified])
  })

  test('a server that is not watched has none, nor has what is no socket of a watched one', async () => {
    const { port } = await start({ ca: pem('ca') })
    const other = createTlsCertificates({ ca: pem('ca') })
    expect(other.get({ headers: {} })).toBeUndefined()
    expect(other.get({ headers: {}, socket: null })).toBeUndefined()
    expect(shown(await ask(port, { id: 'bank' }))).toEqual([fingerprint('bank'), true])
  })

  test('over HTTP/2', async () => {
    const certificates = createTlsCertificates({ ca: pem('ca') })
    const answer = answerWith(certificates)
    const server = createSecureServer({ ...serverCertificate(), ...certificates.serverOptions }, (req, res) => {
      res.end(answer(req.socket))
    })
    certificates.watch(server)
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const { key } = certificate('bank')
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, key, cert: pem('bank') })
    let text = ''
    for await (const chunk of session.request({ ':path': '/' }).setEncoding('utf8')) text += String(chunk)
    session.close()
    expect(shown(JSON.parse(text) as Seen)).toEqual([fingerprint('bank'), true])
  })
})

const careless = () => createSecureContext({ ...serverCertificate(), ca: pem('ca') })

/** Gives a server, behind the back of what watches it, a context without the switches. */
const dropSwitches = (server: Server) => {
  const own = server.setSecureContext.bind(server)
  Reflect.deleteProperty(server, 'setSecureContext')
  server.setSecureContext({ ...serverCertificate(), ca: pem('ca') })
  server.setSecureContext = own
}

describe('resumption', () => {
  const versions = ['TLSv1.2', 'TLSv1.3'] as const

  async function resume(port: number, version: (typeof versions)[number], first: Ask, second: Ask = first) {
    let session: Buffer | undefined
    await ask(port, { ...first, version, onSession: (fresh) => (session = fresh) })
    return ask(port, { ...second, version, session })
  }

  // Threat 52: a session that is resumed (CVE-2025-23419, CVE-2025-23048)
  test.each(versions)('%s: no session is resumed', async (version) => {
    const { port } = await start({ ca: pem('ca') })
    expect(await resume(port, version, { id: 'bank' })).toMatchObject({ reused: false })
  })

  // Threat 52: a resumed session that counts as authorized (nodejs/node#35317)
  test.each(versions)('%s: a resumed one, should there be one, has no certificate', async (version) => {
    const { server, port } = await start({ ca: pem('ca') })
    dropSwitches(server)
    const seen = await resume(port, version, { id: 'bank' })
    expect(seen).toEqual({ shown: null, verified: null, reused: true })
  })
})

describe('renegotiation', () => {
  // pyOpenSSL of the system: another Python on the PATH may lack it
  const python = ['/usr/bin/python3', findProgram('python3') ?? ''].find((path) => {
    try {
      execFileSync(path, ['-c', 'import OpenSSL'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })

  // Threat 52: renegotiation left on
  test('is switched off in the context and on each socket', async () => {
    const { server, port } = await start({ ca: pem('ca') })
    expect((server as Server & { secureOptions?: number }).secureOptions! & SWITCHES).toBe(SWITCHES)
    const disabled: boolean[] = []
    server.prependListener('secureConnection', (socket) => {
      const original = socket.disableRenegotiation.bind(socket)
      socket.disableRenegotiation = () => {
        disabled.push(true)
        original()
      }
    })
    await ask(port, { id: 'bank' })
    expect(disabled).toEqual([true])
  })

  /** Connects as one, renegotiates as another, and sends a request. */
  async function swap(port: number, first: string, second: string): Promise<string> {
    const directory = mkdtempSync(join(tmpdir(), 'renegotiate-'))
    const files = [first, second].flatMap((id) => {
      const names = [join(directory, `${id}.crt.pem`), join(directory, `${id}.key.pem`)]
      writeFileSync(names[0]!, pem(id))
      writeFileSync(names[1]!, certificate(id).key)
      return names
    })
    const child = spawn(python!, [join(__dirname, '../../support/renegotiate.py'), `${port}`, ...files])
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    await once(child, 'close')
    rmSync(directory, { recursive: true })
    return output
  }

  describeWith('pyOpenSSL', python, 'REQUIRE_PYOPENSSL', () => {
    // Threat 52: a renegotiation that swaps the certificate
    test.each([
      ['shop', 'bank'],
      ['shop', 'self-attacker']
    ])('%s that becomes %s gets nothing for it', async (first, second) => {
      const { port } = await start({ ca: pem('ca') })
      expect(await swap(port, first, second)).toMatch(/^refused/)
    })

    test('nor where the switch of the context is lost', async () => {
      const { port, server } = await start({ ca: pem('ca') })
      dropSwitches(server)
      const output = await swap(port, 'shop', 'self-attacker')
      expect(output).toMatch(/^(?:refused|renegotiated)/)
      expect(output).not.toContain('HTTP/1.1 200')
    })
  })
})

describe('new contexts of a watched server', () => {
  // Threat 52: a renewed server certificate that loses `ca` and `crl`
  test('setSecureContext with key and certificate alone keeps ca, crl and switches', async () => {
    const { server, port } = await start({ ca: pem('ca'), crl: revocationList('ca') })
    server.setSecureContext(serverCertificate())
    expect((server as Server & { secureOptions?: number }).secureOptions! & SWITCHES).toBe(SWITCHES)
    expect(shown(await ask(port, { id: 'bank' }))).toEqual([fingerprint('bank'), true])
    expect(shown(await ask(port, { id: 'bank-revoked' }))).toEqual([fingerprint('bank-revoked'), false])
  })

  test('a list passed on purpose replaces the old one', async () => {
    const { server, port } = await start({ ca: [pem('ca'), pem('ca-other')] })
    server.setSecureContext({ ...serverCertificate(), ca: pem('ca-other') })
    expect(shown(await ask(port, { id: 'bank' }))).toEqual([fingerprint('bank'), false])
    expect(shown(await ask(port, { id: 'bank-other-ca' }))).toEqual([fingerprint('bank-other-ca'), true])
  })

  // Threat 52: a further host that loses `ca` and `crl`
  test('addContext with key and certificate alone keeps them for its host', async () => {
    const { server, port } = await start({ ca: pem('ca'), crl: revocationList('ca') })
    server.addContext('alias.test', serverCertificate())
    const to = { servername: 'alias.test' }
    expect(shown(await ask(port, { ...to, id: 'bank' }))).toEqual([fingerprint('bank'), true])
    expect(shown(await ask(port, { ...to, id: 'bank-revoked' }))).toEqual([fingerprint('bank-revoked'), false])
    let session: Buffer | undefined
    await ask(port, { ...to, id: 'bank', onSession: (fresh) => (session = fresh) })
    expect(await ask(port, { ...to, id: 'bank', session })).toMatchObject({ reused: false })
  })

  test('addContext refuses a ready context, which does not show whom it trusts', async () => {
    const { server } = await start({ ca: pem('ca') })
    expect(() => {
      server.addContext('alias.test', careless())
    }).toThrow(/not a ready SecureContext/)
  })
})

describe('what watch refuses', () => {
  const refused = (options: TlsOptions) => {
    const certificates = createTlsCertificates({ ca: pem('ca') })
    const server = createServer({ ...serverCertificate(), ...certificates.serverOptions, ...options })
    return () => {
      certificates.watch(server)
    }
  }
  test.each<[string, TlsOptions, RegExp]>([
    ['other authorities', { ca: pem('ca') }, /must be made with serverOptions/],
    ['no authorities', { ca: undefined }, /must be made with serverOptions/],
    ['no request for certificates', { requestCert: false }, /must be made with serverOptions/],
    ['the switches off', { secureOptions: 0 }, /must be made with serverOptions/]
  ])('a server with %s', (_title, options, message) => {
    expect(refused(options)).toThrow(TypeError)
    expect(refused(options)).toThrow(message)
  })

  test('further flags beside the switches are no matter', () => {
    expect(refused({ secureOptions: SWITCHES | constants.SSL_OP_NO_COMPRESSION })).not.toThrow()
  })

  // Threat 52: authorities within a pfx vouch for clients
  test('a pfx, whose authorities Node trusts for clients', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pfx-'))
    const file = (name: string) => join(directory, name)
    writeFileSync(file('own.pem'), pem('server') + certificate('server').key)
    writeFileSync(file('ca.pem'), pem('ca-evil'))
    const from = ['-in', file('own.pem'), '-certfile', file('ca.pem')]
    execFileSync('openssl', ['pkcs12', '-export', ...from, '-out', file('own.p12'), '-passout', 'pass:'])
    const pfx = readFileSync(file('own.p12'))
    rmSync(directory, { recursive: true })
    expect(refused({ pfx, key: undefined, cert: undefined })).toThrow(/key and cert, not pfx/)
    const { server } = await start({ ca: pem('ca') })
    expect(() => {
      server.setSecureContext({ pfx })
    }).toThrow(/key and cert, not pfx/)
    expect(() => {
      server.addContext('alias.test', { pfx })
    }).toThrow(/key and cert, not pfx/)
  })
})

describe('options', () => {
  test.each<[string, object, RegExp]>([
    [
      'a path as ca',
      { ca: './ca.pem' },
      /"ca" must be certificates of authorities in PEM \(its content, not its path\)/
    ],
    ['no ca in the list', { ca: [] }, /"ca"/],
    ['a key as ca', { ca: certificate('ca').key }, /"ca"/],
    ['a broken certificate', { ca: pem('ca').replace('MII', 'MIX') }, /"ca"/],
    ['a path as crl', { ca: pem('ca'), crl: 'ca.crl' }, /"crl"/],
    ['crl without ca', { crl: revocationList('ca') }, /"crl" needs "ca"/],
    ['a misspelt name', { cas: pem('ca') }, /did you mean "ca"/]
  ])('%s is a TypeError', (_title, options, message) => {
    expect(() => createTlsCertificates(options)).toThrow(TypeError)
    expect(() => createTlsCertificates(options)).toThrow(message)
  })

  test('several certificates in one text, Buffers, and lists of them', () => {
    const both = pem('ca') + pem('ca-other')
    for (const ca of [both, Buffer.from(both), [pem('ca'), Buffer.from(pem('ca-other'))]])
      expect(createTlsCertificates({ ca }).verifies).toBe('by certificate')
  })
})

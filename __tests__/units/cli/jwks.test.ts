import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { runProgram } from '../../../cli/dispatcher'
import { runJwks } from '../../../cli/jwks/command'
import { keyFor } from '../../support/assertions'
import { type Certificate, makeAuthority, makeCertificate, type Subject } from '../../support/tls-certificates'
import { tooWide, unfolded } from '../../support/run-command'
import { certificate as madeCertificate } from '../../support/client-certificates'
import { serveHttps, serveRaw, type TestServer } from '../../support/tls-server'

const host = 'keys.client-app.net'
const { jwk } = keyFor('ES256')
const privateJwk = keyFor('ES256').privateKey.export({ format: 'jwk' })
const usable = { keys: [jwk, { ...keyFor('RS256').jwk, kid: 'old', use: 'enc' }] }

const x5c = (id: string) => [madeCertificate(id).der.toString('base64')]
let authority: Certificate
const directory = mkdtempSync(path.join(tmpdir(), 'jwks-command-'))
const servers: TestServer[] = []

beforeAll(async () => {
  authority = await makeAuthority()
})
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))
afterAll(() => {
  rmSync(directory, { recursive: true })
})

function inputAndOutput() {
  const printed: string[] = []
  const complained: string[] = []
  const io = {
    stdin: Readable.from([]),
    stdout: { write: (text: string) => printed.push(text) },
    stderr: { write: (text: string) => complained.push(text) },
    env: {}
  }
  return { io, printed, complained }
}

/** DNS that knows one address for every name. */
const resolverOf = (address: string) => () => ({
  resolve4: () => Promise.resolve([address]),
  resolve6: () => Promise.resolve([]),
  cancel: () => undefined
})

interface Served {
  certificate?: Certificate
  set?: unknown
  headers?: Record<string, string>
  status?: number
}

/** Runs the command on an HTTPS server of our own, whose authority is trusted. */
async function jwksOf({ certificate, set = usable, headers = {}, status = 200 }: Served, ...more: string[]) {
  const tls = certificate ?? (await makeCertificate(authority, { names: [host] }))
  const sent = { 'content-type': 'application/json', ...headers }
  const server = await serveHttps(tls, (_, response) => response.writeHead(status, sent).end(JSON.stringify(set)))
  servers.push(server)
  return jwksAt(server.port, ...more)
}

async function jwksAt(port: number, ...more: string[]) {
  const { io, printed } = inputAndOutput()
  const args = [`https://${host}:${port}/jwks`, '--host', `${host}:${port}=127.0.0.1`, ...more]
  const code = await runJwks(args, io, { resolver: resolverOf('127.0.0.1'), ca: authority.cert })
  return { code, text: unfolded(printed.join('')), wide: tooWide(printed.join('')), port }
}

describe('a key set from a server', () => {
  test('each step is shown, then each key, and the exit code is 0', async () => {
    const { code, text, port } = await jwksOf({ headers: { 'cache-control': 'max-age=120' } })
    const lines = text.split('\n').map((line) => line.trim().replace(/\s+/g, ' '))
    expect(lines).toEqual([
      `✓ URL https, host ${host}, port ${port}`,
      '✓ DNS 127.0.0.1 may be connected to',
      `✓ Connection 127.0.0.1, port ${port}`,
      expect.stringMatching(
        /^✓ Certificate for DNS:keys\.client-app\.net, by Test authority, valid until .* GMT \(.* after now\)$/
      ),
      expect.stringMatching(/^✓ TLS TLSv1\.3, TLS_AES/),
      '✓ Answer 200, application/json',
      `✓ Size ${JSON.stringify(usable).length} octets`,
      '✓ Freshness used for 120 s without another fetch (Cache-Control: max-age=120)',
      '✓ Key set 2 keys, usable: 1',
      '',
      'kid kty size alg use',
      'ES256-key EC P-256 ES256 sig usable',
      'old RSA 2048 bits RS256 enc not usable: is not for signatures (use)',
      ''
    ])
    expect(code).toBe(0)
  })

  test('--json prints the same as JSON', async () => {
    const { code, text } = await jwksOf({}, '--json')
    expect(JSON.parse(text)).toMatchObject({
      usable: true,
      table: { usable: 1, rows: [{ kid: 'ES256-key' }, { kid: 'old' }] }
    })
    expect(code).toBe(0)
  })

  test.each<[string, Subject & { own?: boolean }, RegExp[]]>([
    [
      'a self-signed certificate',
      { names: [host], own: true },
      [/✗ TLS .*has a self-signed certificate/, /advice .*install one of a public authority.*NODE_EXTRA_CA_CERTS/]
    ],
    [
      'an expired certificate',
      { names: [host], expired: true },
      [/✗ Certificate .*\(1 d before now\)/, /✗ TLS .*has expired/, /advice .*renew the certificate/]
    ],
    [
      'a certificate for another name',
      { names: ['other.example'] },
      [/✗ TLS .*certificate for other names \(DNS:other\.example\)/, /advice .*names this host/]
    ]
  ])('%s is said in plain words, with what to do', async (_, { own, ...subject }, expected) => {
    const certificate = await makeCertificate(own === true ? undefined : authority, subject)
    const { code, text } = await jwksOf({ certificate })
    for (const words of expected) expect(text).toMatch(words)
    expect(code).toBe(1)
  })

  test.each<[string, Served, RegExp, RegExp]>([
    [
      'an HTML page',
      { headers: { 'content-type': 'text/html' } },
      /✗ Answer .*content type "text\/html"/,
      /advice .*application\/json/
    ],
    ['a 404', { status: 404 }, /✗ Answer .*answered 404/, /advice .*correct the jwks_uri/],
    [
      'keys as PEM',
      { set: { keys: ['-----BEGIN PUBLIC KEY-----'] } },
      /✗ Key set .*must be an object/,
      /advice .*PEM is not read/
    ],
    [
      'no key that can verify',
      { set: { keys: [{ ...jwk, use: 'enc' }] } },
      /✗ Key set +1 key, usable: 0/,
      /advice .*public key that can verify/
    ]
  ])('%s: refused in words, and the exit code is 1', async (_, served, words, advice) => {
    const { code, text } = await jwksOf(served)
    expect(text).toMatch(words)
    expect(text).toMatch(advice)
    expect(code).toBe(1)
  })

  test.each<[string, Served & { subject?: Subject }]>([
    [
      'a certificate of many names',
      { subject: { names: [host, 'a', 'b', 'c', 'd', 'e'].map((name) => `${name}.example.com`) } }
    ],
    [
      'a redirect that leads far',
      { status: 302, headers: { location: `https://elsewhere.example/${'a'.repeat(90)}` } }
    ],
    ['a key that is refused, with a long kid', { set: { keys: [jwk, { ...jwk, kid: 'k'.repeat(60), use: 'enc' }] } }],
    ['a certificate that has ended in x5c', { set: { keys: [{ ...jwk, x5c: x5c('self-bank-expired') }] } }]
  ])('fits 80 columns: %s', async (_, { subject, ...served }) => {
    const certificate = await makeCertificate(authority, { names: [host], ...subject })
    expect((await jwksOf({ certificate, ...served })).wide).toEqual([])
  })

  test('without Cache-Control it is told for how long the set is used all the same', async () => {
    const { text } = await jwksOf({})
    expect(text).toMatch(/✓ Freshness +used for \d+ s without another fetch \(no Cache-Control\)/)
  })

  test('an answer without a content type is told as such', async () => {
    const server = await serveRaw(
      await makeCertificate(authority, { names: [host] }),
      () => (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
    )
    servers.push(server)
    const { code, text } = await jwksAt(server.port)
    expect(text).toMatch(/✗ Answer .*content type ""/)
    expect(code).toBe(1)
  })

  test.each([
    ['an organisation alone', 'self-organisation', /Certificate +for Shop AG, by Shop AG, valid until/],
    ['a common name too', 'self-bank', /Certificate +for bank\.example, by bank\.example, valid until/],
    ['nothing', 'self-nameless', /Certificate +for , by nobody, valid until/]
  ])('a certificate that names no host, but %s, is told by that', async (_, id, words) => {
    const { key, pem } = madeCertificate(id)
    const { code, text } = await jwksOf({ certificate: { key, cert: pem } })
    expect(text).toMatch(words)
    expect(code).toBe(1)
  })

  test.each([[[]], [['--json']]])(
    'a private key in the set is told, and not one of its values printed: %j',
    async (more) => {
      const { code, text } = await jwksOf({ set: { keys: [{ ...privateJwk, kid: 'leaked' }] } }, ...more)
      expect(text).toContain('is a private key: it must be replaced')
      expect(text).toContain('Treat this key as stolen')
      expect(text).not.toContain(privateJwk.d)
      expect(code).toBe(1)
    }
  )

  test('a kid cannot command the terminal', async () => {
    const { text } = await jwksOf({ set: { keys: [{ ...jwk, kid: '\x1b[2J\u202eevil\n✓' }] } })
    expect(text).toContain('?[2J?evil??')
    for (const character of ['\x1b', '\u202e']) expect(text).not.toContain(character)
  })

  test('an address that is not public is refused, and the option that allows it is named', async () => {
    const { io, printed } = inputAndOutput()
    expect(await runJwks([`https://${host}/jwks`], io, { resolver: resolverOf('10.0.0.1') })).toBe(1)
    expect(unfolded(printed.join(''))).toMatch(/✗ DNS +10\.0\.0\.1 is not a public address/)
    expect(unfolded(printed.join(''))).toMatch(/advice .*--host NAME=CIDR/)
    expect(tooWide(printed.join(''))).toEqual([])
  })
})

describe('by the program', () => {
  async function run(...args: string[]) {
    const { io, printed, complained } = inputAndOutput()
    const code = await runProgram(['jwks', ...args], io)
    return { code, text: printed.join(''), complaint: complained.join('') }
  }
  const fileOf = (text: string) => {
    const file = path.join(directory, 'jwks.json')
    writeFileSync(file, text)
    return file
  }

  test('a key set in a file is judged alike', async () => {
    expect(await run(fileOf(JSON.stringify(usable)))).toMatchObject({
      code: 0,
      text: expect.stringContaining('2 keys, usable: 1') as string
    })
    expect(await run(fileOf('{'))).toMatchObject({
      code: 1,
      text: expect.stringContaining('the file is not JSON') as string
    })
  })

  test.each<[string, unknown, RegExp, number]>([
    ['no object', [jwk], /✗ Key set +not a JWK Set: an object with an array "keys" is needed/, 1],
    ['keys that are no list', { keys: 5 }, /✗ Key set +not a JWK Set: an object with an array/, 1],
    ['a key that is none', { keys: ['a'] }, /not usable: is not a JSON object/, 1],
    ['a symmetric key', { keys: [{ kty: 'oct', k: 'AAAA' }] }, /not usable: is a symmetric key/, 1],
    ['RSA without a modulus', { keys: [{ kty: 'RSA', n: '', e: 'AQAB' }] }, / RSA +0 bits /, 1],
    [
      'a key for verifying, by key_ops',
      { keys: [{ ...jwk, use: undefined, key_ops: ['verify', '\x1b[2J'] }] },
      / verify \?\[2J +usable/,
      0
    ],
    [
      'a key without alg, kid and use',
      { keys: [{ ...jwk, alg: undefined, kid: undefined }] },
      /\(none\) +EC +P-256 +ES256/,
      0
    ]
  ])('%s in a file is told', async (_, set, words, exitCode) => {
    const { code, text } = await run(fileOf(JSON.stringify(set)))
    expect(text).toMatch(words)
    expect(code).toBe(exitCode)
  })

  test('a URL that the guard refuses is refused without a question to DNS', async () => {
    const { code, text } = await run('https://localhost/jwks')
    expect(text).toMatch(/✗ URL +the host localhost has no dot/)
    expect(code).toBe(1)
  })

  test.each([
    ['nothing', [], /Give one URL or file/],
    ['two files', ['a', 'b'], /Give one URL or file/],
    ['a file that is none', ['/nowhere'], /\/nowhere cannot be read \(ENOENT\): name a file, or a URL/],
    ['an unknown option', ['a', '--hots', 'b'], /Unknown option --hots: known are --host/],
    ['a host without addresses', ['https://a.example/', '--host', 'a.example'], /--host needs NAME=CIDR/],
    ['a host with no CIDR', ['https://a.example/', '--host', 'a.example=here'], /--host: .*CIDRs/]
  ])('%s is a wrong call, told in one line, with exit code 2', async (_, args, words) => {
    const { code, text, complaint } = await run(...args)
    expect([code, text]).toEqual([2, ''])
    expect(complaint).toMatch(words)
    expect(complaint.trim().split('\n')).toHaveLength(1)
  })
})

// A request that was pasted has no connection, and is minutes old: what the command makes of that, and says.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  assertionForm,
  basic,
  issuer,
  keyAssertion,
  keyFor,
  makeKey,
  now,
  tokenEndpoint
} from '../../support/assertions'
import { encoded } from '../../support/certificate-headers'
import { certificate } from '../../support/client-certificates'
import { runCommand, tooWide } from '../../support/run-command'

const folder = mkdtempSync(path.join(tmpdir(), 'explain-pasted-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let files = 0
const file = (content: string | Buffer, ending = 'json'): string => {
  const name = path.join(folder, `${++files}.${ending}`)
  writeFileSync(name, content)
  return name
}

const explain = (input: string, ...args: string[]) => runCommand(['explain', '-', ...args], input)

const key = keyFor('ES256')
const other = makeKey('ES256', 'other')
const by = (claims = {}, header = {}) => keyAssertion(key, { clientId: 'bank', claims, header })
const bank = { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
const shop = { client_id: 'shop', client_secret: 'the secret of the shop' }
const records = file(JSON.stringify([bank, shop, { client_id: 'neighbour', jwks: { keys: [other.jwk] } }]))
const known = ['--issuer', issuer, '--client', records]

describe('as of when', () => {
  test('an assertion that has ended is judged as of when it was made, and that is said', async () => {
    const iat = now() - 540
    const { code, text } = await explain(by({ iat, exp: iat + 60 }), ...known)
    expect(text).toMatch(
      /verdict good when it was made; now it is 8 min( \d+ s)? too old: the server refuses it as expired note Judged as of .* UTC, when it was made; now it is 8 min( \d+ s)? too old\. --at TIME/
    )
    expect(text).toMatch(/ partner The assertion was good when it was made; now it is 8 min.* Make a new assertion/)
    expect(code).toBe(1)
  })

  test('--json and --partner say so too', async () => {
    const token = by({ iat: now() - 363, exp: now() - 303 })
    const late = /good when it was made; now it is 5 min \d+ s too old: the server refuses it as expired/
    const json = await explain(token, ...known, '--json')
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({ accepted: true, late: expect.stringMatching(late) as string })
    expect((await explain(token, ...known, '--partner')).text).toMatch(late)
  })

  test('by a time that is given, it is accepted', async () => {
    const iat = now() - 540
    const { code, text } = await explain(by({ iat, exp: iat + 60 }), ...known, '--at', String(iat))
    expect(text).toMatch(/verdict accepted \d+ passed/)
    expect(code).toBe(0)
  })

  test('without the record of the client, what is too old is refused all the same', async () => {
    const { code, text } = await explain(by({ iat: now() - 363, exp: now() - 303 }), '--issuer', issuer)
    expect(text).toMatch(/verdict not refused when it was made; now it is 5 min \d+ s too old: the server refuses/)
    expect(code).toBe(1)
  })

  test('within the leeway of the server it is not too old', async () => {
    const { code, text } = await explain(by({ iat: now() - 70, exp: now() - 10 }), ...known)
    expect(text).toMatch(/verdict accepted \d+ passed/)
    expect(code).toBe(0)
  })

  test('its other mistakes come first', async () => {
    const iat = now() - 540
    const { text } = await explain(by({ iat, exp: iat + 60, aud: tokenEndpoint }), ...known)
    expect(text).toContain('refused: assertion_audience')
    expect(text).not.toContain('assertion_expired')
  })

  test.each([
    ['one that has not ended is judged as of now', { iat: now() - 30, exp: now() + 30 }],
    ['one that says no time is judged as of now', { exp: now() - 300 }],
    ['one that ends before it was made is judged as of now', { iat: now() - 300, exp: now() - 600 }]
  ])('%s', async (_name, claims) => {
    expect((await explain(by(claims), ...known)).text).not.toContain('Judged as of')
  })
})

describe('what failed comes first', () => {
  const wrong = by({ aud: tokenEndpoint, jti: '' })

  test('failed checks, what to send the partner, how many passed', async () => {
    const { stdout } = await explain(wrong, ...known)
    expect(stdout).toMatch(
      /✗ jti[^✗✓]*✗ aud[^✗✓]*\n\n {2}partner {2}Send jti[^✗✓]*\n\n {2}\d+ passed, 1 not checked \(--all shows them\)\n\n {2}header\n/
    )
    expect(stdout).not.toContain('✓')
  })

  test('--all lists every check, in the order of the server', async () => {
    expect((await explain(wrong, ...known, '--all')).stdout).toMatch(/✓ body .*✗ jti.*✗ aud.*✓ signature/s)
  })

  test('--partner prints that text alone, in one line, and --json has it', async () => {
    const { stdout, code } = await explain(wrong, ...known, '--partner')
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^Send jti as a non-empty string .*Set aud to the issuer.*Received: https:\/\/as\.example\.com\/token\.\n$/
    )
    const { partner } = JSON.parse((await explain(wrong, ...known, '--json')).stdout) as { partner: string }
    expect(`${partner}\n`).toBe(stdout)
  })

  test('no line of sentences is longer than 80 columns', async () => {
    const requests = [
      wrong,
      by({ iat: now() - 540, exp: now() - 500, aud: 'x' }),
      `Basic ${Buffer.from('shop:x').toString('base64')}`
    ]
    for (const request of requests) {
      for (const all of [[], ['--all']]) expect(tooWide((await explain(request, ...known, ...all)).stdout)).toEqual([])
    }
  })
})

test('a secret in quotation marks of a number: it is printed with them', async () => {
  expect((await explain(by({ exp: String(now() + 60) }), ...known)).text).toMatch(/received "\d{10}"/)
})

test('the key of another record of --client is named to the operator, not to the partner', async () => {
  const { text, stdout } = await explain(keyAssertion(other, { clientId: 'bank', header: { kid: key.kid } }), ...known)
  expect(text).toContain('advice The signature is that of a key of client neighbour')
  expect(/\n {2}partner.*/s.exec(stdout)?.[0]).not.toContain('neighbour')
})

describe('a line of the log', () => {
  const line = (more: object) => JSON.stringify({ reason: 'assertion_audience', clientId: 'bank', ms: 2, ...more })

  test('is told with the advice for its facts', async () => {
    const { code, text } = await explain(line({ detail: { expected: [issuer], received: [issuer] } }), ...known)
    expect(code).toBe(1)
    expect(text).toMatch(/client bank .* refused: assertion_audience note From a line of the log alone/)
    expect(text).toContain('advice Send aud as one string, the issuer alone, and not as an array.')
    expect(text).toContain('✗ refusal: assertion_audience from the log')
    expect(text).not.toContain('passed')
  })

  const finding = {
    ...{ check: 'exp not past', spec: 'RFC 7523 §3 item 4', result: 'failed', reason: 'assertion_expired' },
    detail: { expected: 'at most 30 s before now', received: 1795989701, now: 1795996841, secondsLate: 7140 },
    advice: 'The times are 2 h behind: the sender takes its local time for UTC.',
    forSender: 'The times are 2 h behind: send UTC.'
  }
  const recorded = line({ reason: 'assertion_expired', method: 'private_key_jwt', findings: [finding], dropped: 0 })

  test.each([
    ['as it is', recorded],
    ['behind what a collector of logs puts before it', `app-1  | ${recorded}`],
    ['after a line that is no refusal', `listening\n${recorded}`],
    ['in a list', `[${recorded}]`]
  ])('of recordRefusals is told in its own words: %s', async (_name, input) => {
    const { code, text } = await explain(input, ...known)
    expect(code).toBe(1)
    expect(text).toMatch(/^method private_key_jwt client bank as of 2026-11-30 00:00:41 UTC /)
    expect(text).toContain('✗ exp not past: assertion_expired RFC 7523 §3 item 4 expected at most 30 s before now')
    expect(text).toContain('received 1795989701 2026-11-29 22:01:41 UTC, 1 h 59 min before now late 1 h 59 min')
    expect(text).toContain(`advice ${finding.advice}`)
    expect(text).toContain(`partner ${finding.forSender}`)
  })

  test.each([
    ['lines', (all: string[]) => all.join('\n')],
    ['lines of a collector', (all: string[]) => all.map((one) => `app-1 | ${one}`).join('\r\n')],
    ['a list', (all: string[]) => `[${all.join()}]`]
  ])('several, as %s: give one of them', async (_name, join) => {
    const ended = await explain(join(Array.from({ length: 8 }, () => recorded)), ...known)
    expect(ended).toMatchObject({
      code: 2,
      stderr: 'oauth-client-auth: INPUT holds 8 lines of a log: give one of them.\n'
    })
  })

  test('only times are told as times', async () => {
    const detail = { length: 39, cachedSeconds: 12, received: 39, exp: 1795989701 }
    const { text } = await explain(line({ reason: 'client_id_conflict', detail }), ...known)
    expect(text).toContain('length 39 cachedSeconds 12 received 39 exp 1795989701 2026-11-29 22:01:41 UTC')
    expect(text).not.toContain('1970')
  })

  // Threat 46: a text of a log that a terminal obeys
  test('no text of it reaches the terminal as a command', async () => {
    const evil = '\u001b[2J\u202e'
    const words = { check: evil, spec: evil, advice: evil, forSender: evil, detail: { [evil]: evil, received: evil } }
    const one = { reason: 'assertion_audience', ...words }
    for (const more of [{ findings: [one] }, words]) {
      const { stdout } = await explain(line({ ...more, method: evil, clientId: evil }), ...known)
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      expect(stdout).toContain('advice    \\u001b[2J\\u202e')
    }
  })

  test('a reason that is the name of a member is none', async () => {
    expect(await explain('{"reason":"toString"}', ...known)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no reason') as string
    })
  })
})

describe.each([
  ['UTF-16 with a mark', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16 without one', (text: string) => Buffer.from(text, 'utf16le')],
  ['UTF-16, the other order', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ['UTF-8 with a mark', (text: string) => Buffer.from(`\ufeff${text}`)]
])('%s', (_name, encode) => {
  test('INPUT and --client are read', async () => {
    const request = file(encode(new URLSearchParams(assertionForm(by())).toString()), 'txt')
    const client = file(encode(JSON.stringify(bank)))
    expect(await runCommand(['explain', request, '--issuer', issuer, '--client', client])).toMatchObject({ code: 0 })
  })
})

describe('certificates', () => {
  const lib = JSON.stringify(path.resolve(__dirname, '../../../dist/lib'))
  const record = {
    client_id: 'c',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=bank.example,O=Bank AG,C=DE'
  }
  const config = (source: string, client: object = record) =>
    file(
      `const { createProxyCertificates, createTlsCertificates } = require(${lib})
      module.exports = { issuer: '${issuer}', getClient: () => (${JSON.stringify(client)}),
        methods: ['tls_client_auth', 'client_secret_basic'], clientCertificates: ${source} }`,
      'cjs'
    )
  const proxy =
    "createProxyCertificates({ header: 'X-Cert', verified: { header: 'X-Verify', value: 'SUCCESS' }, addresses: ['10.1.0.0/16'] })"
  const tls = `createTlsCertificates({ ca: ${JSON.stringify(certificate('ca').pem)} })`
  const lines = (...headers: string[]) =>
    [
      'POST /token HTTP/1.1',
      'Content-Type: application/x-www-form-urlencoded',
      ...headers,
      '',
      'client_id=c&grant_type=client_credentials'
    ].join('\n')
  const header = `X-Cert: ${encoded({ encode: 'base64', certificate: 'bank' })}`

  test('in a header: as if the trusted proxy had sent it, and that is said', async () => {
    const { code, text } = await explain(lines(header, 'X-Verify: SUCCESS'), '--config', config(proxy))
    expect(text).toContain('Judged as if a trusted proxy (10.1.0.0/16) had sent it')
    expect(code).toBe(0)
  })

  test('--from names another sender, who is judged', async () => {
    const named = (from: string) =>
      explain(lines(header, 'X-Verify: SUCCESS'), '--config', config(proxy), '--from', from)
    expect(await named('10.1.2.3')).toMatchObject({ code: 0 })
    // As a process, so that the module and the command share one copy of the package
    const args = ['explain', '-', '--config', config(proxy), '--from', '192.0.2.7']
    const main = path.resolve(__dirname, '../../../dist/cli/main.js')
    const stranger = spawnSync(process.execPath, [main, ...args], { input: lines(header, 'X-Verify: SUCCESS') })
    expect(stranger.status).toBe(1)
    expect(stranger.stdout.toString()).toContain('refused: certificate_proxy')
  })

  test.each([
    ['behind a proxy', proxy],
    ['where TLS ends in the server', tls]
  ])('%s, a request without one: not checked, with how to add it, and no refusal', async (_name, source) => {
    const { code, text } = await explain(lines(), '--config', config(source))
    expect(code).toBe(5)
    expect(text).toMatch(/not refused, but not everything could be checked note .*--cert FILE/)
    expect(text).not.toContain('✗')
  })

  test('--cert shows that of the client', async () => {
    const shown = (name: string) =>
      explain(lines(), '--config', config(tls), '--cert', file(certificate(name).pem, 'pem'))
    expect(await shown('bank')).toMatchObject({ code: 0 })
    expect((await shown('server')).text).toContain('refused: certificate_subject')
  })

  test('--cert of a file that is none is a wrong call', async () => {
    const ended = await explain(lines(), '--config', config(tls), '--cert', file('hunter2', 'pem'))
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('one certificate in PEM') as string })
  })

  test('a client that needs none is not held up by that', async () => {
    const request = `Authorization: ${basic('c', 'a secret')}`
    const { code } = await explain(request, '--config', config(tls, { client_id: 'c', client_secret: 'a secret' }))
    expect(code).toBe(0)
  })

  test('a client with bound tokens: its certificate is not checked', async () => {
    const bound = { client_id: 'c', client_secret: 'a secret', tls_client_certificate_bound_access_tokens: true }
    const request = `POST / HTTP/1.1\nAuthorization: ${basic('c', 'a secret')}\nContent-Type: application/x-www-form-urlencoded\n\ngrant_type=client_credentials`
    expect((await explain(request, '--config', config(tls, bound))).code).toBe(5)
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { runProgram } from '../../../cli/dispatcher'
import { assertionForm, basic, issuer, keyAssertion, now } from '../../support/assertions'
import { brokenAssertions, ec, recordFor } from '../../support/broken-assertions'

const folder = mkdtempSync(path.join(tmpdir(), 'explain-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const file = (name: string, content: unknown): string => {
  const full = path.join(folder, name)
  writeFileSync(full, typeof content === 'string' ? content : JSON.stringify(content))
  return full
}

interface Terminal {
  stdin?: string
  isTTY?: boolean
  env?: NodeJS.ProcessEnv
}

async function run(args: string[], { stdin = '', isTTY = false, env = {} }: Terminal = {}) {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text), isTTY })
  const input = Object.assign(Readable.from([stdin]), { isTTY })
  const code = await runProgram(args, { stdin: input, stdout: stream('stdout'), stderr: stream('stderr'), env })
  return { code, ...written }
}

const secret = 'the secret of the shop, which nobody may read'
const records = file('clients.json', [recordFor({}), { client_id: 'shop', client_secret: secret }])
const by = (claims = {}, header = {}) => keyAssertion(ec, { clientId: 'bank', claims, header })
/** The sentences of a text that is broken into lines of 80 columns. */
const joined = (text: string): string => text.replace(/\s+/g, ' ')
const explain = (...args: string[]) => run(['explain', ...args])
const known = ['--issuer', issuer, '--client', records]

test('an accepted assertion: method, client, how many checks passed, header, claims, times; exit code 0', async () => {
  const token = by({ iat: now() - 30 })
  const { code, stdout, stderr } = await explain(token, ...known)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/method +private_key_jwt\n +client +bank\n +as of +\d{4}-.* UTC\n +verdict +accepted\n/)
  expect(stdout).toMatch(/verdict +accepted\n\n {2}\d+ passed, \d+ not checked \(--all shows them\)\n\n {2}header\n/)
  expect(stdout).toMatch(/kid +ES256-key\n/)
  expect(stdout).toMatch(/exp +\d+ {2}\d{4}-.* UTC, expires (59 s|1 min) after now\n/)
  expect(stdout).toMatch(/═▲═/)
  expect(stdout).not.toMatch(/[✗✓]/)
})

test('--all: a line a check of what is accepted too', async () => {
  const { stdout } = await explain(by({ iat: now() - 30 }), ...known, '--all')
  expect(stdout).toMatch(
    /verdict +accepted\n\n( {2}✓ .*\n( {4}\S.*\n)?)* {2}✓ signature {2}RFC 7523 §3 item 9\n( {2}✓ .*\n)* {2}· used once/
  )
  expect(stdout).not.toContain('--all')
})

test.each(brokenAssertions.filter(({ isUsed }) => isUsed !== true))(
  '$name: refused with reason and advice; exit code 1',
  async ({ reason, advice, assertion, ...broken }) => {
    const record = file('record.json', recordFor(broken))
    const token = assertion()
    const { code, stdout } = await explain(token, '--issuer', issuer, '--client', record)
    expect(code).toBe(1)
    expect(stdout).toMatch(new RegExp(`verdict +refused: ${reason}\n`))
    expect(joined(stdout)).toContain(advice)
    expect(stdout).toMatch(/✗ .*\n( {6}\S* .*\n)* {6}expected .*\n( {16}.*\n)* {6}received /)
    for (const part of token.split('.')) expect(stdout).not.toContain(part)
    expect(stdout).not.toContain('a-private-value')
  }
)

test('times in words: how late an assertion is', async () => {
  const { stdout } = await explain(by({ exp: now() - 15_125 }), ...known)
  expect(stdout).toMatch(/ {6}late +4 h 12 min\n/)
  expect(stdout).toMatch(/expired 4 h 12 min before now/)
})

describe('INPUT', () => {
  const lines = [
    'POST /token HTTP/1.1',
    `Authorization: ${basic('shop', secret)}`,
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Length: 29'
  ]
  const request = `${lines.join('\n')}\n\ngrant_type=client_credentials`
  const form = new URLSearchParams(assertionForm(by())).toString()

  test.each<[string, string[], string]>([
    ['a file', [file('request.txt', request)], ''],
    ['standard input by -', ['-'], request],
    ['standard input by default', [], request],
    ['a form as argument', [form], ''],
    ['a JWT in a file', [file('token.jwt', by())], '']
  ])('%s', async (_name, args, stdin) => {
    const { code, stdout } = await run(['explain', ...args, ...known], { stdin })
    expect(stdout).toContain('accepted')
    expect(code).toBe(0)
  })

  test('a body that the headers announce and that is not there is told', async () => {
    const cut = request.replace(/\n\n.*/, '')
    expect((await explain(cut, ...known)).stdout).toContain('refused: body_unreadable')
  })
})

describe('without the client', () => {
  test('only what the request decides is judged; the rest is open, and nothing is accepted', async () => {
    expect((await explain(by(), '--issuer', issuer)).stdout).toMatch(/\n {2}\d+ passed, \d+ not checked \(--all shows/)
    const { code, stdout } = await explain(by(), '--issuer', issuer, '--all')
    expect(code).toBe(5)
    expect(stdout).toContain('not refused by what the request alone decides')
    expect(stdout).toMatch(/✓ aud/)
    expect(stdout).toMatch(/· client {2}/)
    expect(stdout).toMatch(/· signature {2}/)
    expect(stdout).not.toContain('✗')
  })

  test('a wrong claim is told', async () => {
    const { stdout } = await explain(by({ aud: 'https://other.example' }), '--issuer', issuer)
    expect(stdout).toContain('refused: assertion_audience')
  })

  test('a request without a client is told', async () => {
    expect((await explain('grant_type=password', '--issuer', issuer)).stdout).toMatch(/client +none named/)
  })
})

test('a jwks_uri is not fetched unless asked, and that is no refusal', async () => {
  const record = file('uri.json', recordFor({ registered: { jwks: undefined, jwks_uri: 'https://localhost/jwks' } }))
  const args = [by(), '--issuer', issuer, '--client', record]
  const { code, stdout } = await explain(...args)
  expect(code).toBe(5)
  expect(stdout).toContain('not refused, but not everything could be checked')
  expect(stdout).toContain('The key set is not in the cache')
  expect((await explain(...args, '--fetch')).stdout).toContain('refused: jwks_unavailable')
})

describe('--at', () => {
  const then = now() - 7 * 86_400
  const token = by({ iat: then, exp: then + 60 })
  test.each([
    ['seconds since the epoch', String(then + 5)],
    ['an ISO date', new Date((then + 5) * 1000).toISOString()]
  ])('judges an assertion of last week as of last week: %s', async (_name, at) => {
    const today = await explain(token, ...known, '--at', String(now()))
    expect(today.stdout).toContain('refused: assertion_expired')
    expect(await explain(token, ...known, '--at', at)).toMatchObject({ code: 0 })
  })
})

describe('--json', () => {
  test('prints the explanation, the decoded assertion and no signature', async () => {
    const token = by({ aud: [issuer, 'x\u009b2J'] })
    const { code, stdout } = await explain(token, ...known, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      accepted: false,
      reason: 'assertion_audience',
      clientId: 'bank',
      at: expect.any(String) as string,
      header: { kid: ec.kid },
      claims: { aud: [issuer, 'x\u009b2J'] },
      findings: expect.arrayContaining([expect.objectContaining({ check: 'aud', result: 'failed' })]) as unknown
    })
    expect(stdout).not.toContain(token.split('.')[2])
    expect(stdout).toMatch(/^[\n\x20-\x7e]+$/)
  })

  test('of a secret: no header, no secret', async () => {
    const { stdout } = await explain(`Authorization: ${basic('shop', secret)}`, ...known, '--json')
    expect(JSON.parse(stdout)).toMatchObject({ accepted: true, method: 'client_secret_basic' })
    for (const hidden of [secret, basic('shop', secret).split(' ')[1]!]) expect(stdout).not.toContain(hidden)
  })
})

// Threat 51: a terminal that obeys what was pasted
test('what a terminal would obey is printed as text', async () => {
  const evil = '\u001b[2J\u009b31m\u202e<script>'
  const { stdout } = await explain(by({ aud: evil, [evil]: evil }, { typ: evil, [evil]: 1 }), ...known)
  expect(stdout).toMatch(/^[\n\x20-\x7e✓✗·§═┄┃▲─]+$/)
  expect(stdout).toContain('\\u001b[2J')
})

describe('colours', () => {
  const token = by({ aud: 'x' })
  const escape = '\u001b['
  test.each<[string, string[], Terminal, boolean]>([
    ['on a terminal', [], { isTTY: true }, true],
    ['not in a pipe', [], {}, false],
    ['not with NO_COLOR', [], { isTTY: true, env: { NO_COLOR: '1' } }, false],
    ['with an empty NO_COLOR', [], { isTTY: true, env: { NO_COLOR: '' } }, true],
    ['not with --no-color', ['--no-color'], { isTTY: true }, false]
  ])('%s', async (_name, args, terminal, coloured) => {
    const { stdout } = await run(['explain', token, ...known, ...args], terminal)
    expect(stdout.includes(escape)).toBe(coloured)
  })
})

test('colours take no room where lines are broken', async () => {
  const args = ['explain', by({ aud: 'x' }), ...known, '--all', '--at', String(now())]
  const { stdout } = await run(args, { isTTY: true })
  expect(stripVTControlCharacters(stdout)).toBe((await run(args)).stdout)
})

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])('%s names the commands', async (arg) => {
    expect(await run([arg])).toMatchObject({ code: 0, stdout: expect.stringMatching(/\n {2}explain /) as string })
  })

  test('of explain names each of its options', async () => {
    const { code, stdout } = await run(['explain', '--help'])
    expect(code).toBe(0)
    for (const name of ['INPUT', '--issuer', '--client', '--config', '--at', '--fetch', '--json', '--no-color'])
      expect(stdout).toContain(name)
  })

  test.each([['explain'], ['jwks'], ['document'], ['page']])('of %s fits 80 columns', async (name) => {
    const { stdout } = await run([name, '--help'])
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('what an option does is broken below itself', async () => {
    expect((await run(['explain', '--help'])).stdout).toMatch(
      /\n {2}--at TIME {7}judges as of then: .*\n {18}epoch\n {2}--from ADDRESS {2}\S/
    )
  })

  test('--version', async () => {
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('a wrong call is one sentence with the fix on stderr, and exit code 2', () => {
  const text = file('text.json', 'not json: hunter2')
  const noId = file('no-id.json', [{ client_secret: 'hunter2' }])
  test.each<[string, string[], string]>([
    ['no command', [], 'Name a command: explain'],
    ['an unknown command', ['explian'], 'Name a command: explain'],
    ['an unknown option', ['explain', '--isuer', issuer], 'Unknown option --isuer: known are --issuer'],
    ['an option without its value', ['explain', 'a=b', '--issuer'], 'Option --issuer needs a value'],
    ['a value that is none', ['explain', 'a=b', '--json=x'], 'Option --json takes no value'],
    ['no issuer', ['explain', 'a=b'], 'Give --issuer URL'],
    ['client and config', ['explain', 'a=b', '--client', text, '--config', text], 'not both'],
    [
      'a client file that is not there',
      ['explain', 'a=b', '--issuer', issuer, '--client', 'nowhere.json'],
      'no such file'
    ],
    ['a config file that is not there', ['explain', 'a=b', '--config', 'nowhere.mjs'], 'no such file'],
    ['a client file that is no JSON', ['explain', 'a=b', '--issuer', issuer, '--client', text], 'is not JSON'],
    ['a record without client_id', ['explain', 'a=b', '--issuer', issuer, '--client', noId], 'with a client_id'],
    ['two inputs', ['explain', 'a=b', 'hunter2', '--issuer', issuer], 'Give one INPUT'],
    ['an input that is none', ['explain', 'hunter2', '--issuer', issuer], 'INPUT is neither a file nor a request'],
    ['a time that is none', ['explain', 'a=b', '--issuer', issuer, '--at', 'yesterday'], '--at needs a time'],
    ['a sender that is no address', ['explain', 'a=b', '--issuer', issuer, '--from', 'foo'], '--from needs the IP'],
    ['a sender that is a range', ['explain', 'a=b', '--issuer', issuer, '--from', '10.0.0.0/8'], '--from needs the IP'],
    ['a time in milliseconds', ['explain', 'a=b', '--issuer', issuer, '--at', '1764000000000'], '--at needs a time']
  ])('%s', async (_name, args, words) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(words)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toMatch(/hunter2|\n +at /)
  })

  test('no INPUT on a terminal', async () => {
    const { code, stderr } = await run(['explain', '--issuer', issuer], { isTTY: true })
    expect([code, stderr]).toEqual([2, expect.stringContaining('Give INPUT')])
  })
})

test('an assertion of more than 16 KiB, as deep as it is long, is refused and not decoded', async () => {
  const deep = Buffer.from('{"sub":' + '['.repeat(60_000) + ']'.repeat(60_000) + '}').toString('base64url')
  const { code, stdout, stderr } = await run(['explain', '-', '--issuer', issuer], {
    stdin: `eyJhbGciOiJFUzI1NiJ9.${deep}.AA`
  })
  expect([code, stderr]).toEqual([1, ''])
  expect(stdout).toContain('refused: parameter_malformed')
  expect(stdout).not.toContain('\n  claims\n')
})

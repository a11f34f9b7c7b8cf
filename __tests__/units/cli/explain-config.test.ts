// What a module given by --config decides, in this process. As a process of its own: flows/command.test.ts. The modules
// are CommonJS, since Jest loads no other by its path.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { issuer, keyAssertion, keyFor, now } from '../../support/assertions'
import { runCommand } from '../../support/run-command'
import { ec, recordFor } from '../../support/broken-assertions'

const folder = mkdtempSync(path.join(tmpdir(), 'explain-config-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

let files = 0
const file = (content: string, ending = 'cjs'): string => {
  const name = path.join(folder, `${++files}.${ending}`)
  writeFileSync(name, content)
  return name
}

const explain = (...args: string[]) => runCommand(['explain', ...args])

const by = (claims = {}, header = {}) => keyAssertion(ec, { clientId: 'bank', claims, header })
const members = `issuer: '${issuer}', getClient: (id) => (id === 'bank' ? ${JSON.stringify(recordFor({}))} : undefined)`

test.each([
  ['module.exports', `module.exports = { ${members} }`],
  ['what a compiler made of export default', `exports.__esModule = true\nexports.default = { ${members} }`],
  [
    'what a compiler made of named exports',
    `Object.assign(Object.defineProperty(exports, '__esModule', { value: true }), { ${members} })`
  ],
  ['an export default within another', `module.exports = { default: { ${members} } }`]
])('%s: its options are used', async (_, code) => {
  expect(await explain(by(), '--config', file(code))).toMatchObject({ code: 0, stderr: '' })
  const { stdout } = await explain(by({ aud: 'https://other.example' }), '--config', file(code))
  expect(stdout).toContain('refused: assertion_audience')
})

test('--issuer takes the place of the one in the module', async () => {
  const other = 'https://other.example'
  const name = file(`module.exports = { ${members} }`)
  expect(await explain(by({ aud: other }), '--config', name, '--issuer', other)).toMatchObject({ code: 0 })
  expect(await explain(by(), '--config', name, '--issuer', other)).toMatchObject({ code: 1 })
})

test.each([
  ['a number', 'module.exports = 5'],
  ['a text', 'exports.__esModule = true\nexports.default = "options"']
])('a module that exports %s is a wrong call', async (_, code) => {
  const { stdout, ...ended } = await explain(by(), '--config', file(code))
  expect(stdout).toBe('')
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(/must export the options/) as string })
})

test.each([
  ['throws', 'throw new Error("no database")', 'no database'],
  ['has a wrong option', `module.exports = { ${members}, isuer: 1 }`, 'unknown option "isuer"']
])('what a module that %s throws is no wrong call: it comes out', async (_, code, words) => {
  await expect(explain(by(), '--config', file(code))).rejects.toThrow(words)
})

test('a used assertion: until when the store of the module remembers it', async () => {
  const store = '{ consume: () => false, has: () => true }'
  const { code, stdout } = await explain(
    by(),
    '--config',
    file(`module.exports = { ${members}, replayStore: ${store} }`)
  )
  expect(code).toBe(1)
  expect(stdout).toContain('refused: assertion_replayed')
  expect(stdout).toMatch(/\n {6}until +\d{10} {2}\d{4}-.* UTC, .* after now\n/)
})

describe('by --client', () => {
  const known = (jwks: unknown) => {
    const record = recordFor({ registered: { jwks: jwks as { keys: [] } } })
    return ['--issuer', issuer, '--client', file(JSON.stringify(record), 'json')]
  }

  test('several keys, none of them right: a line for each, under one name', async () => {
    const keys = [ec.jwk, { ...keyFor('ES256').jwk, kid: 'old' }]
    const { stdout } = await explain(by({}, { kid: 'new' }), ...known({ keys }))
    expect(stdout).toContain('refused: no_matching_key')
    expect(stdout).toMatch(/\n {6}expected +\{"kid":"ES256-key".*\n(?: {16}.*\n)* {16}\{"kid":"old".*another kid"\}\n/)
  })

  test.each([
    ['ends: the time in which it is valid is drawn', { iat: now(), exp: now() + 60 }, true],
    ['has no end: none is drawn', { iat: now(), exp: undefined }, false]
  ])('an assertion that %s', async (_, claims, isDrawn) => {
    const { stdout } = await explain(by(claims), ...known({ keys: [ec.jwk] }))
    expect(stdout).toMatch(/\n +[─┃═┄]*▲[─┃═┄]*\n/)
    expect(/▲[─┃═]*═/.test(stdout)).toBe(isDrawn)
  })
})

test.each([
  ['a number', '--9=hunter2'],
  ['a text that is no name', '--\u00fc=hunter2']
])('an option that is %s is not repeated', async (_, option) => {
  const { code, stderr } = await explain('a=b', option)
  expect([code, stderr]).toEqual([2, expect.stringMatching(/Unknown option .*: known are --issuer/)])
  expect(stderr).not.toContain('hunter2')
})

test('--fetch and accepted: a running server may have an older set, and that is said', async () => {
  const { jwks, ...record } = recordFor({})
  const remote = { ...record, jwks_uri: 'https://keys.example.com/jwks' }
  const config = file(`const set = ${JSON.stringify(jwks)}
    module.exports = { issuer: '${issuer}', getClient: () => (${JSON.stringify(remote)}), keySets: { get: async () => set } }`)
  const { code, text } = await explain(by(), '--config', config, '--fetch')
  expect(text).toContain('note The key set was fetched just now. A running server may use an older one for a while')
  expect(code).toBe(0)
  expect((await explain(by({ aud: 'x' }), '--config', config, '--fetch')).text).not.toContain('just now')
})

test('an assertion that has ended, accepted as of when it was made: why a server may have refused it', async () => {
  const config = file(`module.exports = { ${members} }`)
  const { text } = await explain(by({ iat: now() - 600, exp: now() - 540 }), '--config', config)
  expect(text).toContain(
    'note If the server refused it, it came late or a second time, or the clock of its sender is behind'
  )
})

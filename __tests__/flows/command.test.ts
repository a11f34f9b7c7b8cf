// The command as a process of its own, from the build: what a module given by --config decides.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { issuer, keyAssertion, tokenEndpoint } from '../support/assertions'
import { brokenAssertions, ec, recordFor } from '../support/broken-assertions'
import { makeCertificate } from '../support/tls-certificates'
import { serveHttps, type TestServer } from '../support/tls-server'

const root = path.join(__dirname, '../..')
const main = path.join(root, 'dist/cli/main.js')
const library = path.join(root, 'dist/lib/index.js')
const folder = mkdtempSync(path.join(tmpdir(), 'command-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const file = (name: string, content: string): string => {
  writeFileSync(path.join(folder, name), content)
  return name
}

async function explain(...args: string[]) {
  const child = spawn(process.execPath, [main, 'explain', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const code = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

const by = (claims = {}) => keyAssertion(ec, { clientId: 'bank', claims })
const options = (more: string, record: object = recordFor({})) => `
  issuer: ${JSON.stringify(issuer)},
  getClient: async (id) => (id === 'bank' ? ${JSON.stringify(record)} : undefined),
  bodyLimit: '8kb',
  ${more}`

const legacy = `legacyAudiences: [${JSON.stringify(tokenEndpoint)}]`
/** A server keeps connections open, and the command must end all the same. */
const open = 'setInterval(() => {}, 1000)'

test.each([
  ['an ES module', 'server.mjs', `await null\n${open}\nexport default {${options(legacy)}}`],
  ['a CommonJS module', 'server.cjs', `${open}\nmodule.exports = {${options(legacy)}}`],
  ['what a compiler made', 'made.cjs', `exports.__esModule = true\nexports.default = {${options(legacy)}}`]
])('%s: its policy and its look-up are used', async (_name, name, code) => {
  const { stdout, ...ended } = await explain(by({ aud: tokenEndpoint }), '--config', file(name, code))
  expect(stdout).toContain('accepted')
  expect(ended).toEqual({ code: 0, stderr: '' })
})

test('--issuer takes the place of the one in the module', async () => {
  const other = 'https://other.example'
  const name = file('issuer.mjs', `export default {${options('')}}`)
  expect(await explain(by({ aud: other }), '--config', name, '--issuer', other)).toMatchObject({ code: 0 })
})

test.each([
  ['exports no options', 'empty.mjs', 'export default 5', 'must export the options of clientAuth'],
  ['exports null', 'null.cjs', 'module.exports = null', 'must export the options of clientAuth'],
  ['exports other things', 'app.mjs', 'export const app = 1', 'has no export default { issuer, getClient, … }'],
  ['exports nothing', 'none.mjs', 'await null', '--config none.mjs has no export default { issuer, getClient, … }'],
  ['has a wrong option', 'wrong.mjs', `export default {${options('isuer: 1')}}`, 'unknown option "isuer"'],
  ['throws', 'throws.mjs', 'throw new Error("no database")', 'no database'],
  [
    'has a getClient that throws',
    'fails.mjs',
    `export default { issuer: '${issuer}', getClient: () => { throw new Error('no database') } }`,
    'no database'
  ],
  ['throws a text', 'text.mjs', 'throw "no database"', 'no database']
])('a module that %s: one sentence, no stack, exit code 2', async (_name, name, code, words) => {
  const { stderr, ...ended } = await explain(by(), '--config', file(name, code))
  expect(stderr).toContain(words)
  expect(stderr).not.toMatch(/\n +at /)
  expect(ended).toEqual({ code: 2, stdout: '' })
})

test('a used assertion is told where the store of the module knows it', async () => {
  const { advice } = brokenAssertions.find(({ isUsed }) => isUsed === true)!
  const token = by()
  const code = `import { createClientAuthenticator, createMemoryReplayStore } from ${JSON.stringify(library)}
const options = {${options('replayStore: createMemoryReplayStore()')}}
const { bodyLimit, ...own } = options
await createClientAuthenticator(own)({ headers: {}, body: { client_assertion: '${token}', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' } })
export default options`
  const { stdout, ...ended } = await explain(token, '--config', file('used.mjs', code))
  expect(ended).toEqual({ code: 1, stderr: '' })
  expect(stdout).toContain('refused: assertion_replayed')
  expect(stdout).toContain(advice)
})

describe('a jwks_uri with a self-signed certificate', () => {
  let server: TestServer
  beforeAll(async () => {
    const tls = await makeCertificate(undefined, { names: ['keys.partner.example'] })
    server = await serveHttps(tls, (_req, res) => res.end(JSON.stringify({ keys: [ec.jwk] })))
  })
  afterAll(() => server.close())

  test('is told with the URL and what the partner must change', async () => {
    const jwks_uri = `https://keys.partner.example:${server.port}/jwks`
    const record = recordFor({ registered: { jwks: undefined, jwks_uri } })
    const code = `import { createJwksFetcher } from ${JSON.stringify(library)}
export default {${options(
      `keySets: createJwksFetcher({
  hosts: { 'keys.partner.example': { addresses: ['127.0.0.0/8'], ports: [${server.port}] } },
  resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
})`,
      record
    )}}`
    const name = file('uri.mjs', code)
    const { stdout, ...ended } = await explain(by(), '--config', name, '--fetch')
    expect(ended).toEqual({ code: 1, stderr: '' })
    expect(stdout).toContain('refused: jwks_unavailable')
    expect(stdout).toContain(jwks_uri)
    expect(stdout).toContain('SELF_SIGNED_CERT')
    expect(stdout).toContain('Serve the jwks_uri with a certificate of a public CA')
    expect((await explain(by(), '--config', name)).stdout).toContain('ask with fetch')
  })
})

// The commands page and jwks as processes of their own, from the build.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { issuer, keyAssertion } from '../support/assertions'
import { ec, recordFor } from '../support/broken-assertions'
import { freshDirectory } from '../support/own-servers'
import { makeAuthority, makeCertificate } from '../support/tls-certificates'
import { serveHttps, type TestServer } from '../support/tls-server'

const main = path.join(__dirname, '../../dist/cli/main.js')
const folder = freshDirectory('page-process')
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const file = (name: string, content: string): string => {
  writeFileSync(path.join(folder, name), content)
  return name
}

function start(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env }
  })
  children.push(child)
  return child
}

async function run(args: string[], env?: NodeJS.ProcessEnv) {
  const child = start(args, env)
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await closed) as [number | null]
  return { code, stdout, stderr }
}

/** Starts the page and waits until it says where it is. */
async function openPage(...args: string[]) {
  const child = start(['page', ...args])
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  const [, url = ''] = /^Open (http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/)\n/.exec(said.toString()) ?? []
  return { child, url: new URL(url), said: said.toString() }
}

describe('page', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('ends by %s, cleanly and with code 0', async (signal) => {
    const { child, url, said } = await openPage()
    expect(said).toContain('Ctrl-C ends it')
    expect((await fetch(url)).status).toBe(200)
    const complaint = text(child.stderr)
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await complaint).toBe('')
    await expect(fetch(url)).rejects.toThrow()
  })

  test('--config: its issuer and its look-up are used', async () => {
    const config = file(
      'server.mjs',
      `export default { issuer: '${issuer}', getClient: (id) => (id === 'bank' ? ${JSON.stringify(recordFor({}))} : undefined) }`
    )
    const { url } = await openPage('--config', config)
    expect(await (await fetch(new URL('settings', url))).json()).toEqual({ issuer })
    const answer = await fetch(new URL('explain', url), {
      method: 'POST',
      headers: { origin: url.origin, 'content-type': 'application/json' },
      body: JSON.stringify({ input: keyAssertion(ec, { clientId: 'bank' }) })
    })
    expect(await answer.json()).toMatchObject({ state: 'accepted', client: 'bank', method: 'private_key_jwt' })
  })

  test('a port that is taken: one sentence with the fix, and code 2', async () => {
    const { url } = await openPage()
    expect(await run(['page', '--port', url.port])).toEqual({
      code: 2,
      stdout: '',
      stderr: `oauth-client-auth: --port ${url.port} cannot be used (EADDRINUSE): leave it out for any that is free.\n`
    })
  })

  test('a wrong configuration: one sentence, no stack, code 2', async () => {
    const { stderr, ...ended } = await run(['page', '--config', file('throws.mjs', 'throw new Error("no database")')])
    expect(ended).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^oauth-client-auth: .*no database\n$/)
  })
})

describe('jwks', () => {
  let server: TestServer
  let authority: string
  // The command jwks asks DNS itself, which no test may change: its server is reached by explain with a resolver.
  beforeAll(async () => {
    const ca = await makeAuthority()
    authority = path.join(folder, file('ca.pem', ca.cert))
    const tls = await makeCertificate(ca, { names: ['keys.partner.example'] })
    server = await serveHttps(tls, (_req, res) =>
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [ec.jwk] }))
    )
  })
  afterAll(() => server.close())

  const config = () =>
    file(
      'keys.mjs',
      `import { createJwksFetcher } from ${JSON.stringify(path.join(__dirname, '../../dist/lib/index.js'))}
export default {
  issuer: '${issuer}',
  getClient: () => (${JSON.stringify(
    recordFor({
      registered: { jwks: undefined, jwks_uri: `https://keys.partner.example:${server.port}/jwks` }
    })
  )}),
  keySets: createJwksFetcher({
    hosts: { 'keys.partner.example': { addresses: ['127.0.0.0/8'], ports: [${server.port}] } },
    resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
  })
}`
    )

  test('an authority of one’s own is trusted where NODE_EXTRA_CA_CERTS names it, and only there', async () => {
    const args = ['explain', keyAssertion(ec, { clientId: 'bank' }), '--config', config(), '--fetch']
    expect(await run(args, { NODE_EXTRA_CA_CERTS: authority })).toMatchObject({ code: 0, stderr: '' })
    const { code, stdout } = await run(args, { NODE_EXTRA_CA_CERTS: '' })
    expect([code, stdout]).toEqual([1, expect.stringContaining('refused: jwks_unavailable')])
    expect(stdout).toContain('certificate of a public CA')
  })

  test('a file with a usable key: a table, and code 0', async () => {
    const { stdout, ...ended } = await run(['jwks', file('keys.json', JSON.stringify({ keys: [ec.jwk] }))])
    expect(ended).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/ES256-key +EC +P-256 +ES256 +sig +usable\n/)
  })

  test('a file without a usable key: why, and code 1; the same as JSON', async () => {
    const name = file('encryption.json', JSON.stringify({ keys: [{ ...ec.jwk, use: 'enc' }] }))
    const { code, stdout } = await run(['jwks', name])
    expect([code, stdout]).toEqual([1, expect.stringContaining('not usable: is not for signatures (use)')])
    const told = await run(['jwks', name, '--json'])
    expect([told.code, JSON.parse(told.stdout)]).toEqual([1, expect.objectContaining({ usable: false })])
  })

  test.each([
    // Threat 51: a `jwks_uri` of this machine, given to `jwks`
    ['an address of this machine', 'https://127.0.0.1/jwks', /✗ URL/],
    ['a name without a dot', 'https://localhost/jwks', /✗ URL .*localhost has no dot/],
    ['http', 'http://keys.partner.example/jwks', /✗ URL/]
  ])('%s is refused with advice, and code 1', async (_name, url, words) => {
    const { code, stdout, stderr } = await run(['jwks', url])
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(words)
    expect(stdout).toMatch(/ {2}advice {2}\S/)
  })

  test.each([
    ['nothing', [], /Give one URL or file/],
    ['a file that is not there', ['nowhere.json'], /cannot be read \(ENOENT\)/],
    ['a host that cannot be meant', ['https://a.example/jwks', '--host', 'x'], /--host needs NAME=CIDR/]
  ])('called with %s: one sentence, and code 2', async (_name, args, words) => {
    const { code, stdout, stderr } = await run(['jwks', ...args])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(words)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

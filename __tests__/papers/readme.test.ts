// Every snippet of the README runs, as it stands there.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import ts from 'typescript'
import { reasons } from '../../lib/errors'

const root = join(__dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const marked = /<!-- (runs as|runs in|compiles as): ([\w.-]+) -->\n\n```\w+\n(.*?)```/gs
const snippets = [...readme.matchAll(marked)].map(([, kind = '', name = '', code = '']) => ({ kind, name, code }))
const snippet = (name: string) => snippets.find((one) => one.name === name)?.code ?? ''

let folder = ''
let base = ''
const children: ChildProcess[] = []

const file = (name: string, code: string): string => {
  const path = join(folder, name)
  writeFileSync(
    path,
    code.replaceAll('http://localhost:3000', base).replace('listen(3000)', `listen(${new URL(base).port}, '127.0.0.1')`)
  )
  return path
}

function run(command: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 30_000 })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout.trim()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function serve(name: string): Promise<void> {
  base = `http://127.0.0.1:${await freePort()}`
  children.push(spawn(process.execPath, [file(name, snippet(name))], { cwd: folder, stdio: 'inherit' }))
  for (let tries = 0; tries < 100; tries++) {
    const up = await fetch(base).then(
      () => true,
      () => false
    )
    if (up) return
    await wait(100)
  }
  throw new Error(`${name} did not start`)
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readme-'))
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['express', 'jose', 'openid-client']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  symlinkSync(root, join(folder, 'node_modules', 'oauth-client-auth'))
})

afterAll(() => {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true })
})

test('every code block is marked, but for the install line and the Jest setting', () => {
  const blocks = readme.match(/^```\w+$/gm) ?? []
  expect(blocks.length).toBe(snippets.length + 2)
})

describe('the quick start', () => {
  beforeAll(async () => {
    base = 'http://127.0.0.1:1'
    run(process.execPath, file('make-key.mjs', snippet('make-key.mjs')))
    await serve('server.mjs')
  })

  const curl = spawnSync('curl', ['--version']).status === 0
  const bySh = curl ? test : test.skip
  bySh.each([
    ['basic.sh', 'shop'],
    ['post.sh', 'shop-post']
  ])('%s (needs curl)', (name, client) => {
    expect(JSON.parse(run('sh', file(name, snippet(name))))).toMatchObject({ access_token: `for ${client}` })
  })

  test.each([
    ['secret-jwt.mjs', 'shop-hmac'],
    ['private-key-jwt.mjs', 'bank'],
    ['by-hand.mjs', 'bank']
  ])('%s', (name, client) => {
    expect(run(process.execPath, file(name, snippet(name)))).toBe(`for ${client}`)
  })

  test('server.cjs', async () => {
    await serve('server.cjs')
    const headers = {
      Authorization: `Basic ${Buffer.from('shop:a+secret+of+at+least+thirty-two+octets').toString('base64')}`
    }
    const answer = await fetch(`${base}/oauth/token`, { method: 'POST', headers })
    expect(await answer.json()).toMatchObject({ access_token: 'for shop' })
  })
})

test.each(snippets.filter(({ kind }) => kind === 'runs in').map(({ code }, index) => [index, code] as const))(
  'snippet %d runs among the usual names',
  (index, code) => {
    const names =
      "const issuer = 'https://as.example.com'; const getClient = () => null; const redis = { sendCommand: async () => 'OK' };"
    const use = 'console.log(typeof issuer, typeof getClient, typeof redis)'
    expect(run(process.execPath, file(`snippet-${index}.mjs`, `${names}\n${code}\n${use}`))).toBe(
      'string function object'
    )
  }
)

test('the TypeScript snippets compile', () => {
  const files = snippets.filter(({ kind }) => kind === 'compiles as').map(({ name, code }) => file(name, code))
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    typeRoots: [join(root, 'node_modules', '@types')]
  })
  const faults = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  expect(files).toHaveLength(2)
  expect(faults).toEqual([])
})

test('the table of reasons is that of the code', () => {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  for (const [reason, { code, status, message }] of Object.entries(reasons)) {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${reason}\``))
    expect(row?.split(/(?<!\\)\|/).map((text) => text.trim())).toEqual([
      '',
      `\`${reason}\``,
      `\`${code}\``,
      String(status),
      cell(message),
      ''
    ])
  }
  expect(readme.match(/^\| `[a-z_]+` +\| `(invalid|temporarily)_/gm)).toHaveLength(Object.keys(reasons).length)
})

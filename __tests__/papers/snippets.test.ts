// Every snippet of README.md and docs/ runs or compiles, as it stands there. See support/snippets.ts for the marks.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path, { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import ts from 'typescript'
import { freePort } from '../support/own-servers'
import { importsOf, pages, readPage, root, snippetsOf, type Snippet } from '../support/snippets'

jest.setTimeout(60_000)

/** What some of them must print. Every other one only has to end without an error. */
const printed: Record<string, RegExp> = {
  'README.md basic.sh': /"for shop"/,
  'README.md post.sh': /"for shop-post"/,
  'README.md secret-jwt.mjs': /^for shop-hmac$/,
  'README.md private-key-jwt.mjs': /^for bank$/,
  'README.md by-hand.mjs': /^for bank$/,
  'docs/command.md explain.sh': /aud .*exit code 1$/s,
  'docs/command.md jwks.sh': /usable/,
  'docs/options.md register.mjs':
    /^400 \{"error":"invalid_client_metadata",.*needs jwks or jwks_uri.*400 \{.*_metadata",.*read as JSON/s,
  'docs/operations.md preflight.sh':
    /^HTTP\S+ 204.*allow-origin: https:\/\/app\.example.*HTTP\S+ 400.*allow-origin: https.*expose-headers: Retry-After/is,
  'docs/operations.md metrics.sh':
    /_requests_total\{method="client_secret_basic",reason="secret_mismatch"\} 1$.*_replay_entries 0$/ms,
  'docs/operations.md with-telemetry.mjs': /oauth_client_auth\.requests.*unknown_client.*oauth_client_auth\.duration/s
}

const all = pages.flatMap(snippetsOf)
const ofKind = (...kinds: string[]) =>
  all
    .filter(({ kind }) => kinds.includes(kind))
    .map((snippet) => [`${snippet.page}:${snippet.line} ${snippet.name}`, snippet] as const)

let folder = ''
const children: ChildProcess[] = []
/** The port that each page's `listen(3000)` got. */
const ports = new Map<string, number>()

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snippets-'))
  mkdirSync(join(folder, 'node_modules'))
  const installed = readdirSync(join(root, 'node_modules')).filter((name) => !name.startsWith('.'))
  for (const name of installed) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  symlinkSync(root, join(folder, 'node_modules', 'oauth-client-auth'))
  // As npm would install it, so that npx finds it here
  const { bin } = JSON.parse(readPage('package.json')) as { bin: Record<string, string> }
  mkdirSync(join(folder, 'node_modules', '.bin'))
  for (const [name, file] of Object.entries(bin)) {
    const program = `#!/bin/sh\nexec "${process.execPath}" "${join(root, file)}" "$@"\n`
    writeFileSync(join(folder, 'node_modules', '.bin', name), program, { mode: 0o755 })
  }
})

afterAll(() => {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true })
})

const folderOf = (page: string): string => {
  const made = join(folder, page.replaceAll('/', '-'))
  mkdirSync(made, { recursive: true })
  writeFileSync(join(made, 'package.json'), '{ "type": "module" }')
  return made
}

/** Writes the snippet, with the ports that its page really has. */
function write({ page, code }: Snippet, name: string): string {
  const file = join(folderOf(page), name)
  const withPorts = code
    .replaceAll(/\b(https?):\/\/localhost:(\d+)/g, (url, scheme: string, port: string) => {
      const real = ports.get(`${page} ${port}`)
      return real === undefined ? url : `${scheme}://127.0.0.1:${real}`
    })
    .replaceAll(/\blisten\((\d+)/g, (call, port: string) => {
      const real = ports.get(`${page} ${port}`)
      return real === undefined ? call : `listen(${real}, '127.0.0.1'`
    })
  writeFileSync(file, withPorts)
  return file
}

function run(page: string, command: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, {
    cwd: folderOf(page),
    encoding: 'utf8',
    timeout: 30_000
  })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout.trim()
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => {
      settle(true)
    })
    socket.once('error', () => {
      settle(false)
    })
  })

/** Starts a server and leaves it running for the later snippets of its page. */
async function serve(snippet: Snippet, listensOn: string): Promise<void> {
  const port = await freePort()
  ports.set(`${snippet.page} ${listensOn}`, port)
  const file = write(snippet, snippet.name)
  const child = spawn(process.execPath, [file], { cwd: folderOf(snippet.page), stdio: ['ignore', 'ignore', 'inherit'] })
  children.push(child)
  while (child.exitCode === null && child.signalCode === null) {
    if (await answers(port)) return
    await wait(100)
  }
  throw new Error(`${snippet.name} ended instead of listening`)
}

const hasCurl = spawnSync('curl', ['--version']).status === 0

test.each(pages)('%s: every snippet in js, ts or sh says above it how it is proven', (page) => {
  const unmarked = snippetsOf(page).filter(({ kind }) => kind === 'unmarked')
  expect(unmarked.map(({ line, name }) => `${page}:${line} ${name}`)).toEqual([])
})

test('the marks are read: README has some of each kind that runs', () => {
  const kinds = new Set(snippetsOf('README.md').map(({ kind }) => kind))
  expect([...kinds]).toEqual(expect.arrayContaining(['runs as', 'not run']))
  expect(Object.keys(printed).filter((name) => !all.some((one) => `${one.page} ${one.name}` === name))).toEqual([])
})

describe('runs as', () => {
  test.each(ofKind('runs as'))('%s', async (_title, snippet) => {
    const { page, name, code } = snippet
    const listensOn = /\blisten\(([1-9]\d*)/.exec(code)?.[1] // a program that listens on a free port ends by itself
    if (listensOn !== undefined) return serve(snippet, listensOn)
    const isShell = name.endsWith('.sh')
    if (isShell && code.includes('curl') && !hasCurl) {
      console.warn(`${page}: ${name} was not run: it needs curl`)
      return
    }
    const output = run(page, isShell ? 'sh' : process.execPath, write(snippet, name))
    expect(output).toMatch(printed[`${page} ${name}`] ?? /^/)
  })
})

describe('runs among the usual names', () => {
  const snippets = ofKind('runs in')
  /** What each of them threw, by its file. One process runs them all, since each is a module with names of its own. */
  let thrown: Record<string, string> = {}
  const fileOf = ({ page, line }: Snippet) => join(folderOf(page), `line-${line}.mjs`)

  beforeAll(() => {
    const files = snippets.map(([, snippet]) => write(snippet, path.basename(fileOf(snippet))))
    const program = join(folder, 'snippet-names.mjs')
    writeFileSync(program, readPage('__tests__/support/snippet-names.mjs'))
    const output = run('all', process.execPath, program, ...files)
    thrown = JSON.parse(output.split('\n').at(-1) ?? '') as typeof thrown
  })

  test.each(snippets)('%s', (_title, snippet) => {
    expect(snippet.name).toBe('options')
    expect(thrown).toHaveProperty([fileOf(snippet)], 'nothing')
  })
})

describe('compiles', () => {
  const compiled = pages.filter((page) => snippetsOf(page).some(({ kind }) => kind === 'compiles as'))
  /** What the compiler says of all of them, a line for each fault. */
  let faults: string[] = []

  // A project for each page, since one declares members of the package's types. One process reads each file once.
  beforeAll(() => {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: 'es2022',
      module: 'nodenext',
      types: ['node']
    }
    const projects = compiled.map((page) => {
      const snippets = snippetsOf(page).filter(({ kind }) => kind === 'compiles as')
      const files = snippets.map((snippet) => path.basename(write(snippet, snippet.name)))
      writeFileSync(join(folderOf(page), 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
      return path.basename(folderOf(page))
    })
    const tsc = [join(root, 'node_modules/typescript7/bin/tsc'), '-b', '--pretty', 'false', ...projects]
    const { stdout, status } = spawnSync(process.execPath, tsc, { cwd: folder, encoding: 'utf8' })
    faults = stdout.split('\n').filter((line) => line !== '')
    expect(status === 0).toBe(faults.length === 0)
  })

  test.each(compiled)('%s', (page) => {
    const folderName = path.basename(folderOf(page))
    expect(faults.filter((fault) => fault.startsWith(`${folderName}/`))).toEqual([])
  })

  test('the compiler says nothing of any other file', () => {
    const folders = compiled.map((page) => `${path.basename(folderOf(page))}/`)
    expect(faults.filter((fault) => !folders.some((one) => fault.startsWith(one)))).toEqual([])
  })
})

describe('not run', () => {
  test.each(ofKind('not run'))('%s: its syntax is right', (_title, snippet) => {
    const { page, language, code } = snippet
    if (/sh|console/.test(language)) run(page, 'sh', '-n', write(snippet, `line-${snippet.line}.sh`))
    else {
      const { diagnostics } = ts.transpileModule(code, { reportDiagnostics: true, fileName: 'snippet.ts' })
      expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([])
    }
  })
})

describe('stands in', () => {
  test.each(ofKind('stands in'))('%s', (_title, { name, code }) => {
    expect(existsSync(join(root, name))).toBe(true)
    const program = readPage(name)
    expect(importsOf(program)).toEqual(expect.arrayContaining(importsOf(code)))
    const parts = code.replaceAll(/^import .*\n/gm, '').split(/^ *\/\/ …\n/m)
    expect(parts.map((part) => part.trim()).filter((part) => !program.includes(part))).toEqual([])
  })
})

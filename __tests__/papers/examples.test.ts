// Every example runs alone, accepts and refuses as it must, and the pages about them say what happened.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import ts from 'typescript'
import { snippetsOf } from '../support/snippets'

const root = join(__dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const run = (args: string[]) => promisify(execFile)(process.execPath, args, { cwd: root })

jest.setTimeout(300_000)

test('the build is there, and newer than its sources', () => {
  const newest = Math.max(...readdirSync(join(root, 'lib')).map((file) => statSync(join(root, 'lib', file)).mtimeMs))
  const built = existsSync(join(root, 'dist/lib/index.js')) ? statSync(join(root, 'dist/lib/index.js')).mtimeMs : 0
  // The examples import the package as its users do: run `npm run build`.
  expect(built).toBeGreaterThan(newest)
})

test('every example comes out right, and docs/hosts.md and docs/migration.md say what came out', async () => {
  await run(['examples/run-all.mjs', '--check']) // rejects unless every row is right and both pages say so
})

test('every example is among those that are run', () => {
  const programs = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.mjs'))
  const named = [...read('docs/hosts.md').matchAll(/\]\(\.\.\/examples\/([\w-]+\.mjs)\)/g)].map(([, file]) => file)
  expect(programs.sort()).toEqual([...new Set([...named, 'assertion.mjs', 'run-all.mjs'])].sort())
})

test('every move of docs/migration.md has a program for before and one for after, and their comparison', () => {
  const programs = readdirSync(join(root, 'examples/migrations')).filter((file) => /-(before|after)\.mjs$/.test(file))
  const page = read('docs/migration.md')
  expect(programs).toHaveLength(8)
  for (const program of programs) expect(page).toContain(`<!-- examples/migrations/${program} -->`)
  expect(page.match(/<!-- comparison: /g)).toHaveLength(4)
})

test('the quick start tells its story and ends', async () => {
  const { stdout } = await run(['examples/quick-start.mjs', '--once'])
  expect(stdout.match(/✓/g)).toHaveLength(8)
  expect(stdout).not.toContain('✗')
  expect(stdout).toContain('jwks_unavailable: the host 127.0.0.1')
})

test('the quick start tells what a refused request was refused for, as it happens', async () => {
  const server = spawn(process.execPath, ['examples/quick-start.mjs'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const told: string[] = []
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      told.push(line)
      const [, url = ''] = /^ {2}curl -u .* (http\S+)$/.exec(line) ?? []
      if (url !== '') {
        const headers = { Authorization: `Basic ${Buffer.from('web-shop:a wrong secret').toString('base64')}` }
        void fetch(url, { method: 'POST', headers })
      }
      if (line.startsWith('    ') && told.some((one) => one.startsWith('✗ refused'))) break
    }
  } finally {
    server.kill()
    await once(server, 'exit')
  }
  const [refused, check, advice] = told.slice(-3)
  expect(refused).toBe('✗ refused web-shop: secret_mismatch')
  expect(check).toBe('  secret')
  expect(advice).toBe(
    '    Configure the secret that is registered for this client, whole and without spaces around it.'
  )
  expect(told.slice(-3).join()).not.toContain('a wrong secret')
})

test('the quick start goes on serving, and the commands that it prints work', async () => {
  const server = spawn(process.execPath, ['examples/quick-start.mjs'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  try {
    const commands: string[] = []
    for await (const line of createInterface({ input: server.stdout })) {
      if (line.startsWith('  curl ')) commands.push(line.trim())
      if (commands.length === 5) break
    }
    for (const [index, command] of commands.entries()) {
      const answer = JSON.parse(await perform(command)) as Record<string, unknown>
      expect(answer).toHaveProperty(index === 4 ? 'token_endpoint_auth_methods_supported' : 'access_token')
    }
  } finally {
    server.kill()
    await once(server, 'exit')
  }
})

/** Does what a printed curl command does, with fetch, so that the tests need nothing but Node. */
async function perform(command: string): Promise<string> {
  const url = command.slice(command.lastIndexOf(' ') + 1)
  const assertion = /\$\(node examples\/assertion\.mjs ?(\w*)\)/.exec(command)
  const [, user] = / -u (\S+)/.exec(command) ?? []
  const data = [...command.matchAll(/ -d (\w+=\S+)/g)].map(([, field]) => field)
  if (assertion !== null) {
    const { stdout } = await run(['examples/assertion.mjs', ...(assertion[1] ? [assertion[1]] : [])])
    data.push(stdout.trim())
  }
  const headers = {
    ...(user === undefined ? {} : { Authorization: `Basic ${btoa(user)}` }),
    ...(data.length === 0 ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' })
  }
  const response = await fetch(url, data.length === 0 ? {} : { method: 'POST', headers, body: data.join('&') })
  return response.text()
}

test('the quick start takes a free port where its own is taken', async () => {
  const occupant = createServer()
  // If somebody else has it, that does as well.
  await new Promise((resolve) => occupant.once('listening', resolve).once('error', resolve).listen(3000, '127.0.0.1'))
  try {
    const { stdout } = await run(['examples/quick-start.mjs', '--once'])
    expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:(?!3000\/)\d+\/token/)
  } finally {
    occupant.close()
  }
})

const cutFrom = /<!-- (examples\/[\w./-]+) -->\n\n```([jt]s)\n([^]*?)```/g
test.each(['docs/hosts.md', 'docs/migration.md'])('each snippet of %s is cut from a program', (page) => {
  const snippets = [...read(page).matchAll(cutFrom)]
  expect(snippets).toHaveLength([...read(page).matchAll(/^```[jt]s/gm)].length)
  expect(snippets.length).toBeGreaterThan(9)
})

/** The names in each program that nothing declares, and whether it can be parsed. All are read by one compiler. */
function faultsOf(programs: { name: string; text: string }[]) {
  const sources = new Map(
    programs.map(({ name, text }) => [
      name,
      ts.createSourceFile(name, `${text}\nexport {}`, ts.ScriptTarget.ES2023, true)
    ])
  )
  const options: ts.CompilerOptions = {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    noResolve: true,
    experimentalDecorators: true,
    types: ['node']
  }
  const host = ts.createCompilerHost(options)
  const program = ts.createProgram({
    rootNames: [...sources.keys()],
    options,
    host: { ...host, getSourceFile: (path, ...more) => sources.get(path) ?? host.getSourceFile(path, ...more) }
  })
  return [...sources.values()].map((source) =>
    [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      .map(({ code, messageText }) => ({ code, words: ts.flattenDiagnosticMessageText(messageText, ' ') }))
      .filter(({ code }) => code < 2000 || [2304, 2552, 18004].includes(code))
  )
}

// Pasted alone, a block needs nothing that the page does not name as the reader's own
test('each snippet of docs/hosts.md, docs/migration.md and docs/mcp.md compiles alone', () => {
  const snippets = ['docs/hosts.md', 'docs/migration.md', 'docs/mcp.md'].flatMap((page) => {
    const text = read(page)
    const prose = text.replaceAll(/^```.*?^```/gms, '')
    let before = ''
    return [...text.matchAll(cutFrom)].map(([, file = '', language, snippet = ''], index) => {
      // The blocks of docs/mcp.md are pasted one behind the other
      before = page === 'docs/mcp.md' ? before + snippet : snippet
      const name = join(root, `__${page.replaceAll('/', '-')}-${index}.${language === 'ts' ? 'mts' : 'mjs'}`)
      return { name, file, prose, text: before }
    })
  })
  expect(snippets.length).toBeGreaterThan(25)
  const faults = faultsOf(snippets)
  for (const [index, { file, prose }] of snippets.entries()) {
    const unknown = faults[index]?.filter(({ words }) => !prose.includes(`\`${/'(\w+)'/.exec(words)?.[1]}\``))
    expect([file, unknown]).toEqual([file, []])
  }
})

test.each([
  'client-documents',
  'events',
  'key-sets',
  'mutual-tls',
  'operations',
  'options',
  'secrets',
  'workload-identity'
])('docs/%s.md names what its blocks use and do not declare', (name) => {
  const page = `docs/${name}.md`
  const prose = read(page).replaceAll(/^```.*?^```/gms, '')
  const programs = snippetsOf(page)
    .filter(({ kind }) => kind === 'runs in' || kind === 'runs as')
    .filter(({ language }) => language === 'js')
    .map(({ line, code }) => ({ name: join(root, `__${name}-${line}.mjs`), text: code }))
  expect(programs).not.toEqual([])
  const unknown = faultsOf(programs).flat()
  expect(unknown.filter(({ words }) => !prose.includes(`\`${/'(\w+)'/.exec(words)?.[1]}\``))).toEqual([])
})

test('no part that docs/hosts.md or docs/migration.md shows from a marked program is out of date or left out', () => {
  for (const page of ['docs/hosts.md', 'docs/migration.md']) {
    const text = read(page)
    for (const [, file = ''] of text.matchAll(/<!-- (examples\/[\w./-]+) -->/g)) {
      const marked = [...read(file).matchAll(/^ *\/\/ --- glue.*\n([^]*?)^ *\/\/ --- end\n/gm)]
      for (const [, part = ''] of marked) expect(text).toContain(part.trimEnd())
    }
  }
})

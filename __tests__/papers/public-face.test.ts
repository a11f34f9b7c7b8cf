// What the package exports: each name has a doc comment, each value an example that compiles (the API reference is
// written from them), and no type is one of a dependency.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path, { join } from 'node:path'
import ts from 'typescript'
import { root } from '../support/snippets'

const entries = ['lib/index.ts', 'lib/testing/index.ts'].map((file) => join(root, file))
const config = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), undefined, {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
    throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'))
  }
})!
const program = ts.createProgram(config.fileNames, config.options)
const checker = program.getTypeChecker()
const moduleOf = (file: string) => checker.getSymbolAtLocation(program.getSourceFile(file)!)!

interface Export {
  name: string
  entry: string
  symbol: ts.Symbol
  isValue: boolean
  examples: string[]
}

const all = entries.flatMap((entry) =>
  checker.getExportsOfModule(moduleOf(entry)).map((exported): Export => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const tags = [symbol, ...(symbol.members?.values() ?? [])].flatMap((one) => one.getJsDocTags(checker))
    const examples = tags.filter((tag) => tag.name === 'example').map((tag) => ts.displayPartsToString(tag.text))
    return { name: exported.name, entry, symbol, isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0, examples }
  })
)

const files = config.fileNames.map((file) => path.relative(root, file)).filter((file) => file.startsWith('lib'))

test.each(files)('%s exports names only', (file) => {
  const names = checker.getExportsOfModule(moduleOf(join(root, file))).map(({ name }) => name)
  expect(names.filter((name) => name === 'default' || name === 'export=')).toEqual([])
})

const isDocumented = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0

test.each(all)('$name has a doc comment', ({ symbol }) => {
  expect(isDocumented(symbol)).toBe(true)
})

test.each(all.filter(({ name }) => name.endsWith('Options')))('each member of $name has one', ({ symbol }) => {
  const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
  expect(members).not.toEqual([])
  expect(members.filter((member) => !isDocumented(member)).map(({ name }) => name)).toEqual([])
})

test('no declaration file names a type of a dependency', () => {
  const dist = join(root, 'dist')
  const reached = new Set(['lib/index.d.ts', 'lib/testing/index.d.ts'])
  for (const file of reached) {
    const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(readFileSync(join(dist, file), 'utf8'))
    const names = importedFiles.map(({ fileName }) => fileName)
    const foreign = names.filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
    expect({ file, foreign }).toEqual({ file, foreign: [] })
    expect(typeReferenceDirectives.filter(({ fileName }) => fileName !== 'node')).toEqual([])
    for (const name of names.filter((one) => one.startsWith('.'))) {
      const module = join(path.dirname(file), name)
      reached.add([`${module}.d.ts`, `${module}/index.d.ts`].find((one) => existsSync(join(dist, one))) ?? module)
    }
  }
  expect(reached.size).toBeGreaterThan(5)
})

/** The module as its users have it: its declarations alone are read. */
const built = (entry: string) => join(root, 'dist', path.relative(root, entry)).replace('.ts', '.js')

/** What an example may use without saying where it comes from: the reader's own server, and what its words name. */
const surroundings = `
import type * as ours from '${built(entries[0]!)}'
import type express from 'express'
declare global {
  const app: express.Express, handler: express.RequestHandler, issueToken: express.RequestHandler
  const issuer: string, key: string, cert: string, uri: string, id: string, jwks_uri: string, reusable: true
  const request: { headers: Headers, body: URLSearchParams }, req: express.Request
  const db: { clients: { findById(id: string): Promise<ours.OAuthClient | undefined> } }
  const getClient: (id: string) => ours.OAuthClient | undefined
  const logger: Record<'info' | 'warn', (value: unknown) => void>, error: ours.ClientAuthError
  const options: ours.ClientAuthOptions, keySets: Required<ours.KeySets>, documents: ours.ClientDocuments
  const authenticateClient: ours.ClientAuthMiddleware<ours.OAuthClient & { tenant: string }>
  const redis: { sendCommand(args: string[]): Promise<unknown> }
  const bcrypt: { compare(presented: string, stored: string): Promise<boolean> }
  const DatabaseSync: new (file: string) => ours.SqliteDatabase
  function handshakeOf(request: ours.ClientAuthRequest): { pem: string | undefined, verified: boolean }
  function revokeGrants(id: string): Promise<void>
  function store<T>(record: T): T
}
`

/** Names of packages and of node: that an example uses. */
const known: Readonly<Record<string, string>> = {
  express: "import express from 'express'",
  https: "import https from 'node:https'",
  readFileSync: "import { readFileSync } from 'node:fs'",
  X509Certificate: "import { X509Certificate } from 'node:crypto'",
  rateLimit: "import { rateLimit } from 'express-rate-limit'",
  RateLimiterMemory: "import { RateLimiterMemory } from 'rate-limiter-flexible'",
  ipKeyGenerator: "import { ipKeyGenerator } from 'express-rate-limit'"
}

const compilerOptions = { module: 'nodenext', target: 'es2023', types: ['node'], skipLibCheck: true, noEmit: true }
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'public-face-'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, strict: true } })
  )
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('each exported value has an example', () => {
  const values = all.filter(({ isValue }) => isValue)
  expect(values.length).toBeGreaterThan(20)
  expect(values.filter(({ examples }) => examples.length === 0).map(({ name }) => name)).toEqual([])
})

test('every example compiles in strict mode', () => {
  const has = (text: string, name: string) => new RegExp(`(?<!\\w\\.|\\w)${name}\\b`).test(text)
  writeFileSync(join(folder, 'surroundings.d.mts'), surroundings)
  const files = all.flatMap(({ name, examples }) =>
    examples.map((text, index) => {
      // An example may be an object that stands in the place of an option
      const body = text.startsWith('{') ? `const value: object = ${text}` : text
      const ours = all
        .filter((one) => has(body, one.name))
        .map((one) => `import { ${one.name} } from '${built(one.entry)}'`)
      const others = Object.entries(known).filter(([one]) => has(body, one))
      const file = join(folder, `${name}-${index}.mts`)
      writeFileSync(file, [...ours, ...others.map(([, line]) => line), body, 'export {}'].join('\n'))
      return file
    })
  )
  expect(files.length).toBeGreaterThan(20)
  const tsc = join(root, 'node_modules/typescript7/bin/tsc')
  expect(spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })).toMatchObject({
    stdout: '',
    status: 0
  })
})

// The API reference is written from the docstrings: each exported value has an example, and every example compiles.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../support/snippets'

const entries = ['lib/index.ts', 'lib/testing/index.ts'].map((file) => join(root, file))
const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node']
}

/** What an example may use without saying where it comes from: the reader's own server, and what its words name. */
const surroundings = `
import type * as ours from '${entries[0]!.replace('.ts', '.js')}'
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

interface Export {
  name: string
  entry: string
  isValue: boolean
  examples: string[]
}

function exportsOf(): Export[] {
  const program = ts.createProgram(entries, options)
  const checker = program.getTypeChecker()
  return entries.flatMap((entry) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!
    return checker.getExportsOfModule(module).map((symbol) => {
      const own = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
      const members = [...(own.members?.values() ?? [])]
      const tags = [own, ...members].flatMap((one) => one.getJsDocTags(checker))
      const examples = tags.filter((tag) => tag.name === 'example').map((tag) => ts.displayPartsToString(tag.text))
      return { name: symbol.name, entry, isValue: (own.flags & ts.SymbolFlags.Value) !== 0, examples }
    })
  })
}

let folder = ''
let all: Export[]
beforeAll(() => {
  all = exportsOf()
  folder = mkdtempSync(join(tmpdir(), 'api-examples-'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
}, 60_000)
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
        .map((one) => `import { ${one.name} } from '${one.entry.replace('.ts', '.js')}'`)
      const others = Object.entries(known).filter(([one]) => has(body, one))
      const file = join(folder, `${name}-${index}.mts`)
      writeFileSync(file, [...ours, ...others.map(([, line]) => line), body, 'export {}'].join('\n'))
      return file
    })
  )
  expect(files.length).toBeGreaterThan(20)
  const program = ts.createProgram([join(folder, 'surroundings.d.mts'), ...files], options)
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file?.text.slice(start).split('\n')[0]
    return `${file?.fileName.split('/').pop()}: ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  expect(faults).toEqual([])
}, 120_000)

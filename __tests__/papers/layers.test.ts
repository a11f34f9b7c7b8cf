import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import ts from 'typescript'

/** The rooms of lib/, from top to bottom: a file imports from its own room and from rooms below it. */
const rooms = [
  'testing/',
  'index',
  'middleware/',
  'authenticate/',
  'registration/',
  'explain/',
  'options/',
  'secrets/',
  'client-documents/',
  'methods/',
  'certificates/',
  'key-sets/',
  'guarded-fetch/',
  'replay-store/',
  'request/',
  'jwt/',
  'refusals/',
  'basics/',
  'types'
]

/** Who may touch what: one place to look when a dependency changes, and no way to the network but the guarded one. */
const owners: Record<string, string[]> = {
  'body-parser': ['request/body'],
  'ipaddr.js': ['basics/address-range', 'guarded-fetch/guard'],
  'lru-cache': [
    'client-documents/budget',
    'guarded-fetch/address-rest',
    'guarded-fetch/document-cache',
    'jwt/key-ring',
    'secrets/brake',
    'secrets/remember-secrets'
  ],
  'node:dns': ['guarded-fetch/fetch-options'],
  'node:child_process': ['guarded-fetch/child'],
  'node:https': ['guarded-fetch/run-exchange'],
  'node:net': [
    'basics/address-range',
    'certificates/registered-subject',
    'guarded-fetch/bounded-socket',
    'guarded-fetch/child', // for types only
    'guarded-fetch/guard',
    'guarded-fetch/proxy',
    'guarded-fetch/tls'
  ],
  'node:tls': ['certificates/tls-certificates', 'guarded-fetch/authorities', 'guarded-fetch/tls'], // the first for types
  'node:worker_threads': ['guarded-fetch/guarded-fetch-child']
}

const root = path.join(__dirname, '../..')
const files = readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length).replaceAll(path.sep, '/'))
/** A folder's name with its slash, or the file's own name at the top level. */
const placeOf = (file: string) => file.replace(/(?<=\/).*$/, '')
const roomOf = (file: string) => rooms.indexOf(placeOf(file))

const sourceOf = (file: string) => readFileSync(path.join(root, 'lib', `${file}.ts`), 'utf8')
const importedIn = (text: string) => ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
const isRelative = (name: string) => name.startsWith('.')
/** node:dns/promises is node:dns, and so is dns. */
const moduleNameOf = (name: string) => {
  const [first = ''] = name.replace(/^node:/, '').split('/')
  return isBuiltin(name) ? `node:${first}` : first
}

describe('the rooms of lib/', () => {
  const others = (file: string) =>
    importedIn(sourceOf(file))
      .filter(isRelative)
      .map((name) => path.posix.join(path.posix.dirname(file), name))
      .map((name) => (files.includes(name) ? name : `${name}/index`))

  test('each file has its place, and each place its files', () => {
    expect([...new Set(files.map(placeOf))].sort()).toEqual([...rooms].sort())
  })

  test.each(files)('%s imports only from its own room and from rooms below', (file) => {
    expect(others(file).filter((other) => !files.includes(other) || roomOf(other) < roomOf(file))).toEqual([])
  })

  test('no file is reached from itself', () => {
    const reaches = (from: string, goal: string, seen: Set<string>): boolean =>
      others(from).some((other) => {
        if (other === goal) return true
        if (seen.has(other)) return false
        seen.add(other)
        return reaches(other, goal, seen)
      })
    expect(files.filter((file) => reaches(file, file, new Set()))).toEqual([])
  })

  test.each(files)('%s has at most 300 lines', (file) => {
    expect(sourceOf(file).trimEnd().split('\n').length).toBeLessThanOrEqual(300)
  })
})

const commandFiles = readdirSync(path.join(root, 'cli'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `cli/${file.replaceAll(path.sep, '/')}`)

test('no comment in lib/ or cli/ silences the linter or the compiler', () => {
  const sources = [...files.map((file) => `lib/${file}.ts`), ...commandFiles]
  const silences = (file: string) => /\b(?:ox|es)lint-|@ts-/.test(readFileSync(path.join(root, file), 'utf8'))
  expect(sources.filter(silences)).toEqual([])
})

describe('cli/', () => {
  test.each(commandFiles)('%s sees lib/ through one door', (file) => {
    const names = importedIn(readFileSync(path.join(root, file), 'utf8')).filter(isRelative)
    const outside = names
      .map((name) => path.posix.join(path.posix.dirname(file), name))
      .filter((name) => !name.startsWith('cli/'))
    expect(outside.filter((name) => name !== 'lib/explain/for-cli')).toEqual([])
  })
})

describe('the dependencies of lib/', () => {
  const importers = new Map<string, string[]>()
  for (const file of files) {
    const names = importedIn(sourceOf(file)).filter((name) => !isRelative(name))
    for (const name of new Set(names.map(moduleNameOf))) importers.set(name, [...(importers.get(name) ?? []), file])
  }
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }

  test.each(Object.entries(owners))('%s is imported by %j alone', (name, expected) => {
    expect(importers.get(name)?.sort()).toEqual(expected)
  })

  test('those imported, those owned and those in package.json are the same', () => {
    const packages = (names: Iterable<string>) => [...names].filter((name) => !name.startsWith('node:')).sort()
    expect(packages(importers.keys())).toEqual(packages(Object.keys(owners)))
    expect(Object.keys(dependencies).sort()).toEqual(packages(Object.keys(owners)))
  })

  test('testing/ is apart: what it runs is node:crypto, the checks of options and the table of algorithms', () => {
    const foreign = files
      .filter((file) => file.startsWith('testing/'))
      .flatMap((file) => importedIn(sourceOf(file)))
      .filter((name) => !name.startsWith('./'))
    expect([...new Set(foreign)].sort()).toEqual([
      '../basics/option-checks',
      '../jwt/algorithms',
      '../types',
      'node:crypto'
    ])
  })

  test('nothing but those owners opens a connection', () => {
    const ways = ['node:http2', 'node:dgram']
    expect(ways.filter((way) => importers.has(way))).toEqual([])
    // Others use the types of node:http
    const requests = files.filter((file) => /^import \{[^}]*\} from 'node:http'$/m.test(sourceOf(file)))
    expect(
      requests.filter((file) => /\brequest\b/.test(/^import .* from 'node:http'$/m.exec(sourceOf(file))?.[0] ?? ''))
    ).toEqual(['guarded-fetch/proxy'])
    expect(sourceOf('certificates/tls-certificates')).toMatch(/^import type \{[^}]*\} from 'node:tls'$/m)
    expect(files.filter((file) => /(?<![.\w])(fetch|WebSocket|EventSource)\(/.test(sourceOf(file)))).toEqual([])
  })
})

describe('the public face', () => {
  const config = ts.getParsedCommandLineOfConfigFile(path.join(root, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'))
    }
  })!
  const program = ts.createProgram(config.fileNames, config.options)
  const checker = program.getTypeChecker()
  const exportsOf = (file: string) => {
    const source = program.getSourceFile(path.join(root, 'lib', `${file}.ts`))!
    return checker.getExportsOfModule(checker.getSymbolAtLocation(source)!).map((symbol) => ({
      name: symbol.name,
      symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    }))
  }
  const isDocumented = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0
  const publicNames = [...exportsOf('index'), ...exportsOf('testing/index')]

  test.each(files)('%s exports names only', (file) => {
    if (file === 'index') expect(exportsOf(file).length).toBeGreaterThan(10)
    const source = program.getSourceFile(path.join(root, 'lib', `${file}.ts`))!
    const names = checker.getExportsOfModule(checker.getSymbolAtLocation(source)!).map(({ name }) => name)
    expect(names.filter((name) => name === 'default' || name === 'export=')).toEqual([])
  })

  test.each(publicNames)('$name has a doc comment', ({ symbol }) => {
    expect(isDocumented(symbol)).toBe(true)
  })

  test.each(publicNames.filter(({ name }) => name.endsWith('Options')))(
    'each member of $name has one',
    ({ symbol }) => {
      const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
      expect(members).not.toEqual([])
      expect(members.filter((member) => !isDocumented(member)).map(({ name }) => name)).toEqual([])
    }
  )

  test('no declaration file names a type of a dependency', () => {
    const declarations = new Map<string, string>()
    const dist = path.join(root, 'dist')
    program.emit(undefined, (file, text) => declarations.set(path.relative(dist, file), text), undefined, true)
    const reached = new Set(['lib/index.d.ts', 'lib/testing/index.d.ts'])
    for (const file of reached) {
      const text = declarations.get(file)
      expect(text).toBeDefined()
      const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(text!, true, true)
      const names = importedFiles.map(({ fileName }) => fileName)
      expect({ file, foreign: names.filter((name) => !isRelative(name) && !name.startsWith('node:')) }).toEqual({
        file,
        foreign: []
      })
      expect(typeReferenceDirectives.filter(({ fileName }) => fileName !== 'node')).toEqual([])
      for (const name of names.filter(isRelative))
        reached.add(
          [name, `${name}/index`]
            .map((one) => `${path.join(path.dirname(file), one)}.d.ts`)
            .find((one) => declarations.has(one)) ?? name
        )
    }
    expect(reached.size).toBeGreaterThan(5)
  })
})

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

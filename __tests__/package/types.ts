import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  app,
  blocksOf,
  endsAlone,
  inTurnWithTools,
  packageTypes,
  run,
  typescriptOf,
  typescriptVersions
} from './packed'

const page = 'docs/typescript.md'
const blocks = blocksOf(page, 'ts').map(({ mark, code }) => {
  const [, kind = '', name = ''] = /^(compiles as|not run): (.*)$/.exec(mark) ?? []
  return { kind, name, code }
})
const compiled = blocks.filter(({ kind }) => kind === 'compiles as')

/** The consumers twice, in a CommonJS package and in an ES module package, each with the blocks of the page. */
function write(): void {
  for (const type of packageTypes) {
    const folder = path.join(app, type)
    cpSync(path.join(app, 'typed'), folder, { recursive: true })
    mkdirSync(path.join(folder, 'page'))
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, type }))
    for (const { name, code } of compiled) writeFileSync(path.join(folder, 'page', name), code)
  }
}

const settings = {
  node16: { module: 'node16' },
  nodenext: { module: 'nodenext' },
  'bundler, esnext': { module: 'esnext', moduleResolution: 'bundler' },
  'bundler, preserve': { module: 'preserve', moduleResolution: 'bundler' }
}
type Setting = keyof typeof settings
interface Program {
  name: string
  /** With VERSIONS=ends the first alone: each setting is the first of one program. */
  under: Setting[]
  files: string[]
  options: object
}
const pageFiles = compiled.map(({ name }) => `page/${name}`)
const isCommonJs = (file: string) => file.endsWith('.cts')
const withExpress = ['routes.ts', 'generic.ts', ...pageFiles]
const inModule = (files: string[]) => files.map((file) => `module/${file}`)

const common = { types: ['node'], lib: ['es2023'] }
const programs: Program[] = [
  {
    name: 'an ES module package, verbatimModuleSyntax',
    under: ['nodenext', 'node16'],
    files: inModule(withExpress),
    options: { ...common, verbatimModuleSyntax: true }
  },
  {
    name: 'an ES module package, verbatimModuleSyntax',
    under: ['bundler, preserve', 'bundler, esnext'],
    files: inModule(withExpress.filter((file) => !isCommonJs(file))),
    options: { ...common, verbatimModuleSyntax: true }
  },
  {
    name: 'a CommonJS package',
    under: ['node16', 'nodenext'],
    files: withExpress.map((file) => `commonjs/${file}`),
    options: common
  },
  {
    name: 'without Express, no types listed, beside the DOM',
    under: ['bundler, esnext', 'node16', 'nodenext'],
    files: packageTypes.map((type) => `${type}/alone.ts`),
    options: { types: [] }
  }
]
const projects = programs.flatMap(({ name, under, files, options }) =>
  under.slice(0, endsAlone ? 1 : undefined).map((setting) => ({
    title: `${setting}, ${name}`,
    files,
    options: { ...settings[setting], ...options }
  }))
)

const strict = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  skipDefaultLibCheck: true, // TypeScript's own, nothing of ours or of a dependency
  esModuleInterop: true,
  noEmit: true
}

/** Compiles all projects in one process, which reads each file once: what it says of each, by title. */
async function compile(version: string): Promise<Map<string, string>> {
  const fileOf = (title: string) => `${version}, ${title}.json`
  for (const { title, files, options } of projects) {
    const config = { compilerOptions: { ...strict, ...options }, files }
    writeFileSync(path.join(app, fileOf(title)), JSON.stringify(config))
  }
  const configs = projects.map(({ title }) => fileOf(title))
  const said = await run(app, process.execPath, typescriptOf(version), '-b', '--verbose', ...configs).catch(
    (error: Error) => error.message
  )
  const steps = said.split(/^.* - (?=Project|Building)/m)
  const saidOf = (title: string) => {
    const step = steps.find((text) => text.startsWith('Building') && text.includes(title))
    return step?.replace(/^.*/, '').trim() ?? `not compiled: ${said}`
  }
  return new Map(projects.map(({ title }) => [title, saidOf(title)]))
}

export function typeTests(): void {
  const written = inTurnWithTools(async () => {
    write()
  })
  const compiling = new Map(
    typescriptVersions.map((version) => [version, inTurnWithTools(() => written.then(() => compile(version)))])
  )

  describe.each(typescriptVersions)('TypeScript %s', (version) => {
    test.concurrent.each(projects)('$title', async ({ title }) => {
      expect((await compiling.get(version))?.get(title)).toBe('')
    })
  })

  test('the page has blocks of each sort that compiles', () => {
    const names = compiled.map(({ name }) => name)
    const some = ['server.ts', 'server.cts', 'client-of.ts', 'on-error.ts', 'cause.ts', 'events.ts', 'kit.ts']
    expect(names).toEqual(expect.arrayContaining(some))
    expect(blocks.filter(({ kind }) => kind === '')).toEqual([])
  })
}

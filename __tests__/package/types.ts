import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { app, blocksOf, installed, packageTypes, run, typescriptOf, typescriptVersions } from './packed'

const page = 'docs/typescript.md'
const blocks = blocksOf(page, 'ts').map(({ mark, code }) => {
  const [, kind = '', name = ''] = /^(compiles as|not run): (.*)$/.exec(mark) ?? []
  return { kind, name, code }
})
const compiled = blocks.filter(({ kind }) => kind === 'compiles as')

/** The consumers twice, in a CommonJS package and in an ES module package, each with the blocks of the page. */
async function write(): Promise<void> {
  await installed
  for (const type of packageTypes) {
    const folder = path.join(app, type)
    cpSync(path.join(app, 'typed'), folder, { recursive: true })
    mkdirSync(path.join(folder, 'page'))
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, type }))
    for (const { name, code } of compiled) writeFileSync(path.join(folder, 'page', name), code)
  }
}
const written = write()
written.catch(() => undefined)

const nodeModules = { node16: { module: 'node16' }, nodenext: { module: 'nodenext' } }
const bundlers = {
  'bundler, esnext': { module: 'esnext', moduleResolution: 'bundler' },
  'bundler, preserve': { module: 'preserve', moduleResolution: 'bundler' }
}
const pageFiles = compiled.map(({ name }) => `page/${name}`)
const isCommonJs = (file: string) => file.endsWith('.cts')
const withExpress = ['routes.ts', 'generic.ts', ...pageFiles]
const inModule = (files: string[]) => files.map((file) => `module/${file}`)

const common = { types: ['node'], lib: ['es2023'] }
const programs = [
  {
    name: 'an ES module package, verbatimModuleSyntax',
    settings: nodeModules,
    files: inModule(withExpress),
    options: { ...common, verbatimModuleSyntax: true }
  },
  {
    name: 'an ES module package, verbatimModuleSyntax',
    settings: bundlers,
    files: inModule(withExpress.filter((file) => !isCommonJs(file))),
    options: { ...common, verbatimModuleSyntax: true }
  },
  {
    name: 'a CommonJS package',
    settings: nodeModules,
    files: withExpress.map((file) => `commonjs/${file}`),
    options: common
  },
  {
    name: 'without Express, no types listed, beside the DOM',
    settings: { ...nodeModules, 'bundler, esnext': bundlers['bundler, esnext'] },
    files: packageTypes.map((type) => `${type}/alone.ts`),
    options: { types: [] }
  }
]
const compilations = typescriptVersions.flatMap((version) =>
  programs.flatMap(({ settings, ...program }) =>
    Object.entries<object>(settings).map(([setting, module]) => ({ version, setting, module, ...program }))
  )
)

async function compile(title: string, version: string, options: object, files: string[]): Promise<string> {
  const compilerOptions = {
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    skipDefaultLibCheck: true, // TypeScript's own, nothing of ours or of a dependency
    esModuleInterop: true,
    noEmit: true,
    ...options
  }
  writeFileSync(path.join(app, `${title}.json`), JSON.stringify({ compilerOptions, files }))
  return run(app, process.execPath, typescriptOf(version), '-p', `${title}.json`)
}

export function typeTests(): void {
  test.concurrent.each(compilations)('TypeScript $version, $setting: $name', async (compilation) => {
    await written
    const { version, setting, name, module, options, files } = compilation
    expect(await compile(`${version} ${setting} ${name}`, version, { ...module, ...options }, files)).toBe('')
  })

  test('the page has blocks of each sort that compiles', () => {
    const names = compiled.map(({ name }) => name)
    const some = ['server.ts', 'server.cts', 'client-of.ts', 'on-error.ts', 'cause.ts', 'events.ts', 'kit.ts']
    expect(names).toEqual(expect.arrayContaining(some))
    expect(blocks.filter(({ kind }) => kind === '')).toEqual([])
  })
}

import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = path.join(__dirname, '..', '..')
const app = mkdtempSync(path.join(tmpdir(), 'oauth-client-auth-'))

/** The oldest that `engines` names, and a 24 under which Jest can require() ES modules (24.9 or newer). */
const nodeVersions = ['20.19.0', '22.12.0', '24.21.0']
const typescriptVersions = ['5.9.3', '6.0.3', '7.0.2']
const packageTypes = ['commonjs', 'module']
const tools = ['express@5', '@types/express@5', '@types/node@20', 'jest@30', '@swc/jest', 'vitest@4']

const nodeAlias = (version: string) => `node-${version}@npm:node-${process.platform}-${process.arch}@${version}`
const typescriptAlias = (version: string) => `typescript-${version}@npm:typescript@${version}`

/** Runs a program in the consumer; a failure tells what it printed. */
async function runInApp(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, args, {
      cwd: app,
      env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1' }
    })
    return stdout + stderr
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${[program, ...args].join(' ')}\n${stdout}${stderr}`, { cause: error })
  }
}

interface Packed {
  filename: string
  files: { path: string }[]
}

/** Packs the package and installs it, with every compiler and Node that the tables name, where a consumer would. */
async function install(): Promise<Packed> {
  await run('npm', ['run', 'build'], { cwd: root })
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', app], { cwd: root })
  // npm 12 prints an object, older ones a list.
  const packed = Object.values(JSON.parse(stdout) as Record<string, Packed>)[0]!
  cpSync(path.join(__dirname, 'consumers'), app, { recursive: true })
  for (const type of packageTypes) {
    cpSync(path.join(app, 'typed'), path.join(app, type), { recursive: true })
    writeFileSync(path.join(app, type, 'package.json'), JSON.stringify({ private: true, type }))
  }
  writeFileSync(path.join(app, 'package.json'), JSON.stringify({ private: true }))
  const wanted = [
    `./${packed.filename}`,
    ...tools,
    ...nodeVersions.map(nodeAlias),
    ...typescriptVersions.map(typescriptAlias)
  ]
  await runInApp('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', ...wanted)
  return packed
}

// Not in beforeAll: Jest starts concurrent tests without waiting for it.
const installed = install()

afterAll(() => {
  rmSync(app, { recursive: true, force: true })
})

jest.setTimeout(300_000)

test('the tarball holds the build and the papers, nothing else', async () => {
  const files = (await installed).files.map((file) => file.path)
  expect(files).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts'])
  )
  const strange = files.filter((file) => !/^(dist\/([a-z0-9-]+\/)?[a-z0-9-]+\.(js|d\.ts)|[A-Z]+(\.md)?|package\.json)$/.test(file))
  expect(strange).toEqual([])
})

const modules = {
  node16: { module: 'node16' },
  nodenext: { module: 'nodenext' },
  'bundler, esnext': { module: 'esnext', moduleResolution: 'bundler' },
  'bundler, preserve': { module: 'preserve' }
}
/** Each holds its files twice, once in a CommonJS package and once in an ES module package. */
const programs = {
  'with Express': { files: ['routes.ts', 'generic.ts'], options: { types: ['node'], lib: ['es2023'] } },
  'without Express, no types listed, beside the DOM': { files: ['alone.ts'], options: { types: [] } }
}
const compilations = typescriptVersions.flatMap((version) =>
  Object.entries(modules).flatMap(([setting, module]) =>
    Object.entries(programs).map(([name, program]) => ({ version, setting, module, name, program }))
  )
)

test.concurrent.each(compilations)(
  'TypeScript $version compiles a consumer: $setting, $name',
  async ({ version, setting, module, name, program }) => {
    await installed
    const config = {
      compilerOptions: {
        ...module,
        ...program.options,
        target: 'es2022',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        esModuleInterop: true,
        noEmit: true
      },
      files: packageTypes.flatMap((type) => program.files.map((file) => `${type}/${file}`))
    }
    const file = `${version} ${setting} ${name}.json`
    writeFileSync(path.join(app, file), JSON.stringify(config))
    await runInApp(process.execPath, `node_modules/typescript-${version}/bin/tsc`, '-p', file)
  }
)

describe.each(nodeVersions)('on Node %s', (version) => {
  const node = `node_modules/node-${version}/bin/node`
  const toTransform = {
    transformIgnorePatterns: ['/node_modules/(?!jose/)'],
    transform: { '/node_modules/jose/': '@swc/jest' }
  }

  test('it is that version', async () => {
    await installed
    expect(await runInApp(node, '--version')).toBe(`v${version}\n`)
  })

  test('import and require() give the same classes, without a warning', async () => {
    await installed
    expect(await runInApp(node, 'same-class.mjs')).toBe('')
  })

  test('Jest runs a consumer', async () => {
    await installed
    const config = { testMatch: ['<rootDir>/jest.test.cjs'], ...toTransform }
    const output = await runInApp(node, 'node_modules/jest/bin/jest.js', '--config', JSON.stringify(config))
    expect(output).toContain('Tests:       1 passed, 1 total')
  })

  test('Vitest runs a consumer', async () => {
    await installed
    const output = await runInApp(node, 'node_modules/vitest/vitest.mjs', 'run', 'vitest.test.mjs')
    expect(output).toContain('Tests  1 passed (1)')
  })
})

test('from Node 24.9 Jest needs no configuration but the flag', async () => {
  await installed
  const node = 'node_modules/node-24.21.0/bin/node'
  const args = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--testMatch', '**/jest.test.cjs']
  expect(await runInApp(node, ...args)).toContain('Tests:       1 passed, 1 total')
})

// The packed tarball, and a folder in which everything that its consumers need is installed once.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const root = path.join(__dirname, '..', '..')
const folder = mkdtempSync(path.join(tmpdir(), 'oauth-client-auth-'))
/** Where the tools and the JavaScript and TypeScript consumers are. */
export const app = path.join(folder, 'app')

/** With VERSIONS=ends, as in .ci/run, each thing once, with the oldest or the newest. checks.yml tries all with all. */
export const endsAlone = process.env.VERSIONS === 'ends'
const tried = (versions: string[]): string[] =>
  endsAlone ? versions.filter((one) => [versions[0], versions.at(-1)].includes(one)) : versions
/** The first whose OpenSSL knows hybrid groups. From 22.19 on Node lets a program choose its authorities. */
const lateNode22 = '22.20.0'
/** Where the fetches are tried. */
export const fetchingVersions = tried(['20.19.0', '22.12.0', lateNode22, '24.21.0', '26.10.0'])
/** The oldest that `engines` names, a 24 that has ML-DSA (24.6 or newer), and the newest. */
export const nodeVersions = fetchingVersions.filter((version) => version !== lateNode22)
/** Those that have ML-DSA and node:sqlite. */
export const lateVersions = nodeVersions.filter((version) => Number.parseInt(version) >= 24)
export const packageTypes = ['commonjs', 'module']

/** Compilers and Jest are the project's own where it has them: nothing of the package's own lies beside them. */
const ownTool = (...parts: string[]) => path.join(root, 'node_modules', ...parts)
const versionOf = (name: string) =>
  (JSON.parse(readFileSync(ownTool(name, 'package.json'), 'utf8')) as { version: string }).version
const ownCompilers = new Map(['typescript', 'typescript7'].map((name) => [versionOf(name), ownTool(name)]))
const oldestTypescript = '5.9.3'
export const typescriptVersions = tried([oldestTypescript, ...ownCompilers.keys()])
export const jestBin = ownTool('jest/bin/jest.js')

const nodeAlias = (version: string) => `node-${version}@npm:node-${process.platform}-${process.arch}@${version}`
/** The packages that hold the binaries alone; `bun` and `deno` would only link them, by scripts that are not run. */
const bunPackage = `@oven/bun-${process.platform}-${process.arch}`
const denoPackage = `@deno/${process.platform}-${process.arch}-glibc`
const tools = [
  ...['express@5', '@types/express@5', '@types/node@20', 'vitest@4', `${bunPackage}@1`, `${denoPackage}@2`],
  ...['oauth4webapi@3', 'openid-client@6', 'pm2@7'],
  ...['esbuild@0', 'webpack@5', 'rollup@4', '@rollup/plugin-commonjs@29', '@rollup/plugin-node-resolve@16'],
  '@rollup/plugin-json@6',
  `typescript@${oldestTypescript}`,
  ...fetchingVersions.map(nodeAlias)
]

const inTools = (...parts: string[]) => path.join(app, 'node_modules', ...parts)
export const nodeOf = (version: string) => inTools(`node-${version}`, 'bin', 'node')
export const typescriptOf = (version: string) =>
  path.join(ownCompilers.get(version) ?? inTools('typescript'), 'bin', 'tsc')
export const bun = inTools(bunPackage, 'bin', 'bun')
export const deno = inTools(denoPackage, 'deno')

/** Every runtime: its name and how it runs a program. */
export const runtimes: [name: string, command: string[]][] = [
  ...nodeVersions.map((version): [string, string[]] => [`Node ${version}`, [nodeOf(version)]]),
  ['Bun', [bun]],
  ['Deno', [deno, 'run', '--quiet', '--allow-all']]
]

/** Runs a program; a failure tells what it printed. */
export async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1', CI: '1' }
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd, env })
    return stdout + stderr
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${[program, ...args].join(' ')}\n${stdout}${stderr}`, { cause: error })
  }
}

/** A new empty folder. */
export function emptyFolder(name: string): string {
  const made = path.join(folder, name)
  mkdirSync(made)
  return made
}

export const npmInstall = (cwd: string, ...wanted: string[]) =>
  run(cwd, 'npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', ...wanted)

interface Packed {
  tarball: string
  files: string[]
}

async function pack(): Promise<Packed> {
  const printed = await run(root, 'npm', 'pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder)
  // npm 12 prints an object, older ones a list.
  const packed = Object.values(
    JSON.parse(printed) as Record<string, { filename: string; files: { path: string }[] }>
  )[0]!
  return { tarball: path.join(folder, packed.filename), files: packed.files.map((file) => file.path) }
}
// Not in beforeAll: Jest starts concurrent tests without waiting for it.
export const packed = pack()

async function install({ tarball }: Packed): Promise<void> {
  cpSync(path.join(__dirname, 'consumers'), app, { recursive: true })
  writeFileSync(path.join(app, 'package.json'), JSON.stringify({ private: true }))
  await npmInstall(app, tarball, ...tools)
}
/** The tarball and every tool, installed where a consumer would have them. */
export const installed = packed.then(install)
installed.catch(() => undefined) // each test that needs it fails with its words

/** A queue in which one thing is done after another, from a start on. */
function queueFrom(start: Promise<unknown>) {
  let last = start
  return <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}
/** What a user installs and compiles; it needs none of the tools, so it does not wait for them. */
export const inTurn = queueFrom(packed.catch(() => undefined))
/** What needs the tools. */
export const inTurnWithTools = queueFrom(installed.catch(() => undefined))

export const removeAll = (): void => {
  rmSync(folder, { recursive: true, force: true })
}

const readPage = (page: string) => readFileSync(path.join(root, page), 'utf8')

/** The blocks of a page in `language`, each with what the mark above it says. */
export const blocksOf = (page: string, language: string) =>
  [...readPage(page).matchAll(/(?:<!-- ([^\n]*) -->\n+)?^```(\w+)\n(.*?)^```$/gms)]
    .map(([, mark = '', found = '', code = '']) => ({ mark, found, code }))
    .filter(({ found }) => found === language)

/** The code under a mark that ends with `name`. */
export function blockOf(page: string, language: string, name: string): string {
  const block = blocksOf(page, language).find(({ mark }) => mark.endsWith(`: ${name}`))
  if (block === undefined) throw new Error(`${page} has no block for ${name}`)
  return block.code
}

/** What a page has one install. */
export const installsOf = (page: string): string[] =>
  [...readPage(page).matchAll(/npm install ((?:--save-dev )?[@\w./ -]+)/g)]
    .flatMap(([, names = '']) => names.split(' '))
    .filter((name) => name !== '' && !name.startsWith('-'))

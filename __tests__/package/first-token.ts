import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { end, freePort } from '../support/own-servers'
import {
  blockOf,
  blocksOf,
  bun,
  emptyFolder,
  endsAlone,
  inTurn,
  inTurnWithTools,
  installsOf,
  packed,
  run,
  runtimes,
  typescriptVersions
} from './packed'

const readme = 'README.md'
const page = 'docs/typescript.md'

/** What the table at the end tells, in seconds. */
interface Row {
  environment: string
  install: number
  compile?: number
  token: number
}
const rows: Row[] = []

async function timed<T>(work: Promise<T>): Promise<[seconds: number, result: T]> {
  const start = performance.now()
  const result = await work
  return [(performance.now() - start) / 1000, result]
}

/** The README's server, by `require` as its comments say. */
const asCommonJs = (code: string) => code.replaceAll(/^import (.+) from ('[^']+')/gm, 'const $1 = require($2)')

/** What the README's curl command for client_secret_basic sends; `undefined` while nothing listens. */
async function askForToken(port: number): Promise<unknown> {
  const [, user = ''] = / -u '([^']*)'/.exec(blockOf(readme, 'sh', 'basic.sh')) ?? []
  const headers = { Authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  const url = `http://127.0.0.1:${port}/oauth/token`
  const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined)
  return response?.json()
}

/** Writes a server, with a port of its own instead of 3000: tests share a machine. */
function writeServer(folder: string, file: string, code: string): void {
  if (!code.includes('listen(3000)')) throw new Error(`${file} does not listen on 3000`)
  const withPort = code.replace('listen(3000)', "listen(Number(process.env['PORT']), '127.0.0.1')")
  writeFileSync(path.join(folder, file), withPort)
}

/** Starts the server and asks until there is a token. */
async function firstToken(folder: string, [program = '', ...args]: string[], file: string): Promise<unknown> {
  const port = await freePort()
  const env = { ...process.env, PORT: String(port) }
  const child = spawn(program, [...args, file], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    while (child.exitCode === null) {
      const answer = await askForToken(port)
      if (answer !== undefined) return answer
      await wait(20)
    }
    throw new Error(`${file} ended before it answered`)
  } finally {
    await end(child, 'SIGKILL')
  }
}

/** The install lines of a page, in an empty folder; the package itself from the tarball, by the registry's name. */
async function followInstalls(from: string, fixed: Record<string, string> = {}) {
  const { tarball } = await packed
  const names: Record<string, string> = { 'oauth-client-auth': tarball, ...fixed }
  return installsOf(from).map((name) => names[name] ?? name)
}

interface Place {
  folder: string
  /** Seconds. */
  install: number
}
type Installer = (folder: string, names: string[]) => Promise<unknown>

const byNpm: Installer = (folder, names) => run(folder, 'npm', 'install', ...names)
const byBun: Installer = (folder, names) => run(folder, bun, 'add', ...names)

/** What README says, up to the start of its server; and the server of the TypeScript page for who runs it as it is. */
async function followReadme(name: string, installer: Installer, fixed?: Record<string, string>): Promise<Place> {
  const folder = emptyFolder(`readme-${name}`)
  const [install] = await timed(installer(folder, await followInstalls(readme, fixed)))
  const makeKey = blockOf(readme, 'js', 'make-key.mjs')
  writeFileSync(path.join(folder, 'make-key.mjs'), makeKey)
  await run(folder, process.execPath, 'make-key.mjs')
  const server = blockOf(readme, 'js', 'server.mjs')
  writeServer(folder, 'server.mjs', server)
  writeServer(folder, 'server.cjs', asCommonJs(server))
  writeServer(folder, 'server.mts', blockOf(page, 'ts', 'server.ts'))
  return { folder, install }
}

/** What the TypeScript page says, up to the compiled server. */
async function followPage(version: string): Promise<Place & { compile: number }> {
  const folder = emptyFolder(`typescript-${version}`)
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const names = await followInstalls(page, { typescript: `typescript@${version}` })
  const [install] = await timed(byNpm(folder, names))
  for (const file of ['server.ts', 'server.cts']) writeServer(folder, file, blockOf(page, 'ts', file))
  writeFileSync(path.join(folder, 'tsconfig.json'), blocksOf(page, 'json')[0]?.code ?? '')
  const [compile] = await timed(run(folder, 'node_modules/.bin/tsc'))
  return { folder, install, compile }
}

const token = { access_token: 'for shop', token_type: 'Bearer', expires_in: 300 }

async function expectToken(environment: string, place: Place & { compile?: number }, command: string[], file: string) {
  const { folder, ...seconds } = place
  const [taken, answer] = await timed(firstToken(folder, command, file))
  rows.push({ environment, ...seconds, token: taken })
  expect(answer).toEqual(token)
}

function printRows(): void {
  const cell = (seconds: number | undefined) => (seconds === undefined ? '-' : seconds.toFixed(2)).padStart(9)
  const lines = rows
    .sort((a, b) => a.environment.localeCompare(b.environment))
    .map(({ environment, install, compile, token: taken }) =>
      [environment.padEnd(40), cell(install), cell(compile), cell(taken), cell(install + (compile ?? 0) + taken)].join(
        ' '
      )
    )
  const head = `seconds to the first token${' '.repeat(14)}   install   compile     start       all`
  process.stdout.write(`\n${[head, ...lines].join('\n')}\n`)
}

export function firstTokenTests(): void {
  const withNpm = inTurn(() => followReadme('npm', byNpm))
  const withBun = inTurnWithTools(() => followReadme('bun', byBun))
  const withExpress4 = inTurn(() => followReadme('express4', byNpm, { express: 'express@4' }))
  // Without a version, npm installs the newest
  const compiled = typescriptVersions
    .slice(endsAlone ? -1 : 0)
    .map((version) => ({ version, place: inTurn(() => followPage(version)) }))
  afterAll(printRows)

  describe.each(runtimes)('%s', (name, command) => {
    // `deno add` takes no tarball: Deno runs what npm installed.
    const place = name === 'Bun' ? withBun : withNpm
    const files = { 'ES module': 'server.mjs', CommonJS: 'server.cjs' }
    const asItIs = ['Bun', 'Deno'].includes(name) ? { 'TypeScript as it is': 'server.mts' } : {}

    test.concurrent.each(Object.entries({ ...files, ...asItIs }))('%s', async (kind, file) => {
      await expectToken(`${name}, ${kind}`, await place, command, file)
    })
  })

  test.concurrent('with Express 4', async () => {
    await expectToken('this Node, Express 4, CommonJS', await withExpress4, [process.execPath], 'server.cjs')
  })

  const onNode = runtimes.filter(([name]) => name.startsWith('Node'))
  const builds = compiled.flatMap((one) => onNode.map(([name, command]) => ({ ...one, name, command })))
  test.concurrent.each(builds)('$name, strict TypeScript $version', async ({ version, place, name, command }) => {
    await expectToken(`${name}, TypeScript ${version}`, await place, command, 'dist/server.js')
    await expectToken(`${name}, TypeScript ${version}, CommonJS`, await place, command, 'dist/server.cjs')
  })
}

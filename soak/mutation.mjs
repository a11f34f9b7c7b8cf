// Would a test notice? npm run mutation -- --sample 90
//
// Changes the code in one place, as a slip would, and runs the suites that call something in that file, until one fails.
// What no suite notices is printed: a test is missing there, or the place makes no difference. A run of all rooms takes
// hours, so a nightly job takes a sample: each night another, unless --seed is given. It works on a copy of the tree.
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { mutantsOf } from './mutants.mjs'

const { values } = parseArgs({
  options: {
    rooms: { type: 'string', default: 'request,methods,jwt,refusals,certificates,guarded-fetch/guard.ts' },
    sample: { type: 'string', default: '90' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    /** Only these suites, as a pattern of paths: a quick look at one room. */
    suites: { type: 'string', default: '' },
    /** Seconds after which a run counts as killed: a loop that does not end. */
    timeout: { type: 'string', default: '600' },
    /** The run fails below this share of killed mutants. */
    least: { type: 'string', default: '0.9' }
  }
})

const root = path.join(import.meta.dirname, '..')
const copy = mkdtempSync(path.join(tmpdir(), 'mutation-'))
for (const name of [
  'lib',
  'cli',
  'dist',
  'docs',
  'examples',
  '__tests__',
  'package.json',
  'README.md',
  'tsconfig.json'
])
  cpSync(path.join(root, name), path.join(copy, name), { recursive: true })
symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
const stop = (code) => {
  rmSync(copy, { recursive: true, force: true })
  process.exit(code)
}
process.on('SIGINT', () => stop(130))

const jest = path.join(root, 'node_modules/jest/bin/jest.js')
// What holds documents together does not run the code.
const common = ['--rootDir', copy, '--testPathIgnorePatterns', '/papers/', '/node_modules/']

/** For each file of lib/, the suites that call a function in it. */
async function suitesOfFiles() {
  const told = path.join(copy, 'touched.json')
  const reporter = path.join(import.meta.dirname, 'touched-files.cjs')
  const args = [
    ...common,
    ...(values.suites === '' ? [] : ['--testPathPatterns', values.suites]),
    '--coverage',
    '--coverageReporters',
    'none',
    '--coverageThreshold',
    '{}',
    '--reporters',
    reporter
  ]
  const env = { ...process.env, TOUCHED: told }
  await promisify(execFile)(process.execPath, [jest, ...args], { cwd: copy, env, maxBuffer: 2 ** 28 }).catch(
    (error) => {
      // A suite that fails unchanged would kill every mutant.
      process.stderr.write(error.stderr ?? '')
      console.log('the suites must pass before anything is changed')
      stop(1)
    }
  )
  const suites = JSON.parse(readFileSync(told, 'utf8'))
  const found = new Map()
  for (const { suite, files } of suites) for (const file of files) found.set(file, [...(found.get(file) ?? []), suite])
  return found
}

/** Whether one of the suites fails, or does not end. In a group of its own, so that its workers end with it. */
function isNoticed(suites) {
  return new Promise((resolve) => {
    const order = ['--testSequencer', path.join(import.meta.dirname, 'fastest-first.cjs')]
    // More workers than cores, since some suites mostly wait.
    const args = [jest, ...common, ...order, '--maxWorkers=4', '--bail', '--silent', '--runTestsByPath', ...suites]
    const child = spawn(process.execPath, args, { cwd: copy, stdio: 'ignore', detached: true })
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), Number(values.timeout) * 1000)
    child.on('exit', (code) => {
      clearTimeout(timer)
      resolve(code !== 0)
    })
  })
}

const filesIn = (room) =>
  room.endsWith('.ts')
    ? [room]
    : readdirSync(path.join(root, 'lib', room), { recursive: true })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => path.join(room, name))

/** Mulberry32: the same sample for the same seed. */
function random(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const all = values.rooms
  .split(',')
  .flatMap(filesIn)
  .flatMap((file) => {
    const text = readFileSync(path.join(root, 'lib', file), 'utf8')
    return mutantsOf(file, text).map((mutant) => ({ file: path.join('lib', file), text, ...mutant }))
  })
const next = random(Number(values.seed))
const sample = all
  .map((mutant) => ({ mutant, at: next() }))
  .toSorted((a, b) => a.at - b.at)
  .slice(0, Number(values.sample))
  .map(({ mutant }) => mutant)
console.log(`${sample.length} of ${all.length} mutants, seed ${values.seed}`)

const suites = await suitesOfFiles()
let killed = 0
for (const { file, text, line, start, end, by } of sample) {
  const changed = path.join(copy, file)
  const touching = suites.get(changed) ?? []
  writeFileSync(changed, text.slice(0, start) + by + text.slice(end))
  const isKilled = touching.length > 0 && (await isNoticed(touching))
  writeFileSync(changed, text)
  if (isKilled) killed++
  else console.log(`survived, ${touching.length} suites: ${file}:${line}  ${text.slice(start, end)}  →  ${by}`)
}
console.log(`killed ${killed} of ${sample.length}: ${((100 * killed) / sample.length).toFixed(1)} %`)
stop(killed / sample.length < Number(values.least) ? 1 : 0)

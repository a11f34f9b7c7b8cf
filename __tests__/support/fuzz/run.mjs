// npm run fuzz -- --runs 1000000 --seed 1
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } })
const { runs = '1000000', seed = String(Date.now() % 2 ** 31) } = values
for (const value of [runs, seed]) if (!/^\d+$/.test(value)) throw new Error(`not a number: ${value}`)

const jest = createRequire(import.meta.url).resolve('jest/bin/jest')
const { status } = spawnSync(
  process.execPath,
  [jest, '--runInBand', '--coverage=false', '__tests__/attacks/(fuzz|fuzz-hosts|signatures).test.ts'],
  {
    stdio: 'inherit',
    env: { ...process.env, FUZZ_RUNS: runs, FUZZ_SEED: seed }
  }
)
process.exitCode = status ?? 1

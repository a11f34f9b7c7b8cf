// What it costs a program to load the package, beside Express and jose. Each figure is of a process of its own.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../package.json', import.meta.url))
const [express, jose, ours] = ['express', 'jose', './dist/lib/index.js'].map((name) => require.resolve(name))
const programs = {
  'Express 5': [express],
  'Express 5 and this package': [express, ours],
  'Express 5 and jose': [express, jose],
  'this package': [ours]
}

/** Loads the modules: CPU of all threads in µs since Node started, and memory that stays, in MB. */
const program = (modules) => `
  for (const file of ${JSON.stringify(modules)}) require(file)
  const { user, system } = process.cpuUsage()
  gc()
  console.log(JSON.stringify({ cpu: user + system, memory: process.memoryUsage.rss() / 2 ** 20 }))`

export function measureStart({ rounds }) {
  const subjects = Object.entries({ 'Node alone': [], ...programs }).map(([name, modules]) => ({
    name,
    samples: [],
    code: program(modules)
  }))
  for (let round = 0; round < rounds; round++) {
    for (const { code, samples } of round % 2 ? subjects : subjects.toReversed())
      samples.push(JSON.parse(execFileSync(process.execPath, ['--expose-gc', '-e', code], { encoding: 'utf8' })))
  }
  return subjects
}

// Runs the package in the hosts that install heavily: NestJS, Next, Bun and Deno. Needs `npm run build` and
// `npm ci --prefix examples/hosts`.
//   node examples/hosts/run-all.mjs           tables; exit 0 only if every row came out right
//   node examples/hosts/run-all.mjs --check   fails as well if docs/hosts.md says something else
//   node examples/hosts/run-all.mjs --write   writes the same tables into docs/hosts.md
import { existsSync, symlinkSync } from 'node:fs'
import { exampleTable, hostTable, publish, runAll, versionOf } from '../support/matrix.mjs'

const here = (path) => new URL(path, import.meta.url).pathname
if (!existsSync(here('node_modules'))) {
  console.error('The hosts are not installed: run `npm ci --prefix examples/hosts`.')
  process.exit(1)
}
// The programs here import the package by its name, as those one folder up do.
if (!existsSync(here('node_modules/oauth-client-auth'))) symlinkSync('../../..', here('node_modules/oauth-client-auth'))

const installed = (name) => versionOf(name, 'hosts/node_modules')
const runtimes = {
  Bun: { program: here('node_modules/.bin/bun'), version: installed('bun') },
  Deno: {
    program: here('node_modules/.bin/deno'),
    flags: ['run', '--allow-all', '--no-lock'],
    version: installed('deno')
  }
}
const nest = (platform, args) => ({
  name: `NestJS on ${platform}`,
  file: 'hosts/nest.mts',
  version: installed('@nestjs/core'),
  flags: ['--import', here('typescript.mjs')],
  args
})
const on = (runtime, name) => ({ name: `${name} on ${runtime}`, file: `${name}.mjs`, ...runtimes[runtime] })

const hosts = await runAll([
  nest('Express', ['--platform=express']),
  nest('Fastify', ['--platform=fastify']),
  { name: 'Next', file: 'hosts/next/serve.mjs', version: installed('next'), timeout: 300_000 },
  ...['Bun', 'Deno'].flatMap((runtime) =>
    ['fetch-handler', 'express5', 'koa', 'fastify', 'hono'].map((name) => on(runtime, name))
  )
])
const others = await runAll(
  ['Bun', 'Deno'].map((runtime) => ({
    ...on(runtime, 'registration'),
    shows: `keys by \`jwks_uri\` on ${runtime}, renewed and withdrawn`
  }))
)
const file = '../docs/hosts.md'
publish(
  [
    { file, name: 'heavy hosts', rows: hostTable(hosts) },
    { file, name: 'more examples on Bun and Deno', rows: exampleTable(others) }
  ],
  [...hosts, ...others]
)

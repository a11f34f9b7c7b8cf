// The warning about a memory store among several processes, in processes of their own.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyLibrary, type CopiedLibrary } from '../../support/server-processes'

jest.setTimeout(120_000)

let library: CopiedLibrary
beforeAll(() => {
  library = copyLibrary()
})
afterAll(() => {
  library.remove()
})

const code = 'OAUTH_CLIENT_AUTH_MEMORY_STORE'
const uses = (times: number) => `
  const stores = Array.from({ length: 2 }, () => createMemoryReplayStore())
  for (let i = 0; i < ${times}; i++) for (const store of stores)
    store.consume({ clientId: 'c', id: String(i), expiresAt: Date.now() / 1000 + 60 })`
const useSqlite = (file: string) => `
  const { join } = require('node:path')
  const database = new (require('libsql'))(${file === '' ? "':memory:'" : `join(__dirname, '${file}')`})
  const { createSqliteReplayStore } = require('./index.js')
  const store = createSqliteReplayStore({ database })
  for (const id of ['a', 'b']) store.consume({ clientId: 'c', id, expiresAt: Date.now() / 1000 + 60 })`
const inCluster = (work: string) => `
  const cluster = require('node:cluster')
  if (cluster.isPrimary) cluster.fork()
  else { ${work}; process.disconnect() }`

/** How often a program warns, and what it says. */
function warnings(work: string, env: Record<string, string> = {}, ...flags: string[]) {
  const file = join(library.directory, 'program.cjs')
  writeFileSync(file, `const { createMemoryReplayStore } = require('./index.js')\n${work}`)
  const { PATH = '' } = process.env
  const options = { encoding: 'utf8', env: { PATH, ...env } } as const
  const { stderr, status } = spawnSync(process.execPath, [...flags, file], options)
  expect(status).toBe(0)
  return { count: stderr.split(`[${code}]`).length - 1, stderr }
}

it.each([
  ['alone: silent', uses(2), {}, 0],
  ['a worker of node:cluster: once, however many stores and uses', inCluster(uses(3)), {}, 1],
  ['a worker that makes a store and never uses it: silent', inCluster(uses(0)), {}, 0],
  ['under PM2, in fork mode: once', uses(3), { NODE_APP_INSTANCE: '0', pm_id: '0' }, 1],
  ['under PM2, SQLite in memory: once', useSqlite(''), { pm_id: '3' }, 1],
  ['under PM2, SQLite over a file: silent', useSqlite('replay.db'), { pm_id: '3' }, 0],
  ['under PM2 with its instance variable renamed: once', uses(3), { pm_id: '3' }, 1]
])('%s', (_name, work, env, count) => {
  const found = warnings(work, env)
  expect(found.count).toBe(count)
  if (count > 0) {
    expect(found.stderr).toContain('SecurityWarning')
    for (const fix of ['createSqliteReplayStore({ database })', 'createRedisReplayStore({ sendCommand })'])
      expect(found.stderr).toContain(fix)
  }
})

it('is switched off by its code', () => {
  expect(warnings(uses(1), { pm_id: '0' }, `--disable-warning=${code}`).count).toBe(0)
})

// Uses assertions until it is killed: node sqlite-worker.mjs <built library> <database file> <prefix of ids> <count>
// Sends each id that it used for the first time to its parent. With node:sqlite where there is one, else libsql.
import { createRequire } from 'node:module'

const [library, file, prefix, count] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const { createSqliteReplayStore } = require(library)

export function open(path) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 13)) return new (require('node:sqlite').DatabaseSync)(path)
  return new (require('libsql'))(path)
}

const store = createSqliteReplayStore({ database: open(file) })
const expiresAt = Math.floor(Date.now() / 1000) + 600
const passed = []
for (let index = 0; index < Number(count); index++) {
  const id = `${prefix} ${index}`
  if (store.consume({ clientId: 'client', id, expiresAt })) passed.push(id)
  if (passed.length > 0 && (index % 5 === 0 || index === Number(count) - 1))
    process.stdout.write(`${passed.splice(0).join('\n')}\n`)
  if (index % 5 === 0) await new Promise(setImmediate)
}

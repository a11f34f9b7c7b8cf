// Next 16: builds the application, serves the build, and asks its route handler for tokens.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import next from 'next'
import { findClient, issueToken } from '../../support/clients.mjs'
import { demonstrate, rowsOfFormsAlone } from '../../support/demonstrate.mjs'

const dir = new URL('.', import.meta.url).pathname
globalThis.database = { findClient, issueToken }
execFileSync('npx', ['next', 'build'], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] })
const app = next({ dir, dev: false })
await app.prepare()
const server = createServer(app.getRequestHandler()).listen(0, '127.0.0.1')
await demonstrate('Next 16', server, { hidesSecondHeader: true, more: rowsOfFormsAlone })
await app.close()
rmSync(`${dir}.next`, { recursive: true })

// One server process of several: node replay-worker.mjs <built library> <store> <client record> [where]
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [library, kind, record, where] = process.argv.slice(2)
const { clientAuth, createRedisReplayStore, createSqliteReplayStore } = createRequire(import.meta.url)(library)
const client = JSON.parse(record)

// Each imports its own client, since many such processes are started.
const stores = {
  memory: () => undefined,
  redis: async () => {
    const { createClient } = await import('redis')
    const redis = createClient({ url: `redis://127.0.0.1:${where}` })
    await redis.connect()
    return createRedisReplayStore({ sendCommand: (args) => redis.sendCommand(args) })
  },
  sqlite: async () => {
    const { default: Database } = await import('libsql')
    return createSqliteReplayStore({ database: new Database(where) })
  },
  // a module that exports `replayStore`
  module: async () => (await import(pathToFileURL(where))).replayStore
}

const authenticate = clientAuth({
  issuer: 'https://as.example.com',
  getClient: (id) => (id === client.client_id ? client : null),
  replayStore: await stores[kind]()
})
const server = createServer((req, res) => {
  authenticate(req, res, (error) => {
    res.statusCode = error ? 500 : 200
    res.end(error?.message)
  })
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 1000 }, () => process.send(server.address().port))
// The test has ended, or died.
process.on('disconnect', () => process.exit())

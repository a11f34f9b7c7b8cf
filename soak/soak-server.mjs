// The server of soak.mjs, in a process of its own: several middlewares, and a report of itself when asked.
import { scrypt, timingSafeEqual } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { clientAuth, createJwksFetcher, createRedisReplayStore, rememberSecrets } from '../dist/lib/index.js'

const { issuer, clients, redisPort, keyHost } = JSON.parse(process.argv[2])
const byId = new Map(clients.map((client) => [client.client_id, client]))
const getClient = async (id) => byId.get(id)

const redis = createClient({
  socket: { host: '127.0.0.1', port: redisPort, reconnectStrategy: 100 },
  disableOfflineQueue: true
})
redis.on('error', () => undefined)
await redis.connect()

const slowHash = promisify(scrypt)
const verifySecret = rememberSecrets(
  async (presented, stored) => timingSafeEqual(await slowHash(presented, 'salt', 32), Buffer.from(stored, 'hex')),
  { max: 100, ttl: 20 }
)
const keySets = createJwksFetcher({
  hosts: { [keyHost.name]: { addresses: ['127.0.0.1'], ports: [keyHost.port], ca: keyHost.cert } },
  resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel: () => undefined }),
  ...{ minTtl: 1, defaultTtl: 2, cooldown: 1, staleIfError: 60, timeout: 1 }
})
const routes = {
  '/memory': clientAuth({ issuer, getClient }),
  '/redis': clientAuth({
    ...{ issuer, getClient },
    replayStore: createRedisReplayStore({ sendCommand: (args) => redis.sendCommand(args) })
  }),
  '/hashed': clientAuth({ issuer, getClient, verifySecret }),
  '/uri': clientAuth({ issuer, getClient, keySets })
}

const counts = { authenticated: 0, passedOn: 0, reasons: {}, jwks: {}, unhandled: 0 }
const add = (table, name) => (table[name] = (table[name] ?? 0) + 1)
subscribe('oauth-client-auth:authenticated', () => counts.authenticated++)
subscribe('oauth-client-auth:rejected', ({ reason }) => add(counts.reasons, reason))
subscribe('oauth-client-auth:jwks', ({ event, why }) =>
  add(counts.jwks, why === undefined ? event : `${event}: ${why}`)
)
process.on('unhandledRejection', (reason) => {
  counts.unhandled++
  console.error(reason)
})

const server = createServer({ connectionsCheckingInterval: 1000, requestTimeout: 8000 }, (req, res) => {
  routes[req.url](req, res, (error) => {
    if (error !== undefined) {
      counts.passedOn++
      console.error(error)
    }
    res.statusCode = error === undefined ? 200 : 500
    res.end(error === undefined ? req.oauthClient.client_id : '')
  })
})

const tally = (list) => list.reduce((table, name) => ({ ...table, [name]: (table[name] ?? 0) + 1 }), {})
process.on('message', () => {
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  process.send({ heapUsed, external, rss, handles: tally(process.getActiveResourcesInfo()), counts })
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))

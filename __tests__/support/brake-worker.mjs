// One of several server processes behind a brake: node brake-worker.mjs <built library> <port of Redis>
import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'

const [library, port] = process.argv.slice(2)
const { clientAuth, createBrake } = createRequire(import.meta.url)(library)

const storeClient = new Redis({ port, enableOfflineQueue: false, retryStrategy: () => 100 })
storeClient.on('error', () => undefined)
await new Promise((ready) => storeClient.once('ready', ready))

const told = { verified: 0, away: 0 }
subscribe('oauth-client-auth:brake', () => told.away++)
const secret = 'the secret of the shop'
const authenticate = clientAuth({
  issuer: 'https://as.example.com',
  getClient: (id) => (id === 'shop' ? { client_id: id, client_secret: secret } : null),
  verifySecret: async (presented, stored) => {
    told.verified++
    await wait(50)
    return presented === stored
  }
})
const braked = createBrake({ limiter: new RateLimiterRedis({ storeClient, points: 5, duration: 60 }) }).over(
  authenticate
)
const server = createServer((req, res) => {
  braked(req, res, () => authenticate(req, res, () => res.end()))
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 1000 }, () => process.send(server.address().port))
process.on('message', () => process.send(told))
// The test has ended, or died.
process.on('disconnect', () => process.exit())

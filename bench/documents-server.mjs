// The processes of documents.mjs: the hosts of documents and keys, and the server under attack. Forked with a role and what
// it is told; each sends its port, and answers what it is asked with its counts.
import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { pathToFileURL } from 'node:url'

export const issuer = 'https://as.example.com'
export const secret = 'a-secret-of-at-least-thirty-two-octets'
export const named = 'chatgpt.com'
export const keysHost = 'keys.registered.example'
export const strangers = Array.from({ length: 100 }, (_, i) => `h${i}.stranger.net`)
export const partners = Array.from({ length: 100 }, (_, i) => `h${i}.partner.example`)
export const attackers = Array.from({ length: 44 }, (_, i) => `h${i}.attacker.net`)

/** The hosts of documents and keys: tells how often each of them was asked. */
async function serveHosts({ key, cert, jwk }) {
  const asked = {}
  const server = createHttpsServer({ key, cert }, (req, res) => {
    const url = `https://${req.headers.host}${req.url}`
    const { hostname, origin, pathname } = new URL(url)
    const kind = hostname === named ? 'named' : hostname === keysHost ? 'registered' : 'strangers'
    asked[kind] = (asked[kind] ?? 0) + 1
    const [, what, hostilePort, index] = pathname.split('/')
    const jwks_uri = what === 'hostile' ? `https://${attackers[index]}:${hostilePort}/jwks` : `${origin}/jwks`
    const isThere = ['hostile', 'jwks', 'valid'].includes(what)
    const body =
      what === 'jwks' ? { keys: [jwk] } : { client_id: url, token_endpoint_auth_method: 'private_key_jwt', jwks_uri }
    res.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  process.send(server.address().port)
  process.on('message', () => process.send(asked))
}

/** The server under attack: forked, so that nothing but its own work is in its event loop. */
async function serve({ dist, allow, maxEntries, port, ca, hostilePorts, jwk }) {
  const { clientAuth, createClientDocuments, createJwksFetcher, createMemoryReplayStore } = await import(
    pathToFileURL(`${dist}/lib/index.js`)
  )
  const resolver = () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
  const rules = (ports) => ({ addresses: ['127.0.0.1'], ports, ca })
  const at = (names, ports) => Object.fromEntries(names.map((name) => [name, rules(ports)]))
  const hosts = { ...at([named, ...strangers, ...partners], [port]), ...at(attackers, hostilePorts) }
  const documents = createClientDocuments({ allow, hosts, resolver, maxEntries })
  const memory = createMemoryReplayStore()
  const seen = { replay: { registered: 0, strangers: 0 }, documents: {}, keysOfDocuments: {}, keySets: {} }
  const replayStore = {
    consume(entry) {
      seen.replay[entry.group === undefined ? 'registered' : 'strangers']++
      return memory.consume(entry)
    }
  }
  const count = (counts, { event, why }) => (counts[why ?? event] = (counts[why ?? event] ?? 0) + 1)
  subscribe('oauth-client-auth:documents', (message) => count(seen.documents, message))
  subscribe('oauth-client-auth:jwks', (message) => {
    count(new URL(message.uri).hostname === keysHost ? seen.keySets : seen.keysOfDocuments, message)
  })
  const byKey = { token_endpoint_auth_method: 'private_key_jwt' }
  const registered = (client_id) => {
    if (client_id === 'basic') return { client_id, client_secret: secret }
    if (client_id === 'key') return { client_id, ...byKey, jwks: { keys: [jwk] } }
    if (client_id.startsWith('uri-'))
      return { client_id, ...byKey, jwks_uri: `https://${keysHost}:${port}/jwks/${client_id}` }
    return undefined
  }
  const authenticate = clientAuth({
    issuer,
    methods: ['private_key_jwt', 'client_secret_basic', 'none'],
    replayStore,
    keySets: createJwksFetcher({ hosts: at([keysHost], [port]), resolver }),
    getClient: (id) => registered(id) ?? documents.get(id)
  })
  const server = createServer((req, res) => authenticate(req, res, () => res.end('{}')))
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  process.send(server.address().port)
  process.on('message', (id) => {
    globalThis.gc()
    const { rss, heapUsed } = process.memoryUsage()
    process.send({ ...seen, rss, heapUsed, isCached: documents.cached(id) !== undefined })
  })
}

const roles = { hosts: serveHosts, server: serve }
const [, , role, config] = process.argv
if (process.send !== undefined && role in roles) {
  await roles[role](JSON.parse(config))
  process.on('disconnect', () => process.exit())
}

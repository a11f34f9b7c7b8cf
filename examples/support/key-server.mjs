// A partner's HTTPS server for its public keys, on loopback under a name of its own.
import { once } from 'node:events'
import { createServer } from 'node:https'
import { createCertificate } from './certificate.mjs'

/** Serves the JSON documents of `host`: whatever `documentOf(path, origin)` returns. */
export async function serveDocuments(host, documentOf) {
  const { key, cert, ca } = await createCertificate(host)
  const server = createServer({ key, cert }, (req, res) => {
    const document = documentOf(req.url, `https://${req.headers.host}`)
    res.writeHead(document ? 200 : 404, { 'Content-Type': 'application/json', 'Cache-Control': 'max-age=300' })
    res.end(JSON.stringify(document ?? {}))
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const { port } = server.address()
  return { host, port, ca, origin: `https://${host}:${port}` }
}

/** Serves whatever `keys()` returns as the JWK Set of `host`. */
export async function serveKeys(host, keys) {
  const server = await serveDocuments(host, () => ({ keys: keys() }))
  return { ...server, jwks_uri: `${server.origin}/jwks.json` }
}

/** Options of createJwksFetcher under which exactly these key servers on loopback are reached. */
export function onLoopback(...keyServers) {
  const entries = keyServers.map(({ host, port, ca }) => [host, { addresses: ['127.0.0.1/32'], ports: [port], ca }])
  // The example names stand in no DNS, so a resolver answers for them.
  const resolver = () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
  // The process that fetches starts with the first fetch: on a busy machine the default of 5 s may be too short for that
  return { hosts: Object.fromEntries(entries), resolver, timeout: 30 }
}

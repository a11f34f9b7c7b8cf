// A key server on this machine, and a fetcher that reaches it, for the programs that measure fetches.
import { generateKeyPairSync } from 'node:crypto'
import https from 'node:https'
import selfsigned from 'selfsigned'
import { createJwksFetcher } from '../dist/lib/index.js'

export const host = 'keys.example.com'

/** Serves a set of two ES256 keys at every path; `keysAt` may change them by path. */
export async function startKeyServer(keysAt = (keys) => keys) {
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: host }] }
    ]
  })
  const keys = ['a', 'b'].map((kid) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
  })
  const server = https.createServer({ key, cert }, ({ url }, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: keysAt(keys, url) }))
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  return { server, port, cert, uri: (path = '') => `https://${host}:${port}/${path}` }
}

export const fetcherFor = ({ port, cert }, options = {}) =>
  createJwksFetcher({
    hosts: { [host]: { addresses: ['127.0.0.1'], ports: [port], ca: cert } },
    resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} }),
    ...options
  })

// Attacks that lead the fetch of a key set elsewhere.
import https, { Agent } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createJwksFetcher } from '../../lib'
import { keyFor } from '../support/assertions'
import { watchNetwork } from '../support/jwks-uri-cases'
import { makeAuthority, makeCertificate } from '../support/tls-certificates'
import { serveHttps } from '../support/tls-server'

const key = keyFor('ES256')
const places: [string, boolean][] = [
  ['in a process of its own', false],
  ['in this process', true]
]

describe('proxies', () => {
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
  const before = { ...process.env }
  afterEach(() => {
    for (const name of names) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = before[name]
    }
  })

  // Threat 6: proxies and agents of the environment
  test.each(places)(
    'neither the environment nor a global agent leads a fetch elsewhere, %s',
    async (_where, inProcess) => {
      let strayed = 0
      const proxy = createServer((socket) => {
        strayed++
        socket.destroy()
      }).listen(0, '127.0.0.1')
      await once(proxy, 'listening')
      for (const name of names) process.env[name] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
      process.env['NODE_USE_ENV_PROXY'] = '1'

      const stray = new Agent()
      stray.createConnection = () => {
        strayed++
        throw new Error('the global agent was used')
      }
      const { globalAgent } = https
      const host = 'keys.example.com'
      const authority = await makeAuthority()
      const server = await serveHttps(await makeCertificate(authority, { names: [host] }), (_req, res) => {
        res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.jwk] }))
      })
      const resolver = () => ({
        resolve4: () => Promise.resolve(['127.0.0.1']),
        resolve6: () => Promise.resolve([]),
        cancel: () => undefined
      })
      const hosts = { [host]: { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert } }
      const network = watchNetwork()
      try {
        https.globalAgent = stray
        const { keys } = await createJwksFetcher({ hosts, resolver, timeout: 20, inProcess }).get(
          `https://${host}:${server.port}/`
        )
        expect([keys.length, strayed, server.connections]).toEqual([1, 0, 1])
        expect(network.seen).toMatchObject(inProcess ? { connects: 1, processes: 0 } : { connects: 0, processes: 1 })
      } finally {
        network.stop()
        https.globalAgent = globalAgent
        await server.close()
        proxy.close()
      }
    }
  )
})

// Threat 6: rebinding between the check and the connection
test.each(places)(
  'rebinding: DNS is asked once, and the connection goes to what was vetted, %s',
  async (_where, inProcess) => {
    const host = 'keys.example.com'
    const authority = await makeAuthority()
    const certificate = await makeCertificate(authority, { names: [host] })
    const served: string[] = []
    const server = await serveHttps(certificate, ({ socket }, res) => {
      served.push(String(socket.localAddress))
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.jwk] }))
    })
    let asked = 0
    const resolver = () => ({
      resolve4: () => Promise.resolve([asked++ === 0 ? '127.0.0.1' : '127.0.0.2']),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    })
    const hosts = { [host]: { addresses: ['127.0.0.1', '127.0.0.2'], ports: [server.port], ca: authority.cert } }
    const network = watchNetwork()
    try {
      await createJwksFetcher({ hosts, resolver, timeout: 20, inProcess }).get(`https://${host}:${server.port}/`)
      expect([served, asked, server.connections]).toEqual([['127.0.0.1'], 1, 1])
      expect(network.seen).toMatchObject({ connects: inProcess ? 1 : 0, lookups: 0 })
    } finally {
      network.stop()
      await server.close()
    }
  }
)

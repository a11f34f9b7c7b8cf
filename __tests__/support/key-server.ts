import { createJwksFetcher, type JwksFetcherOptions } from '../../lib'
import { makeCertificate } from './tls-certificates'
import { serveHttps } from './tls-server'

const host = 'keys.partner.example'

/** What a key server answers. */
export interface KeyAnswer {
  status?: number
  body: unknown
}

/** A real key server at a loopback address: `hosts` and `resolver` lead a fetcher to it, as for a private network. */
export async function serveKeys(answer: () => KeyAnswer) {
  const tls = await makeCertificate(undefined, { names: [host] })
  const server = await serveHttps(tls, (_req, res) => {
    const { status = 200, body } = answer()
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const options: JwksFetcherOptions = {
    hosts: { [host]: { addresses: ['127.0.0.0/8'], ports: [server.port], ca: tls.cert } },
    resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel: () => undefined })
  }
  return {
    uri: `https://${host}:${server.port}/jwks`,
    /** A fetcher with an empty cache. */
    fetcher: () => createJwksFetcher(options),
    close: () => server.close()
  }
}

import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { JwksFetcherOptions } from '../../lib'
import { type Certificate, makeAuthority, makeCertificate } from './tls-certificates'
import { serveHttps } from './tls-server'

/** What a host answers for one URL. */
export interface HostAnswer {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON. */
  body?: unknown
  /** Seconds. */
  delay?: number
  /** Without Content-Length. */
  chunked?: boolean
  /** A piece every 20 ms, without end. */
  drip?: boolean
}

const json = { 'content-type': 'application/json' }

function send(res: ServerResponse, { status = 200, headers = json, body = '', chunked, drip }: HostAnswer): void {
  const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const isGzip = headers['content-encoding'] === 'gzip'
  const octets = isGzip ? gzipSync(text) : text
  res.writeHead(status, { ...headers, ...(chunked || drip ? {} : { 'content-length': octets.length }) })
  if (!drip) {
    res.end(octets)
    return
  }
  const timer = setInterval(() => res.write(' '), 20)
  res.on('close', () => {
    clearInterval(timer)
  })
}

interface Listen {
  host?: string
  port?: number
  authority?: Certificate
}

/**
 * A real https server that is all of these hosts: `options` lead a fetcher to it. With a port of its own, the hosts are
 * named in the option `hosts`, and each URL has the port in it.
 */
export async function serveDocuments(names: string[], { host = '127.0.0.1', port = 0, authority: given }: Listen = {}) {
  const authority = given ?? (await makeAuthority())
  const answers = new Map<string, HostAnswer | ((path: string) => HostAnswer)>()
  const requests: { url: string; headers: IncomingHttpHeaders }[] = []
  const server = await serveHttps(
    await makeCertificate(authority, { names }),
    (req, res) => {
      const url = `https://${String(req.headers.host)}${String(req.url)}`
      requests.push({ url, headers: req.headers })
      const found = answers.get(url) ??
        answers.get(`https://${String(req.headers.host)}`) ?? { status: 404, body: '{}' }
      const answer = typeof found === 'function' ? found(String(req.url)) : found
      if (answer.delay === undefined) send(res, answer)
      else setTimeout(send, answer.delay * 1000, res, answer)
    },
    host,
    port
  )
  const resolver: NonNullable<JwksFetcherOptions['resolver']> = () => ({
    resolve4: () => Promise.resolve(['127.0.0.1']),
    resolve6: () => Promise.resolve([]),
    cancel: () => undefined
  })
  const rules = { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert }
  return {
    port: server.port,
    authority,
    requests,
    /** The answer for a URL, or for all of a host that has no other. */
    answers,
    /** `https://NAME:PORT/PATH`. */
    url: (name: string, path: string) => `https://${name}:${server.port}${path}`,
    options: (more: string[] = []) => ({
      resolver,
      hosts: Object.fromEntries(
        [...names.filter((name) => !name.startsWith('*')), ...more].map((name) => [name, rules])
      )
    }),
    close: () => server.close()
  }
}

/** Only the clocks obey: sockets, timers and handshakes are real. */
export function fakeClocks(): void {
  const real = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const
  jest.useFakeTimers({ now: Date.now(), doNotFake: [...real, 'nextTick', 'queueMicrotask', 'hrtime'] })
}

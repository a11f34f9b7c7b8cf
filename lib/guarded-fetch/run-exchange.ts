import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { defined } from '../basics/defined'
import { FetchError, type FetchFault } from '../basics/fetch-error'
import { printable } from '../basics/printable'
import { type BoundedSocket, boundedSocket, connectTo } from './bounded-socket'
import { connectionFault } from './connection-faults'
import type { Answer, Exchange, Surroundings } from './exchange'
import { tunnel } from './proxy'
import type { Observe } from './steps'
import { handshake, maxHandshakeOctets } from './tls'
import { until } from './until'

const maxInformational = 5
const maxHeaderSize = 8192
/** What may come beside the body: heads, and what TLS and chunks add to small pieces, in octets. */
const answerOverhead = 32_768
const jsonType = /^[\w.-]+\/(?:[\w.-]+\+)?json *(?:;|$)/i

/** Refuses an answer by its head alone, before any of its body is read. */
function checkHead({ host, noun, maxBytes, etag }: Exchange, { statusCode, headers }: IncomingMessage): void {
  const refuse = (why: FetchFault, message: string): never => {
    throw new FetchError(why, `${host} answered ${message}`, headers['retry-after'])
  }
  const status = Number(statusCode)
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
  if (status === 404 || status === 410) refuse('withdrawn', String(status))
  if (status === 304 && etag !== undefined) return
  if (status >= 300 && status < 400) refuse('status', `${status}, and redirects are not followed`)
  if (status === 401 || status === 403) refuse('status', `${status}, but ${noun} must be readable by everybody`)
  if (status !== 200) refuse('status', String(status))
  if (!jsonType.test(type)) refuse('content_type', `with the content type "${printable(type)}", which is not JSON`)
  if (encoding !== 'identity')
    refuse('content_encoding', `with the content coding "${printable(encoding)}", though asked for none`)
  if (Number(headers['content-length'] ?? 0) > maxBytes) refuse('too_large', `with more than ${maxBytes} octets`)
}

async function readBody(host: string, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new FetchError('too_large', `${host} answered with more than ${maxBytes} octets`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What a page calls itself: `Sign in`, `Not found`. Bounded, since whoever serves the page writes it. */
const titleOf = (page: Buffer): string =>
  printable(/<title[^<>]{0,100}>([^<]{0,300})/i.exec(page.toString())?.[1]?.trim() ?? '')

/** Sends the request and waits for the head of the answer. A 101 answer leads to nothing but `close`. */
function headOf({ host, port, path, accept, etag }: Exchange, connection: Duplex): Promise<IncomingMessage> {
  const conditions = defined({ 'if-none-match': etag })
  const request = httpsRequest({
    hostname: host,
    defaultPort: 443, // without an agent Node knows none, and would put the port into Host
    port,
    path,
    headers: { accept, 'accept-encoding': 'identity', 'user-agent': 'oauth-client-auth', ...conditions },
    // Without an agent: neither a global one nor a proxy of the environment has a part in it
    createConnection: () => connection,
    maxHeaderSize,
    insecureHTTPParser: false
  })
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => reject(new FetchError('protocol', `${host} ${message}`))
    let informational = 0
    request.on('response', resolve)
    request.on('information', () => {
      if (++informational > maxInformational) fail('sent too many informational answers')
    })
    request.on('error', (error: NodeJS.ErrnoException) => fail(connectionFault(error)))
    request.on('close', () => fail('closed the connection without an answer'))
    request.end()
  })
}

/** Connects to one of the vetted addresses, and to nothing else. */
async function openDirectly({ host, port, addresses }: Exchange, signal: AbortSignal, observe: Observe) {
  const socket = connectTo(host, port, addresses, signal)
  await once(socket, 'connect').catch((error: unknown) => {
    throw new FetchError('connection', `${host} ${connectionFault(error as NodeJS.ErrnoException)}`)
  })
  const address = String(socket.remoteAddress)
  if (!addresses.includes(address)) throw new FetchError('address', `${host} was reached at an address not vetted`)
  observe({ step: 'connected', address, port })
  return socket
}

/** Shakes hands, asks and reads the answer, one after the other. */
async function converse(exchange: Exchange, bounded: BoundedSocket, around: Surroundings): Promise<Answer> {
  const { host, maxBytes, ca } = exchange
  const connection = await handshake({ host, ca, ...around }, bounded.stream)
  bounded.allow(maxBytes * 1.25 + answerOverhead)
  const head = await headOf(exchange, connection)
  around.observe({ step: 'head', status: Number(head.statusCode), headers: head.headers })
  try {
    checkHead(exchange, head)
  } catch (refused) {
    if (exchange.tellsTitle === true && head.headers['content-type']?.startsWith('text/html') === true) {
      const page = await readBody(host, head, maxBytes).catch(() => Buffer.of())
      around.observe({ step: 'body', octets: page.length, title: titleOf(page) })
    }
    throw refused
  }
  const body = await readBody(host, head, maxBytes).catch((error: unknown) => {
    throw error instanceof FetchError ? error : new FetchError('protocol', `${host} broke off its answer`)
  })
  around.observe({ step: 'body', octets: body.length })
  return { notModified: head.statusCode === 304, headers: head.headers, body }
}

/**
 * Makes one connection and asks once. Rejects with a {@link FetchError}, or with the reason of the signal. Settles on
 * every path, and leaves no socket behind.
 */
export async function runExchange(exchange: Exchange, around: Surroundings): Promise<Answer> {
  const { host, proxy } = exchange
  const { signal, observe, measure } = around
  const over = new AbortController()
  let bounded: BoundedSocket | undefined

  async function work(): Promise<Answer> {
    const socket =
      proxy === undefined
        ? await openDirectly(exchange, over.signal, observe)
        : await tunnel(proxy, exchange, over.signal, around)
    bounded = boundedSocket(socket, maxHandshakeOctets, measure)
    const excess = bounded.excess.then((inHandshake) => {
      throw inHandshake
        ? new FetchError('tls', `${host} sent a TLS handshake of more than ${maxHandshakeOctets} octets`)
        : new FetchError('too_large', `${host} sent more octets than its answer needs`)
    })
    return Promise.race([excess, converse(exchange, bounded, around)])
  }

  return until(signal, work()).finally(() => {
    over.abort()
    observe({ step: 'closed', octets: bounded?.octets ?? 0, busyMs: bounded?.busyMs ?? 0 })
  })
}

import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { FetchError, type FetchFault } from '../basics/fetch-error'
import { printable } from '../basics/printable'
import { type BoundedSocket, boundedSocket, connectTo } from './bounded-socket'
import { connectionFault } from './connection-faults'
import { resolveHost, type ResolveOptions } from './dns'
import { hostFault, urlFault } from './guard'
import type { Observe } from './steps'
import { handshake, maxHandshakeOctets } from './tls'
import { until } from './until'

export interface GuardOptions extends ResolveOptions {
  readonly maxBytes: number
}

/** What is asked for. */
export interface Asked {
  /** The `Accept` header. */
  readonly accept: string
  /** What must be readable by everybody, in words: `a key set`. */
  readonly noun: string
}

export interface GetOptions {
  /** Ends the fetch; its reason is what {@link httpsGet} rejects with. */
  readonly signal: AbortSignal
  readonly etag?: string | undefined
  readonly observe: Observe
}

export interface Answer {
  readonly notModified: boolean
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const maxInformational = 5
const maxHeaderSize = 8192
/** What may come beside the body: heads, and what TLS and chunks add to small pieces, in octets. */
const answerOverhead = 32_768
const jsonType = /^[\w.-]+\/(?:[\w.-]+\+)?json *(?:;|$)/i

/** The parsed URL. Throws a {@link FetchError} for whatever can be refused before anything is resolved. */
export function guardedUrl(uri: string, hosts: GuardOptions['hosts']): URL {
  const fault = urlFault(uri)
  if (fault !== undefined) throw new FetchError('url', `the URL ${fault}`)
  const url = new URL(uri)
  const rules = hosts.get(url.hostname)
  const nameFault = rules === undefined ? hostFault(url.hostname) : undefined
  if (nameFault !== undefined) throw new FetchError('host', `the host ${url.hostname} ${nameFault}`)
  if (!(rules?.ports ?? [443]).includes(portOf(url)))
    throw new FetchError('url', `the port ${portOf(url)} is not allowed`)
  return url
}

const portOf = (url: URL): number => Number(url.port || 443)

/** Refuses an answer by its head alone, before any of its body is read. */
function checkHead(
  host: string,
  { statusCode, headers }: IncomingMessage,
  noun: string,
  { maxBytes }: GuardOptions,
  etag?: string
): void {
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

/** Sends the request and waits for the head of the answer. A 101 answer leads to nothing but `close`. */
function headOf(url: URL, connection: Duplex, accept: string, etag: string | undefined): Promise<IncomingMessage> {
  const host = url.hostname
  const request = httpsRequest({
    hostname: host,
    defaultPort: 443, // without an agent Node knows none, and would put the port into Host
    port: portOf(url),
    path: url.pathname + url.search,
    headers: {
      accept,
      'accept-encoding': 'identity',
      'user-agent': 'oauth-client-auth',
      ...(etag === undefined ? {} : { 'if-none-match': etag })
    },
    // Without an agent: neither a global one nor a proxy of the environment has a part in it
    createConnection: () => connection,
    maxHeaderSize,
    insecureHTTPParser: false
  })
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => {
      reject(new FetchError('protocol', `${host} ${message}`))
    }
    let informational = 0
    request.on('response', resolve)
    request.on('information', () => {
      if (++informational > maxInformational) fail('sent too many informational answers')
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      fail(connectionFault(error))
    })
    request.on('close', () => {
      fail('closed the connection without an answer')
    })
    request.end()
  })
}

/** Connects, shakes hands, asks and reads the answer, one after the other. */
async function converse(
  url: URL,
  addresses: readonly string[],
  bounded: BoundedSocket,
  { accept, noun }: Asked,
  options: GuardOptions,
  { etag, observe }: GetOptions
): Promise<Answer> {
  const host = url.hostname
  const { socket } = bounded
  await once(socket, 'connect').catch((error: unknown) => {
    throw new FetchError('connection', `${host} ${connectionFault(error as NodeJS.ErrnoException)}`)
  })
  const address = String(socket.remoteAddress)
  if (!addresses.includes(address)) throw new FetchError('address', `${host} was reached at an address not vetted`)
  observe({ step: 'connected', address, port: portOf(url) })
  const connection = await handshake(host, bounded.stream, options.hosts.get(host)?.ca, observe)
  bounded.allow(options.maxBytes * 1.25 + answerOverhead)
  const head = await headOf(url, connection, accept, etag)
  observe({ step: 'head', status: Number(head.statusCode), headers: head.headers })
  checkHead(host, head, noun, options, etag)
  const body = await readBody(host, head, options.maxBytes).catch((error: unknown) => {
    throw error instanceof FetchError ? error : new FetchError('protocol', `${host} broke off its answer`)
  })
  observe({ step: 'body', octets: body.length })
  return { notModified: head.statusCode === 304, headers: head.headers, body }
}

/**
 * One GET through the guard. Rejects with a {@link FetchError}, or with the reason of `signal`. Settles on every path,
 * and leaves no socket and no question to DNS behind.
 */
export async function httpsGet(uri: string, asked: Asked, options: GuardOptions, get: GetOptions): Promise<Answer> {
  const url = guardedUrl(uri, options.hosts)
  const host = url.hostname
  get.observe({ step: 'url', host, port: portOf(url) })
  const addresses = await resolveHost(host, options, get.signal, get.observe)
  const bounded = boundedSocket(connectTo(host, portOf(url), addresses), maxHandshakeOctets)
  const excess = bounded.excess.then((inHandshake) => {
    throw inHandshake
      ? new FetchError('tls', `${host} sent a TLS handshake of more than ${maxHandshakeOctets} octets`)
      : new FetchError('too_large', `${host} sent more octets than its answer needs`)
  })
  return until(get.signal, Promise.race([excess, converse(url, addresses, bounded, asked, options, get)])).finally(
    () => {
      bounded.socket.destroy()
      get.observe({ step: 'closed', octets: bounded.octets, busyMs: bounded.busyMs })
    }
  )
}

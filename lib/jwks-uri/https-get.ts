import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { isIPv6, type LookupFunction } from 'node:net'
import { KeySetError, type KeySetFault } from '../jwt/key-set-error'
import { type AddressRange, hostFault, type HostRules, type JwksResolver, urlFault, vettedAddress } from './guard'

export interface GuardOptions {
  readonly hosts: ReadonlyMap<string, HostRules>
  readonly denied: readonly AddressRange[]
  readonly resolver: () => JwksResolver
  readonly maxBytes: number
}

export interface Answer {
  readonly notModified: boolean
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const maxAnswers = 32
const maxInformational = 5
/** For the socket: one vetted address after another, no protocol but this. Missing in the types of `https.request`. */
const socketOptions = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 500, ALPNProtocols: ['http/1.1'] }
const jsonType = /^[\w.-]+\/(?:[\w.-]+\+)?json *(?:;|$)/i

/** The parsed URL, or a {@link KeySetError}: what can be refused before anything is resolved. */
export function guardedUrl(uri: string, hosts: GuardOptions['hosts']): URL {
  const fault = urlFault(uri)
  if (fault !== undefined) throw new KeySetError('url', `the URL ${fault}`)
  const url = new URL(uri)
  const rules = hosts.get(url.hostname)
  const nameFault = rules === undefined ? hostFault(url.hostname) : undefined
  if (nameFault !== undefined) throw new KeySetError('host', `the host ${url.hostname} ${nameFault}`)
  if (!(rules?.ports ?? [443]).includes(portOf(url)))
    throw new KeySetError('url', `the port ${portOf(url)} is not allowed`)
  return url
}

const portOf = (url: URL): number => Number(url.port || 443)

/** Ends with the signal, whatever `work` does. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => {
      reject(signal.reason as Error)
    }
  })
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  return Promise.race([work, aborted]).finally(() => {
    signal.removeEventListener('abort', stop)
  })
}

/** Both families are asked once, and the connection goes to nothing but these answers: no rebinding. */
async function resolve(host: string, options: GuardOptions, signal: AbortSignal): Promise<string[]> {
  const resolver = options.resolver()
  const ask = async (family: 'resolve4' | 'resolve6'): Promise<unknown> => resolver[family](host)
  const settled = await until(signal, Promise.allSettled([ask('resolve4'), ask('resolve6')])).finally(() => {
    resolver.cancel()
  })
  const answers = settled.flatMap((result): unknown => (result.status === 'fulfilled' ? result.value : []))
  if (answers.length === 0) throw new KeySetError('dns', `${host} has no address in DNS (the hosts file is not read)`)
  if (answers.length > maxAnswers) throw new KeySetError('dns', `${host} has more than ${maxAnswers} addresses`)
  return answers.map((answer) => {
    const address = vettedAddress(answer, options.hosts.get(host)?.addresses, options.denied)
    if (address === undefined)
      throw new KeySetError('address', `${host} resolves to ${String(answer)}, which is not allowed`)
    return address
  })
}

/** Never empty and never synchronous: either would be an uncaught error inside Node. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  return (_host, { all: wantsAll }, callback) => {
    setImmediate(() => {
      if (wantsAll === true) callback(null, all)
      else callback(null, all[0]?.address ?? '', all[0]?.family)
    })
  }
}

/** Refuses an answer by its head alone, before any of its body is read. */
function checkHead(
  host: string,
  { statusCode: status = 0, headers }: IncomingMessage,
  options: GuardOptions,
  etag?: string
): void {
  const refuse = (why: KeySetFault, message: string): never => {
    throw new KeySetError(why, `${host} ${message}`, headers['retry-after'])
  }
  if (status === 404 || status === 410) refuse('withdrawn', `answered ${status}`)
  if (status === 304 && etag !== undefined) return
  if (status !== 200) refuse('status', `answered ${status}`)
  if (!jsonType.test(headers['content-type'] ?? ''))
    refuse('content_type', 'answered with a content type other than JSON')
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    refuse('content_encoding', 'answered with a content coding')
  if (Number(headers['content-length'] ?? 0) > options.maxBytes)
    refuse('too_large', `answered with more than ${options.maxBytes} octets`)
}

async function readBody(host: string, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new KeySetError('too_large', `${host} answered with more than ${maxBytes} octets`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** One exchange with one of `addresses`. Settles on every path, and leaves no socket behind. */
async function exchange(
  url: URL,
  addresses: string[],
  options: GuardOptions,
  signal: AbortSignal,
  etag?: string
): Promise<Answer> {
  const host = url.hostname
  const ca = options.hosts.get(host)?.ca
  const request = httpsRequest({
    hostname: host,
    port: portOf(url),
    path: url.pathname + url.search,
    headers: {
      accept: 'application/jwk-set+json, application/json',
      'accept-encoding': 'identity',
      'user-agent': 'oauth-client-auth',
      ...(etag === undefined ? {} : { 'if-none-match': etag })
    },
    // What follows is explicit because flags, the environment or a global agent could change the default
    // An agent of its own: with false, Node makes one by the class of the global agent, which may be a proxy's
    agent: new Agent(),
    lookup: pinned(addresses),
    ...socketOptions,
    servername: host,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    maxHeaderSize: 8192,
    insecureHTTPParser: false,
    // An operator may pin an intermediate authority
    ...(ca === undefined ? {} : { ca, allowPartialTrustChain: true })
  })
  let phase: KeySetFault = 'connection'
  const response = new Promise<IncomingMessage>((resolveHead, reject) => {
    const fail = (message: string, why = phase): void => {
      reject(new KeySetError(why, `${host} ${message}`))
    }
    let informational = 0
    request.on('socket', (socket) => {
      socket.on('connect', () => {
        phase = 'tls'
        if (!addresses.includes(socket.remoteAddress ?? ''))
          fail('was connected to by an address not vetted', 'address')
      })
      socket.on('secureConnect', () => (phase = 'protocol'))
    })
    request.on('response', resolveHead)
    request.on('information', () => {
      if (++informational > maxInformational) fail('sent too many informational answers')
    })
    // Parser errors carry what was received: only their code is told
    request.on('error', (error: NodeJS.ErrnoException) => {
      fail(`failed (${error.code ?? 'unknown'})`)
    })
    // All that a 101 answer leads to
    request.on('close', () => {
      fail('closed the connection')
    })
    request.end()
  })
  const read = async (): Promise<Answer> => {
    const head = await response
    checkHead(host, head, options, etag)
    const body = await readBody(host, head, options.maxBytes).catch((error: unknown) => {
      throw error instanceof KeySetError ? error : new KeySetError('protocol', `${host} broke off its answer`)
    })
    return { notModified: head.statusCode === 304, headers: head.headers, body }
  }
  return until(signal, read()).finally(() => {
    request.destroy()
    request.socket?.destroy()
  })
}

/**
 * One GET through the guard. Rejects with a {@link KeySetError}, or with the reason of `signal`; nothing of it is
 * still under way afterwards.
 */
export async function httpsGet(
  uri: string,
  options: GuardOptions,
  signal: AbortSignal,
  etag?: string
): Promise<Answer> {
  const url = guardedUrl(uri, options.hosts)
  return exchange(url, await resolve(url.hostname, options, signal), options, signal, etag)
}

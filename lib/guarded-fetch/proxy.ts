import { once } from 'node:events'
import { request } from 'node:http'
import { connect, isIPv6, type Socket } from 'node:net'
import { defined } from '../basics/defined'
import { FetchError } from '../basics/fetch-error'
import { quiet } from './bounded-socket'
import { connectionFault } from './connection-faults'
import type { Exchange, Proxy, Surroundings } from './exchange'
import { handshake } from './tls'

const maxHeaderSize = 8192

/** The TCP connection to the proxy, with TLS if it wants it. Its name is the operator's: it is resolved as usual. */
async function openProxy(
  { host, port, isTls, ca }: Proxy,
  signal: AbortSignal,
  authorities: readonly string[] | undefined
) {
  const called = `the proxy ${host}`
  const socket = quiet(connect({ host, port, signal, autoSelectFamily: true }))
  await once(socket, 'connect').catch((error: unknown) => {
    throw new FetchError('connection', `${called} ${connectionFault(error as NodeJS.ErrnoException)}`)
  })
  return isTls ? quiet(await handshake({ host, called, ca, authorities, observe: () => undefined }, socket)) : socket
}

/** Asks the proxy for a connection to `target` (RFC 9110 §9.3.6). */
function connectThrough({ host, authorization }: Proxy, socket: Socket, target: string, hint: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => reject(new FetchError('connection', `the proxy ${host} ${message}`))
    const asked = request({
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...defined({ 'proxy-authorization': authorization }) },
      createConnection: () => socket,
      maxHeaderSize,
      insecureHTTPParser: false
    })
    asked.on('connect', ({ statusCode }, tunnelled: Socket, early: Buffer) => {
      const status = Number(statusCode)
      // tinyproxy answers 401 to wrong credentials
      if (status === 407 || status === 401)
        fail(`wants other credentials (${status}): they belong into the URL of the option "proxy"`)
      else if (status < 200 || status >= 300) fail(`refused to connect to ${target} (${status})${hint}`)
      if (early.length > 0) tunnelled.unshift(early)
      resolve(quiet(tunnelled))
    })
    asked.on('error', (error: NodeJS.ErrnoException) => fail(connectionFault(error)))
    asked.on('close', () => fail('closed the connection without an answer'))
    asked.end()
  })
}

/** A connection to the host through the proxy: to a vetted address, or by name where the proxy resolves it. */
export async function tunnel(
  proxy: Proxy,
  { host, port, addresses }: Pick<Exchange, 'host' | 'port' | 'addresses'>,
  signal: AbortSignal,
  { observe, authorities }: Pick<Surroundings, 'observe' | 'authorities'>
): Promise<Socket> {
  // Told first: what does not come about from here on is waited for at the proxy
  observe({ step: 'proxy', host: proxy.host, port: proxy.port })
  const socket = await openProxy(proxy, signal, authorities)
  const [address = host] = addresses
  const hint = address === host ? '' : '. If it refuses addresses, resolve: "proxy" sends it names'
  const tunnelled = await connectThrough(proxy, socket, `${isIPv6(address) ? `[${address}]` : address}:${port}`, hint)
  observe({ step: 'connected', address, port })
  return tunnelled
}

import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'

/** What was asked of a proxy, and with which credentials. */
export interface Asked {
  target: string | undefined
  host: string | undefined
  authorization: string | undefined
}

export interface ConnectProxy {
  readonly port: number
  readonly asked: Asked[]
  /** Connections that are open now. */
  readonly open: number
  close(): Promise<void>
}

/** What a proxy does with a CONNECT: the default connects. */
type Behaviour = (client: Socket, request: IncomingMessage, connectIt: () => void) => void

interface ConnectProxyOptions {
  /** The loopback port that every target is connected to, whatever its name: there is no internet in a test. */
  to: number
  /** For a proxy that is itself spoken to by TLS. */
  tls?: TlsOptions
  behave?: Behaviour
}

/** A forward proxy of our own, which writes down what it is asked for. */
export async function startConnectProxy({ to, tls, behave }: ConnectProxyOptions): Promise<ConnectProxy> {
  const asked: Asked[] = []
  const sockets = new Set<Socket>()
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  }
  server.on('connection', keep)
  server.on('tlsClientError', () => undefined)
  server.on('connect', (request: IncomingMessage, client: Socket, early: Buffer) => {
    client.on('error', () => undefined)
    const { host, 'proxy-authorization': authorization } = request.headers
    asked.push({ target: request.url, host, authorization })
    const connectIt = (): void => {
      const onward = keep(connect(to, '127.0.0.1'))
      onward.on('connect', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.write(early)
        client.pipe(onward).pipe(client)
      })
      onward.on('close', () => client.destroy())
      client.on('close', () => onward.destroy())
    }
    if (behave === undefined) connectIt()
    else behave(client, request, connectIt)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    get open() {
      return sockets.size
    },
    close: () =>
      new Promise((done) => {
        server.close(() => {
          done()
        })
        for (const socket of sockets) socket.destroy()
      })
  }
}

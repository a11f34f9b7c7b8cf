import type { RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'

export interface TestServer {
  readonly port: number
  /** Connections accepted so far. */
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
  close(): Promise<void>
}

async function listen(server: Server, host: string, port: number): Promise<TestServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((done) => server.listen(port, host, done))
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
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

/** A TLS server that does as `serve` says with each connection, once its request has come. */
export async function serveRaw(tls: TlsOptions, serve: (socket: TLSSocket) => void, host = '127.0.0.1', port = 0) {
  const server = createTlsServer(tls, (socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        serve(socket)
      })
  })
  return listen(server, host, port)
}

/** An honest HTTPS server. */
export async function serveHttps(tls: TlsOptions, listener: RequestListener, host = '127.0.0.1', port = 0) {
  return listen(createHttpsServer(tls, listener), host, port)
}

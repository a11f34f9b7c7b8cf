import type { RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
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

/** What a server does on a connection once the request has come. */
export type Play = (socket: TLSSocket, request: string) => void

/** A TLS server that does with each connection what `playFor` says for the path of its request. */
export async function serveRaw(tls: TlsOptions, playFor: (path: string) => Play, host = '127.0.0.1', port = 0) {
  const server = createTlsServer(tls, (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data: Buffer) => {
      const request = data.toString('latin1')
      playFor(/^GET (\S+) HTTP\/1\.1\r\n/.exec(request)?.[1] ?? '')(socket, request)
    })
  })
  return listen(server, host, port)
}

/** Accepts connections and says nothing: no TLS comes about. */
export async function serveSilence(host = '127.0.0.1', port = 0) {
  return listen(
    createTcpServer((socket) => socket.resume()),
    host,
    port
  )
}

/** An honest HTTPS server. */
export async function serveHttps(tls: TlsOptions, listener: RequestListener, host = '127.0.0.1', port = 0) {
  return listen(createHttpsServer(tls, listener), host, port)
}

import { connect, isIPv6, type LookupFunction, type Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** Node calls this instead of DNS. An empty or synchronous answer would be an uncaught error inside Node. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  // All of them, which autoSelectFamily asks for
  return (_host, _options, callback) => {
    setImmediate(() => {
      callback(null, all)
    })
  }
}

/** Connects to one of `addresses`, tried one after another, and to nothing else. */
export const connectTo = (host: string, port: number, addresses: readonly string[]): Socket =>
  connect({
    host,
    port,
    lookup: pinned(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 500
  })

export interface BoundedSocket {
  readonly socket: Socket
  /** What TLS reads from and writes to. */
  readonly stream: Duplex
  /** The handshake is done: from now on so many octets more may arrive. */
  allow(octets: number): void
  /** Resolves when more arrives than is allowed: `true` before {@link allow} was called. */
  readonly excess: Promise<boolean>
  /** Octets received so far. */
  readonly octets: number
  /** How long TLS and HTTP held the event loop with what arrived, in milliseconds. */
  readonly busyMs: number
}

/**
 * Counts the octets of a socket before TLS sees them, and reads no further than allowed. Certificates and session
 * tickets cost work, and neither of them shows in the size of an answer.
 */
export function boundedSocket(socket: Socket, handshakeOctets: number): BoundedSocket {
  let octets = 0
  let busyMs = 0
  let limit = handshakeOctets
  let inHandshake = true
  const stream = new Duplex({
    read: () => {
      socket.resume()
    },
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, done)
    },
    final: (done) => {
      socket.end(done)
    },
    destroy: (error, done) => {
      socket.destroy()
      done(error)
    }
  })
  const excess = new Promise<boolean>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      octets += chunk.length
      if (octets > limit) {
        socket.destroy()
        resolve(inHandshake)
        return
      }
      // Synchronous: OpenSSL works on the chunk before push returns
      const start = performance.now()
      if (!stream.push(chunk)) socket.pause()
      busyMs += performance.now() - start
    })
  })
  socket.on('end', () => stream.push(null))
  socket.on('error', (error) => stream.destroy(error))
  socket.on('close', () => stream.destroy())
  // Handled where the socket and TLS are waited for; without a listener it would end the process
  stream.on('error', () => undefined)
  return {
    socket,
    stream,
    excess,
    allow: (more) => {
      inHandshake = false
      limit = octets + more
    },
    get octets() {
      return octets
    },
    get busyMs() {
      return busyMs
    }
  }
}

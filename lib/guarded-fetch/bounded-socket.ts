import { connect, isIPv6, type LookupFunction, type Socket } from 'node:net'
import { Duplex } from 'node:stream'

/**
 * A `lookup` for `net.connect` that answers with these addresses and asks no DNS. An empty or synchronous answer would be
 * an uncaught error inside Node.
 */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  // All of them, which autoSelectFamily asks for
  return (_host, _options, callback) => {
    setImmediate(() => callback(null, all))
  }
}

/** Connects to one of `addresses`, tried one after another, and to nothing else. The signal destroys the socket. */
export const connectTo = (host: string, port: number, addresses: readonly string[], signal: AbortSignal): Socket =>
  quiet(
    connect({
      host,
      port,
      lookup: pinned(addresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 500,
      signal
    })
  )

/** A socket whose errors are handled where it is waited for: without a listener they would end the process. */
export const quiet = (socket: Socket): Socket => socket.on('error', () => undefined)

/** Runs work on octets that a stranger has sent, and says how long it held the process, in milliseconds. */
export type Measure = (work: () => void) => number

/** By the clock, where the fetch runs in the server. The process that fetches measures its CPU time. */
export const measureByClock: Measure = (work) => {
  const start = performance.now()
  work()
  return performance.now() - start
}

export interface BoundedSocket {
  /** What TLS reads from and writes to. */
  readonly stream: Duplex
  /** The handshake is done: from now on so many octets more may arrive. */
  allow(octets: number): void
  /** Resolves when more arrives than is allowed: `true` before {@link allow} was called. */
  readonly excess: Promise<boolean>
  /** Octets received so far. */
  readonly octets: number
  /** How long TLS and HTTP held the process with what arrived, in milliseconds. */
  readonly busyMs: number
}

/**
 * Counts the octets of a socket before TLS sees them, and reads no further than allowed. Certificates and session
 * tickets cost work, and neither of them shows in the size of an answer.
 */
export function boundedSocket(socket: Socket, handshakeOctets: number, measure: Measure): BoundedSocket {
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
      busyMs += measure(() => {
        if (!stream.push(chunk)) socket.pause()
      })
    })
  })
  socket.on('end', () => stream.push(null))
  socket.on('error', (error) => stream.destroy(error))
  socket.on('close', () => stream.destroy())
  // The handshake reports it. Without a listener it would end the process.
  stream.on('error', () => undefined)
  return {
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

import { createServer, type AddressInfo, type Socket } from 'node:net'
import { explicitCurve } from './hostile-certificates'

const uint24 = (number: number): Buffer => Buffer.of(number >> 16, (number >> 8) & 0xff, number & 0xff)
const vector24 = (content: Buffer): Buffer => Buffer.concat([uint24(content.length), content])
const message = (type: number, content: Buffer): Buffer => Buffer.concat([Buffer.of(type), vector24(content)])

/** RFC 5246 §7.4.1.3, with the empty renegotiation_info that OpenSSL insists on (RFC 5746). */
const serverHello = message(
  2,
  Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 7), // random
    Buffer.of(0), // no session
    Buffer.of(0xc0, 0x2b, 0), // ECDHE-ECDSA-AES128-GCM-SHA256, no compression
    Buffer.of(0, 5, 0xff, 1, 0, 1, 0)
  ])
)

/**
 * The first flight of a TLS 1.2 server, in plain text and without any private key: as many certificates as the 16 KiB of
 * a handshake hold, each of which takes OpenSSL some 300 ms to decode.
 */
function firstFlight(): Buffer {
  const one = vector24(explicitCurve())
  const certificates = Array<Buffer>(Math.floor(15_500 / one.length)).fill(one)
  const handshake = Buffer.concat([serverHello, message(11, vector24(Buffer.concat(certificates)))])
  const record = Buffer.concat([Buffer.of(22, 3, 3, handshake.length >> 8, handshake.length & 0xff), handshake])
  return record
}

/** A host whose certificates hold up whoever decodes them. `sent` is called when they are on their way. */
export async function serveHostileHandshake(sent: () => void, address = '127.0.0.1') {
  const flight = firstFlight()
  const sockets = new Set<Socket>()
  let connections = 0
  let ended = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(flight, sent)
      // An alert: OpenSSL has decoded all of it
      socket.on('data', () => ended++)
    })
  })
  await new Promise<void>((done) => server.listen(0, address, done))
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    /** How often the other side has come to the end of the certificates. */
    get ended() {
      return ended
    },
    close: () =>
      new Promise<void>((done) => {
        server.close(() => {
          done()
        })
        for (const socket of sockets) socket.destroy()
      })
  }
}

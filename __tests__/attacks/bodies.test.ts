// Attacks with a body that is too long, or that never ends.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { clientAuth } from '../../lib'
import { issuer } from '../support/assertions'
import { fuzzServer, send } from '../support/fuzz/wire'
import { byPost, only } from '../support/three-clients'
import { tokenServer } from '../support/token-server'

describe('a body that is too large is refused at once', () => {
  const app = tokenServer({}, byPost)
  const gigabyte = 1024 ** 3
  const form = 'Content-Type: application/x-www-form-urlencoded'

  /** Sends this over a socket, and nothing after it; resolves with the answer's first line as soon as it is there. */
  async function firstLine(...sent: string[]): Promise<string> {
    const server = createHttpServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    for (const part of sent) socket.write(part)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    server.close()
    return answer.toString().split('\r\n')[0] ?? ''
  }

  // Threat 30: a gigabyte by Content-Length
  test('by Content-Length: a gigabyte is announced, ten octets are sent', async () => {
    const head = `POST /token HTTP/1.1\r\nHost: as\r\n${form}\r\nContent-Length: ${gigabyte}\r\n\r\n`
    expect(await firstLine(head, 'client_id=')).toBe('HTTP/1.1 413 Payload Too Large')
  })

  // Threat 30: a body in chunks that does not end
  test('by its octets, in chunks: 65 KiB are sent, and no end', async () => {
    const head = `POST /token HTTP/1.1\r\nHost: as\r\n${form}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `8000\r\n${'a'.repeat(0x8000)}\r\n`
    expect(await firstLine(head, chunk, chunk, chunk)).toBe('HTTP/1.1 413 Payload Too Large')
  })

  // Threat 30: a body over HTTP/2 that is too long
  test.each<[string, Record<string, string>, number]>([
    ['by content-length', { 'content-length': String(gigabyte) }, 10],
    ['by its octets', {}, 70_000]
  ])('over HTTP/2, %s', async (_name, headers, octets) => {
    const middleware = clientAuth({ issuer, ...only(byPost) })
    const server = createHttp2Server((req, res) => {
      middleware(req as unknown as IncomingMessage, res as unknown as ServerResponse, () => res.end())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = session.request({
      ':method': 'POST',
      'content-type': 'application/x-www-form-urlencoded',
      ...headers
    })
    stream.on('error', () => undefined).write('a'.repeat(octets))
    const [answer] = (await once(stream, 'response')) as [object]
    expect(answer).toMatchObject({ ':status': 413 })
    session.destroy()
    server.close()
  })
})

// Threat 16: a compressed body that breaks off
test('a compressed body that breaks off leaves nothing waiting', async () => {
  const body = gzipSync('client_id=basic&client_secret=secret'.repeat(100)).subarray(0, 40)
  let note: (event: unknown) => void = () => undefined
  const rejected = new Promise((resolve) => {
    note = (event) => {
      resolve((event as { reason: unknown }).reason)
    }
  })
  subscribe('oauth-client-auth:rejected', note)
  const server = await fuzzServer()
  const head = [
    ...['POST /token HTTP/1.1', 'Host: as', 'Content-Length: 5000', 'Content-Encoding: gzip'],
    ...['Content-Type: application/x-www-form-urlencoded', '', '']
  ]
  await send(server, { pieces: [Buffer.from(head.join('\r\n')), body], breakAfter: 2, isWhole: false }, true)
  expect(await rejected).toBe('body_unreadable')
  unsubscribe('oauth-client-auth:rejected', note)
  while (server.pending() > 0) await new Promise(setImmediate)
  server.close()
})

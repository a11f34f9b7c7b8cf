// Requests octet by octet, to a server in the same process or over a loopback socket, and what comes back.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { duplexPair, type Duplex } from 'node:stream'
import { clientAuth } from '../../../lib'
import { issuer } from '../assertions'
import type { Options } from '../token-server'
import { findRecord, must, mustBeWellFormed } from './world'

export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

export interface FuzzServer {
  readonly server: Server
  readonly port: number
  /** Errors that reached `next`. */
  readonly passedOn: unknown[]
  /** Requests whose middleware has not ended. */
  readonly pending: () => number
  close(): void
}

/** A bare `node:http` server whose only handler is the middleware. */
export async function fuzzServer(options: Options = {}): Promise<FuzzServer> {
  const middleware = clientAuth({ issuer, getClient: findRecord, ...options })
  const passedOn: unknown[] = []
  let pending = 0
  const server = createServer((req, res) => {
    pending++
    const end = res.end.bind(res)
    res.end = ((...args: Parameters<typeof end>) => {
      pending--
      return end(...args)
    }) as typeof res.end
    middleware(req, res, (error?: unknown) => {
      if (error !== undefined) passedOn.push(error)
      res.writeHead(error === undefined ? 200 : 500, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ client_id: (req as { oauthClient?: { client_id: string } }).oauthClient?.client_id }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    port: (server.address() as AddressInfo).port,
    passedOn,
    pending: () => pending,
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}

function parseOne(text: string): { answer: HttpAnswer; rest: string } {
  const [head = ''] = text.split('\r\n\r\n', 1)
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(': ', 1)[0]!.toLowerCase(), line.replace(/^[^:]*: /, '')])
  )
  const body = text.slice(head.length + 4)
  const length = Number(headers['content-length'] ?? 0)
  const answer = { status: Number(statusLine.split(' ')[1]), headers, body: body.slice(0, length) }
  return { answer, rest: headers['transfer-encoding'] === 'chunked' ? '' : body.slice(length) }
}

/** All answers on one connection, in order. */
export function parseAnswers(text: string): HttpAnswer[] {
  const answers: HttpAnswer[] = []
  for (let rest = text; rest.startsWith('HTTP/1.1 ');) {
    const one = parseOne(rest)
    if (one.answer.status !== 100) answers.push(one.answer)
    rest = one.rest
  }
  return answers
}

/** How a request is put on the wire. */
export interface Sending {
  pieces: readonly Buffer[]
  /** The connection breaks off after this many pieces. */
  breakAfter?: number | undefined
  /** It is HTTP that a server has to answer. */
  isWhole: boolean
}

async function collect(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('error', () => undefined)
  if (!stream.destroyed) await once(stream, 'close').catch(() => undefined)
  return Buffer.concat(chunks).toString('latin1')
}

/** Sends, and resolves with what came back until the connection closed. */
export async function send({ server, port }: FuzzServer, sending: Sending, overTcp: boolean): Promise<HttpAnswer[]> {
  let stream: Duplex
  if (overTcp) {
    stream = connect(port, '127.0.0.1')
  } else {
    const [ours, theirs] = duplexPair()
    theirs.on('error', () => undefined)
    // A pair does not tell its other half that it is gone, as a socket would
    ours.on('end', () => ours.destroy()).on('close', () => theirs.destroy())
    theirs.on('close', () => ours.destroy())
    server.emit('connection', theirs)
    stream = ours
  }
  const received = collect(stream)
  const { pieces, breakAfter, isWhole } = sending
  for (const piece of pieces.slice(0, breakAfter)) {
    if (stream.destroyed || stream.writableEnded) break
    stream.write(piece)
    if (pieces.length > 1) await new Promise(setImmediate)
  }
  // Every request asks the server to close. One that is not whole would be waited for; Node answers none that is
  // closed by half.
  if (breakAfter !== undefined || (!isWhole && !overTcp)) stream.destroy()
  else if (!isWhole) stream.end()
  return parseAnswers(await received)
}

/** Node's own answers to what is no HTTP come before any middleware, and say nothing. */
const nodesOwn = [400, 408, 413, 417, 431]

export function mustAnswerWell(answers: readonly HttpAnswer[]): void {
  for (const { status, headers, body } of answers) {
    if (headers['content-type'] === undefined && nodesOwn.includes(status)) continue
    if (status === 200) continue
    must(headers['content-type'] === 'application/json', 'an answer that is no JSON', status, headers)
    mustBeWellFormed(status, headers, JSON.parse(body))
  }
}

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import path from 'node:path'
import { attempt } from '../../lib/explain/for-cli'
import { admit, type Gate } from './gate'

/** What the page asks for, and what it gets. */
interface PageAnswers {
  /** What the page must know before anything is pasted. */
  readonly settings: () => unknown
  /** Explains what was pasted. Nothing of it is kept. */
  readonly explain: (pasted: unknown) => Promise<unknown>
}

const script = 'text/javascript; charset=utf-8'
const types = {
  'index.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'page.js': script,
  'results.js': script,
  'drawing.js': script,
  'example.js': script,
  'icon.svg': 'image/svg+xml'
}

/** Read once: what is served depends on no path of a request. */
const readAssets = () =>
  new Map(
    Object.entries(types).map(([name, type]) => {
      return [name, { type, body: readFileSync(path.join(__dirname, 'assets', name)) }] as const
    })
  )

/** Nothing from elsewhere, no inline script, no markup made from text, no frame around the page, nothing kept. */
const safeHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ].join('; '),
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // The token stands in the URL
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

const maxPasted = 512 * 1024

/** The JSON of a request, or `undefined` for a body that is too large or no JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    // Read to its end, though not kept: to stop here would cut off the answer.
    if (size <= maxPasted) chunks.push(chunk)
  }
  if (size > maxPasted) return undefined
  return attempt(() => JSON.parse(Buffer.concat(chunks).toString()) as unknown)
}

function send(response: ServerResponse, status: number, type: string, body: Buffer | string): void {
  response.writeHead(status, { ...safeHeaders, 'content-type': type }).end(body)
}

const sendJson = (response: ServerResponse, status: number, value: unknown): void =>
  send(response, status, 'application/json', JSON.stringify(value))

/** Tells nothing but how the page is opened: whoever asks may be a stranger. */
const sendRefusal = (response: ServerResponse, status: number): void => {
  send(
    response,
    status,
    'text/plain; charset=utf-8',
    'Copy the whole address that the program printed into the address bar.\n'
  )
}

async function explain(request: IncomingMessage, response: ServerResponse, { explain }: PageAnswers): Promise<void> {
  const pasted = await readJson(request)
  if (pasted === undefined) sendJson(response, 413, { message: `Paste at most ${maxPasted / 1024} KiB.` })
  else sendJson(response, 200, await explain(pasted))
}

/** Answers all that the gate admits. */
function createHandler(gate: Gate, answers: PageAnswers) {
  const assets = readAssets()
  return (request: IncomingMessage, response: ServerResponse): void => {
    const admitted = admit(request, gate)
    if (typeof admitted === 'number') {
      sendRefusal(response, admitted)
      return
    }
    const name = admitted === '' ? 'index.html' : admitted
    const asset = request.method === 'GET' ? assets.get(name) : undefined
    if (asset !== undefined) send(response, 200, asset.type, asset.body)
    else if (request.method === 'GET' && name === 'settings') sendJson(response, 200, answers.settings())
    else if (request.method === 'POST' && name === 'explain')
      explain(request, response, answers).catch((error: unknown) => sendJson(response, 500, { message: String(error) }))
    else sendRefusal(response, 404)
  }
}

/** A page that listens. */
export interface RunningPage {
  /** Where it is, token included. */
  readonly url: string
  readonly close: () => Promise<void>
}

/**
 * Serves the page on the loopback interface, under a token that is new each time.
 *
 * @param port - 0 for any that is free
 * @throws Error with a `code` where the port cannot be had
 */
export async function servePage(port: number, answers: PageAnswers): Promise<RunningPage> {
  const server = createServer()
  const { origin, host } = new URL(`http://127.0.0.1:${await listen(server, port)}`)
  const token = randomBytes(32).toString('base64url')
  server.on('request', createHandler({ origin, host, token }, answers))
  return { url: `${origin}/${token}/`, close: () => close(server) }
}

async function listen(server: Server, port: number): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return (server.address() as { port: number }).port
}

async function close(server: Server): Promise<void> {
  const closed = once(server.close(), 'close')
  server.closeAllConnections()
  await closed
}

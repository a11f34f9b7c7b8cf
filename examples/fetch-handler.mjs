// A handler of the Fetch standard: Request in, Response out. Bun.serve, Deno.serve, Next and others take it as it is.
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate, rowsOfFormsAlone } from './support/demonstrate.mjs'

// --- glue
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })

/** The form; nothing where it is of another content type or over 64 kB. */
async function readForm(request) {
  if (!/^application\/x-www-form-urlencoded/i.test(request.headers.get('content-type'))) return undefined
  const chunks = []
  let octets = 0
  for await (const chunk of request.body ?? []) {
    octets += chunk.length
    if (octets > 65_536) return undefined // and the rest is not read
    chunks.push(chunk)
  }
  return new URLSearchParams(await new Blob(chunks).text())
}

async function tokenEndpoint(request) {
  const form = await readForm(request)
  if (!form) return Response.json({ error: 'invalid_request' }, { status: 400 })
  try {
    const { client } = await authenticate({ headers: request.headers, body: form })
    return Response.json(issueToken(client), { headers: { 'Cache-Control': 'no-store' } })
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    return Response.json(error, { status: error.status, headers: error.headers })
  }
}
// --- end

/** Serves it by what the runtime brings. */
function serve(fetch) {
  const [hostname, port] = ['127.0.0.1', 0]
  if (globalThis.Bun) {
    const server = globalThis.Bun.serve({ hostname, port, fetch })
    return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) }
  }
  if (globalThis.Deno) {
    const server = globalThis.Deno.serve({ hostname, port, onListen() {} }, fetch)
    return { url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() }
  }
  throw new Error('run this with bun or deno; on Node, see hono.mjs')
}

await demonstrate('Fetch handler', serve(tokenEndpoint), { more: rowsOfFormsAlone })

// A handler of the Fetch standard: Request in, Response out. Bun.serve, Deno.serve, Next and others take it as it is.
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate } from './support/demonstrate.mjs'

// --- glue
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })

async function tokenEndpoint(request) {
  const form = new URLSearchParams(await request.text())
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
    const server = globalThis.Bun.serve({ hostname, port, fetch, maxRequestBodySize: 65_536 })
    return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) }
  }
  if (globalThis.Deno) {
    const server = globalThis.Deno.serve({ hostname, port, onListen() {} }, fetch)
    return { url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() }
  }
  throw new Error('run this with bun or deno; on Node, see hono.mjs')
}

await demonstrate('Fetch handler', serve(tokenEndpoint))

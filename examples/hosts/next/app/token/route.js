// A route handler of Next's App Router.
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'

// What stands for the application's own database: ../../serve.mjs puts it there. Not read at the top, because
// `next build` evaluates this module too.
const findClient = (clientId) => globalThis.database.findClient(clientId)
const issueToken = (client) => globalThis.database.issueToken(client)
const issuer = 'https://as.example.com'

// --- glue
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })

export async function POST(request) {
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

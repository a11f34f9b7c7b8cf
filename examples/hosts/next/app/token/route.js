// A route handler of Next's App Router.
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'

// What stands for the application's own database: ../../serve.mjs puts it there. Not read at the top, because
// `next build` evaluates this module too.
const findClient = (clientId) => globalThis.database.findClient(clientId)
const issueToken = (client) => globalThis.database.issueToken(client)
const issuer = 'https://as.example.com'

/** As in ../../../../fetch-handler.mjs: the form; nothing where it is of another content type or over 64 kB. */
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

// --- glue
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })

export async function POST(request) {
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

// Fastify 5: a preHandler with Fastify's own request. No plug-in is needed.
import fastify from 'fastify'
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate, rowsBesideForms } from './support/demonstrate.mjs'

const app = fastify({ bodyLimit: 65_536 })

// --- glue
const form = 'application/x-www-form-urlencoded'
app.addContentTypeParser(form, { parseAs: 'string' }, async (request, body) => new URLSearchParams(body))

const authenticate = createClientAuthenticator({ issuer, getClient: findClient })
app.decorateRequest('oauthClient', null)
async function authenticateClient(request, reply) {
  const { headers, body, raw } = request
  if (body && !/^application\/x-www-form-urlencoded/i.test(headers['content-type']))
    return reply.code(400).send({ error: 'invalid_request' }) // Fastify parses JSON too
  try {
    const { client } = await authenticate({ headers, body, rawHeaders: raw.rawHeaders })
    request.oauthClient = client
  } catch (error) {
    // Fastify sends the message of what is thrown
    if (!(error instanceof ClientAuthError)) throw new Error('server error', { cause: error })
    return reply.code(error.status).headers(error.headers).send(error.toJSON())
  }
}
// --- end

app.post('/token', { preHandler: authenticateClient }, async (request, reply) => {
  const grantType = new URLSearchParams(request.body ?? {}).get('grant_type') // there may be no body
  if (grantType !== 'client_credentials') return reply.code(400).send({ error: 'unsupported_grant_type' })
  reply.header('Cache-Control', 'no-store')
  return issueToken(request.oauthClient)
})

await app.listen({ host: '127.0.0.1', port: 0 })
const more = (url) =>
  rowsBesideForms(url, { status: 400, error: 'invalid_request' }, { status: 400, error: 'unsupported_grant_type' })
await demonstrate('Fastify 5', app.server, { more })

// @fastify/middie beside a form parser: it must run after the parser. Run at its default hook, it hangs.
import formbody from '@fastify/formbody'
import middie from '@fastify/middie'
import fastify from 'fastify'
import { clientAuth } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate, hangs } from './support/demonstrate.mjs'

/** The server, with the plug-in's options. */
async function serve(options) {
  const app = fastify()
  app.post('/token', async (request, reply) => {
    reply.header('Cache-Control', 'no-store')
    return issueToken(request.raw.oauthClient) // must fail without a client: the route is matched apart from the middleware
  })
  await app.register(formbody)
  await app.register(middie, options)
  app.use('/token', clientAuth({ issuer, getClient: findClient }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server
}

// --- glue
const options = { hook: 'preHandler' }
// --- end

const more = async () => [await hangs('at its default hook', await serve({}))]
await demonstrate('@fastify/middie', await serve(options), { more })

// Hono 4, here on Node; the glue uses the Fetch standard alone and is the same on every runtime.
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate, rowsBesideForms } from './support/demonstrate.mjs'

const app = new Hono()

// --- glue
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })
async function authenticateClient(c, next) {
  if (!/^application\/x-www-form-urlencoded/i.test(c.req.header('content-type')))
    return c.json({ error: 'invalid_request' }, 400)
  const form = new URLSearchParams(await c.req.text()) // parseBody() would hide a parameter sent twice
  try {
    const { client } = await authenticate({ headers: c.req.raw.headers, body: form })
    c.set('oauthClient', client)
    c.set('form', form)
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    return c.json(error, error.status, error.headers)
  }
  await next()
}
// --- end

app.post('/token', bodyLimit({ maxSize: 65_536 }), authenticateClient, (c) => {
  if (c.get('form').get('grant_type') !== 'client_credentials') return c.json({ error: 'unsupported_grant_type' }, 400)
  return c.json(issueToken(c.get('oauthClient')), 200, { 'Cache-Control': 'no-store' })
})

const server = createAdaptorServer(app)
const refused = { status: 400, error: 'invalid_request' }
const more = (url) => rowsBesideForms(url, refused, refused)
await demonstrate('Hono 4', server.listen(0, '127.0.0.1'), { more })

// Koa 3: the middleware as a promise over Koa's own req and res.
import { promisify } from 'node:util'
import Koa from 'koa'
import { clientAuth, ClientAuthError } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const app = new Koa()

// --- glue
const authenticateClient = promisify(
  clientAuth({ issuer, getClient: findClient, onError: (error, req, res, next) => next(error) })
)
app.use(async (ctx, next) => {
  try {
    await authenticateClient(ctx.req, ctx.res)
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    ctx.status = error.status // its headers are already set
    ctx.body = error.toJSON()
    return
  }
  await next()
})
// --- end

app.use((ctx) => {
  ctx.set('Cache-Control', 'no-store')
  ctx.body = issueToken(ctx.req.oauthClient)
})

await demonstrate('Koa 3', app.listen(0, '127.0.0.1'))

// Koa 3, the middleware before the body parser.
import { promisify } from 'node:util'
import { bodyParser } from '@koa/bodyparser'
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
  if (!/^\/token\/?$/i.test(ctx.path)) return next() // the spellings that a router takes for /token
  try {
    await authenticateClient(ctx.req, ctx.res)
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    ctx.status = error.status // its headers are already set
    ctx.body = error.toJSON()
    return
  }
  ctx.request.body = ctx.req.body // the stream has been read: a body parser behind must see that there is a body
  await next()
})
app.use(bodyParser())
// --- end

app.use((ctx) => {
  if (ctx.request.body.grant_type !== 'client_credentials') ctx.throw(400)
  ctx.set('Cache-Control', 'no-store')
  ctx.body = issueToken(ctx.req.oauthClient)
})

await demonstrate('Koa 3', app.listen(0, '127.0.0.1'))

// Koa 3, the body parser first, as most applications have it.
import { bodyParser } from '@koa/bodyparser'
import Koa from 'koa'
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate, rowsBesideForms } from './support/demonstrate.mjs'

const app = new Koa()
app.use(bodyParser())

// --- glue
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })
app.use(async (ctx, next) => {
  if (!/^\/token\/?$/i.test(ctx.path)) return next() // the spellings that a router takes for /token
  if (ctx.is('urlencoded') === false) ctx.throw(400) // the parser may take JSON too
  try {
    const { headers, rawHeaders } = ctx.req
    const { client } = await authenticate({ headers, rawHeaders, body: ctx.request.body })
    ctx.state.oauthClient = client
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    ctx.set(error.headers)
    ctx.status = error.status
    ctx.body = error.toJSON()
    return
  }
  await next()
})
// --- end

app.use((ctx) => {
  if (ctx.request.body.grant_type !== 'client_credentials') ctx.throw(400)
  ctx.set('Cache-Control', 'no-store')
  ctx.body = issueToken(ctx.state.oauthClient)
})

const more = (url) => rowsBesideForms(url, { status: 400 }, { status: 400 })
await demonstrate('Koa 3, body parser first', app.listen(0, '127.0.0.1'), { more })

// The strategy at its callback, where it exchanges a code for a token.
import { once } from 'node:events'
import { createServer } from 'node:http'
import passport from 'passport'
import { Strategy } from 'passport-oauth2'
import { answerCases } from './support.mjs'

await answerCases(async ({ token_endpoint, client_id, client_secret }) => {
  const options = {
    authorizationURL: new URL('/authorize', token_endpoint).href,
    tokenURL: token_endpoint,
    clientID: client_id,
    clientSecret: client_secret,
    callbackURL: 'http://127.0.0.1/callback'
  }
  const strategy = new Strategy(options, (token, refreshToken, profile, done) => done(null, { token }))
  const server = createServer((req, res) => {
    req.query = Object.fromEntries(new URL(req.url, 'http://127.0.0.1').searchParams)
    passport.authenticate(strategy, { session: false }, (error, user) => {
      res.end(JSON.stringify(error ? { error: String(error.oauthError?.data ?? error) } : user))
    })(req, res)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/callback?code=a-code`)
    const { token, error } = await response.json()
    if (error) throw new Error(error)
    return token
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

// oauth2orize 1.12, whose token endpoint took its client from passport strategies for secrets.
import express from 'express'
import { clientAuth } from 'oauth-client-auth'
import oauth2orize from 'oauth2orize'
import { findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const server = oauth2orize.createServer()

// --- glue: without userProperty a token would be issued to no client at all
const exchangeOptions = { userProperty: 'oauthClient' }
const authenticateClient = clientAuth({ issuer, getClient: findClient })
// --- end

server.exchange(
  oauth2orize.exchange.clientCredentials(exchangeOptions, (client, scope, done) => {
    const { access_token, ...parameters } = issueToken(client)
    done(null, access_token, null, parameters)
  })
)

const app = express()
app.post('/token', authenticateClient, server.token(), server.errorHandler())

await demonstrate('oauth2orize 1.12', app.listen(0, '127.0.0.1'))

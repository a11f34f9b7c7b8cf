// One token endpoint in a process of its own: started by http.mjs, measured from within.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'
import { importSecret } from './clients.mjs'
import { localMeter } from './measure.mjs'

const require = createRequire(new URL('../package.json', import.meta.url))
const { clientAuth } = require('./dist/lib/index.js')
const express = require('express')
const { urlencoded } = require('body-parser')
const jose = require('jose')

const handle = (req, res) => {
  res.setHeader('Content-Type', 'application/json')
  res.end('{}')
}

function authenticator({ issuer, clients }) {
  const byId = new Map(clients.map((client) => [client.client_id, client]))
  return clientAuth({ issuer, getClient: (id) => byId.get(id) })
}

function expressApp(...handlers) {
  const app = express()
  app.post('/token', ...handlers)
  return app
}

/** As express.Router would call them. */
const bareServer = (middleware) => (req, res) => {
  middleware(req, res, (error) => {
    if (error) res.writeHead(500).end()
    else handle(req, res)
  })
}

function oidcProvider({ issuer, clients }) {
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  const provider = new Provider(issuer, {
    clients: [...clients, { client_id: 'none', token_endpoint_auth_method: 'none' }].map((client) => ({
      ...client,
      grant_types: ['urn:example:bench'],
      response_types: [],
      redirect_uris: []
    })),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA'] },
    features: { devInteractions: { enabled: false } },
    jwks: { keys: [signing] }
  })
  provider.registerGrantType('urn:example:bench', (ctx) => {
    ctx.body = {}
  })
  return provider.callback()
}

/** What no server with jose goes below: the form parsed and one jwtVerify with an imported key, no client looked up. */
function bareJose({ issuer, clients }) {
  const parse = urlencoded({ extended: false })
  const keys = Object.fromEntries(
    clients
      .filter((client) => client.token_endpoint_auth_signing_alg !== undefined)
      .map(({ token_endpoint_auth_signing_alg: alg, client_secret: secret, jwks }) => [
        alg,
        secret === undefined ? jose.importJWK(jwks.keys[0], alg) : importSecret(secret, alg)
      ])
  )
  const policy = { audience: issuer, requiredClaims: ['exp'], clockTolerance: 30 }
  return bareServer((req, res, next) => {
    parse(req, res, () => {
      jose.jwtVerify(req.body.client_assertion, ({ alg }) => keys[alg], policy).then(() => next(), next)
    })
  })
}

const kinds = {
  'express without': () => expressApp(urlencoded({ extended: false }), handle),
  'express with': (setup) => expressApp(authenticator(setup), handle),
  'node:http without': () => bareServer(urlencoded({ extended: false })),
  'node:http with': (setup) => bareServer(authenticator(setup)),
  'bare jose': bareJose,
  'oidc-provider': oidcProvider
}

const meter = localMeter()
const answers = {
  async listen({ kind, setup }) {
    const server = createServer(kinds[kind](setup))
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    return server.address().port
  },
  start() {
    globalThis.gc({ type: 'minor' })
    meter.start()
  },
  stop: () => meter.stop()
}
process.on('message', async ({ ask, ...rest }) => {
  process.send({ answer: await answers[ask](rest) })
})
process.on('disconnect', () => process.exit())

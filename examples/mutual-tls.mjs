// Mutual TLS in one process (RFC 8705): Express 5 on two ports, an ordinary one and one that asks for certificates. Two
// clients: one whose certificate an authority vouches for, one that has registered its own.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import https from 'node:https'
import express from 'express'
import { clientAuth, createTlsCertificates } from 'oauth-client-auth'
import { customFetch, Configuration, clientCredentialsGrant, TlsClientAuth } from 'openid-client'
import { createAuthority, createCertificate, createClientCertificate } from './support/certificate.mjs'
import { clients, findClient, issuer, issueToken } from './support/clients.mjs'
import { report, row } from './support/demonstrate.mjs'

const authority = await createAuthority('Partners')
const bank = await createClientCertificate('bank.example', authority)
const thief = await createClientCertificate('bank.example', await createAuthority('Partners'))
const [own, another] = [await createClientCertificate('own.example'), await createClientCertificate('own.example')]

clients.set('bank', {
  client_id: 'bank',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=bank.example',
  tls_client_certificate_bound_access_tokens: true
})
const { publicKey, raw } = new X509Certificate(own.cert)
clients.set('own', {
  client_id: 'own',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] }] }
})

// --- glue
const certificates = createTlsCertificates({ ca: authority.cert })
const authenticateClient = clientAuth({
  issuer,
  getClient: findClient,
  methods: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  clientCertificates: certificates
})
const app = express()
/** What each access token is bound to: a real one carries it as `cnf` (RFC 8705 §3.1). */
const bindings = new Map()
app.post('/token', authenticateClient, (req, res) => {
  const token = issueToken(req.oauthClient)
  bindings.set(token.access_token, req.oauthClientAuth.cnf)
  res.set('Cache-Control', 'no-store').json(token)
})

const server = await createCertificate('localhost')
const ordinary = https.createServer(server, app)
const mutual = https.createServer({ ...server, ...certificates.serverOptions }, app)
certificates.watch(mutual)
// --- end

/** The built-in fetch cannot show a certificate: as much of it as openid-client uses, over node:https. */
const fetchAs =
  (identity) =>
  async (url, { method, headers, body }) => {
    const plain = Object.fromEntries(new Headers(headers))
    const request = https.request(url, { method, headers: plain, ca: server.cert, agent: false, ...identity })
    const [response] = await once(request.end(String(body)), 'response')
    const content = Buffer.concat(await response.toArray())
    return new Response(content, { status: response.statusCode, headers: new Headers(response.headers) })
  }

/** A token for `clientId`, on a connection with the certificate of `identity`. */
async function ask(port, clientId, identity) {
  const metadata = { issuer, token_endpoint: `https://localhost:${port}/token` }
  const config = new Configuration(metadata, clientId, undefined, TlsClientAuth())
  config[customFetch] = fetchAs(identity)
  try {
    const { access_token: token } = await clientCredentialsGrant(config)
    return { status: 200, token }
  } catch (error) {
    if (!error.status) throw error
    return { status: error.status, error: error.error, description: error.error_description }
  }
}

for (const each of [ordinary, mutual]) await once(each.listen(0, '127.0.0.1'), 'listening')
const { port } = mutual.address()
const refused = (reason) => ({ status: 400, error: 'invalid_client', reason })
const pki = (what, must, identity, at = port) => row('tls_client_auth', what, must, () => ask(at, 'bank', identity))
const self = (what, must, identity) => row('self_signed_tls_client_auth', what, must, () => ask(port, 'own', identity))

const rows = [
  await pki('right', { client: 'bank' }, bank),
  await pki('no certificate', refused('certificate_missing')),
  await pki('the same name, of another authority', refused('certificate_unverified'), thief),
  await pki('the right one, on the ordinary port', refused('certificate_missing'), bank, ordinary.address().port),
  await self('right', { client: 'own' }, own),
  await self('another with the same name', refused('certificate_not_registered'), another)
]
const thumbprint = new X509Certificate(bank.cert).fingerprint256.replaceAll(':', '').toLowerCase()
const bound = [...bindings.values()].map((cnf) => cnf && Buffer.from(cnf['x5t#S256'], 'base64url').toString('hex'))
const isBound = bound.length === 2 && bound[0] === thumbprint && bound[1] === undefined
rows.push({ method: 'tls_client_auth', what: 'cnf is the thumbprint of the certificate', ok: isBound })
report('Mutual TLS', rows)
for (const each of [ordinary, mutual]) {
  each.close()
  each.closeAllConnections()
}

// A TLS server in a process of its own, for cases that differ in the variables of the process.
import { createServer } from 'node:https'
import { createRequire } from 'node:module'

const { library, own, ca, client, arrives } = JSON.parse(process.argv[2])
const { clientAuth, createTlsCertificates } = createRequire(import.meta.url)(library)

const certificates = createTlsCertificates({ ca })
const authenticate = clientAuth({
  issuer: 'https://as.example.com',
  getClient: (id) => (id === client.client_id ? client : undefined),
  methods: ['client_secret_basic', 'tls_client_auth', 'self_signed_tls_client_auth'],
  clientCertificates: certificates,
  onError: (error, _req, res) => {
    res.writeHead(error.status, { 'X-Reason': error.reason }).end(JSON.stringify(error))
  }
})
const server = createServer({ ...own, ...certificates.serverOptions }, (req, res) => {
  // The form as the middleware would read it, since only one can read the stream.
  let body = ''
  req
    .setEncoding('utf8')
    .on('data', (part) => (body += part))
    .on('end', async () => {
      req.body = Object.fromEntries(new URLSearchParams(body))
      res.setHeader('X-Explained', (await authenticate.explain(req)).reason ?? 'accepted')
      authenticate(req, res, () => res.end(JSON.stringify({ method: req.oauthClientAuth?.method })))
    })
})
certificates.watch(server)
if (arrives.renewed) server.setSecureContext(own)
if (arrives.host) server.addContext(arrives.host, own)
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
process.on('disconnect', () => process.exit())

// A client library gets a token by mutual TLS: openid-client or oauth4webapi, over a fetch that shows a certificate.
// Prints the token, or the error that the server answered with.
import { request } from 'node:https'

const { library, port, path, clientId, key, cert, ca } = JSON.parse(process.argv[2])
const url = new URL(`https://localhost:${port}${path}`)

/** As much of fetch as these libraries use, with a client certificate: the built-in one has no way to show one. */
const fetchWithCertificate = (to, { method, headers, body }) =>
  new Promise((resolve, reject) => {
    const options = { method, headers: Object.fromEntries(new Headers(headers)), key, cert, ca, agent: false }
    const sent = request(to, options, async (response) => {
      const text = Buffer.concat(await response.toArray())
      resolve(new Response(text, { status: response.statusCode, headers: new Headers(response.headers) }))
    })
    sent.on('error', reject).end(String(body))
  })

const server = { issuer: 'https://as.example.com', token_endpoint: url.href }

async function openidClient() {
  const { Configuration, TlsClientAuth, clientCredentialsGrant, customFetch } = await import('openid-client')
  const configuration = new Configuration(server, clientId, {}, TlsClientAuth())
  configuration[customFetch] = fetchWithCertificate
  return clientCredentialsGrant(configuration)
}

async function oauth4webapi() {
  const oauth = await import('oauth4webapi')
  const client = { client_id: clientId }
  const options = { [oauth.customFetch]: fetchWithCertificate }
  const response = await oauth.clientCredentialsGrantRequest(server, client, oauth.TlsClientAuth(), {}, options)
  return oauth.processClientCredentialsResponse(server, client, response)
}

try {
  const { access_token: token } = await { 'openid-client': openidClient, oauth4webapi }[library]()
  console.log(JSON.stringify({ token }))
} catch (error) {
  console.log(JSON.stringify({ error: error.error ?? error.message, description: error.error_description }))
}

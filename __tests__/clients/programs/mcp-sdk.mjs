import { auth } from '@modelcontextprotocol/sdk/client/auth.js'
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { answerCases } from './support.mjs'

const bySecret = ({ client_id: clientId, client_secret: clientSecret, issuer: expectedIssuer }) =>
  new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer })
const byKey = ({ client_id: clientId, jwk: privateKey, issuer: expectedIssuer }) =>
  new PrivateKeyJwtProvider({ clientId, privateKey, algorithm: 'RS256', expectedIssuer })

await answerCases(async (one) => {
  const { issuer, origin, token_endpoint, method, again } = one
  const provider = method === 'private_key_jwt' ? byKey(one) : bySecret(one)
  // What it discovers: the SDK chooses between header and body by the methods that a server advertises
  const metadata = {
    issuer,
    token_endpoint,
    authorization_endpoint: `${origin}/authorize`,
    response_types_supported: ['code'],
    token_endpoint_auth_methods_supported: [method]
  }
  const discovered = (url) =>
    String(url).includes('oauth-authorization-server') ? Response.json(metadata) : new Response('', { status: 404 })
  const fetchFn = async (url, init) => (init?.method === 'POST' ? fetch(url, init) : discovered(url))
  const ask = () => auth(provider, { serverUrl: issuer, fetchFn })
  await ask()
  if (again) await ask()
  return provider.tokens().access_token
})

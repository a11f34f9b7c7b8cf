// Four registered clients, one for each method, a public one, and what each of them keeps to itself.
import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'

export const issuer = 'https://as.example.com'

export const newSecret = () => randomBytes(32).toString('base64url')
export const newKey = async (kid, alg = 'ES256') => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** The private key of partner-bank: this side of it stays with the partner. */
export const bankKey = await newKey('bank-1')

export const redirectUri = 'https://client.example/callback'
const grants = ['client_credentials', 'authorization_code', 'refresh_token', 'urn:example:voucher']

/** What the server knows. The field `grants` is the application's own. */
export const clients = new Map(
  [
    { client_id: 'web-shop', token_endpoint_auth_method: 'client_secret_basic', client_secret: newSecret() },
    { client_id: 'old-script', token_endpoint_auth_method: 'client_secret_post', client_secret: newSecret() },
    { client_id: 'signing-app', token_endpoint_auth_method: 'client_secret_jwt', client_secret: newSecret() },
    { client_id: 'partner-bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [bankKey.jwk] } },
    { client_id: 'phone-app', token_endpoint_auth_method: 'none', grants: ['authorization_code', 'refresh_token'] }
  ].map((client) => [client.client_id, { grants, redirect_uris: [redirectUri], ...client }])
)

export const findClient = (clientId) => clients.get(clientId)

const tokens = new Map()

/** What stands for an application's own way to issue tokens (RFC 6749 §5.1). */
export function issueToken(client) {
  const access_token = newSecret()
  tokens.set(access_token, client.client_id)
  return { access_token, token_type: 'Bearer', expires_in: 300 }
}

/** Which client a token was issued to. */
export const clientOf = (token) => tokens.get(token)
export const revokeToken = (token) => tokens.delete(token)

import express from 'express'
import { clientAuth, type ClientAuthentication, type ClientAuthMiddleware } from 'oauth-client-auth'

declare module 'oauth-client-auth' {
  interface OAuthClient {
    tenant?: string
  }
}

const authenticateClient: ClientAuthMiddleware = clientAuth({
  issuer: 'https://as.example.com',
  getClient: (clientId) => ({ client_id: clientId, client_secret: 'secret', tenant: 'acme' }),
  onError: (error, _req, _res, next) => {
    next(error.reason === 'unknown_client' ? undefined : error)
  }
})

// @ts-expect-error: the merged field is a string
clientAuth({ issuer: 'https://as.example.com', getClient: (clientId) => ({ client_id: clientId, tenant: 5 }) })

export const app = express()
app.post('/token', authenticateClient, (req, res) => {
  const tenant: string | undefined = req.oauthClient?.tenant
  const authentication: ClientAuthentication | undefined = req.oauthClientAuth
  // @ts-expect-error: no client has this field
  void req.oauthClient?.unheardOf
  res.json({ tenant, method: authentication?.method })
})

const methods: string[] = authenticateClient.metadata().token_endpoint_auth_methods_supported
const algorithms: string[] | undefined =
  authenticateClient.metadata('revocation').revocation_endpoint_auth_signing_alg_values_supported
export { algorithms, methods }

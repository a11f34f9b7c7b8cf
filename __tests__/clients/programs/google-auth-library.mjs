import { OAuth2Client } from 'google-auth-library'
import { answerCases } from './support.mjs'

const authentication = { client_secret_basic: 'ClientSecretBasic', client_secret_post: 'ClientSecretPost' }

await answerCases(async ({ token_endpoint, client_id, client_secret, method }) => {
  const client = new OAuth2Client({
    clientId: client_id,
    clientSecret: client_secret,
    redirectUri: 'http://127.0.0.1/callback',
    clientAuthentication: authentication[method],
    endpoints: { oauth2TokenUrl: token_endpoint }
  })
  return (await client.getToken('a-code')).tokens.access_token
})

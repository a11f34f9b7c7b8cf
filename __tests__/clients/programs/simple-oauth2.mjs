import { ClientCredentials } from 'simple-oauth2'
import { answerCases } from './support.mjs'

await answerCases(async ({ token_endpoint, client_id, client_secret, method }) => {
  const { origin, pathname } = new URL(token_endpoint)
  const client = new ClientCredentials({
    client: { id: client_id, secret: client_secret },
    auth: { tokenHost: origin, tokenPath: pathname },
    options: { authorizationMethod: method === 'client_secret_basic' ? 'header' : 'body' }
  })
  return (await client.getToken({})).token.access_token
})

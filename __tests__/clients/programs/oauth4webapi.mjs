import { importJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { answerCases } from './support.mjs'

const authentication = {
  client_secret_basic: ({ client_secret }) => oauth.ClientSecretBasic(client_secret),
  client_secret_post: ({ client_secret }) => oauth.ClientSecretPost(client_secret),
  client_secret_jwt: ({ client_secret }) => oauth.ClientSecretJwt(client_secret),
  private_key_jwt: async ({ jwk }) => oauth.PrivateKeyJwt({ key: await importJWK(jwk, 'PS256'), kid: jwk.kid })
}

await answerCases(async (one) => {
  const server = { issuer: one.issuer, token_endpoint: one.token_endpoint }
  const client = { client_id: one.client_id }
  const clientAuthentication = await authentication[one.method](one)
  const request = async () => {
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      clientAuthentication,
      new URLSearchParams()
    )
    return oauth.processClientCredentialsResponse(server, client, response)
  }
  if (one.again) await request()
  return (await request()).access_token
})

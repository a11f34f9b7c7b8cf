import { importJWK } from 'jose'
import * as openid from 'openid-client'
import { answerCases } from './support.mjs'

const authentication = {
  client_secret_basic: ({ client_secret }) => openid.ClientSecretBasic(client_secret),
  client_secret_post: ({ client_secret }) => openid.ClientSecretPost(client_secret),
  client_secret_jwt: ({ client_secret }) => openid.ClientSecretJwt(client_secret),
  private_key_jwt: async ({ jwk }) => openid.PrivateKeyJwt({ key: await importJWK(jwk, 'PS256'), kid: jwk.kid })
}

await answerCases(async (one) => {
  const server = { issuer: one.issuer, token_endpoint: one.token_endpoint }
  const config = new openid.Configuration(server, one.client_id, undefined, await authentication[one.method](one))
  if (one.again) await openid.clientCredentialsGrant(config)
  return (await openid.clientCredentialsGrant(config)).access_token
})

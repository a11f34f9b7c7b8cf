import { Issuer } from 'openid-client-5'
import { answerCases } from './support.mjs'

await answerCases(async ({ issuer, token_endpoint, client_id, client_secret, method, jwk, again }) => {
  const { Client } = new Issuer({ issuer, token_endpoint })
  const metadata = { client_id, client_secret, token_endpoint_auth_method: method }
  if (method.endsWith('_jwt'))
    metadata.token_endpoint_auth_signing_alg = method === 'private_key_jwt' ? 'RS256' : 'HS256'
  const client = new Client(metadata, { keys: [{ ...jwk, alg: undefined }] })
  if (again) await client.grant({ grant_type: 'client_credentials' })
  return (await client.grant({ grant_type: 'client_credentials' })).access_token
})

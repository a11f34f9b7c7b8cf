import okta from '@okta/okta-sdk-nodejs'
import { answerCases } from './support.mjs'

await answerCases(async ({ origin, client_id, jwk, again }) => {
  const client = new okta.Client({
    orgUrl: origin,
    authorizationMode: 'PrivateKey',
    clientId: client_id,
    scopes: ['okta.users.read'],
    privateKey: { ...jwk, alg: 'RS256' },
    keyId: jwk.kid
  })
  if (again) await client.oauth.getAccessToken()
  client.oauth.clearCachedAccessToken()
  return (await client.oauth.getAccessToken()).access_token
})

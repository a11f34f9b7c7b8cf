import { createPrivateKey } from 'node:crypto'
import { ManagementClient } from 'auth0'
import { answerCases } from './support.mjs'

await answerCases(async ({ origin, client_id, client_secret, method, jwk, again }) => {
  const pem = createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' })
  const proof =
    method === 'client_secret_post'
      ? { clientSecret: client_secret }
      : { clientAssertionSigningKey: pem, clientAssertionSigningAlg: 'RS256' }
  const client = new ManagementClient({ domain: new URL(origin).host, clientId: client_id, ...proof, maxRetries: 0 })
  // It asks for a token when it first needs one; the API answers with the token that it was called with.
  const call = async () => (await client.clients.get('any')).token
  if (again) await call()
  return call()
})

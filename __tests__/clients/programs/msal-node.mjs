import { createHash, createPrivateKey } from 'node:crypto'
import { ConfidentialClientApplication } from '@azure/msal-node'
import { answerCases } from './support.mjs'

await answerCases(async ({ origin, client_id, client_secret, method, jwk, again }) => {
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' })
  const thumbprintSha256 = createHash('sha256').update(privateKey).digest('hex')
  const proof =
    method === 'client_secret_post'
      ? { clientSecret: client_secret }
      : { clientCertificate: { privateKey, thumbprintSha256 } }
  const application = new ConfidentialClientApplication({
    auth: { clientId: client_id, authority: `${origin}/tenant`, knownAuthorities: [new URL(origin).host], ...proof },
    system: { protocolMode: 'OIDC' }
  })
  const acquire = () => application.acquireTokenByClientCredential({ scopes: ['api'], skipCache: true })
  if (again) await acquire()
  return (await acquire()).accessToken
})

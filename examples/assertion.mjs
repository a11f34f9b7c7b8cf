// Prints the form body of a token request with a fresh assertion, for curl and the running quick start:
//   node examples/assertion.mjs [private_key_jwt | client_secret_jwt]
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { importJWK, SignJWT } from 'jose'
import { stateFile } from './support/state.mjs'

function runningServer() {
  try {
    return JSON.parse(readFileSync(stateFile, 'utf8'))
  } catch {
    console.error('Start the server first: node examples/quick-start.mjs')
    process.exit(1)
  }
}

const { issuer, secret, jwk } = runningServer()
const signers = {
  private_key_jwt: ['partner-bank', { alg: 'ES256', kid: jwk.kid }, await importJWK(jwk, 'ES256')],
  client_secret_jwt: ['signing-app', { alg: 'HS256' }, new TextEncoder().encode(secret)]
}
const signer = signers[process.argv[2] ?? 'private_key_jwt']
if (!signer) {
  console.error(`The method must be one of: ${Object.keys(signers).join(', ')}`)
  process.exit(1)
}
const [clientId, header, key] = signer

const client_assertion = await new SignJWT({ jti: randomUUID() })
  .setProtectedHeader({ ...header, typ: 'client-authentication+jwt' })
  .setIssuer(clientId)
  .setSubject(clientId)
  .setAudience(issuer)
  .setIssuedAt()
  .setExpirationTime('1 minute')
  .sign(key)

const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
console.log(String(new URLSearchParams({ grant_type: 'client_credentials', client_assertion_type, client_assertion })))

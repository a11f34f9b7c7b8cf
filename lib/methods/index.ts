import { certificateMethods } from '../certificates/source-check'
import type { ClientAuthMethod } from '../types'
import { type AcceptedHere, type AssertionCredentials, type Credentials, issuerMethods } from '../request/credentials'
import { createClientSecretJwt, createPrivateKeyJwt } from './assertion'
import { createFederatedJwt, createSpiffeJwt } from './federated'
import type { Method, Policy } from './method'
import { mutualTls } from './mutual-tls'
import { publicMethod } from './public-client'
import { createSecretMethod } from './secret'

/** The methods that a `client_id` alone may mean. A client that is registered for several uses the first that fits. */
const bareMethods: readonly ClientAuthMethod[] = [...certificateMethods, 'none']

/** How requests are read where these methods are accepted. */
export const acceptedHere = (methods: readonly ClientAuthMethod[]): AcceptedHere => ({
  bareMethods: bareMethods.filter((method) => methods.includes(method)),
  issuerMethods: issuerMethods.filter((method) => methods.includes(method))
})

/** Which method judges and proves some credentials, by their kind. */
export function createMethods(policy: Policy): (credentials: Credentials) => Method<Credentials> {
  const secret = createSecretMethod(policy)
  const keyJwt = createPrivateKeyJwt(policy)
  const byAssertion: Readonly<Record<string, Method<AssertionCredentials>>> = {
    client_secret_jwt: createClientSecretJwt(policy),
    federated_jwt: createFederatedJwt(policy),
    spiffe_jwt: createSpiffeJwt(policy)
  }
  const bare = certificateMethods.some((method) => policy.methods.has(method)) ? mutualTls : publicMethod
  return (credentials) => {
    switch (credentials.kind) {
      case 'secret':
        return secret as Method<Credentials>
      case 'bare':
        return bare as Method<Credentials>
      case 'assertion':
        return (byAssertion[String(credentials.methods[0])] ?? keyJwt) as Method<Credentials>
    }
  }
}

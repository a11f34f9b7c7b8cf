import { certificateMethods } from '../certificates/source-check'
import type { ClientAuthMethod } from '../types'
import type { Credentials } from '../request/credentials'
import { createClientSecretJwt, createPrivateKeyJwt } from './assertion'
import type { Method, Policy } from './method'
import { mutualTls } from './mutual-tls'
import { createSecretMethod, publicMethod } from './secret'

/** The methods that a `client_id` alone may mean. A client that is registered for several uses the first that fits. */
export const bareMethods: readonly ClientAuthMethod[] = [...certificateMethods, 'none']

/** The only list of kinds: which method judges and proves some credentials. */
export function createMethods(policy: Policy): (credentials: Credentials) => Method<Credentials> {
  const secret = createSecretMethod(policy)
  const secretJwt = createClientSecretJwt(policy)
  const keyJwt = createPrivateKeyJwt(policy)
  const bare = certificateMethods.some((method) => policy.methods.has(method)) ? mutualTls : publicMethod
  return (credentials) => {
    if (credentials.kind === 'secret') return secret as Method<Credentials>
    if (credentials.kind === 'bare') return bare as Method<Credentials>
    return (credentials.methods[0] === 'client_secret_jwt' ? secretJwt : keyJwt) as Method<Credentials>
  }
}

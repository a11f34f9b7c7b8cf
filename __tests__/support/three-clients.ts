// One client by each of three methods, and a right request of each.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { OAuthClient, RejectedEvent } from '../../lib'
import { assertionForm, keyAssertion, keyFor } from './assertions'
import { clientsOf } from './token-server'

export const only = (...records: OAuthClient[]) => ({ getClient: clientsOf(...records).getClient })

export const key = keyFor('ES256')
export const secret = 'a secret of well over thirty-two octets'
export const shop: OAuthClient = { client_id: 'web-shop', client_secret: secret }
export const byPost: OAuthClient = {
  client_id: 'post',
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_post'
}
export const byKey: OAuthClient = {
  client_id: 'key',
  jwks: { keys: [key.jwk] },
  token_endpoint_auth_method: 'private_key_jwt'
}
export const postForm = { client_id: 'post', client_secret: secret }
export const keyForm = () => assertionForm(keyAssertion(key, { clientId: 'key' }))
export const rawBasic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })

/** The reasons for which requests were refused meanwhile. */
export async function reasonsOf(act: () => Promise<unknown>): Promise<string[]> {
  const reasons: string[] = []
  const note = (event: unknown) => reasons.push((event as RejectedEvent).reason)
  subscribe('oauth-client-auth:rejected', note)
  await act()
  unsubscribe('oauth-client-auth:rejected', note)
  return reasons
}

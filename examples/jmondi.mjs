// @jmondi/oauth2-server 4 with its Express adapter: before and after.
import { decodeJwt } from 'jose'
import { app as after } from './migrations/jmondi-after.mjs'
import { app as before } from './migrations/jmondi-before.mjs'
import { clientOf } from './support/clients.mjs'
import { byBasic, byId, byKey, byPost, compare } from './support/compare.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const client_credentials = { grant_type: 'client_credentials' }
const refresh = ({ body }) => ({ grant_type: 'refresh_token', refresh_token: body.refresh_token })
const shop = byBasic('web-shop')
const phone = byId('phone-app')
const challenged = '401 invalid_client with challenge'

const requests = [
  ['a secret by Basic', '200', (at) => at.token(shop, client_credentials)],
  ['a secret in the body', '200', (at) => at.token(byPost('old-script'), client_credentials)],
  ['a code, with a secret', '200', async (at) => at.token(shop, await at.code('web-shop'))],
  ['a code of a public client, with PKCE', '200', async (at) => at.token(phone, await at.code('phone-app'))],
  [
    'the same with another verifier',
    '400 invalid_grant',
    async (at) => at.token(phone, { ...(await at.code('phone-app')), code_verifier: 'x'.repeat(43) })
  ],
  [
    "a code of another client's",
    '400 invalid_request',
    async (at) => at.token(byPost('old-script'), await at.code('web-shop'))
  ],
  ['a refresh token', '200', async (at) => at.token(shop, refresh(await at.token(shop, await at.code('web-shop'))))],
  [
    'a refresh token issued before the move',
    '200',
    async (at, old) => at.token(shop, refresh(await old.token(shop, await old.code('web-shop'))))
  ],
  ['a grant that is not for public clients', '401 invalid_client', (at) => at.token(phone, client_credentials)],
  ['a client that the authorization endpoint does not know', '401 invalid_client', (at) => at.authorize('nobody')],
  [
    'a wrong secret',
    ['401 invalid_client', challenged],
    (at) => at.token(byBasic('web-shop', 'wrong'), client_credentials)
  ],
  [
    'an unknown client',
    ['401 invalid_client', challenged],
    (at) => at.token(byPost('nobody', 'secret'), client_credentials)
  ],
  [
    'a signed assertion',
    ['401 invalid_client', '200'],
    async (at) => at.token({ form: { client_id: 'partner-bank', ...(await byKey()).form } }, client_credentials)
  ]
]

/** Its access tokens are JWTs: all that they say, but for times and the id, which leads to the client. */
function meaningOf(token) {
  const { jti, iat, exp, nbf, ...claims } = decodeJwt(token)
  return { ...claims, lifetime: exp - iat, since: nbf - iat, client: clientOf(jti) }
}

await demonstrate('@jmondi/oauth2-server 4', after.listen(0, '127.0.0.1'), {
  clientOf: (token) => meaningOf(token).client,
  more: () => compare(before, after, requests, meaningOf)
})

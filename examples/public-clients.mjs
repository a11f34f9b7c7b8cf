// Express with grants written by hand, public clients with PKCE beside clients with a secret: before and after.
import { app as after } from './migrations/express-after.mjs'
import { app as before } from './migrations/express-before.mjs'
import { clients } from './support/clients.mjs'
import { byBasic, byId, byKey, byPost, compare } from './support/compare.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const client_credentials = { grant_type: 'client_credentials' }
const refresh = ({ body }) => ({ grant_type: 'refresh_token', refresh_token: body.refresh_token })
const shop = byBasic('web-shop')
const phone = byId('phone-app')
const challenged = '401 invalid_client with challenge'

// What bends the rules: no registered method, a secret that Basic must encode, an id that is not ASCII
for (const client of [
  { client_id: 'unlabelled', client_secret: 'secret' },
  { client_id: 'plus', client_secret: 'a+b', token_endpoint_auth_method: 'client_secret_basic' },
  { client_id: 'müller', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_post' }
]) {
  clients.set(client.client_id, { ...client, grants: ['client_credentials'] })
}

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
    "a public client with another client's code",
    '400 invalid_grant',
    async (at) => at.token(phone, await at.code('web-shop'))
  ],
  [
    'a refresh token of a public client',
    '200',
    async (at) => at.token(phone, refresh(await at.token(phone, await at.code('phone-app'))))
  ],
  [
    'a refresh token issued before the move',
    '200',
    async (at, old) => at.token(shop, refresh(await old.token(shop, await old.code('web-shop'))))
  ],
  ['a grant that is not for public clients', '400 unauthorized_client', (at) => at.token(phone, client_credentials)],
  ['a client that the authorization endpoint does not know', '400 invalid_request', (at) => at.authorize('nobody')],
  [
    'a wrong secret',
    ['401 invalid_client', challenged],
    (at) => at.token(byBasic('web-shop', 'wrong'), client_credentials)
  ],
  [
    'the id alone of a client that has a secret',
    ['401 invalid_client', challenged],
    async (at) => at.token(byId('web-shop'), await at.code('web-shop'))
  ],
  ['an unknown client', ['401 invalid_client', challenged], (at) => at.token(byId('nobody'), client_credentials)],
  ['a signed assertion', ['401 invalid_client', '200'], async (at) => at.token(await byKey(), client_credentials)],
  [
    'a secret in the body, where no method is registered',
    ['200', challenged],
    (at) => at.token(byPost('unlabelled'), client_credentials)
  ],
  [
    'a secret with + or % by Basic, not form-encoded',
    ['200', challenged],
    (at) => at.token(byBasic('plus'), client_credentials)
  ],
  [
    'a secret by Basic and in the body',
    ['200', '400 invalid_request'],
    (at) => at.token({ ...shop, ...byPost('web-shop') }, client_credentials)
  ],
  [
    'a client_id that is not ASCII',
    ['200', '400 invalid_request'],
    (at) => at.token(byPost('müller'), client_credentials)
  ]
]

await demonstrate('Public clients beside others', after.listen(0, '127.0.0.1'), {
  more: () => compare(before, after, requests)
})

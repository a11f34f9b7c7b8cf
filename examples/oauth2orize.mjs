// oauth2orize 1.12 behind passport strategies for secrets: before and after.
import { app as after } from './migrations/oauth2orize-after.mjs'
import { app as before } from './migrations/oauth2orize-before.mjs'
import { byBasic, byId, byKey, byPost, compare } from './support/compare.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const client_credentials = { grant_type: 'client_credentials' }
const refresh = ({ body }) => ({ grant_type: 'refresh_token', refresh_token: body.refresh_token })
const shop = byBasic('web-shop')
const challenged = '401 invalid_client with challenge'

const requests = [
  ['a secret by Basic', '200', (at) => at.token(shop, client_credentials)],
  ['a secret in the body', '200', (at) => at.token(byPost('old-script'), client_credentials)],
  ['a code, with a secret', '200', async (at) => at.token(shop, await at.code('web-shop'))],
  [
    "a code of another client's",
    '403 invalid_grant',
    async (at) => at.token(byPost('old-script'), await at.code('web-shop'))
  ],
  ['a refresh token', '200', async (at) => at.token(shop, refresh(await at.token(shop, await at.code('web-shop'))))],
  [
    'a refresh token issued before the move',
    '200',
    async (at, old) => at.token(shop, refresh(await old.token(shop, await old.code('web-shop'))))
  ],
  ['an unknown grant', '501 unsupported_grant_type', (at) => at.token(shop, { grant_type: 'other' })],
  ['a client that the authorization endpoint does not know', '403 unauthorized_client', (at) => at.authorize('nobody')],
  [
    'a wrong secret',
    ['401 with challenge', challenged],
    (at) => at.token(byBasic('web-shop', 'wrong'), client_credentials)
  ],
  [
    'an unknown client',
    ['401 with challenge', challenged],
    (at) => at.token(byPost('nobody', 'secret'), client_credentials)
  ],
  ['a signed assertion', ['401 with challenge', '200'], async (at) => at.token(await byKey(), client_credentials)],
  [
    'a code of a public client, with PKCE',
    ['401 with challenge', challenged],
    async (at) => at.token(byId('phone-app'), await at.code('phone-app'))
  ]
]

await demonstrate('oauth2orize 1.12', after.listen(0, '127.0.0.1'), {
  more: () => compare(before, after, requests)
})

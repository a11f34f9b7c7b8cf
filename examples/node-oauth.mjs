// @node-oauth/oauth2-server 5 behind @node-oauth/express-oauth-server: before and after.
import { app as after } from './migrations/node-oauth-after.mjs'
import { app as before } from './migrations/node-oauth-before.mjs'
import { byBasic, byId, byKey, byPost, compare } from './support/compare.mjs'
import { demonstrate } from './support/demonstrate.mjs'

const client_credentials = { grant_type: 'client_credentials' }
const refresh = ({ body }) => ({ grant_type: 'refresh_token', refresh_token: body.refresh_token })
const shop = byBasic('web-shop')
const phone = byId('phone-app')
const voucher = (voucher) => ({ grant_type: 'urn:example:voucher', voucher })

const requests = [
  ['a secret by Basic (accessTokenLifetime)', '200', (at) => at.token(shop, client_credentials)],
  ['a secret in the body', '200', (at) => at.token(byPost('old-script'), client_credentials)],
  ["a grant of the application's own (extendedGrantTypes)", '200', (at) => at.token(shop, voucher('good'))],
  ['the same, refused by that grant', '400 invalid_grant', (at) => at.token(shop, voucher('bad'))],
  ['a code, with a secret', '200', async (at) => at.token(shop, await at.code('web-shop'))],
  ['a code of a public client, with PKCE', '200', async (at) => at.token(phone, await at.code('phone-app'))],
  [
    "a code of another client's",
    '400 invalid_grant',
    async (at) => at.token(byPost('old-script'), await at.code('web-shop'))
  ],
  [
    'a refresh token, which stays as it is (alwaysIssueNewRefreshToken)',
    '200',
    async (at) => {
      const tokens = await at.token(shop, await at.code('web-shop'))
      await at.token(shop, refresh(tokens))
      return at.token(shop, refresh(tokens))
    }
  ],
  [
    'a refresh token issued before the move',
    '200',
    async (at, old) => at.token(shop, refresh(await old.token(shop, await old.code('web-shop'))))
  ],
  ['an unknown grant', '400 unsupported_grant_type', (at) => at.token(shop, { grant_type: 'other' })],
  ['a client that the authorization endpoint does not know', '400 invalid_client', (at) => at.authorize('nobody')],
  [
    'a wrong secret by Basic',
    '401 invalid_client with challenge',
    (at) => at.token(byBasic('web-shop', 'wrong'), client_credentials)
  ],
  [
    'a wrong secret in the body',
    ['400 invalid_client', '401 invalid_client with challenge'],
    (at) => at.token(byPost('old-script', 'wrong'), client_credentials)
  ],
  ['a signed assertion', ['400 invalid_client', '200'], async (at) => at.token(await byKey(), client_credentials)]
]

await demonstrate('@node-oauth/oauth2-server 5', after.listen(0, '127.0.0.1'), {
  more: () => compare(before, after, requests)
})

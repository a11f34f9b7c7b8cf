// openid-client, configured as partners configure it, each time with one mistake: its name is the argument.
import { readFileSync } from 'node:fs'
import { importPKCS8 } from 'jose'
import * as openid from 'openid-client'

const { ISSUER, TOKEN_ENDPOINT, SECRET, EC_PEM, OTHER_EC_PEM } = process.env
const keyIn = (file) => importPKCS8(readFileSync(file, 'utf8'), 'ES256')
const signed = async (kid, file = EC_PEM, options = {}) =>
  openid.PrivateKeyJwt({ key: await keyIn(file), kid }, options)

/** Id, authentication, and what else is set. */
const configurations = {
  'post-for-basic': () => ['shop', openid.ClientSecretPost(SECRET)],
  'mac-for-key': () => ['bank', openid.ClientSecretJwt(SECRET)],
  'secret-for-key': () => ['bank', openid.ClientSecretPost(SECRET)],
  'other-key': async () => ['bank', await signed('ec-1', OTHER_EC_PEM)],
  'kid-in-capitals': async () => ['bank', await signed('EC-1')],
  'aud-endpoint': async () => {
    const modify = (_header, payload) => (payload.aud = `${ISSUER}/token`)
    return ['bank', await signed('ec-1', EC_PEM, { [openid.modifyAssertion]: modify })]
  },
  'expired-secret': () => ['rotated', openid.ClientSecretPost('the secret of the year before')],
  none: () => ['post', openid.None()],
  'quoted-secret': () => ['post', openid.ClientSecretPost(`"${SECRET}"`)],
  'clock-ahead': async () => ['bank', await signed('ec-1'), { [openid.clockSkew]: 420 }],
  'encoded-twice': () => ['post', openid.ClientSecretPost(encodeURIComponent(SECRET))]
}

const [id, authentication, metadata = {}] = await configurations[process.argv[2]]()
const config = new openid.Configuration(
  { issuer: ISSUER, token_endpoint: TOKEN_ENDPOINT },
  id,
  metadata,
  authentication
)
openid.allowInsecureRequests(config)
await openid.clientCredentialsGrant(config).catch(() => undefined) // the server tells why

// Each way to write bodyLimit, to the octet.
import { post, tokenServer } from '../../support/token-server'

const shop = { client_id: 'shop', client_secret: 'the secret of the shop' }
const form = { grant_type: 'client_credentials', client_id: 'shop', client_secret: shop.client_secret }
const octets = (length: number) => {
  const text = new URLSearchParams(form).toString()
  return `${text}&pad=${'x'.repeat(length - text.length - '&pad='.length)}`
}
const byPost = { ...shop, token_endpoint_auth_method: 'client_secret_post' }

test.each([
  ['200b', 200],
  ['200.9 B', 200],
  ['0.5kb', 512],
  ['1KB', 1024],
  ['0.01mb', 10_485]
])('bodyLimit %s lets %d octets in, and no more', async (bodyLimit, limit) => {
  const app = tokenServer({ bodyLimit }, byPost)
  expect((await post(app, octets(limit))).status).toBe(200)
  expect((await post(app, octets(limit + 1))).status).toBe(413)
})

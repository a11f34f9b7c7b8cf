// What only some hosts and some moments show.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { clientAuth } from '../../../lib'
import { createTestClient } from '../../../lib/testing'
import { basic, issuer } from '../../support/assertions'
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

/** As an adapter of a function as a service makes it: no bytes of HTTP have come, so there are no raw headers. */
const bareRequest = () =>
  Object.assign(new IncomingMessage(new Socket()), {
    headers: { authorization: basic('shop', shop.client_secret) },
    rawHeaders: undefined as unknown as string[],
    body: { grant_type: 'client_credentials' }
  })
const through = (middleware: ReturnType<typeof clientAuth>, req: IncomingMessage) =>
  new Promise<unknown>((resolve) => {
    middleware(req, new ServerResponse(req), resolve)
  })

test('a request without raw headers is stripped all the same', async () => {
  const middleware = clientAuth({ issuer, getClient: () => shop, stripCredentials: true })
  const req = bareRequest()
  expect(await through(middleware, req)).toBeUndefined()
  expect(req).toMatchObject({ oauthClient: shop, headers: {} })
  expect(req.headers).not.toHaveProperty('authorization')
})

test('clientOf returns the client of a request that its own middleware let in, and of no other', async () => {
  const getClient = () => shop
  const [own, other] = [clientAuth({ issuer, getClient }), clientAuth({ issuer, getClient })]
  const req = bareRequest()
  await through(own, req)
  expect(own.clientOf(req)).toBe(shop)
  expect(() => other.clientOf(req)).toThrow('clientOf: this middleware has not authenticated the request')
  expect(() => own.clientOf(bareRequest())).toThrow(TypeError)
})

test('the unsigned assertion of a test client cannot be spoilt further: it has no signature', () => {
  const client = createTestClient({ client_id: 'c', method: 'private_key_jwt', issuer })
  const assertion = client.assertion({ header: { alg: 'none' }, tamper: 'signature' })
  expect(assertion).toMatch(/^[\w-]+\.[\w-]+\.$/)
})

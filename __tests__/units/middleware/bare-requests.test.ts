// Requests that an adapter made, without a connection.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { clientAuth } from '../../../lib'
import { basic, issuer } from '../../support/assertions'

const shop = { client_id: 'shop', client_secret: 'the secret of the shop' }

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

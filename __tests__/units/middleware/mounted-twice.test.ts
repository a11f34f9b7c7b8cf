// One request that passes the same middleware twice.
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { clientAuth } from '../../../lib'
import { basic, issuer } from '../../support/assertions'
import { byKey, byPost, keyForm, only, postForm, secret, shop } from '../../support/three-clients'
import { post } from '../../support/token-server'

describe('mounted twice', () => {
  const handler = (req: Request, res: Response) =>
    res.json({ client: req.oauthClient?.client_id, method: req.oauthClientAuth?.method })
  const everyWhere = <R extends Router>(router: R, middleware: ReturnType<typeof clientAuth>): R => {
    router.use(middleware)
    return router
  }

  // Threat 32: a good assertion refused as replayed by ourselves
  test.each<[string, (middleware: ReturnType<typeof clientAuth>) => express.Express]>([
    ['app.use and the route', (auth) => everyWhere(express(), auth).post('/token', auth, handler)],
    [
      'nested routers',
      (auth) => {
        const inner = everyWhere(express.Router(), auth).post('/', auth, handler)
        const outer = everyWhere(express.Router(), auth)
        return everyWhere(express(), auth).use('/token', outer.use(inner))
      }
    ],
    ['an app in an app', (auth) => everyWhere(express(), auth).use(express().post('/token', auth, handler))],
    [
      'a parser between the two',
      (auth) => everyWhere(express(), auth).post('/token', express.urlencoded({ extended: true }), auth, handler)
    ]
  ])('%s: the second hands on, with and without stripCredentials', async (_name, mount) => {
    for (const stripCredentials of [false, true]) {
      const asked: string[] = []
      const getClient = (id: string) => (asked.push(id), [shop, byPost, byKey].find((one) => one.client_id === id))
      const app = mount(clientAuth({ issuer, getClient, stripCredentials }))
      expect((await post(app, keyForm())).body).toEqual({ client: 'key', method: 'private_key_jwt' })
      expect((await post(app, {}, { Authorization: basic('web-shop', secret) })).body.client).toBe('web-shop')
      expect((await post(app, postForm)).body.client).toBe('post')
      expect((await post(app, { ...postForm, client_secret: 'wrong' })).status).toBe(401)
      expect(asked).toEqual(['key', 'web-shop', 'post', 'post'])
    }
  })

  // Threat 32: a request object that a host uses again
  test.each<[string, (req: Request) => void]>([
    ['another body', (req) => void (req.body = { client_id: 'post', client_secret: 'wrong' })],
    ['another client in the same body', (req) => void Object.assign(req.body as object, { client_id: 'web-shop' })],
    ['another secret in the same body', (req) => void Object.assign(req.body as object, { client_secret: 'wrong' })],
    ['the same client and no credentials', (req) => void (req.body = { client_id: 'post' })],
    ['another header', (req) => void (req.headers.authorization = basic('web-shop', 'wrong'))],
    // Threat 42: credentials that changed where the second mount did not look
    ['a second header in other case', (req) => void Object.assign(req.headers, { Authorization: basic('post', 'x') })],
    ['a parameter that is a list now', (req) => void Object.assign(req.body as object, { client_secret: ['a', 'b'] })],
    ['another body, URLSearchParams', (req) => void (req.body = new URLSearchParams({ client_id: 'post' }))]
  ])('a request object that is used again with %s is judged again', async (_name, change) => {
    for (const stripCredentials of [false, true]) {
      const auth = clientAuth({ issuer, ...only(shop, byPost), stripCredentials })
      const app = express()
      const again = (req: Request, _res: Response, next: NextFunction) => {
        change(req)
        next()
      }
      app.post('/token', auth, again, auth, (req, res) => res.json(auth.clientOf(req)))
      const answer = await post(app, postForm)
      expect([answer.status, answer.body.error]).toEqual([answer.status === 400 ? 400 : 401, expect.any(String)])
    }
  })
})

// The middleware in its hosts, and the answers it gives.
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse
} from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import connect from 'connect'
import express, { type NextFunction, type Request, type Response } from 'express'
import express4 from 'express4'
import bodyParser from 'body-parser'
import request from 'supertest'
import { clientAuth, ClientAuthError, type ClientAuthOptions, type OAuthClient } from '../../../lib'
import { assertionForm, basic, issuer, keyAssertion, keyFor } from '../../support/assertions'
import { post, tokenServer } from '../../support/token-server'

const key = keyFor('ES256')
const secret = 'a secret for everyone here'
const records: OAuthClient[] = [
  { client_id: 'basic', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'key', jwks: { keys: [key.jwk] }, token_endpoint_auth_method: 'private_key_jwt' }
]
const options: ClientAuthOptions = { issuer, getClient: (id) => records.find(({ client_id }) => client_id === id) }
const postForm = { client_id: 'post', client_secret: secret, grant_type: 'client_credentials' }
const keyForm = () => assertionForm(keyAssertion(key, { clientId: 'key' }))

type Handler = (req: IncomingMessage, res: ServerResponse) => void
const token: Handler = (req, res) => {
  const { oauthClient, oauthClientAuth, body } = req as unknown as Record<string, Record<string, unknown>>
  res.setHeader('Content-Type', 'application/json')
  res.end(JSON.stringify({ client: oauthClient?.['client_id'], method: oauthClientAuth?.['method'], body }))
}

// connect types its handlers by its own names for the same things.
const use = (app: { use: (handler: never) => unknown }, ...handlers: unknown[]) => {
  for (const handler of handlers) app.use(handler as never)
  return app as unknown as RequestListener
}

const auth = () => clientAuth(options)
const hosts: [name: string, app: () => RequestListener][] = [
  ['Express 5', () => use(express(), auth(), token)],
  ['Express 5, form parsed before', () => use(express(), express.urlencoded({ extended: true }), auth(), token)],
  ['Express 5, express.json() before', () => use(express(), express.json(), auth(), token)],
  ['Express 5, form parsed again behind', () => use(express(), auth(), express.urlencoded(), token)],
  ['Express 4', () => use(express4(), auth(), token)],
  ['Express 4, form parsed before', () => use(express4(), express4.urlencoded({ extended: false }), auth(), token)],
  ['Express 4, express.json() before, which leaves {}', () => use(express4(), express4.json(), auth(), token)],
  [
    'Express 4, its body-parser 1.x behind',
    () => use(express4(), auth(), express4.urlencoded({ extended: false }), token)
  ],
  ['connect', () => use(connect(), auth(), token)],
  ['connect, form parsed before', () => use(connect(), bodyParser.urlencoded({ extended: false }), auth(), token)],
  [
    'bare node:http',
    () => {
      const authenticate = auth()
      return (req, res) => {
        authenticate(req, res, () => {
          token(req, res)
        })
      }
    }
  ]
]

describe.each(hosts)('%s', (_name, make) => {
  const app = make()
  const send = (form: Record<string, string>, headers = {}) =>
    request(app).post('/').type('form').set(headers).send(form)

  test('hands an authenticated request on', async () => {
    const byPost = await send(postForm)
    expect([byPost.status, byPost.body]).toEqual([
      200,
      { client: 'post', method: 'client_secret_post', body: postForm }
    ])
    const byBasic = await send({ grant_type: 'x' }, { Authorization: basic('basic', secret) })
    expect(byBasic.body).toEqual({
      client: 'basic',
      method: 'client_secret_basic',
      body: { grant_type: 'x', client_id: 'basic' }
    })
    const byKey = await send(keyForm())
    expect(byKey.body).toMatchObject({ client: 'key', method: 'private_key_jwt', body: { client_id: 'key' } })
  })

  test('hands a request without a body on', async () => {
    const answer = await request(app).post('/').set('Authorization', basic('basic', secret))
    expect(answer.body).toEqual({ client: 'basic', method: 'client_secret_basic', body: { client_id: 'basic' } })
  })

  test('answers a refusal as OAuth JSON', async () => {
    const answer = await send({ ...postForm, client_secret: 'wrong' })
    expect([answer.status, answer.body]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'Client authentication failed.' }
    ])
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'www-authenticate': `Basic realm="${issuer}", charset="UTF-8"`
    })
  })
})

test('the very object that getClient returned is attached', async () => {
  const seen: unknown[] = []
  const app = express()
  app.post('/token', clientAuth(options), (req, res) => {
    seen.push(req.oauthClient, req.oauthClientAuth)
    res.end()
  })
  await post(app, postForm)
  expect(seen[0]).toBe(records[1])
  expect(seen[1]).toEqual({ clientId: 'post', method: 'client_secret_post' })
})

test('getClient is handed the request of the middleware', async () => {
  const urls: unknown[] = []
  const app = express()
  app.post(
    '/token',
    clientAuth({ ...options, getClient: (_id: string, req: Request) => void urls.push(req.originalUrl) })
  )
  await post(app, postForm)
  expect(urls).toEqual(['/token'])
})

test('property names where the client goes', async () => {
  const app = express()
  app.post('/token', clientAuth({ ...options, property: 'partner' }), (req, res) => {
    res.json([(req as unknown as { partner: OAuthClient }).partner.client_id, req.oauthClient === undefined])
  })
  expect((await post(app, postForm)).body).toEqual(['post', true])
})

test('other libraries may set the status by its other name', () => {
  const error = new ClientAuthError('no_credentials')
  error.statusCode = 400
  expect([error.status, error.statusCode]).toEqual([400, 400])
})

describe('stripCredentials', () => {
  const app = express()
  app.post('/token', clientAuth({ ...options, stripCredentials: true }), (req, res) => {
    const { headers, headersDistinct, rawHeaders, body } = req
    res.json({
      seen: [
        headers.authorization,
        headersDistinct['authorization'],
        rawHeaders.find((name) => /^authorization$/i.test(name))
      ],
      body: body as unknown
    })
  })

  test.each<[string, Record<string, string>, Record<string, string>, unknown]>([
    [
      'a secret in the body',
      postForm,
      {},
      { seen: [null, null, null], body: { client_id: 'post', grant_type: 'client_credentials' } }
    ],
    [
      'Basic',
      {},
      { Authorization: basic('basic', secret) },
      { seen: [null, null, null], body: { client_id: 'basic' } }
    ],
    [
      'an assertion, and leaves a user’s token',
      keyForm(),
      { Authorization: 'DPoP x' },
      { seen: ['DPoP x', ['DPoP x'], 'Authorization'], body: { client_id: 'key' } }
    ]
  ])('removes %s', async (_name, form, headers, expected) => {
    expect((await post(app, form, headers)).body).toEqual(expected)
  })

  test('off, everything stays', async () => {
    expect((await post(tokenServer({}, ...records), postForm)).body.body).toEqual(postForm)
  })
})

describe('node:http2', () => {
  // Its requests read like those of node:http and are made otherwise.
  async function send(headers: Record<string, string>, form: Record<string, string>): Promise<unknown> {
    const middleware = clientAuth({ ...options, stripCredentials: true })
    const server = createHttp2Server((req, res) => {
      middleware(req as unknown as IncomingMessage, res as unknown as ServerResponse, (error) => {
        const { rawHeaders, body } = req as typeof req & { body: unknown }
        const left = [
          req.headers.authorization,
          req.headers['transfer-encoding'],
          ...rawHeaders.filter((name) => name === 'authorization')
        ]
        res.end(JSON.stringify({ error, body, left: left.filter((value) => value !== undefined) }))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const type = 'application/x-www-form-urlencoded'
    const stream = session.request({ ':method': 'POST', 'content-type': type, ...headers })
    stream.end(new URLSearchParams(form).toString())
    const answer = JSON.parse(await text(stream)) as unknown
    session.close()
    server.close()
    return answer
  }
  const authorization = basic('basic', secret)

  test.each([
    ['a secret in a body that no header announces', {}, postForm, { body: { client_id: 'post' }, left: [] }],
    ['one that is announced', { 'content-length': '85' }, postForm, { body: { client_id: 'post' }, left: [] }],
    ['Basic, which is stripped', { authorization }, {}, { body: { client_id: 'basic' }, left: [] }],
    ['two clients at once', { authorization }, { client_id: 'post' }, { error: 'invalid_request' }],
    // Threat 10: a body that no header announces (HTTP/2)
    ['two mechanisms at once', { authorization }, { client_secret: secret }, { error: 'invalid_request' }]
  ])('%s', async (_name, headers, form, expected) => {
    expect(await send(headers, form)).toMatchObject(expected)
  })
})

describe('answers', () => {
  const wrong = { ...postForm, client_secret: 'wrong' }

  test.each<
    [string, Partial<ClientAuthOptions>, Record<string, string>, Record<string, string>, number, string | undefined]
  >([
    ['401 with a challenge where Basic is a method', {}, wrong, {}, 401, 'Basic'],
    ['400 where it is not (RFC 6749 §5.2)', { methods: ['client_secret_post'] }, wrong, {}, 400, undefined],
    [
      '401 with a challenge if Authorization was used all the same',
      { methods: ['client_secret_post'] },
      {},
      { Authorization: basic('basic', secret) },
      401,
      'Basic'
    ],
    ['400 for invalid_request', {}, { ...wrong, client_assertion_type: 'x' }, {}, 400, undefined]
  ])('%s', async (_name, given, form, headers, status, challenge) => {
    const answer = await post(tokenServer(given, ...records), form, headers)
    expect(answer.status).toBe(status)
    expect(answer.headers['www-authenticate']?.slice(0, 5)).toBe(challenge)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test.each<[string, () => boolean | Promise<boolean>, string]>([
    ['rejects', () => Promise.reject(new Error('away')), 'replay_store_unavailable'],
    [
      'throws',
      () => {
        throw new Error('away')
      },
      'replay_store_unavailable'
    ],
    [
      'is full',
      () => {
        throw new ClientAuthError('replay_store_full')
      },
      'replay_store_full'
    ],
    ['answers with no boolean', () => 'OK' as unknown as boolean, 'replay_store_unavailable']
  ])('a replay store that %s is 503 with Retry-After', async (_name, consume, reason) => {
    const reasons: string[] = []
    const onError: ClientAuthOptions['onError'] = (error, _req, res) => {
      reasons.push(error.reason)
      res.statusCode = error.status
      res.end(JSON.stringify(error))
    }
    const answer = await post(tokenServer({ replayStore: { consume }, onError }, ...records), keyForm())
    expect([answer.status, JSON.parse(answer.text), answer.headers['retry-after']]).toMatchObject([
      503,
      { error: 'temporarily_unavailable' },
      '5'
    ])
    expect(reasons).toEqual([reason])
  })

  test('onError may pass the error on, with its headers already set', async () => {
    const app = express()
    app.post(
      '/token',
      clientAuth({
        ...options,
        onError: (error, _req, _res, next) => {
          next(error)
        }
      })
    )
    app.use((error: ClientAuthError, _req: Request, res: Response, _next: NextFunction) => {
      res
        .status(error.statusCode)
        .json({ ...error.toJSON(), reason: error.reason, clientId: error.clientId, name: error.name })
    })
    const answer = await post(app, wrong)
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('Basic')
    expect(answer.body).toEqual({
      error: 'invalid_client',
      error_description: 'Client authentication failed.',
      reason: 'secret_mismatch',
      clientId: 'post',
      name: 'ClientAuthError'
    })
  })

  test.each<[string, ClientAuthOptions['onError']]>([
    [
      'throws',
      () => {
        throw new Error('onError is broken')
      }
    ],
    ['rejects', () => Promise.reject(new Error('onError is broken'))]
  ])('an onError that %s goes to next', async (_name, onError) => {
    const answer = await post(tokenServer({ onError }, ...records), wrong)
    expect([answer.status, answer.body.passed_on]).toEqual([500, 'onError is broken'])
  })

  test('an error of getClient goes to next, and nothing about it on the wire is ours', async () => {
    const answer = await post(tokenServer({ getClient: () => Promise.reject(new Error('database away')) }), postForm)
    expect([answer.status, answer.body.passed_on]).toEqual([500, 'database away'])
  })

  test('a stream that the application spoilt is its own error', async () => {
    const app = express()
    app.use((req, _res, next) => {
      req.setEncoding('utf8')
      next()
    })
    app.post('/token', clientAuth(options))
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => res.status(500).json(error.message))
    expect((await post(app, postForm)).status).toBe(500)
  })

  test.each([{}, { 'Content-Encoding': 'gzip' }])('an aborted body ends quietly: %p', async (encoding) => {
    const reasons: string[] = []
    const app = express()
    const done = new Promise<void>((resolve) => {
      const onError: ClientAuthOptions['onError'] = (error) => {
        reasons.push(error.reason)
        resolve()
      }
      const breakOff = (_req: Request, _res: Response, next: NextFunction) => {
        next()
        aborted.destroy()
      }
      app.post('/token', breakOff, clientAuth({ ...options, onError }))
    })
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '100', ...encoding }
    const aborted = httpRequest({ port, host: '127.0.0.1', path: '/token', method: 'POST', headers }).on(
      'error',
      () => undefined
    )
    aborted.write('client_id=')
    await done
    expect(reasons).toEqual(['body_unreadable'])
    server.close()
  })
})

test('one middleware at several endpoints shares the replay store', async () => {
  const authenticate = clientAuth(options)
  const app = express()
  app.post(['/token', '/introspect'], authenticate, token)
  const form = keyForm()
  expect((await request(app).post('/introspect').type('form').send(form)).status).toBe(200)
  expect((await request(app).post('/token').type('form').send(form)).body.error_description).toContain('used before')
})

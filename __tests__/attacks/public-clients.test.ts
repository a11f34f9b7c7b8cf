// A public client, which proves nothing, gets no further than the token endpoint.
import express, { type Request, type Response } from 'express'
import request from 'supertest'
import { clientAuth } from '../../lib'
import { basic, issuer } from '../support/assertions'
import { byKey, keyForm, only } from '../support/three-clients'

test.each([
  ['another Authorization scheme', { Authorization: 'DPoP abc' }, {}],
  ['a user’s token', { Authorization: 'Bearer abc' }, {}],
  ['a JWT in another parameter', {}, { assertion: 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA' }]
])('a public client beside %s: explain says what the server does', async (_name, headers, more) => {
  const spa = { client_id: 'spa', token_endpoint_auth_method: 'none' }
  const { explain } = clientAuth({ issuer, ...only(spa, byKey), methods: ['private_key_jwt', 'none'] })
  const ask = (client_id: string) => explain({ headers, body: { client_id, ...more } })
  expect(await ask('spa')).toMatchObject({ accepted: true, clientId: 'spa' })
  const { accepted, reason, findings } = await ask('key')
  expect([accepted, reason]).toEqual([false, 'method_not_registered'])
  expect(findings.find(({ result }) => result === 'failed')?.reason).toBe('method_not_registered')
})

// A dependency that pollutes the prototype of all objects must change the method of no client.
test.each([
  ['a record without a method, polluted with none: its id alone', {}, 'none', {}, 401],
  ['a public client, polluted with none', { token_endpoint_auth_method: 'none' }, 'none', {}, 200],
  [
    'a client with a key and an old secret, polluted with its own method: the secret',
    { ...byKey, client_secret: 'old' },
    'private_key_jwt',
    { Authorization: basic('shop', 'old') },
    401
  ]
])('%s', async (_name, record, method, headers, status) => {
  const polluted = Object.prototype as { token_endpoint_auth_method?: string }
  const options = { issuer, ...only({ ...record, client_id: 'shop' }) }
  const app = express().post(
    '/token',
    clientAuth({ ...options, methods: ['client_secret_basic', 'private_key_jwt', 'none'] }),
    (_req: Request, res: Response) => res.json('ok')
  )
  polluted.token_endpoint_auth_method = method
  try {
    const sent = request(app).post('/token').set(headers).type('form')
    expect((await sent.send('Authorization' in headers ? {} : { client_id: 'shop' })).status).toBe(status)
  } finally {
    delete polluted.token_endpoint_auth_method
  }
})

describe('public clients at introspection', () => {
  const none = ['client_secret_basic', 'none'] as const

  // Threat 19: `none` advertised for introspection
  test('none is never advertised for introspection (RFC 7662 §2.1)', () => {
    const middleware = clientAuth({ issuer, ...only(), methods: none })
    expect(middleware.metadata('introspection').introspection_endpoint_auth_methods_supported).toEqual([none[0]])
    expect(middleware.metadata().token_endpoint_auth_methods_supported).toEqual(none)
    expect(middleware.metadata('revocation').revocation_endpoint_auth_methods_supported).toEqual(none)
  })

  // Threat 19: a public client at introspection; an assertion used at two endpoints
  test('two middlewares over one store: a public client stays out of introspection, and no assertion passes twice', async () => {
    const used = new Set<string>()
    const shared = {
      issuer,
      ...only(byKey, { client_id: 'spa', token_endpoint_auth_method: 'none' }),
      replayStore: { consume: ({ id }: { id: string }) => !used.has(id) && used.add(id).has(id) }
    }
    const app = express()
    const ok = (_req: Request, res: Response) => res.json('ok')
    app.post('/token', clientAuth({ ...shared, methods: ['private_key_jwt', 'none'] }), ok)
    app.post('/introspect', clientAuth({ ...shared, methods: ['private_key_jwt'] }), ok)
    const send = async (path: string, form: object) => (await request(app).post(path).type('form').send(form)).status
    expect(await send('/token', { client_id: 'spa' })).toBe(200)
    expect(await send('/introspect', { client_id: 'spa', token: 'x' })).toBe(400)
    const form = keyForm()
    expect([await send('/introspect', form), await send('/token', form)]).toEqual([200, 400])
  })
})

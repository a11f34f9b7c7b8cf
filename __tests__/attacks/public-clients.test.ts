// A public client, which proves nothing, gets no further than the token endpoint.
import express, { type Request, type Response } from 'express'
import request from 'supertest'
import { clientAuth } from '../../lib'
import { issuer } from '../support/assertions'
import { byKey, keyForm, only } from '../support/three-clients'

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

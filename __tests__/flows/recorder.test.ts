// Refusals explained beside their answers, and the reference that joins a screenshot to the log.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import request from 'supertest'
import {
  clientAuth,
  ClientAuthError,
  createClientAuthenticator,
  type ClientAuthOptions,
  type RecordedRefusal,
  recordRefusals,
  type RecordRefusalsOptions,
  type RejectedEvent
} from '../../lib'
import { assertionForm, basic, issuer, keyAssertion, keyFor, now, tokenEndpoint } from '../support/assertions'
import { clientsOf } from '../support/token-server'

const key = keyFor('ES256')
const secret = 'a secret of more than thirty-two octets'
const bank = { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
const shop = { client_id: 'shop', client_secret: secret }
const by = (claims = {}) => assertionForm(keyAssertion(key, { clientId: 'bank', claims }))

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** A server with a recorder, and what it has recorded. */
function recording(options: Partial<ClientAuthOptions> = {}, more: Partial<RecordRefusalsOptions> = {}) {
  const { getClient, asked } = clientsOf(bank, shop)
  const authenticate = clientAuth({ issuer, getClient, ...options })
  const app = express().post('/token', authenticate, (_req, res) => res.json({}))
  const recorded: RecordedRefusal[] = []
  const stop = recordRefusals({ explain: authenticate.explain, log: (one) => recorded.push(one), ...more })
  stops.push(stop)
  const post = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    request(app).post('/token').type('form').set(headers).send(form)
  const settled = () => sleep(20)
  return { app, post, asked, recorded, stop, settled }
}

test.each<[string, Record<string, string>, Record<string, string>, string, object]>([
  [
    'what the request decides',
    by({ aud: tokenEndpoint }),
    {},
    'assertion_audience',
    { expected: [issuer], received: tokenEndpoint }
  ],
  ['a wrong secret', {}, { authorization: basic('shop', 'wrong') }, 'secret_mismatch', {}],
  ['an unknown client', {}, { authorization: basic('nobody', 'wrong') }, 'unknown_client', { received: 'nobody' }]
])(
  '%s: its failed checks and the advice go to the log, and nobody is looked up again',
  async (_name, form, headers, reason, facts) => {
    const { post, recorded, asked, settled } = recording()
    await post(form, headers)
    const before = asked.length
    await settled()
    expect(recorded).toMatchObject([
      {
        reason,
        dropped: 0,
        findings: [{ reason, ...facts, advice: expect.any(String) as string, forSender: expect.any(String) as string }]
      }
    ])
    expect(asked).toHaveLength(before)
  }
)

test('a used assertion, a store that fails, a body that cannot be read: told as well', async () => {
  const uses = [true, false]
  const replayStore = {
    consume: () => {
      const first = uses.shift()
      if (first === undefined) throw new Error('down')
      return first
    }
  }
  const { app, post, recorded, settled } = recording({ replayStore })
  for (let i = 0; i < 3; i++) await post(by())
  await request(app)
    .post('/token')
    .set({ 'content-type': 'application/json', authorization: basic('shop', 'x') })
    .send('{}')
  await settled()
  expect(recorded.map(({ reason, clientId, findings }) => [reason, clientId, findings[0]?.reason])).toEqual([
    ['assertion_replayed', 'bank', 'assertion_replayed'],
    ['replay_store_unavailable', 'bank', 'replay_store_unavailable'],
    ['body_content_type', 'shop', 'body_content_type']
  ])
})

test('the verdict is used again: verifySecret is called once, and no event is published', async () => {
  const seen: string[] = []
  const events: unknown[] = []
  const hear = (event: unknown) => events.push(event)
  subscribe('oauth-client-auth:rejected', hear)
  const verifySecret = (presented: string) => seen.push(presented) < 0
  const { post, recorded, settled } = recording({ verifySecret })
  await post({}, { authorization: basic('shop', 'wrong') })
  await settled()
  unsubscribe('oauth-client-auth:rejected', hear)
  expect([recorded.length, seen, events.length]).toEqual([1, ['wrong'], 1])
})

test('near misses only where they are asked for', async () => {
  for (const nearMisses of [false, true]) {
    const { post, recorded, settled } = recording({}, { nearMisses })
    await post({}, { authorization: basic('shop', `${secret} `) })
    await settled()
    expect(JSON.stringify(recorded).includes('white space stands around')).toBe(nearMisses)
    stops.pop()?.()
  }
})

test('neither secrets nor assertions stand in a record', async () => {
  const { post, recorded, settled } = recording({}, { nearMisses: true })
  const form = by({ aud: 'x' })
  await post(form)
  await post({}, { authorization: basic(secret, 'shop') })
  await post({ client_id: 'shop', client_secret: form.client_assertion })
  await settled()
  const text = JSON.stringify(recorded)
  expect(recorded).toHaveLength(3)
  for (const hidden of [secret, form.client_assertion.split('.')[2]]) expect(text).not.toContain(hidden)
})

test('a flood of one client cannot hide another, and what is dropped is counted', async () => {
  const { post, recorded, settled, stop } = recording()
  for (let i = 0; i < 20; i++) await post({}, { authorization: basic('shop', 'wrong') })
  for (let i = 0; i < 90; i++) await post({}, { authorization: basic(`nobody-${i}`, 'wrong') })
  await post(by({ exp: now() - 90 }))
  await settled()
  const of = (wanted: string) => recorded.filter(({ reason }) => reason === wanted)
  expect([of('secret_mismatch').length, of('unknown_client').length, of('assertion_expired').length]).toEqual([
    3, 60, 1
  ])
  expect(stop.dropped).toBe(17 + 30)
  expect(recorded.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(17 + 30)
})

test('refusals of another server of the process are not its own', async () => {
  const { recorded, settled } = recording()
  const other = createClientAuthenticator({ issuer, getClient: () => undefined })
  await other({ headers: { authorization: basic('a', 'b') } }).catch(() => undefined)
  await settled()
  expect(recorded).toEqual([])
})

test('a log that throws ends nothing, and is warned of', async () => {
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const { post, settled } = recording(
    {},
    {
      log: () => {
        throw new Error('disk full')
      }
    }
  )
  expect((await post({}, { authorization: basic('shop', 'wrong') })).status).toBe(401)
  await settled()
  expect(warned).toHaveBeenCalledWith(expect.stringContaining('disk full'), 'OAuthClientAuthWarning')
  warned.mockRestore()
})

test('once ended it records nothing', async () => {
  const { post, recorded, stop, settled } = recording()
  stop()
  await post({}, { authorization: basic('shop', 'wrong') })
  await settled()
  expect(recorded).toEqual([])
})

test('options that cannot be meant are told', () => {
  const authenticate = clientAuth({ issuer, getClient: () => undefined })
  const { explain } = authenticate
  // Their refusals would never be recorded
  for (const other of [authenticate, (...asked: Parameters<typeof explain>) => explain(...asked)])
    expect(() => recordRefusals({ explain: other, log: () => undefined } as never)).toThrow(
      'option "explain" must be the explain of a server, not a value of type function (write authenticateClient.explain)'
    )
  expect(() => recordRefusals({ explain } as never)).toThrow('option "log" is required')
  expect(() => recordRefusals({ explain, log: 'x' } as never)).toThrow(/"log"/)
})

describe('reference: true', () => {
  const name = 'oauth-client-auth-reference'

  test('each refusal has a new one, in its header, its event and its record', async () => {
    const events: RejectedEvent[] = []
    const hear = (event: unknown) => events.push(event as RejectedEvent)
    subscribe('oauth-client-auth:rejected', hear)
    const replayStore = { consume: () => Promise.reject(new Error('down')) }
    const { app, post, recorded, settled } = recording({ reference: true, replayStore })
    const answers = [
      await post({}, { authorization: basic('shop', 'wrong') }),
      await post({}, { authorization: basic('nobody', 'wrong') }),
      await post({}),
      await post(by()),
      await request(app).post('/token').type('json').send('{}')
    ]
    await settled()
    unsubscribe('oauth-client-auth:rejected', hear)
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 503, 400])
    const references = answers.map(({ headers }) => String(headers[name]))
    for (const reference of references) expect(reference).toMatch(/^[\w-]{8}$/)
    expect(new Set(references).size).toBe(5)
    expect(events.map(({ reference }) => reference)).toEqual(references)
    expect(recorded.map(({ reference }) => reference)).toEqual(references)
  })

  test('off by default, and never on a success', async () => {
    const { post } = recording()
    expect((await post({})).headers[name]).toBeUndefined()
    const on = recording({ reference: true })
    const good = await on.post({}, { authorization: basic('shop', secret) })
    expect([good.status, good.headers[name]]).toEqual([200, undefined])
  })

  test('without a framework it stands in the headers of the error', async () => {
    const authenticate = createClientAuthenticator({ issuer, getClient: () => undefined, reference: true })
    const error: unknown = await authenticate({ headers: {} }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ClientAuthError)
    const { headers, reference } = error as ClientAuthError
    expect(headers['OAuth-Client-Auth-Reference']).toBe(reference)
  })
})

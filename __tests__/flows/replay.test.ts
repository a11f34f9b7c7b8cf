import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import request from 'supertest'
import {
  clientAuth,
  ClientAuthError,
  createClientAuthenticator,
  createMemoryReplayStore,
  createRedisReplayStore,
  type OAuthClient,
  type ReplayEntry,
  type ReplayStore
} from '../../lib'
import { assertionForm, issuer, keyAssertion, makeKey, now, secretAssertion } from '../support/assertions'
import { clientsOf, post, tokenServer, type Options } from '../support/token-server'

const key = makeKey('ES256')
const stranger = makeKey('ES256', key.kid)
const secret = 'a secret of more than thirty-two octets'
const keyClient = (client_id: string, more: Partial<OAuthClient> = {}): OAuthClient => ({
  client_id,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk] },
  ...more
})
const clients = [
  keyClient('mobile'),
  keyClient('web'),
  keyClient('moved', { token_endpoint_auth_method: 'client_secret_basic' }),
  keyClient('rsa only', { token_endpoint_auth_signing_alg: 'PS256' }),
  { client_id: 'batch', token_endpoint_auth_method: 'client_secret_jwt', client_secret: secret }
]
const { getClient } = clientsOf(...clients)

/** Authenticates with an assertion; `accepted` or the reason of the refusal. */
function authenticator(options: Options = {}) {
  const authenticate = createClientAuthenticator({ issuer, getClient, ...options })
  return async (assertion: string, form: Record<string, string> = {}): Promise<string> => {
    const request = { headers: {}, body: { ...assertionForm(assertion), ...form } }
    return authenticate(request).then(
      () => 'accepted',
      (error: unknown) => (error instanceof ClientAuthError ? error.reason : String(error))
    )
  }
}

const sign = (claims: Record<string, unknown> = {}, clientId = 'mobile') => keyAssertion(key, { clientId, claims })

afterEach(() => jest.useRealTimers())

describe('one assertion, one use', () => {
  // Threat 4: the same assertion twice (CVE-2020-5300)
  it.each([
    ['private_key_jwt', () => sign()],
    ['private_key_jwt without jti', () => sign({ jti: undefined })],
    ['client_secret_jwt', () => secretAssertion(secret, { clientId: 'batch' })],
    ['client_secret_jwt without jti', () => secretAssertion(secret, { clientId: 'batch', claims: { jti: undefined } })],
    ['a jti of 8,000 characters', () => sign({ jti: 'x'.repeat(8000) })],
    ['a jti of strange characters', () => sign({ jti: '\0\ud800"\\,[]' })],
    ['a jti named __proto__', () => sign({ jti: '__proto__' })]
  ])('%s: the second use is refused, again and again', async (_case, make) => {
    const authenticate = authenticator()
    const assertion = make()
    expect(await authenticate(assertion)).toBe('accepted')
    for (let i = 0; i < 3; i++) expect(await authenticate(assertion)).toBe('assertion_replayed')
  })

  // Threat 4: the same assertion a thousand times at once
  it('accepts exactly one of 1,000 concurrent uses, over HTTP', async () => {
    const server = createServer(tokenServer({}, ...clients)).listen({ port: 0, host: '127.0.0.1', backlog: 1000 })
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const body = new URLSearchParams(assertionForm(sign()))
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => fetch(`${url}/token`, { method: 'POST', body }))
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(999)
    await Promise.all(answers.map((answer) => answer.arrayBuffer()))
    server.close()
    server.closeAllConnections()
  }, 60_000)

  it('shares the store between endpoints that share the middleware', async () => {
    const authenticate = clientAuth({ issuer, getClient })
    const app = express()
    app.post(['/token', '/introspect'], authenticate, (_req, res) => void res.end())
    const form = assertionForm(sign())
    expect((await post(app, form)).status).toBe(200)
    expect((await request(app).post('/introspect').type('form').send(form)).status).toBe(401)
  })

  it('refuses another assertion with the same jti', async () => {
    const authenticate = authenticator()
    expect(await authenticate(sign({ jti: 'once', exp: now() + 60 }))).toBe('accepted')
    expect(await authenticate(sign({ jti: 'once', exp: now() + 600 }))).toBe('assertion_replayed')
  })

  // Threat 4: one client's `jti` blocking another's
  it('does not let one client use up the jti of another', async () => {
    const authenticate = authenticator()
    expect(await authenticate(sign({ jti: 'shared' }, 'mobile'))).toBe('accepted')
    expect(await authenticate(sign({ jti: 'shared' }, 'web'))).toBe('accepted')
    expect(await authenticate(sign({ jti: 'shared' }, 'web'))).toBe('assertion_replayed')
  })
})

describe('without jti', () => {
  /** ECDSA is malleable: (r, n - s) verifies wherever (r, s) does. */
  function mirrored(assertion: string): string {
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const [header, payload, signature = ''] = assertion.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const s = BigInt(`0x${bytes.toString('hex', 32)}`)
    bytes.write((n - s).toString(16).padStart(64, '0'), 32, 'hex')
    return [header, payload, bytes.toString('base64url')].join('.')
  }

  // Threat 4: the same assertion without `jti`, signed or encoded anew
  it('refuses the assertion again with the other signature of the same key', async () => {
    const authenticate = authenticator()
    const assertion = sign({ jti: undefined })
    // A first time it is as good as the original: so the refusal below is the store's.
    expect(await authenticator()(mirrored(assertion))).toBe('accepted')
    expect(await authenticate(assertion)).toBe('accepted')
    expect(mirrored(assertion)).not.toBe(assertion)
    expect(await authenticate(mirrored(assertion))).toBe('assertion_replayed')
  })

  it('refuses the same claims under a signature made afresh', async () => {
    const authenticate = authenticator()
    const claims = { jti: undefined, iat: now(), exp: now() + 60 }
    expect(await authenticate(sign(claims))).toBe('accepted')
    expect(await authenticate(sign(claims))).toBe('assertion_replayed')
    expect(await authenticate(sign({ ...claims, iat: claims.iat - 1 }))).toBe('accepted')
  })

  const lastBits = (part: string) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return part.slice(0, -1) + (alphabet[alphabet.indexOf(part.slice(-1)) ^ 1] ?? '')
  }
  const variants: [string, (part: string) => string][] = [
    ['padding', (part) => part.padEnd(Math.ceil(part.length / 4) * 4, '=')],
    ['too much padding', (part) => `${part}====`],
    ['unused last bits', lastBits],
    ['plain base64', (part) => part.replaceAll('-', '+').replaceAll('_', '/')],
    ['white space', (part) => `${part} `],
    ['a line break', (part) => `${part.slice(0, 4)}\n${part.slice(4)}`],
    ['an unknown character', (part) => `${part}!`],
    ['a NUL', (part) => `${part}\0`]
  ]
  const parts = [
    ['header', 0],
    ['payload', 1],
    ['signature', 2]
  ] as const
  const rows = variants.flatMap(([name, change]) => parts.map(([part, index]) => ({ name, part, index, change })))

  it.each(rows)('refuses the assertion again with $name in its $part', async ({ index, change }) => {
    const authenticate = authenticator()
    const assertion = sign({ jti: undefined })
    expect(await authenticate(assertion)).toBe('accepted')
    const again = assertion.split('.').map((part, i) => (i === index ? change(part) : part))
    expect(await authenticate(again.join('.'))).not.toBe('accepted')
  })
})

// Threat 4: a `jti` burned by an assertion that failed
describe('a refused assertion does not use up its jti', () => {
  const jti = 'wanted'
  const legacy = { legacyAudiences: () => [`${issuer}/token`] }
  const refusals: [reason: string, options: Options, make: () => string, form?: Record<string, string>][] = [
    ['signature_mismatch', {}, () => keyAssertion(stranger, { clientId: 'mobile', claims: { jti } })],
    ['assertion_audience', {}, () => sign({ jti, aud: 'https://other.example' })],
    ['assertion_audience', legacy, () => sign({ jti, aud: 'https://other.example' })],
    ['assertion_expired', {}, () => sign({ jti, exp: now() - 60 })],
    ['assertion_lifetime', {}, () => sign({ jti, exp: now() + 86_400 })],
    ['assertion_not_yet_valid', {}, () => sign({ jti, nbf: now() + 300 })],
    ['assertion_subject', {}, () => sign({ jti, iss: 'web' })],
    ['assertion_subject', {}, () => sign({ jti }), { client_id: 'web' }],
    ['multiple_mechanisms', {}, () => sign({ jti }), { client_id: 'mobile', client_secret: 'x' }],
    [
      'assertion_alg',
      { algorithms: ['ES256'] },
      () => secretAssertion(secret, { clientId: 'mobile', claims: { jti } })
    ],
    ['method_not_registered', {}, () => secretAssertion(secret, { clientId: 'mobile', claims: { jti } })]
  ]
  it.each(refusals)('%s', async (reason, options, make, form = {}) => {
    const authenticate = authenticator(options)
    expect(await authenticate(make(), form)).toBe(reason)
    expect(await authenticate(sign({ jti }))).toBe('accepted')
    expect(await authenticate(sign({ jti }))).toBe('assertion_replayed')
  })

  it.each([
    ['unknown_client', sign({}, 'nobody')],
    ['method_not_registered', sign({}, 'moved')],
    ['alg_not_registered', sign({}, 'rsa only')],
    ['assertion_replayed', sign()]
  ])('nothing but the last step asks the store: %s', async (reason, assertion) => {
    const consume = jest.fn(() => false)
    expect(await authenticator({ replayStore: { consume } })(assertion)).toBe(reason)
    expect(consume).toHaveBeenCalledTimes(reason === 'assertion_replayed' ? 1 : 0)
  })
})

describe('how long an entry is remembered', () => {
  it.each([
    [60, {}],
    [3600, {}],
    [60, { clockTolerance: 0 }],
    [60, { clockTolerance: 300 }],
    [59.25, { clockTolerance: 10.5 }]
  ])('until exp (in %d s) plus leeway (%j), to the last moment', async (life, options) => {
    const begin = 1_800_000_000
    jest.useFakeTimers({ now: begin * 1000, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'setTimeout'] })
    const { clockTolerance = 30 } = options as { clockTolerance?: number }
    const end = (begin + life + clockTolerance) * 1000
    const authenticate = authenticator(options)
    const assertion = sign({ exp: begin + life })
    expect(await authenticate(assertion)).toBe('accepted')
    jest.setSystemTime(end - 1000)
    expect(await authenticate(assertion)).toBe('assertion_replayed')
    jest.setSystemTime(end - 1)
    expect(await authenticate(assertion)).toMatch(/^assertion_(replayed|expired)$/)
    jest.setSystemTime(Math.ceil(end / 1000) * 1000)
    expect(await authenticate(assertion)).toBe('assertion_expired')
  })

  // Threat 4: an entry that expires before `exp` plus leeway
  it('tells the store an end that includes the leeway, in whole seconds', async () => {
    const entries: ReplayEntry[] = []
    const replayStore = { consume: (entry: ReplayEntry) => entries.push(entry) > 0 }
    const exp = now() + 60
    await authenticator({ replayStore, clockTolerance: 12 })(sign({ jti: 'a', exp: exp + 0.25 }))
    await authenticator({ replayStore })(sign({ jti: undefined, exp }))
    expect(entries).toEqual([
      { clientId: 'mobile', id: 'a', expiresAt: exp + 13 },
      { clientId: 'mobile', id: expect.stringMatching(/^[\w-]{43}$/), expiresAt: exp + 30 }
    ])
  })
})

describe('a store that cannot answer', () => {
  const full = createMemoryReplayStore({ maxEntries: 1 })
  void full.consume({ clientId: 'any', id: 'any', expiresAt: now() + 3600 })
  const hanging = createRedisReplayStore({ sendCommand: () => new Promise(() => undefined), timeout: 0.05 })
  const away = createRedisReplayStore({ sendCommand: () => Promise.reject(new Error('connection to 10.0.0.7 lost')) })
  const wrong = (reply: unknown) => ({ consume: () => reply }) as ReplayStore

  it.each([
    [
      'throws',
      {
        consume: () => {
          throw new Error('boom at db.internal')
        }
      },
      'replay_store_unavailable'
    ],
    ['rejects', { consume: () => Promise.reject(new Error('boom at db.internal')) }, 'replay_store_unavailable'],
    ['is full', full, 'replay_store_full'],
    ['hangs', hanging, 'replay_store_unavailable'],
    ['is away', away, 'replay_store_unavailable'],
    ['returns undefined', wrong(undefined), 'replay_store_unavailable'],
    ['returns 1', wrong(1), 'replay_store_unavailable'],
    ['returns a truthy object', wrong({}), 'replay_store_unavailable']
  ])('refuses with 503 when it %s', async (_case, replayStore, reason) => {
    expect(await authenticator({ replayStore })(sign())).toBe(reason)
    const { status, headers, body, text } = await post(tokenServer({ replayStore }, ...clients), assertionForm(sign()))
    expect({ status, error: body.error }).toEqual({ status: 503, error: 'temporarily_unavailable' })
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect(text).not.toMatch(/boom|internal|10\.0|lost|full/)
  })
})

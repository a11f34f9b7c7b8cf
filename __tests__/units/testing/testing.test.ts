import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import express from 'express'
import { importJWK, jwtVerify, type JWK } from 'jose'
import request from 'supertest'
import { clientAuth, createClientAuthenticator, validateClientMetadata, type OAuthClient } from '../../../lib'
import {
  createTestClient,
  type TestAlgorithm,
  type TestClientMethod,
  type TestClientOptions,
  type TestRequest,
  type TestRequestOptions
} from '../../../lib/testing'

const issuer = 'https://as.example.com'
const methods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'none'
] as const satisfies TestClientMethod[]
const hmacAlgorithms = ['HS256', 'HS384', 'HS512'] as const
const keyAlgorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const)
]
const signing = [
  ...hmacAlgorithms.map((alg) => ['client_secret_jwt', alg] as const),
  ...keyAlgorithms.map((alg) => ['private_key_jwt', alg] as const)
]

/** The registered clients of the server below. */
const registered = new Map<string, OAuthClient>()
/** A client that the server below knows. */
function register<M extends TestClientMethod>(method: M, options: Partial<TestClientOptions<M>> = {}) {
  const client = createTestClient({ client_id: `${method} ${options.alg ?? ''}`, method, issuer, ...options })
  registered.set(client.record.client_id, client.record)
  return client
}

/** Answers with the client and the method, or with the reason of its refusal. */
const app = express()
const authenticateClient = clientAuth({
  issuer,
  methods,
  getClient: (clientId) => registered.get(clientId),
  onError: (error, _req, res) => res.end(JSON.stringify({ reason: error.reason }))
})
app.post('/token', authenticateClient, (req, res) => {
  res.json({ client_id: req.oauthClient?.client_id, method: req.oauthClientAuth?.method, body: req.body })
})

let server: Server
beforeAll((done) => {
  // A connection that is idle while an RSA key is made must not be closed
  server = createServer({ keepAliveTimeout: 0 }, app).listen(0, '127.0.0.1', done)
})
afterAll((done) => {
  server.close(done)
})

/** Sends a request just as the test client made it. */
async function send(made: TestRequest): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, made)
  return (await response.json()) as Record<string, unknown>
}

describe('a right request is accepted', () => {
  test.each([...methods.map((method) => [method, undefined] as const), ...signing])('%s %s', async (method, alg) => {
    const client = register(method, { alg })
    const accepted = { client_id: client.record.client_id, method }
    expect(await send(client.request())).toMatchObject(accepted)
    expect(await send(client.request())).toMatchObject(accepted)
    expect(() => {
      validateClientMetadata({ ...client.record }, { methods })
    }).not.toThrow()
  })

  test('by supertest', async () => {
    const { headers, body } = register('private_key_jwt').request()
    const response = await request(app).post('/token').set(headers).send(body)
    expect(response.body).toMatchObject({ method: 'private_key_jwt' })
  })

  test('by authenticate()', async () => {
    const client = register('private_key_jwt')
    const authenticate = createClientAuthenticator({ issuer, getClient: () => client.record })
    const { headers, form } = client.request()
    expect((await authenticate({ headers, body: form })).client).toBe(client.record)
  })
})

test.each(signing)('an assertion of %s %s is verified by jose as well', async (method, alg) => {
  const { record, assertion } = register(method, { alg })
  const { client_id: subject, client_secret: secret = '', jwks } = record
  const options = {
    issuer: subject,
    subject,
    audience: issuer,
    algorithms: [alg],
    requiredClaims: ['jti', 'iat', 'exp']
  }
  const signed = assertion()
  const key = jwks === undefined ? Buffer.from(secret) : await importJWK(jwks.keys[0] as JWK, alg)
  const { protectedHeader } = await jwtVerify(signed, key, options)
  expect(protectedHeader).toEqual(method === 'private_key_jwt' ? { alg, kid: 'key-1' } : { alg })
})

const wrong: [title: string, TestClientMethod, TestRequestOptions, reason: string][] = [
  ['another secret, by basic', 'client_secret_basic', { tamper: 'secret' }, 'secret_mismatch'],
  ['another secret, by post', 'client_secret_post', { tamper: 'secret' }, 'secret_mismatch'],
  ['another secret under the MAC', 'client_secret_jwt', { tamper: 'secret' }, 'signature_mismatch'],
  ['one bit of the MAC', 'client_secret_jwt', { tamper: 'signature' }, 'signature_mismatch'],
  ['claims changed under the MAC', 'client_secret_jwt', { tamper: 'claims' }, 'signature_mismatch'],
  ['another key under the same kid', 'private_key_jwt', { tamper: 'key' }, 'signature_mismatch'],
  ['one bit of the signature', 'private_key_jwt', { tamper: 'signature' }, 'signature_mismatch'],
  ['claims changed after signing', 'private_key_jwt', { tamper: 'claims' }, 'signature_mismatch'],
  ['another aud', 'private_key_jwt', { claims: { aud: 'https://other.example' } }, 'assertion_audience'],
  ['no exp', 'private_key_jwt', { claims: { exp: undefined } }, 'assertion_exp'],
  ['another sub', 'client_secret_jwt', { claims: { sub: 'other' } }, 'assertion_subject'],
  ['an empty jti', 'client_secret_jwt', { claims: { jti: '' } }, 'assertion_jti'],
  ['an access token', 'private_key_jwt', { header: { typ: 'at+jwt' } }, 'assertion_typ'],
  ['alg none, unsigned', 'private_key_jwt', { header: { alg: 'none' } }, 'assertion_alg'],
  ['another alg in the header', 'private_key_jwt', { header: { alg: 'ES384' } }, 'alg_not_registered'],
  ['a kid that nobody has', 'private_key_jwt', { header: { kid: 'key-2' } }, 'no_matching_key'],
  ['signed ten minutes ago', 'private_key_jwt', { now: Date.now() / 1000 - 600 }, 'assertion_expired'],
  ['a clock ten minutes ahead', 'private_key_jwt', { now: new Date(Date.now() + 600_000) }, 'assertion_not_yet_valid'],
  ['no type of the assertion', 'private_key_jwt', { params: { client_assertion_type: undefined } }, 'assertion_type'],
  ['a parameter twice', 'client_secret_post', { params: { client_id: ['a', 'b'] } }, 'parameter_repeated'],
  ['no header', 'client_secret_basic', { headers: { Authorization: undefined } }, 'no_credentials'],
  ['two mechanisms', 'private_key_jwt', { headers: { Authorization: 'Basic YTpi' } }, 'multiple_mechanisms'],
  ['another content type', 'none', { headers: { 'Content-Type': 'text/plain' } }, 'body_content_type'],
  ['a client that nobody knows', 'none', { params: { client_id: 'nobody' } }, 'unknown_client']
]
test.each(wrong)('%s (%s): the difference is made, and the server sees it', async (_title, method, options, reason) => {
  const client = register(method)
  expect(await send(client.request(options))).toEqual({ reason })
  expect(await send(client.request())).toMatchObject({ method })
})

test('alg none leaves the signature empty', () => {
  expect(register('private_key_jwt').assertion({ header: { alg: 'none' } })).toMatch(/^[\w-]+\.[\w-]+\.$/)
})

test('params and headers reach the server as they are given', async () => {
  const client = register('private_key_jwt')
  const { body } = await send(client.request({ params: { grant_type: 'refresh_token', resource: ['a', 'b'] } }))
  expect(body).toMatchObject({ grant_type: 'refresh_token', resource: ['a', 'b'] })
  expect(client.request({ headers: { 'X-Trace': '1' } }).headers).toMatchObject({ 'x-trace': '1' })
})

test('one request sent twice is a replay', async () => {
  const made = register('private_key_jwt').request()
  expect(await send(made)).toMatchObject({ method: 'private_key_jwt' })
  expect(await send(made)).toEqual({ reason: 'assertion_replayed' })
})

test.each<[TestClientMethod, TestClientMethod, string]>([
  ['private_key_jwt', 'private_key_jwt', 'signature_mismatch'],
  ['private_key_jwt', 'client_secret_post', 'method_not_registered'],
  ['client_secret_basic', 'client_secret_basic', 'secret_mismatch']
])('an impostor of %s by %s, made with the same id, is refused', async (method, other, reason) => {
  const { record } = register(method)
  const impostor = createTestClient({ client_id: record.client_id, method: other, issuer })
  expect(await send(impostor.request())).toEqual({ reason })
})

test('a weak key is refused', async () => {
  const client = register('private_key_jwt', { alg: 'RS256', modulusLength: 1024 })
  expect(await send(client.request())).toEqual({ reason: 'no_matching_key' })
})

test('a key is made anew by each call, and the private one is nowhere to be read', () => {
  const [one, other] = [register('private_key_jwt'), register('private_key_jwt', { kid: 'key-2' })]
  expect(one.record.jwks.keys[0]).toMatchObject({ kty: 'EC', kid: 'key-1', use: 'sig', alg: 'ES256' })
  expect(other.record.jwks.keys[0]).toMatchObject({ kid: 'key-2' })
  expect(one.record.jwks.keys[0]?.['x']).not.toBe(other.record.jwks.keys[0]?.['x'])
  expect(inspect(one, { depth: null, showHidden: true })).not.toMatch(/\bd: |PrivateKey|PRIVATE/)
  expect(register('client_secret_post').record.client_secret).not.toBe(
    register('client_secret_post').record.client_secret
  )
})

describe('the clock', () => {
  const timesOf = (assertion: string): unknown => {
    const { iat, exp } = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as {
      iat: number
      exp: number
    }
    return { iat, exp }
  }
  const client = (now?: () => Date | number) =>
    createTestClient({ client_id: 'app', method: 'client_secret_jwt', issuer, now })

  afterEach(() => jest.useRealTimers())

  test('is that of the process, so fake timers move it', () => {
    jest.useFakeTimers({ now: 1_000_000 })
    expect(timesOf(client().assertion())).toEqual({ iat: 1000, exp: 1060 })
    jest.setSystemTime(2_000_999)
    expect(timesOf(client().assertion())).toEqual({ iat: 2000, exp: 2060 })
  })

  test.each([
    ['seconds', 5000.9],
    ['a Date', new Date(5_000_999)]
  ])('may be a function that returns %s', (_title, time) => {
    expect(timesOf(client(() => time).assertion())).toEqual({ iat: 5000, exp: 5060 })
  })

  test('of one assertion goes before that of the client', () => {
    expect(timesOf(client(() => 5000).assertion({ now: 7000 }))).toEqual({ iat: 7000, exp: 7060 })
    expect(timesOf(client(() => 5000).assertion({ claims: { exp: 6000 } }))).toEqual({ iat: 5000, exp: 6000 })
  })
})

describe('what cannot be meant is a TypeError that names the fix', () => {
  const make = (options: object) => () => createTestClient(options as TestClientOptions)
  const right = { client_id: 'app', method: 'private_key_jwt', issuer }

  test.each([
    ['no id', { method: 'none' }, 'option "client_id" is required'],
    ['no method', { client_id: 'app' }, 'option "method" is required'],
    ['another method', { ...right, method: 'tls' }, 'option "method" must be one of client_secret_basic, '],
    ['no issuer', { ...right, issuer: undefined }, 'option "issuer" is required for private_key_jwt'],
    ['a misspelt option', { ...right, algorithm: 'ES256' }, 'unknown option "algorithm"'],
    [
      'an alg of the other family',
      { ...right, alg: 'HS256' },
      'option "alg" is HS256, but the method is private_key_jwt'
    ],
    ['alg without a signature', { client_id: 'app', method: 'none', alg: 'ES256' }, 'which signs nothing'],
    ['alg none', { ...right, alg: 'none' }, 'option "alg" must be one of HS256, '],
    ['a key of no length', { ...right, modulusLength: 0 }, 'option "modulusLength" must be bits'],
    ['a clock that stands', { ...right, now: 5 }, 'option "now" must be a function']
  ])('%s', (_title, options, message) => {
    expect(make(options)).toThrow(TypeError)
    expect(make(options)).toThrow(message)
  })

  test.each<[string, TestClientMethod, object, string]>([
    [
      'claims of a secret',
      'client_secret_basic',
      { claims: {} },
      'option "claims": client_secret_basic sends no assertion'
    ],
    [
      'a header of a secret',
      'client_secret_post',
      { header: {} },
      'option "header": client_secret_post sends no assertion'
    ],
    ['a time of a secret', 'none', { now: 5 }, 'option "now": none sends no assertion'],
    ['another key of a secret', 'client_secret_post', { tamper: 'key' }, 'option "tamper" must be one of secret'],
    ['another secret of a key', 'private_key_jwt', { tamper: 'secret' }, 'must be one of key, signature, claims'],
    ['anything to spoil of a public client', 'none', { tamper: 'key' }, 'option "tamper" must be left out for none'],
    ['milliseconds', 'private_key_jwt', { now: Date.now() }, 'a Date, or seconds since the epoch (not milliseconds)'],
    ['a Date that is none', 'private_key_jwt', { now: new Date('x') }, 'a Date, or seconds'],
    ['a misspelt difference', 'private_key_jwt', { claim: {} }, 'unknown option "claim"; did you mean "claims"?']
  ])('a request with %s', (_title, method, options, message) => {
    const client = register(method)
    expect(() => client.request(options)).toThrow(TypeError)
    expect(() => client.request(options)).toThrow(message)
  })

  test('an assertion of a secret', () => {
    expect(() => register('client_secret_post').assertion()).toThrow('assertion: client_secret_post sends no assertion')
  })

  test('params of an assertion', () => {
    expect(() => register('private_key_jwt').assertion({ params: {} } as object)).toThrow('unknown option "params"')
  })

  test('a clock that gives milliseconds', () => {
    const client = register('private_key_jwt', { now: () => Date.now() })
    expect(() => client.request()).toThrow('now must return a Date, or seconds since the epoch')
  })
})

test('all fourteen names of algorithms are there', () => {
  const all = [...hmacAlgorithms, ...keyAlgorithms] satisfies TestAlgorithm[]
  expect(new Set(all).size).toBe(14)
  // @ts-expect-error: another name is none of them
  expect(all.includes('none')).toBe(false)
})

test('the unsigned assertion of a test client cannot be spoilt further: it has no signature', () => {
  const client = createTestClient({ client_id: 'c', method: 'private_key_jwt', issuer })
  const assertion = client.assertion({ header: { alg: 'none' }, tamper: 'signature' })
  expect(assertion).toMatch(/^[\w-]+\.[\w-]+\.$/)
})

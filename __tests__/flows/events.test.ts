// What the log is told of every outcome, and what it is never told.
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import express from 'express'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import request from 'supertest'
import {
  clientAuth,
  createBrake,
  createClientDocuments,
  createMemoryReplayStore,
  createRedisReplayStore,
  rememberSecrets,
  type ClientAuthError,
  type ClientAuthMethod,
  type OAuthClient,
  type ClientCertificates,
  type TrustedIssuer
} from '../../lib'
import { CertificateSourceError } from '../../lib/certificates/certificate-source'
import { reasons } from '../../lib/refusals/reasons'
import { x509 } from '../support/client-certificates'
import {
  assertionForm,
  basic,
  issuer,
  jws,
  JWT_BEARER,
  keyAssertion,
  keyFor,
  makeKey,
  secretAssertion
} from '../support/assertions'
import { clientsOf, post, type Options } from '../support/token-server'

const key = keyFor('ES256')
const stranger = makeKey('ES256', key.kid)
const secret = 'the secret of all clients here, of over sixty-four octets for HS512'
const short = 'a short secret, 22 ch.'
const bcryptHash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'
const odd = 'a secret with one + more, in need of encoding'
const method = (token_endpoint_auth_method: string) => ({ token_endpoint_auth_method })
const keys = { jwks: { keys: [key.jwk] } }
const clients: OAuthClient[] = [
  { client_id: 'basic', client_secret: secret },
  { client_id: 'odd', client_secret: odd },
  { client_id: 'bare' },
  { client_id: 'hashed', client_secret: bcryptHash },
  { client_id: 'post', client_secret: secret, ...method('client_secret_post') },
  { client_id: 'hmac', client_secret: secret, ...method('client_secret_jwt') },
  { client_id: 'short', client_secret: short, ...method('client_secret_jwt') },
  { client_id: 'key', ...keys, ...method('private_key_jwt') },
  { client_id: 'other alg', ...keys, ...method('private_key_jwt'), token_endpoint_auth_signing_alg: 'PS256' },
  { client_id: 'keyless', ...method('private_key_jwt') },
  { client_id: 'leaky', jwks: { keys: [{ ...key.jwk, d: secret }] }, ...method('private_key_jwt') },
  { client_id: 'federated', ...method('federated_jwt') },
  { client_id: 'unreachable', jwks_uri: 'https://localhost/', ...method('private_key_jwt') }
]

const { getClient } = clientsOf(...clients)

interface Attempt {
  form?: () => Record<string, string> | string
  authorization?: string
  type?: string
  options?: Options
  /** Sent this often; the last time counts. */
  times?: number
}

const by = (clientId: string, claims = {}, header = {}) =>
  assertionForm(keyAssertion(key, { clientId, claims, header }))
const again = by('key')
const full = createMemoryReplayStore({ maxEntries: 1 })
const broken = createRedisReplayStore({
  sendCommand: (args) => Promise.reject(new Error(`READONLY ${args.join(' ')}`))
})
const busy = rememberSecrets(() => new Promise<boolean>(() => undefined))

/** What a sender may put into any claim: for the facts of an error, and for nothing else. */
const told = 'a text that the sender has chosen \u001b[2J\n, ä'

/** A `client_id` alone, and a certificate from a source that gives it, or throws as a proxy's does. */
const withCertificate = (get: () => unknown, record: Partial<OAuthClient> = {}): Attempt => ({
  form: () => ({ client_id: 'tls' }),
  options: {
    methods: ['tls_client_auth', 'self_signed_tls_client_auth'],
    clientCertificates: { get } as ClientCertificates,
    getClient: () => ({
      client_id: 'tls',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=bank.example,O=Bank AG,C=DE',
      ...record
    })
  }
})
const shows =
  (id: string, verified = true) =>
  () => ({ certificate: x509(id), verified })
const refuses = (why: 'header' | 'proxy') => () => {
  throw new CertificateSourceError(why, told)
}
const bound: Partial<OAuthClient> = {
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk] },
  tls_client_certificate_bound_access_tokens: true
}

/** A server that trusts an issuer whose keys are there. */
const trusting = (entry: TrustedIssuer): Options => ({
  methods: ['federated_jwt', 'private_key_jwt'],
  keySets: { get: () => Promise.reject(new Error('away')) },
  trustedIssuers: { 'https://idp.example': entry }
})

/** The token of that issuer for a subject. */
const fromIdp = (sub: string) => ({ ...by('key', { iss: 'https://idp.example', sub }), client_id: 'federated' })

/** DNS gives no answer, so that every document is out of reach. */
const silent = () => Promise.reject(new Error('no answer'))
const documents = createClientDocuments({
  allow: ['app.example'],
  resolver: () => ({ resolve4: silent, resolve6: silent, cancel: () => undefined })
})
const documentClients: Options = { getClient: (id) => documents.get(id) }
const fromDocument = (id: string) => ({ client_id: id, client_secret: secret })

const attempts: Partial<Record<keyof typeof reasons, Attempt>> = {
  certificate_missing: withCertificate(() => undefined),
  certificate_header: withCertificate(refuses('header')),
  certificate_proxy: withCertificate(refuses('proxy')),
  certificate_expired: withCertificate(shows('bank-expired')),
  certificate_weak: withCertificate(shows('bank-rsa1024')),
  certificate_unverified: withCertificate(shows('bank', false)),
  certificate_subject: withCertificate(shows('shop')),
  certificate_subject_form: withCertificate(shows('dn-upper')),
  certificate_subject_not_registered: withCertificate(shows('bank'), { tls_client_auth_subject_dn: null }),
  certificate_not_registered: withCertificate(shows('self-attacker'), {
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [key.jwk] }
  }),
  certificate_required: {
    form: () => ({ ...by('tls'), grant_type: 'client_credentials' }),
    options: { ...withCertificate(() => undefined, bound).options, methods: ['private_key_jwt'] }
  },
  body_content_type: { form: () => `client_secret=${secret}`, type: 'text/plain' },
  body_unreadable: { form: () => ({ client_id: 'post', client_secret: secret }), type: 'encoded' },
  body_too_large: { form: () => ({ client_id: 'post', client_secret: secret }), options: { bodyLimit: 10 } },
  parameter_repeated: { form: () => `client_id=post&client_secret=${secret}&client_secret=${secret}` },
  parameter_malformed: { form: () => ({ client_id: 'post', client_secret: `${secret}\n` }) },
  authorization_repeated: { authorization: `${basic('basic', secret)}, ${basic('basic', secret)}` },
  multiple_mechanisms: { authorization: basic('basic', secret), form: () => ({ client_secret: secret }) },
  client_id_conflict: { authorization: basic('basic', secret), form: () => ({ client_id: 'post' }) },
  client_id_missing: { form: () => ({ client_secret: secret }) },
  assertion_type: { form: () => ({ ...by('key'), client_assertion_type: `urn: ${told}` }) },
  assertion_missing: { form: () => ({ client_assertion_type: JWT_BEARER, client_secret: secret, client_id: 'post' }) },
  assertion_parameter: { form: () => ({ assertion: keyAssertion(key, { clientId: 'key' }) }) },
  no_credentials: {},
  authorization_scheme: { authorization: `Bearer ${secret.replaceAll(' ', '-')}` },
  basic_malformed: { authorization: `Basic ${Buffer.from(`basic:${secret}%`).toString('base64')}` },
  basic_without_secret: { authorization: basic('basic', '') },
  method_not_supported: { authorization: basic('basic', secret), options: { methods: ['private_key_jwt'] } },
  secret_hashed: {
    form: () => assertionForm(secretAssertion(secret, { clientId: 'hmac' })),
    options: { verifySecret: () => true }
  },
  assertion_malformed: { form: () => assertionForm(`${keyAssertion(key, { clientId: 'key' })}.${secret}`) },
  assertion_alg: { form: () => assertionForm(jws({ alg: 'none' }, { sub: 'key', jti: secret }, 'none', '')) },
  assertion_typ: { form: () => by('key', {}, { typ: told }) },
  assertion_crit: { form: () => by('key', {}, { crit: [told] }) },
  assertion_issuer: { form: () => ({ ...by('key', { iss: told }), client_id: 'key' }), options: trusting(keys) },
  assertion_subject: { form: () => by('key', { iss: told }) },
  assertion_audience: { form: () => by('key', { aud: told }) },
  assertion_exp: { form: () => by('key', { exp: told }) },
  assertion_expired: { form: () => by('key', { exp: 1 }) },
  assertion_lifetime: { form: () => by('key', { exp: 1e10 }) },
  assertion_not_yet_valid: { form: () => by('key', { nbf: told }) },
  assertion_milliseconds: { form: () => by('key', { exp: Date.now() }) },
  assertion_jti: { form: () => by('key', { jti: [told] }) },
  assertion_replayed: { form: () => again, times: 2 },
  unknown_client: { authorization: basic('nobody', secret) },
  method_not_registered: { authorization: basic('post', secret) },
  secret_mismatch: { authorization: basic('basic', `${secret}, nearly`) },
  secret_not_form_encoded: { authorization: `Basic ${Buffer.from(`odd:${odd}`).toString('base64')}` },
  no_live_secret: { authorization: basic('bare', secret) },
  secret_stored_as_hash: { authorization: basic('hashed', bcryptHash) },
  alg_not_registered: { form: () => by('other alg') },
  keys_not_registered: { form: () => by('keyless') },
  jwks_invalid: { form: () => by('leaky') },
  jwks_unavailable: { form: () => by('unreachable') },
  no_matching_key: { form: () => by('key', {}, { kid: 'unknown' }) },
  signature_mismatch: { form: () => assertionForm(keyAssertion(stranger, { clientId: 'key' })) },
  federated_subject: { form: () => fromIdp(told), options: trusting(keys) },
  issuer_unavailable: { form: () => fromIdp(told), options: trusting({ jwks_uri: 'https://localhost/' }) },
  client_document_url: { form: () => fromDocument('https://evil.example/client'), options: documentClients },
  client_document_unavailable: { form: () => fromDocument('https://app.example/client'), options: documentClients },
  secret_too_short: { form: () => assertionForm(secretAssertion(short, { clientId: 'short' })) },
  replay_store_unavailable: { form: () => by('key'), options: { replayStore: broken } },
  replay_store_full: { form: () => by('key'), options: { replayStore: full }, times: 2 }
}

type Event = Record<string, unknown>
const authenticated: Event[] = []
const rejected: Event[] = []
const noteAuthenticated = (event: unknown) => authenticated.push(event as Event)
const noteRejected = (event: unknown) => rejected.push(event as Event)
beforeEach(() => {
  authenticated.length = rejected.length = 0
  subscribe('oauth-client-auth:authenticated', noteAuthenticated)
  subscribe('oauth-client-auth:rejected', noteRejected)
})
afterEach(() => {
  unsubscribe('oauth-client-auth:authenticated', noteAuthenticated)
  unsubscribe('oauth-client-auth:rejected', noteRejected)
})

/** An app that keeps every error, and whose stores live as long as it does. */
function observed(options: Options = {}) {
  const errors: ClientAuthError[] = []
  const app = express()
  const onError: Options['onError'] = (error, _req, res) => {
    errors.push(error)
    res.statusCode = error.status
    res.end(JSON.stringify(error))
  }
  app.post('/token', clientAuth({ issuer, getClient, onError, ...options }), (_req, res) => {
    res.end()
  })
  return { app, errors }
}

async function perform(app: express.Express, { form = () => '', authorization, type, times = 1 }: Attempt) {
  const headers = {
    ...(authorization === undefined ? {} : { Authorization: authorization }),
    ...(type === undefined ? {} : type === 'encoded' ? { 'Content-Encoding': 'gzip' } : { 'Content-Type': type })
  }
  let text = ''
  for (let i = 0; i < times; i++) {
    const body = form()
    text = typeof body === 'string' ? body : new URLSearchParams(body).toString()
    await post(app, text, headers)
  }
  return { text, authorization }
}

/** Everything that a careless logger could print of it. */
const printed = (value: unknown): string =>
  [
    inspect(value, { depth: Infinity, showHidden: true, getters: true }),
    (value as Error).stack,
    JSON.stringify(value)
  ].join('\n')

/** Every text in a value, at any depth. */
const textsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Object.values(Object(value) as object).flatMap((member) => textsIn(member))

/** Whatever must not be read in a log: as it was sent, decoded, and in its parts. */
function hiddenIn({ text, authorization = '' }: { text: string; authorization?: string | undefined }): string[] {
  const values = [...new URLSearchParams(text)]
    .filter(([name]) => /secret|assertion$/.test(name))
    .map(([, value]) => value)
  const [, token = ''] = authorization.split(' ')
  const parts = values.flatMap((value) => value.split('.'))
  // What is shorter occurs in any text
  const known = [secret, short, odd, key.jwk['x'] as string, authorization, token, ...values, ...parts]
  return known.filter((value) => value.length >= 20 && value !== JWT_BEARER)
}

describe.each(Object.entries(attempts))('%s', (reason, attempt) => {
  // Threat 46: a claim or a type whose text, in a log, a terminal obeys
  test('is told in one event, and neither the event nor the error holds a secret, an assertion or a header', async () => {
    const { app, errors } = observed(attempt.options)
    const sent = await perform(app, attempt)
    const [event] = rejected.slice(-1)
    expect(event).toMatchObject({
      reason,
      durationMs: expect.any(Number),
      request: expect.objectContaining({ url: '/token' })
    })
    expect(rejected).toHaveLength(
      reason === 'assertion_replayed' || reason === 'replay_store_full' ? 1 : (attempt.times ?? 1)
    )

    const { request: theirs, ...ours } = event!
    expect(errors).toContain(ours['error'])
    expect(theirs).toHaveProperty('headers')
    expect(
      Object.keys(ours).filter((name) => !['method', 'clientId', 'kid', 'reason', 'error', 'durationMs'].includes(name))
    ).toEqual([])
    const texts = [ours, ...errors].map(printed).join('\n')
    for (const value of hiddenIn(sent)) expect(texts).not.toContain(value)
    // The facts may quote a claim, but no secret
    const facts = errors.map(({ detail }) => printed(detail ?? {})).join('\n')
    for (const value of hiddenIn(sent)) expect(facts).not.toContain(value)
    // Nothing that moves the cursor of who reads the log
    for (const text of [...errors.flatMap(({ message, detail }) => [message, ...textsIn(detail)]), String(ours['kid'])])
      expect(text).toMatch(/^[ -~]*$/)
  })
})

test('every reason a request can end with is tried above', () => {
  // They end no request, or only one of many, or need a host of documents: tests of these subjects have them
  const others = [
    ...['invalid_client_metadata', 'secret_verifier_busy', 'too_many_failures'],
    ...['client_document_invalid', 'client_keys_unavailable']
  ]
  expect(Object.keys(attempts).sort()).toEqual(
    Object.keys(reasons)
      .filter((reason) => !others.includes(reason))
      .sort()
  )
})

describe('a success', () => {
  const good: [string, Attempt, Event][] = [
    ['client_secret_basic', { authorization: basic('basic', secret) }, { clientId: 'basic' }],
    ['client_secret_post', { form: () => ({ client_id: 'post', client_secret: secret }) }, { clientId: 'post' }],
    [
      'client_secret_jwt',
      { form: () => assertionForm(secretAssertion(secret, { clientId: 'hmac' })) },
      { clientId: 'hmac' }
    ],
    ['private_key_jwt', { form: () => by('key') }, { clientId: 'key', kid: key.kid }]
  ]
  test.each(good)('by %s is told with who, how and how long', async (name, attempt, known) => {
    const sent = await perform(observed().app, attempt)
    const [{ request: theirs, ...ours }] = authenticated as [Event]
    expect(theirs).toHaveProperty('headers')
    expect(ours).toMatchObject({ method: name, ...known, durationMs: expect.any(Number) })
    expect(Object.keys(ours).filter((name) => !['method', 'clientId', 'kid', 'durationMs'].includes(name))).toEqual([])
    for (const value of hiddenIn(sent)) expect(printed(ours)).not.toContain(value)
    expect(rejected).toEqual([])
  })
})

test('a hostile kid is told in printable ASCII, and not all of it', async () => {
  await perform(observed().app, { form: () => by('key', {}, { kid: `\u001b[2J\n${'x'.repeat(1000)}` }) })
  expect(rejected[0]?.['kid']).toMatch(/^[ -~]{256}$/)
})

test('neither the middleware nor what it remembers can be printed', async () => {
  const app = observed().app
  await perform(app, { authorization: basic('basic', secret) })
  const middleware = clientAuth({ issuer, getClient })
  for (const value of [middleware, createMemoryReplayStore(), busy]) expect(printed(value)).not.toContain(secret)
})

test('nothing is written to the console', async () => {
  const written = (['stdout', 'stderr'] as const).map((name) => jest.spyOn(process[name], 'write'))
  const logged = (['log', 'error', 'warn', 'info', 'debug'] as const).map((name) => jest.spyOn(console, name))
  await perform(observed().app, { form: () => by('leaky') })
  await perform(observed().app, { authorization: basic('basic', secret) })
  for (const spy of [...written, ...logged]) expect(spy).not.toHaveBeenCalled()
  jest.restoreAllMocks()
})

test('without a subscriber there is nothing to tell', async () => {
  unsubscribe('oauth-client-auth:authenticated', noteAuthenticated)
  unsubscribe('oauth-client-auth:rejected', noteRejected)
  const publish = jest.spyOn(channel('oauth-client-auth:rejected'), 'publish')
  await perform(observed().app, { authorization: basic('basic', 'wrong') })
  expect(publish).not.toHaveBeenCalled()
  publish.mockRestore()
})

describe('what docs/events.md shows', () => {
  test('an audit line and a counter for each reason', async () => {
    const lines: string[] = []
    const counters = new Map<string, number>()
    const audit = (event: unknown) => {
      const { clientId, method: how, kid, reason = 'none', durationMs, request: req } = event as Event
      const { socket } = req as { socket: { remoteAddress?: string } }
      counters.set(String(reason), (counters.get(String(reason)) ?? 0) + 1)
      lines.push(
        JSON.stringify({
          reason,
          clientId,
          method: how,
          kid,
          address: socket.remoteAddress,
          ms: Math.round(Number(durationMs))
        })
      )
    }
    subscribe('oauth-client-auth:rejected', audit)
    const { app } = observed()
    for (const password of ['a', 'b', 'c']) await perform(app, { authorization: basic('basic', password) })
    await perform(app, { authorization: basic('nobody', 'x') })
    unsubscribe('oauth-client-auth:rejected', audit)
    expect(Object.fromEntries(counters)).toEqual({ secret_mismatch: 3, unknown_client: 1 })
    expect(JSON.parse(lines[0]!)).toMatchObject({
      reason: 'secret_mismatch',
      clientId: 'basic',
      method: 'client_secret_basic'
    })
  })

  test('guessing is braked for the one client from the one address, by failures alone', async () => {
    const limiter = new RateLimiterMemory({ points: 3, duration: 60 })
    const authenticate = clientAuth({ issuer, getClient })
    const app = express()
    app.post('/token', createBrake({ limiter }).over(authenticate), authenticate, (_req, res) => void res.end())
    const ask = (authorization: string) => request(app).post('/token').set('Authorization', authorization)
    const statuses = []
    for (const password of [secret, 'a', 'b', secret, 'c', 'd', secret])
      statuses.push((await ask(basic('basic', password))).status)
    expect(statuses).toEqual([200, 401, 401, 200, 401, 429, 429])
    expect((await ask(basic('odd', odd))).status).toBe(200)
    // The same id, spelt otherwise, has no limit of its own
    for (const id of ['%62asic', 'b%61sic', '%62%61%73%69%63']) {
      const spelt = Buffer.from(`${id}:${new URLSearchParams({ '': secret }).toString().slice(1)}`).toString('base64')
      expect((await ask(`Basic ${spelt}`)).status).toBe(429)
    }
  })
})

describe('a throw of the application', () => {
  const failed: Event[] = []
  const noteFailed = (event: unknown) => failed.push(event as Event)
  beforeEach(() => {
    failed.length = 0
    subscribe('oauth-client-auth:failed', noteFailed)
  })
  afterEach(() => {
    unsubscribe('oauth-client-auth:failed', noteFailed)
  })

  const broken = new Error('the database is down')
  const fail = () => {
    throw broken
  }
  const throws: [string, Options, Attempt, string, string][] = [
    ['getClient', { getClient: fail }, { authorization: basic('basic', secret) }, 'basic', 'client_secret_basic'],
    ['verifySecret', { verifySecret: fail }, { authorization: basic('basic', secret) }, 'basic', 'client_secret_basic'],
    ['legacyAudiences', { legacyAudiences: fail }, { form: () => by('key') }, 'key', 'private_key_jwt']
  ]
  test.each(throws)(
    'of %s is told once as failed, with its error',
    async (_name, options, attempt, clientId, method) => {
      const { app, errors } = observed(options)
      app.use(((_error, _req, res, _next) => {
        res.status(500).end()
      }) as express.ErrorRequestHandler)
      const sent = await perform(app, attempt)
      expect(failed).toHaveLength(1)
      const [{ request: theirs, ...ours }] = failed as [Event]
      expect(theirs).toHaveProperty('url', '/token')
      expect(ours).toMatchObject({ error: broken, clientId, method, durationMs: expect.any(Number) as number })
      expect([rejected, authenticated, errors]).toEqual([[], [], []])
      for (const value of hiddenIn(sent)) expect(printed(ours)).not.toContain(value)
    }
  )

  test('that is no Error is told as one, with what was thrown as its cause', async () => {
    const { app } = observed({
      getClient: () => {
        throw 'down' // oxlint-disable-line typescript/only-throw-error
      }
    })
    app.use(((_error, _req, res, _next) => {
      res.status(500).end()
    }) as express.ErrorRequestHandler)
    await perform(app, { authorization: basic('basic', secret) })
    expect(failed).toMatchObject([{ error: { cause: 'down' } }])
  })

  test('a refusal is no failure', async () => {
    await perform(observed().app, { authorization: basic('nobody', secret) })
    expect(failed).toEqual([])
    expect(rejected).toHaveLength(1)
  })
})

describe('the claimed client is told also where the request is refused before the subject is judged', () => {
  const early: [string, Attempt][] = [
    ['assertion_typ', { form: () => by('key', {}, { typ: 'at+jwt' }) }],
    ['assertion_alg', { form: () => by('key', {}, { alg: 'XS999' }) }],
    ['assertion_audience', { form: () => by('key', { aud: told }) }],
    ['assertion_type', { form: () => ({ client_assertion: keyAssertion(key, { clientId: 'key' }) }) }],
    ['multiple_mechanisms', { authorization: basic('key', secret), form: () => ({ client_secret: secret }) }]
  ]
  test.each(early)('%s', async (reason, attempt) => {
    const { app, errors } = observed()
    await perform(app, attempt)
    expect(rejected).toMatchObject([{ reason, clientId: 'key', error: { reason, clientId: 'key' } }])
    expect(errors[0]?.detail).toEqual((rejected[0]?.['error'] as ClientAuthError | undefined)?.detail)
  })
})

describe('the method that a request claims is told, as far as the request alone tells', () => {
  const foreign = (claims: object) => ({ ...by('key', claims), client_id: 'federated' })
  const bare = (...methods: ClientAuthMethod[]): Options => ({
    methods,
    ...(methods.some((name) => name !== 'none') && { clientCertificates: { get: () => undefined } })
  })
  const claims: [string, Attempt, string | undefined][] = [
    ['Basic', { authorization: basic('nobody', secret) }, 'client_secret_basic'],
    ['Basic that cannot be read', { authorization: 'Basic x' }, 'client_secret_basic'],
    ['client_secret', { form: () => ({ client_id: 'nobody', client_secret: secret }) }, 'client_secret_post'],
    ['an assertion', { form: () => by('nobody') }, 'private_key_jwt'],
    [
      'an assertion with HMAC',
      { form: () => assertionForm(secretAssertion(secret, { clientId: 'nobody' })) },
      'client_secret_jwt'
    ],
    ['an assertion with an unknown alg', { form: () => by('key', {}, { alg: 'XS999' }) }, undefined],
    ['what is no assertion', { form: () => assertionForm('x') }, undefined],
    [
      'a token of another issuer',
      { form: () => foreign({ iss: 'https://idp.example' }), options: trusting(keys) },
      'federated_jwt'
    ],
    ['client_id alone', { form: () => ({ client_id: 'nobody' }), options: bare('none') }, 'none'],
    [
      'client_id alone, where it goes with a certificate',
      { form: () => ({ client_id: 'nobody' }), options: bare('tls_client_auth') },
      'tls_client_auth'
    ],
    [
      'client_id alone, where it may mean two methods',
      { form: () => ({ client_id: 'nobody' }), options: bare('none', 'tls_client_auth') },
      undefined
    ],
    ['client_id alone, where it is no credential', { form: () => ({ client_id: 'nobody' }) }, undefined],
    ['nothing', { options: bare('none') }, undefined]
  ]
  test.each(claims)('%s', async (_name, attempt, method) => {
    await perform(observed(attempt.options).app, attempt)
    expect(rejected.map((event) => event['method'])).toEqual([method])
  })
})

import { X509Certificate } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import express from 'express'
import request from 'supertest'
import {
  clientAuth,
  createClientAuthenticator,
  createMemoryReplayStore,
  createTlsCertificates,
  type ClientAuthMethod,
  type ClientAuthOptions,
  type ClientCertificates,
  type OAuthClient,
  type RejectedEvent
} from '../../lib'
import { assertionForm, basic, issuer, jws, now } from '../support/assertions'
import { encoded } from '../support/certificate-headers'
import { certificate, publicJwk, x509 } from '../support/client-certificates'
import { explicitCurve } from '../support/hostile-certificates'
import { profiles } from '../support/mutual-tls-cases'
import { listenHttp, listenTls, send, tokenApp, type Answer, type Sending } from '../support/mutual-tls-server'

const subject = { tls_client_auth_subject_dn: 'CN=bank.example,O=Bank AG,C=DE' }
const pki = { token_endpoint_auth_method: 'tls_client_auth', ...subject }
const form = { grant_type: 'client_credentials', client_id: 'c' }
const tlsOf = (id?: string) => (id === undefined ? {} : { key: certificate(id).key, cert: certificate(id).pem })

async function ask(
  profile: string,
  record: Partial<OAuthClient>,
  sending: Partial<Sending>,
  options: Partial<ClientAuthOptions> = {}
): Promise<Answer> {
  const made = profiles[profile]!()
  const getClient = (id: string) => (id === 'c' ? { client_id: 'c', ...record } : undefined)
  const app = tokenApp(made, { getClient, ...options })
  const listening = await (made.tls === undefined ? listenHttp(app) : listenTls(app, made))
  try {
    return await send({ port: listening.port, form, ...(made.tls === undefined ? {} : { tls: {} }), ...sending })
  } finally {
    await listening.close()
  }
}

const assertion = (claims: Record<string, unknown> = {}) =>
  assertionForm(
    jws(
      { alg: 'ES256' },
      { iss: 'c', sub: 'c', aud: issuer, exp: now() + 60, jti: 'once', ...claims },
      'ES256',
      certificate('self-bank').privateKey
    )
  )
const keyClient = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicJwk('self-bank')] } }

describe('a client that may be public', () => {
  const both = { ...pki, token_endpoint_auth_method: ['tls_client_auth', 'none'] }
  test.each<[string, object, string | undefined, string, string]>([
    ['none, without a certificate', { token_endpoint_auth_method: 'none' }, undefined, '200', 'none'],
    ['both, without a certificate', both, undefined, '200', 'none'],
    ['both, with the right certificate', both, 'bank', '200', 'tls_client_auth'],
    // Threat 52: a fall-back to a public client
    ['both, with another certificate: no fall-back', both, 'shop', '401', 'certificate_subject'],
    ['both, with an unverified one: no fall-back', both, 'bank-evil', '401', 'certificate_unverified'],
    ['mutual TLS, without a certificate', pki, undefined, '401', 'certificate_missing']
  ])('%s', async (_title, record, id, status, outcome) => {
    const answer = await ask('tls-public', record, { tls: tlsOf(id) })
    expect([`${answer.status}`, answer.body['method'] ?? answer.reason]).toEqual([status, outcome])
    expect(answer.explained).toBe(status === '200' ? `accepted ${outcome}` : outcome)
    // Where public clients are let in, even "no certificate" would tell what is registered.
    if (status === '401') expect(answer.body['error_description']).toBe('Client authentication failed.')
  })
})

// Threat 47: let in as a public client, with a certificate that nobody has judged
describe('a client of certificates, on a server without its method', () => {
  const record = { token_endpoint_auth_method: ['self_signed_tls_client_auth', 'none'] }
  const onServer =
    (methods: ClientAuthMethod[]) =>
    async (id?: string, registered: Partial<OAuthClient> = record) =>
      ask('tls-public', registered, { tls: tlsOf(id) }, { methods })

  test.each<[string, ClientAuthMethod[]]>([
    ['with another one', ['tls_client_auth', 'none']],
    ['with none of them', ['none']]
  ])('%s: it is no public client while it shows one', async (_title, methods) => {
    const send = onServer(methods)
    const shown = await send('self-bank')
    expect([shown.status, shown.reason, shown.explained]).toEqual([
      400,
      'method_not_registered',
      'method_not_registered'
    ])
    expect((await send()).body['method']).toBe('none')
    expect((await send('self-bank', { token_endpoint_auth_method: 'none' })).body['method']).toBe('none')
  })
})

test.each<[string, string, object | null]>([
  ['a client that is not registered for it', 'method_not_registered', { client_secret: 'x'.repeat(40), ...subject }],
  [
    'self-signed only, with the certificate of the registered subject',
    'certificate_not_registered',
    { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [publicJwk('shop')] }, ...subject }
  ],
  ['a client that nobody knows', 'unknown_client', null]
])('%s: %s', async (_title, reason, record) => {
  const answer = await ask('tls', record ?? { client_id: 'other' }, {
    tls: tlsOf('bank'),
    ...(record === null ? { form: { ...form, client_id: 'nobody' } } : {})
  })
  expect([answer.status, answer.reason, answer.body['error_description']]).toEqual([
    401,
    reason,
    'Client authentication failed.'
  ])
})

test('without Basic among the methods invalid_client is 400 and has no challenge (RFC 6749 §5.2)', async () => {
  const answer = await ask('tls-only', pki, { tls: tlsOf('shop') })
  expect([answer.status, answer.body['error'], answer.challenge]).toEqual([400, 'invalid_client', undefined])
})

test.each(['bank-expired', 'bank-future'])('%s: the dates are judged with clockTolerance at most', async (id) => {
  expect((await ask('tls', pki, { tls: tlsOf(id) }, { clockTolerance: 300 })).reason).toBe('certificate_expired')
})

describe('a certificate in the header of a proxy is decoded where somebody needs it', () => {
  const source = profiles['nginx']!().source
  const authenticate = createClientAuthenticator({
    issuer,
    getClient: (client_id) => ({ client_id, client_secret: 'x'.repeat(40) }),
    methods: ['client_secret_basic', 'tls_client_auth'],
    clientCertificates: source
  })
  const withHeader = (value?: string) => ({
    headers: {
      authorization: basic('c', 'x'.repeat(40)),
      ...(value === undefined ? {} : { 'x-ssl-client-cert': value })
    },
    socket: { remoteAddress: '127.0.0.1' },
    body: {}
  })
  const base64 = (id: string) => encoded({ encode: 'base64', certificate: id })

  test('it is there for who asks, once', async () => {
    const found = await authenticate(withHeader(base64('bank')))
    expect(found.certificate).toMatchObject({ 'x5t#S256': certificate('bank').thumbprint, verified: false })
    expect(found.certificate).toBe(found.certificate)
    expect(Object.keys(found)).toContain('certificate')
    expect((await authenticate(withHeader('x'))).certificate).toBeUndefined()
  })

  // A ratio, since a bound of time breaks on a busy machine: to decode takes many times as long as all the rest.
  test('beside Basic it costs next to nothing', async () => {
    const timed = async (value?: string) => {
      const start = performance.now()
      await authenticate(withHeader(value))
      return performance.now() - start
    }
    const times: Record<'plain' | 'shown', number[]> = { plain: [], shown: [] }
    for (let count = 0; count < 400; count++) {
      times.plain.push(await timed())
      times.shown.push(await timed(base64('bank')))
    }
    const median = (list: number[]) => list.sort((a, b) => a - b)[list.length / 2]!
    expect(median(times.shown)).toBeLessThan(5 * median(times.plain))
  })

  // Threat 36: one header held each request for a quarter of a second
  test('a hostile one is not decoded, with or without another mechanism', async () => {
    const hostile = explicitCurve().toString('base64')
    expect((await authenticate(withHeader(hostile))).certificate).toBeUndefined()
    const bare = { ...withHeader(hostile), headers: { 'x-ssl-client-cert': hostile }, body: form }
    await expect(authenticate(bare)).rejects.toMatchObject({
      reason: 'certificate_weak',
      detail: { received: 'the key is not on P-256, P-384 or P-521' }
    })
  })
})

test('a key that OpenSSL cannot decode, from a source of the application’s own: refused, and no error', async () => {
  const { der } = certificate('bank')
  const ofEcKeys = Buffer.from('2a8648ce3d0201', 'hex')
  const unknown = Buffer.from(der)
  unknown[unknown.indexOf(ofEcKeys) + 6] = 0x63
  const source = { get: () => ({ certificate: new X509Certificate(unknown), verified: true }) }
  const record = {
    client_id: 'bank',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'a.example'
  }
  const authenticate = createClientAuthenticator({
    issuer,
    methods: ['tls_client_auth'],
    clientCertificates: source,
    getClient: () => record
  })
  await expect(authenticate({ headers: {}, body: { client_id: 'bank' } })).rejects.toMatchObject({
    reason: 'certificate_weak'
  })
})

describe('self_signed_tls_client_auth: what directories publish', () => {
  const byItself = (key: object) => ({
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...publicJwk('self-bank'), ...key }] }
  })
  test.each<[string, object, number]>([
    ['use: tls', { use: 'tls' }, 200],
    ['use: sig', { use: 'sig' }, 200],
    ['use: enc', { use: 'enc' }, 401],
    ['use: jwt-svid', { use: 'jwt-svid' }, 401],
    ['the thumbprint', { 'x5t#S256': certificate('self-bank').thumbprint }, 200],
    ['the thumbprint with padding', { 'x5t#S256': `${certificate('self-bank').thumbprint}=` }, 401],
    ['another thumbprint with padding', { 'x5t#S256': `${certificate('shop').thumbprint}=` }, 401]
  ])('%s', async (_title, key, status) => {
    const answer = await ask('tls', byItself(key), { tls: tlsOf('self-bank') })
    expect([answer.status, answer.reason]).toEqual([status, status === 200 ? undefined : 'certificate_not_registered'])
  })

  test('a key for TLS verifies no assertion', async () => {
    const jwks = { keys: [{ ...publicJwk('self-bank'), use: 'tls' }] }
    const answer = await ask(
      'tls',
      { token_endpoint_auth_method: 'private_key_jwt', jwks },
      {
        form: { ...form, ...assertion() }
      }
    )
    expect(answer.reason).toBe('no_matching_key')
  })
})

test('the reason of a refused subject tells the operator what to register', async () => {
  const events: RejectedEvent[] = []
  const listen = (event: unknown) => events.push(event as RejectedEvent)
  subscribe('oauth-client-auth:rejected', listen)
  await ask('tls', pki, { tls: tlsOf('dn-upper') })
  unsubscribe('oauth-client-auth:rejected', listen)
  expect(events[0]).toMatchObject({ reason: 'certificate_subject_form', clientId: 'c' })
  const { received } = events[0]!.error.detail as { received: { subject: string } }
  const registered = { ...pki, tls_client_auth_subject_dn: received.subject }
  expect((await ask('tls', registered, { tls: tlsOf('dn-upper') })).status).toBe(200)
})

test('what is attached as subject can be registered', async () => {
  for (const id of ['dn-unicode', 'dn-comma', 'dn-brazil', 'dn-multi', 'dn-newline']) {
    const { body } = await ask('tls-public', { token_endpoint_auth_method: 'none' }, { tls: tlsOf(id) })
    const registered = { ...pki, tls_client_auth_subject_dn: String(body['subject']) }
    expect((await ask('tls', registered, { tls: tlsOf(id) })).body['method']).toBe('tls_client_auth')
  }
})

describe('bound tokens', () => {
  const bound = { ...keyClient, tls_client_certificate_bound_access_tokens: true }
  const formWith = (claims = {}) => ({ ...form, ...assertion(claims) })

  // Threat 52: a bound token without a certificate
  test('a request without a certificate is refused before its jti is used up', async () => {
    const replayStore = createMemoryReplayStore()
    const one = formWith()
    const refused = await ask('tls', bound, { form: one }, { replayStore })
    expect([refused.status, refused.reason]).toEqual([400, 'certificate_required'])
    const let_in = await ask('tls', bound, { form: one, tls: tlsOf('bank') }, { replayStore })
    expect([let_in.status, let_in.body['cnf']]).toEqual([200, certificate('bank').thumbprint])
    expect((await ask('tls', bound, { form: one, tls: tlsOf('bank') }, { replayStore })).reason).toBe(
      'assertion_replayed'
    )
  })

  test('a client that is not proven is not told', async () => {
    const answer = await ask('tls', { ...bound, jwks: { keys: [publicJwk('shop')] } }, { form: formWith() })
    expect(answer.reason).toMatch(/^(?:signature_mismatch|no_matching_key)$/)
  })

  test('an unreadable or untrusted header is no certificate', async () => {
    const untrusted = {
      localAddress: '127.0.0.2',
      headers: [['X-SSL-Client-Cert', encoded({ encode: 'base64', certificate: 'bank' })]] as [string, string][]
    }
    expect((await ask('nginx', bound, { form: formWith(), ...untrusted })).reason).toBe('certificate_required')
    expect((await ask('nginx', keyClient, { form: formWith(), ...untrusted })).body).toMatchObject({
      method: 'private_key_jwt',
      certificate: null
    })
    const unreadable: Partial<Sending> = { headers: [['X-SSL-Client-Cert', 'x']] }
    expect((await ask('nginx', keyClient, { form: formWith(), ...unreadable })).body).toMatchObject({
      certificate: null
    })
  })

  test('public clients: cnf for the refresh token (RFC 8705 §4)', async () => {
    const record = { token_endpoint_auth_method: 'none', tls_client_certificate_bound_access_tokens: true }
    expect((await ask('tls-public', record, { tls: tlsOf('self-attacker') })).body['cnf']).toBe(
      certificate('self-attacker').thumbprint
    )
    expect((await ask('tls-public', record, {})).reason).toBe('certificate_required')
  })

  test.each([['true'], [1]])('a flag that is %j counts as yes', async (flag) => {
    const record = { ...keyClient, tls_client_certificate_bound_access_tokens: flag as unknown as boolean }
    expect((await ask('tls', record, { form: formWith() })).reason).toBe('certificate_required')
  })

  test('without a source it is left to the application', async () => {
    const answer = await ask(
      'nginx',
      bound,
      { form: formWith() },
      { clientCertificates: undefined, methods: ['private_key_jwt'] }
    )
    expect(answer.status).toBe(200)
  })
})

describe('an application’s own source', () => {
  const from = (get: () => unknown) =>
    createClientAuthenticator({
      issuer,
      getClient: (client_id) => ({ client_id, ...pki }),
      methods: ['tls_client_auth'],
      clientCertificates: { get } as ClientCertificates
    })({ headers: {}, body: form })
  const shown = x509('bank')

  test('is believed', async () => {
    const { method, certificate: attached, cnf } = await from(() => ({ certificate: shown, verified: true }))
    expect([method, attached?.x509, cnf]).toEqual(['tls_client_auth', shown, undefined])
  })

  test.each([
    ['a promise', () => Promise.resolve({ certificate: shown, verified: true })],
    ['PEM in place of a certificate', () => ({ certificate: certificate('bank').pem, verified: true })],
    ['no verdict', () => ({ certificate: shown })],
    ['a verdict that is no boolean', () => ({ certificate: shown, verified: 'SUCCESS' })]
  ])('that returns %s is a server error', async (_title, get) => {
    await expect(from(get)).rejects.toThrow(/clientCertificates\.get must return/)
  })

  test('that throws is a server error', async () => {
    const thrown = new Error('no TLS here')
    await expect(
      from(() => {
        throw thrown
      })
    ).rejects.toBe(thrown)
  })

  test.each([[undefined], [null]])('that returns %j has none', async (nothing) => {
    await expect(from(() => nothing)).rejects.toMatchObject({ reason: 'certificate_missing' })
  })
})

describe('start-up', () => {
  const start = (methods: ClientAuthMethod[], clientCertificates?: unknown) => () =>
    clientAuth({
      issuer,
      getClient: () => undefined,
      methods,
      clientCertificates: clientCertificates as ClientCertificates
    })
  const source = (verifies?: string) => ({ get: () => undefined, verifies })

  test.each<[string, () => unknown, RegExp]>([
    [
      'self_signed_tls_client_auth without a source',
      start(['self_signed_tls_client_auth']),
      /"methods" has self_signed_tls_client_auth, but option "clientCertificates" is missing/
    ],
    [
      'tls_client_auth with a source that never verifies',
      start(['tls_client_auth'], source('never')),
      /never verifies/
    ],
    [
      'self_signed_tls_client_auth with one that hands out verified ones only',
      start(['self_signed_tls_client_auth'], source('always')),
      /verified: true/
    ],
    ['a source without get', start(['tls_client_auth'], {}), /"clientCertificates" must be an object with a method get/]
  ])('%s is a TypeError', (_title, begin, message) => {
    expect(begin).toThrow(TypeError)
    expect(begin).toThrow(message)
  })

  test.each<[string, () => unknown]>([
    ['a source without a mutual-TLS method, for bound tokens', start(['private_key_jwt'], createTlsCertificates())],
    ['self-signed clients without ca', start(['self_signed_tls_client_auth'], createTlsCertificates())]
  ])('%s is fine', (_title, begin) => {
    expect(begin).not.toThrow()
  })

  test('the methods must be named: by default none of them is accepted', () => {
    const names = clientAuth({ issuer, getClient: () => undefined }).metadata()
    expect(names.token_endpoint_auth_methods_supported.filter((name) => name.includes('tls'))).toEqual([])
    expect(names).not.toHaveProperty('tls_client_certificate_bound_access_tokens')
  })

  test('mutual TLS alone has no signing algorithms to advertise', () => {
    const middleware = start(['tls_client_auth'], source())()
    expect(middleware.metadata()).toEqual({
      token_endpoint_auth_methods_supported: ['tls_client_auth'],
      tls_client_certificate_bound_access_tokens: true
    })
  })
})

test('what an own source gives is typed', () => {
  const source: ClientCertificates = { get: () => ({ certificate: x509('bank'), verified: false }) }
  const found: X509Certificate | undefined = source.get({ headers: {} })?.certificate
  expect(found?.ca).toBe(false)
})

test.each([
  ['the same certificate is handed on', 'bank', undefined, 1],
  ['another certificate is judged again', 'shop', 'invalid_client', 2],
  ['no certificate is judged again', undefined, 'invalid_client', 1]
])('mounted twice, a request that has %s', async (_title, second, error, lookUps) => {
  const certificates: ClientCertificates = {
    get: ({ headers }) => {
      const id = (headers as NodeJS.Dict<string>)['x-certificate-of']
      return id === undefined ? undefined : { certificate: x509(id), verified: true }
    }
  }
  let lookedUp = 0
  const getClient = () => {
    lookedUp++
    return { client_id: 'c', ...pki }
  }
  const auth = clientAuth({ issuer, methods: ['tls_client_auth'], getClient, clientCertificates: certificates })
  const app = express()
  const change = (req: express.Request, _res: express.Response, next: express.NextFunction) => {
    if (second === undefined) delete req.headers['x-certificate-of']
    else req.headers['x-certificate-of'] = second
    next()
  }
  app.post('/token', auth, change, auth, (_req, res) => res.json({}))
  const answer = await request(app).post('/token').set('x-certificate-of', 'bank').type('form').send(form)
  expect((answer.body as { error?: string }).error).toBe(error)
  expect(lookedUp).toBe(lookUps)
})

test('no fall-back to none where the server lacks the method of the certificate: the log names that method', async () => {
  const authenticate = createClientAuthenticator({
    issuer,
    methods: ['none', 'self_signed_tls_client_auth'],
    getClient: () => ({ client_id: 'c', ...pki, token_endpoint_auth_method: ['tls_client_auth', 'none'] }),
    clientCertificates: { get: () => ({ certificate: x509('bank'), verified: true }) }
  })
  await expect(authenticate({ headers: {}, body: form })).rejects.toMatchObject({
    reason: 'method_not_registered',
    detail: { expected: 'tls_client_auth', received: 'none, with a certificate' }
  })
})

test.each([
  ['2023-12-31T23:59:29Z', 'failed'],
  ['2023-12-31T23:59:30Z', 'passed'],
  ['2049-01-01T00:00:30Z', 'passed'],
  ['2049-01-01T00:00:31Z', 'failed']
])('a certificate of 2024 to 2048, within the tolerance of 30 s: at %s its dates have %s', async (at, result) => {
  const { explain } = createClientAuthenticator({
    issuer,
    methods: ['tls_client_auth'],
    getClient: () => ({ client_id: 'c', ...pki }),
    clientCertificates: { get: () => ({ certificate: x509('bank'), verified: true }) }
  })
  const { findings } = await explain({ headers: {}, body: form }, { at: new Date(at) })
  expect(findings.find(({ check }) => check === 'dates of the certificate')?.result).toBe(result)
})

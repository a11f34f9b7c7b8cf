// From request to credentials: everything here is decided before any look-up.
import express from 'express'
import { connect } from 'node:net'
import { once } from 'node:events'
import request from 'supertest'
import { Readable } from 'node:stream'
import type { AddressInfo } from 'node:net'
import { clientAuth, createClientAuthenticator, type OAuthClient } from '../../../lib'
import {
  assertionForm,
  basic,
  issuer,
  jws,
  keyAssertion,
  keyFor,
  JWT_BEARER,
  secretAssertion
} from '../../support/assertions'
import { clientsOf, post, tokenServer, type Options } from '../../support/token-server'

const key = keyFor('ES256')
const secret = 'correct horse battery staple, and then some'
const basicClient = { client_id: 'basic', client_secret: secret }
const postClient = { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' }
const keyClient = { client_id: 'key', jwks: { keys: [key.jwk] }, token_endpoint_auth_method: 'private_key_jwt' }
const publicClient = { client_id: 'public', token_endpoint_auth_method: 'none' }
const clients = [basicClient, postClient, keyClient, publicClient]

const base64 = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`
const good = basic('basic', secret)
const assertion = () => assertionForm(keyAssertion(key, { clientId: 'key' }))

type Form = Record<string, string> | string
interface Row {
  name: string
  form?: Form | (() => Form)
  headers?: Record<string, string>
  /** Expected: the client_id of a success, or [status, error, part of the description]. */
  expect: string | [number, string, string]
  options?: Options
}

const withNone = {
  methods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']
} satisfies Options

const rows: Row[] = [
  // one set of credentials, in its usual forms
  { name: 'Basic', headers: { Authorization: good }, expect: 'basic' },
  { name: 'Basic, scheme in any case', headers: { Authorization: good.replace('Basic', 'bAsIc') }, expect: 'basic' },
  { name: 'post', form: { client_id: 'post', client_secret: secret }, expect: 'post' },
  { name: 'assertion without client_id', form: assertion, expect: 'key' },
  { name: 'assertion with its client_id', form: () => ({ ...assertion(), client_id: 'key' }), expect: 'key' },
  {
    name: 'Basic with the same client_id in the body',
    form: { client_id: 'basic' },
    headers: { Authorization: good },
    expect: 'basic'
  },

  // parameters
  {
    name: 'client_id twice',
    form: `client_id=post&client_id=post&client_secret=${secret}`,
    expect: [400, 'invalid_request', 'client_id is repeated']
  },
  {
    name: 'client_secret twice',
    form: `client_id=post&client_secret=${secret}&client_secret=x`,
    expect: [400, 'invalid_request', 'client_secret is repeated']
  },
  {
    name: 'client_secret twice, one empty',
    form: `client_id=post&client_secret=${secret}&client_secret=`,
    expect: [400, 'invalid_request', 'client_secret is repeated']
  },
  {
    name: 'client_assertion twice',
    form: () => `${new URLSearchParams(assertion()).toString()}&client_assertion=x`,
    expect: [400, 'invalid_request', 'client_assertion is repeated']
  },
  {
    name: 'client_assertion_type twice',
    form: () => `${new URLSearchParams(assertion()).toString()}&client_assertion_type=x`,
    expect: [400, 'invalid_request', 'client_assertion_type is repeated']
  },
  {
    name: 'bracketed client_id is another parameter',
    form: `client_id[]=post&client_secret=${secret}`,
    expect: [400, 'invalid_request', 'client_secret needs client_id']
  },
  {
    name: 'grant_type twice',
    form: `client_id=post&client_secret=${secret}&grant_type=a&grant_type=b`,
    expect: [400, 'invalid_request', 'grant_type is repeated']
  },
  {
    name: 'resource twice (RFC 8707)',
    form: `client_id=post&client_secret=${encodeURIComponent(secret)}&resource=a&resource=b`,
    expect: 'post'
  },
  {
    name: 'empty client_secret beside Basic counts as omitted',
    form: { client_secret: '' },
    headers: { Authorization: good },
    expect: 'basic'
  },
  {
    name: 'empty client_id beside an assertion counts as omitted',
    form: () => ({ ...assertion(), client_id: '' }),
    expect: 'key'
  },
  {
    name: 'client_id of 1025 characters',
    form: { client_id: 'x'.repeat(1025), client_secret: secret },
    expect: [400, 'invalid_request', 'must be 1 to 1024 printable ASCII characters, and has 1025']
  },
  {
    name: 'client_id with a control character',
    form: { client_id: 'po\u0000st', client_secret: secret },
    expect: [400, 'invalid_request', 'printable ASCII']
  },
  {
    name: 'client_id beyond ASCII',
    form: { client_id: 'pöst', client_secret: secret },
    expect: [400, 'invalid_request', 'printable ASCII']
  },
  {
    name: 'client_secret of 1025 characters',
    form: { client_id: 'post', client_secret: 'x'.repeat(1025) },
    expect: [400, 'invalid_request', 'client_secret is too long: it has 1025 characters, more than 1024.']
  },
  {
    name: 'client_secret with a control character',
    form: { client_id: 'post', client_secret: 'a\nb' },
    expect: [400, 'invalid_request', 'client_secret holds a control character, such as a line break.']
  },
  {
    name: 'client_assertion of 16385 characters',
    form: assertionForm('x'.repeat(16_385)),
    expect: [400, 'invalid_request', '16384']
  },
  {
    name: 'client_secret without client_id',
    form: { client_secret: secret },
    expect: [400, 'invalid_request', 'client_id']
  },

  // mechanisms
  {
    name: 'Basic and client_secret',
    form: { client_id: 'basic', client_secret: secret },
    headers: { Authorization: good },
    expect: [400, 'invalid_request', 'More than one']
  },
  {
    name: 'Basic after a tab',
    headers: { Authorization: good.replace(' ', '\t') },
    expect: [401, 'invalid_client', 'no colon']
  },
  {
    name: 'Basic after a tab, and client_secret',
    form: { client_id: 'post', client_secret: secret },
    headers: { Authorization: good.replace(' ', '\t') },
    expect: [400, 'invalid_request', 'More than one']
  },
  {
    name: 'Basic and assertion',
    form: assertion,
    headers: { Authorization: good },
    expect: [400, 'invalid_request', 'More than one']
  },
  {
    name: 'malformed Basic and assertion',
    form: assertion,
    headers: { Authorization: 'Basic !' },
    expect: [400, 'invalid_request', 'More than one']
  },
  {
    name: 'client_secret and assertion',
    form: () => ({ ...assertion(), client_secret: secret }),
    expect: [400, 'invalid_request', 'More than one']
  },
  {
    name: 'Basic with another client_id in the body',
    form: { client_id: 'post' },
    headers: { Authorization: good },
    expect: [400, 'invalid_request', 'differs']
  },
  {
    // Threat 10: credentials in the query
    name: 'credentials in the query string',
    form: { grant_type: 'x' },
    headers: { 'x-query': `?client_id=post&client_secret=${encodeURIComponent(secret)}` },
    expect: [401, 'invalid_client', 'No client credentials']
  },

  // Basic
  {
    name: 'Basic: id and secret form-encoded',
    headers: { Authorization: base64(`%62asic:${encodeURIComponent(secret).replaceAll('%20', '+')}`) },
    expect: 'basic'
  },
  // Threat 12: several colons
  { name: 'Basic: the secret holds colons', headers: { Authorization: base64('colon:a:b') }, expect: 'colon' },
  // Threat 12: raw characters, UTF-8
  { name: 'Basic: raw UTF-8 secret', headers: { Authorization: base64('utf8:é & ü') }, expect: 'utf8' },
  {
    name: 'Basic: malformed percent in the id',
    headers: { Authorization: base64('%zz:x') },
    expect: [401, 'invalid_client', 'form-urlencoded']
  },
  {
    name: 'Basic: malformed percent in the secret',
    headers: { Authorization: base64('basic:100%') },
    expect: [401, 'invalid_client', 'form-urlencoded']
  },
  {
    // Threat 12: bad UTF-8
    name: 'Basic: percent-encoded bad UTF-8',
    headers: { Authorization: base64('basic:%ff') },
    expect: [401, 'invalid_client', 'form-urlencoded']
  },
  {
    name: 'Basic: Latin-1 bytes',
    headers: { Authorization: base64(Buffer.from('basic:é', 'latin1')) },
    expect: [401, 'invalid_client', 'UTF-8']
  },
  // Threat 12: lenient base64
  { name: 'Basic: lenient base64', headers: { Authorization: `${good}=` }, expect: [401, 'invalid_client', 'base64'] },
  {
    name: 'Basic: base64url',
    headers: { Authorization: `Basic ${Buffer.from('basic:~~~???').toString('base64url')}` },
    expect: [401, 'invalid_client', 'base64']
  },
  { name: 'Basic: no colon', headers: { Authorization: base64('basic') }, expect: [401, 'invalid_client', 'colon'] },
  { name: 'Basic: empty', headers: { Authorization: 'Basic' }, expect: [401, 'invalid_client', 'colon'] },
  {
    // Threat 12: CR LF
    name: 'Basic: CR LF in the secret',
    headers: { Authorization: base64('basic:a%0d%0ab') },
    expect: [401, 'invalid_client', 'malformed']
  },
  {
    name: 'Basic: control character in the id',
    headers: { Authorization: base64('ba\u0001sic:x') },
    expect: [401, 'invalid_client', 'malformed']
  },
  { name: 'Basic: empty id', headers: { Authorization: base64(':x') }, expect: [401, 'invalid_client', 'malformed'] },
  {
    name: 'Basic: id of 1025 characters',
    headers: { Authorization: base64(`${'x'.repeat(1025)}:x`) },
    expect: [401, 'invalid_client', 'malformed: client_id must be 1 to 1024 printable ASCII characters, and has 1025']
  },
  {
    name: 'Basic: empty secret',
    headers: { Authorization: base64('basic:') },
    expect: [401, 'invalid_client', 'no secret']
  },
  {
    name: 'Basic: empty secret of a public client',
    headers: { Authorization: base64('public:') },
    options: withNone,
    expect: [401, 'invalid_client', 'no secret']
  },
  { name: 'another scheme alone', headers: { Authorization: 'Bearer abc' }, expect: [401, 'invalid_client', 'scheme'] },
  {
    name: 'another scheme beside body credentials',
    form: assertion,
    headers: { Authorization: 'DPoP abc' },
    expect: 'key'
  },
  {
    name: 'another scheme that joins Basic after a comma',
    form: { client_id: 'post', client_secret: secret },
    headers: { Authorization: `Bearer x, ${good}` },
    expect: [400, 'invalid_request', 'More than one Authorization']
  },

  // assertions
  {
    name: 'client_assertion without its type',
    form: () => ({ client_assertion: keyAssertion(key, { clientId: 'key' }) }),
    expect: [400, 'invalid_request', JWT_BEARER]
  },
  {
    name: 'client_assertion with another type',
    form: () => ({ ...assertion(), client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }),
    expect: [400, 'invalid_request', JWT_BEARER]
  },
  {
    name: 'client_assertion_type without client_assertion',
    form: { client_assertion_type: JWT_BEARER, client_id: 'key' },
    expect: [400, 'invalid_request', 'parameter client_assertion']
  },
  {
    name: 'client_assertion_type beside a secret',
    form: { client_assertion_type: JWT_BEARER, client_id: 'post', client_secret: secret },
    expect: [400, 'invalid_request', 'client_assertion']
  },
  {
    name: 'the JWT in assertion',
    form: () => ({
      assertion: keyAssertion(key, { clientId: 'key' }),
      grant_type: 'client_credentials',
      client_id: 'key'
    }),
    expect: [400, 'invalid_request', 'parameter client_assertion']
  },
  {
    name: 'assertion under its own grant',
    form: { assertion: 'x', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
    expect: [401, 'invalid_client', 'No client credentials']
  },
  {
    name: 'assertion of a public client',
    form: { assertion: 'x', client_id: 'public' },
    options: withNone,
    expect: 'public'
  },
  { name: 'not three parts', form: assertionForm('a.b'), expect: [401, 'invalid_client', 'signed JWT'] },
  { name: 'five parts', form: assertionForm('a.b.c.d.e'), expect: [401, 'invalid_client', 'signed JWT'] },
  {
    name: 'claims no JSON',
    form: assertionForm(jws({ alg: 'ES256' }, 'x', 'ES256', key.privateKey)),
    expect: [401, 'invalid_client', 'signed JWT']
  },
  {
    // Threat 13: an array as payload
    name: 'claims an array',
    form: assertionForm(jws({ alg: 'ES256' }, [], 'ES256', key.privateKey)),
    expect: [401, 'invalid_client', 'signed JWT']
  },
  {
    name: 'header an array',
    form: assertionForm(jws([], {}, 'ES256', key.privateKey)),
    expect: [401, 'invalid_client', 'signed JWT']
  },
  {
    name: 'spaces inside',
    form: () => assertionForm(keyAssertion(key, { clientId: 'key' }).replace('.', '. ')),
    expect: [401, 'invalid_client', 'signed JWT']
  },
  {
    name: 'client_id of another client beside an assertion',
    form: () => ({ ...assertion(), client_id: 'post' }),
    expect: [401, 'invalid_client', 'differs']
  },

  // none
  {
    name: 'no credentials',
    form: { grant_type: 'client_credentials' },
    expect: [401, 'invalid_client', 'No client credentials']
  },
  { name: 'an empty body', expect: [401, 'invalid_client', 'No client credentials'] },
  { name: 'client_id alone', form: { client_id: 'public' }, expect: [401, 'invalid_client', 'No client credentials'] },
  { name: 'client_id alone, none enabled', form: { client_id: 'public' }, options: withNone, expect: 'public' },
  {
    name: 'client_id alone of a client with a secret, none enabled',
    form: { client_id: 'post' },
    options: withNone,
    expect: [401, 'invalid_client', 'authentication failed']
  },
  {
    name: 'client_id alone of nobody, none enabled',
    form: { client_id: 'nobody' },
    options: withNone,
    expect: [401, 'invalid_client', 'authentication failed']
  },

  // server's methods
  {
    name: 'a method that the server does not accept',
    form: { client_id: 'post', client_secret: secret },
    options: { methods: ['private_key_jwt'] },
    expect: [400, 'invalid_client', 'does not accept']
  },
  {
    name: 'Basic where the server does not accept it',
    headers: { Authorization: good },
    options: { methods: ['private_key_jwt'] },
    expect: [401, 'invalid_client', 'does not accept']
  },
  {
    name: 'an assertion where the server accepts none',
    form: assertion,
    options: { methods: ['client_secret_basic'] },
    expect: [401, 'invalid_client', 'does not accept']
  }
]

const others: OAuthClient[] = [
  { client_id: 'colon', client_secret: 'a:b' },
  { client_id: 'utf8', client_secret: 'é & ü' }
]

test.each(rows.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
  const { getClient, asked } = clientsOf(...clients, ...others)
  const app = tokenServer({ ...row.options, getClient })
  const answer = await post(app, typeof row.form === 'function' ? row.form() : row.form, row.headers)
  if (typeof row.expect === 'string') {
    expect([answer.status, answer.body.client_id]).toEqual([200, row.expect])
    return
  }
  const [status, error, words] = row.expect
  expect([answer.status, answer.body.error]).toEqual([status, error])
  expect(answer.body.error_description).toContain(words)
  if (!words.includes('authentication failed')) expect(asked).toEqual([])
})

test('two Authorization headers', async () => {
  const server = tokenServer({}, ...clients).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.end(
    `POST /token HTTP/1.1\r\nHost: x\r\nAuthorization: ${good}\r\nAuthorization: ${good}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
  )
  const chunks = await socket.setEncoding('utf8').toArray()
  expect(chunks.join('')).toMatch(/^HTTP\/1\.1 400 .*More than one Authorization header/s)
  server.close()
})

describe('bodies', () => {
  const send = (app: express.Express, type: string, body: string, headers = {}) =>
    post(app, body, { 'Content-Type': type, ...headers })
  const form = new URLSearchParams({ client_id: 'post', client_secret: secret }).toString()

  test.each([
    ['application/json', JSON.stringify({ client_id: 'post', client_secret: secret })],
    ['multipart/form-data; boundary=x', '--x--'],
    ['text/plain', form],
    ['application/x-www-form-urlencoded-not', form],
    ['application/json; charset=utf-16', form]
  ])('content type %s is refused', async (type, body) => {
    const answer = await send(tokenServer({}, ...clients), type, body)
    expect(answer.body).toEqual({
      error: 'invalid_request',
      error_description: 'The body must be application/x-www-form-urlencoded.'
    })
    expect(answer.status).toBe(400)
  })

  // RFC 6749 Appendix B: a form is UTF-8, whatever its type says
  test.each([
    ...['utf-8', 'UTF-8', 'utf8', 'us-ascii', 'ISO-8859-1', 'iso-8859-15', 'windows-1252', 'utf-16', 'x-unknown', ''],
    ...['"utf-8"', 'utf-8; charset=iso-8859-1']
  ])('charset=%s has no say: the form is read as UTF-8', async (charset) => {
    const word = 'geheim-mit-ü-und-genug-Zeichen-0123456789'
    const app = tokenServer(
      {},
      { client_id: 'u', client_secret: word, token_endpoint_auth_method: 'client_secret_post' }
    )
    const type = `application/x-www-form-urlencoded; charset=${charset}`
    const encoded = new URLSearchParams({ client_id: 'u', client_secret: word }).toString()
    expect((await send(app, type, encoded)).status).toBe(200)
    expect((await send(app, type, decodeURIComponent(encoded))).status).toBe(200)
    const latin1 = Buffer.from(decodeURIComponent(encoded), 'latin1')
    for (const body of [latin1, encoded.replace('%C3%BC', '%FC'), `${encoded}&scope=%C3`]) {
      const sent = request(app).post('/token').set('Content-Type', type)
      sent.write(body)
      const answer = await sent
      expect([answer.status, answer.body]).toEqual([
        400,
        {
          error: 'invalid_request',
          error_description: 'The body is not UTF-8: a form is UTF-8, whatever charset its Content-Type names.'
        }
      ])
    }
  })

  test('the type of the request is left as it came', async () => {
    const app = express()
    app.post('/token', clientAuth({ issuer, ...pick(clientsOf(...clients)) }), (req, res) => {
      res.json({ type: req.headers['content-type'] })
    })
    const type = 'application/x-www-form-urlencoded;charset=ISO-8859-1'
    expect((await send(app, type, form)).body).toEqual({ type })
  })

  test('a % that encodes nothing stands for itself, as in the URL standard', async () => {
    const record = { client_id: 'p', client_secret: '100%', token_endpoint_auth_method: 'client_secret_post' }
    const answer = await send(
      tokenServer({}, record),
      'application/x-www-form-urlencoded',
      'client_id=p&client_secret=100%'
    )
    expect(answer.status).toBe(200)
  })

  test('no content type is refused', async () => {
    const server = tokenServer({}, ...clients).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', body: Buffer.from(form) })
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }])
    server.close()
  })

  test.each([
    ['a form with a charset', 'application/x-www-form-urlencoded; charset=UTF-8', form, {}, 200],
    ['an empty body of another type beside Basic', 'application/json', '', { Authorization: good }, 200],
    ['a body over the limit', 'application/x-www-form-urlencoded', `${form}&x=${'y'.repeat(65_536)}`, {}, 413],
    ['over a thousand parameters', 'application/x-www-form-urlencoded', `${form}${'&x=y'.repeat(1001)}`, {}, 413],
    ['an unknown encoding', 'application/x-www-form-urlencoded', form, { 'Content-Encoding': 'rot13' }, 400],
    ['a compressed body', 'application/x-www-form-urlencoded', form, { 'Content-Encoding': 'gzip' }, 400]
  ])('%s', async (_name, type, body, headers, status) => {
    const answer = await send(tokenServer({}, ...clients), type, body, headers)
    expect(answer.status).toBe(status)
    if (status >= 400) expect(answer.body.error).toBe('invalid_request')
  })

  test('bodyLimit is honoured', async () => {
    expect((await post(tokenServer({ bodyLimit: 10 }, ...clients), form)).status).toBe(413)
    expect((await post(tokenServer({ bodyLimit: '1kb' }, ...clients), form)).status).toBe(200)
  })

  test.each([
    ['a string', 'client_id=post'],
    ['a Buffer', Buffer.from('client_id=post')],
    ['an array', ['client_id']],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['a Map', new Map([['client_id', 'post']])],
    ['a Blob', new Blob(['client_id=post'])],
    ['a stream', Readable.from(['client_id=post'])],
    ['a promise', Promise.resolve({ client_id: 'post' })]
  ])('a body that another parser left as %s is refused, beside good Basic credentials too', async (_name, body) => {
    const authenticate = createClientAuthenticator({ issuer, ...pick(clientsOf(...clients)) })
    for (const headers of [{}, { authorization: basic('basic', secret) }]) {
      await expect(authenticate({ headers, body })).rejects.toMatchObject({ reason: 'body_unreadable', status: 400 })
    }
  })

  // Threat 10: a body that nobody has read, taken for an empty one
  test.each([
    [
      'a Fetch Request',
      new Request(issuer, { method: 'POST', body: 'client_id=x', headers: { authorization: basic('basic', secret) } })
    ],
    ['Node’s headers with a length', { headers: { authorization: basic('basic', secret), 'content-length': '11' } }],
    ['a length of one octet', { headers: { authorization: basic('basic', secret), 'content-length': '1' } }],
    [
      'Node’s headers with an encoding',
      { headers: { authorization: basic('basic', secret), 'transfer-encoding': 'chunked' } }
    ],
    [
      'Fetch headers with a length',
      { headers: new Headers({ authorization: basic('basic', secret), 'content-length': '11' }) }
    ]
  ])('a body that nobody has read is not taken for an empty one: %s', async (_name, unread) => {
    const authenticate = createClientAuthenticator({ issuer, ...pick(clientsOf(...clients)) })
    await expect(authenticate(unread)).rejects.toMatchObject({ reason: 'body_unreadable', status: 400 })
  })

  test('a body of no octets is an empty one, read or not', async () => {
    const authenticate = createClientAuthenticator({ issuer, ...pick(clientsOf(...clients)) })
    const headers = { authorization: basic('basic', secret), 'content-length': '0' }
    await expect(authenticate({ headers })).resolves.toMatchObject({ clientId: 'basic' })
  })

  test('a polluted prototype supplies no header', async () => {
    const polluted = Object.create({ authorization: basic('basic', secret) }) as Record<string, string>
    const authenticate = createClientAuthenticator({ issuer, ...pick(clientsOf(...clients)) })
    await expect(authenticate({ headers: polluted })).rejects.toMatchObject({ reason: 'no_credentials' })
  })

  test.each([
    ['a number', { client_id: 1, client_secret: secret }, 'parameter_malformed'],
    ['an object', { client_id: { $gt: '' }, client_secret: secret }, 'parameter_malformed'],
    ['a boolean', { client_id: 'post', client_secret: true }, 'parameter_malformed'],
    ['an array of one', { client_id: ['post'], client_secret: secret }, 'parameter_repeated'],
    ['inherited', Object.create({ client_id: 'post', client_secret: secret }) as object, 'body_unreadable']
  ])('a parameter that is %s never reaches the look-up', async (_name, body, reason) => {
    const { getClient, asked } = clientsOf(...clients)
    await expect(createClientAuthenticator({ issuer, getClient })({ headers: {}, body })).rejects.toMatchObject({
      reason
    })
    expect(asked).toEqual([])
  })

  test('an unparsed stream that somebody else has consumed is told, not waited for', async () => {
    const app = express()
    app.use((req, _res, next) => req.resume().on('end', next))
    app.post('/token', clientAuth({ issuer, ...pick(clientsOf(...clients)) }))
    const answer = await post(app, form)
    expect([answer.status, answer.body.error_description]).toEqual([
      400,
      'The body could not be read as application/x-www-form-urlencoded.'
    ])
  })
})

describe('authenticate() without a framework', () => {
  const authenticate = createClientAuthenticator({ issuer, ...pick(clientsOf(...clients)) })

  test('Fetch Headers and URLSearchParams', async () => {
    const result = await authenticate({
      headers: new Headers({ Authorization: good }),
      body: new URLSearchParams({ grant_type: 'x' })
    })
    expect(result).toEqual({ client: basicClient, clientId: 'basic', method: 'client_secret_basic' })
  })

  test.each([
    ['Basic and Bearer', good, 'Bearer x'],
    ['Bearer twice', 'Bearer x', 'Bearer y'],
    ['Bearer and DPoP', 'Bearer x', 'DPoP y'],
    ['another scheme and Basic', 'Negotiate x', good]
  ])('Fetch Headers with two Authorization headers: %s', async (_name, first, second) => {
    const headers = new Headers({ authorization: first })
    headers.append('authorization', second)
    const body = { client_id: 'post', client_secret: secret }
    await expect(authenticate({ headers, body })).rejects.toMatchObject({
      reason: 'authorization_repeated',
      status: 400
    })
  })

  test('repetition in URLSearchParams', async () => {
    const body = new URLSearchParams([
      ['client_id', 'post'],
      ['client_id', 'post'],
      ['client_secret', secret]
    ])
    await expect(authenticate({ headers: new Headers(), body })).rejects.toMatchObject({
      reason: 'parameter_repeated'
    })
  })

  test('headersDistinct of Node', async () => {
    await expect(authenticate({ headers: { authorization: [good] } })).resolves.toMatchObject({ clientId: 'basic' })
    await expect(authenticate({ headers: { authorization: [good, good] } })).rejects.toMatchObject({
      reason: 'authorization_repeated',
      status: 400
    })
  })

  test('the assertion is returned, verified', async () => {
    const body = assertionForm(keyAssertion(key, { clientId: 'key', claims: { jti: 'one', more: 1 } }))
    const { assertion: verified, method } = await authenticate({ headers: {}, body })
    expect(method).toBe('private_key_jwt')
    expect(verified).toMatchObject({
      header: { alg: 'ES256', kid: key.kid },
      claims: { iss: 'key', jti: 'one', more: 1 }
    })
  })

  test('a secret assertion', async () => {
    const client = { client_id: 'hmac', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' }
    const own = createClientAuthenticator({ issuer, ...pick(clientsOf(client)) })
    const body = assertionForm(secretAssertion(secret, { clientId: 'hmac' }))
    await expect(own({ headers: {}, body })).resolves.toMatchObject({ client, method: 'client_secret_jwt' })
  })
})

function pick({ getClient }: ReturnType<typeof clientsOf>) {
  return { getClient }
}

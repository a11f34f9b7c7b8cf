// What becomes of a document: its rules, its record, its time in the cache, its events.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  ClientAuthError,
  type ClientDocumentEvent,
  createClientDocuments,
  createClientAuthenticator,
  type ClientDocumentsOptions
} from '../../../lib'
import { assertionForm, issuer, keyAssertion, keyFor, makeKey } from '../../support/assertions'
import { fakeClocks, serveDocuments } from '../../support/document-host'

const name = 'app.example.com'
const [rsa, ec] = [keyFor('RS256'), keyFor('ES256')]
let world: Awaited<ReturnType<typeof serveDocuments>>
let id: string
let jwksUri: string

beforeAll(async () => {
  world = await serveDocuments([name, 'other.example.com'])
  id = world.url(name, '/client.json')
  jwksUri = world.url(name, '/jwks.json')
})
afterAll(() => world.close())
beforeEach(() => {
  fakeClocks()
  world.requests.length = 0
  world.answers.clear()
  world.answers.set(jwksUri, { body: { keys: [rsa.jwk] } })
})
afterEach(() => {
  jest.useRealTimers()
})

type Members = Record<string, unknown>
const byKey = (): Members => ({ client_id: id, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: jwksUri })
const documentsOf = (more: Partial<ClientDocumentsOptions> = {}) =>
  createClientDocuments({ allow: 'anyone', ...world.options(), ...more })
const publish = (body: unknown, more: object = {}) => world.answers.set(id, { body, ...more })
const pass = (seconds: number) => {
  jest.advanceTimersByTime(seconds * 1000)
}

/** The record, or `why`. */
async function outcome(documents = documentsOf()): Promise<unknown> {
  return documents.get(id).catch((error: unknown) => {
    expect(error).toBeInstanceOf(ClientAuthError)
    return ((error as ClientAuthError).cause as { why: string }).why
  })
}

const privateJwk = () => ({ ...ec.privateKey.export({ format: 'jwk' }), kty: 'EC' })
/** With U+202E, which turns the rest of a line around. */
const turned = 'Good \u202eliave'

describe('rules', () => {
  const broken: [name: string, members: () => Members, why: string][] = [
    ['client_id in other case', () => ({ ...byKey(), client_id: id.replace('client', 'CLIENT') }), 'client_id'],
    ['client_id missing', () => ({ ...byKey(), client_id: undefined }), 'client_id'],
    ['client_id in a list', () => ({ ...byKey(), client_id: [id] }), 'client_id'],
    ['client_id inherited', () => JSON.parse(`{"__proto__":${JSON.stringify(byKey())}}`) as Members, 'client_id'],
    ['an end of secrets', () => ({ ...byKey(), client_secret_expires_at: 0 }), 'secret'],
    ['a method with a secret', () => ({ ...byKey(), token_endpoint_auth_method: 'client_secret_basic' }), 'method'],
    ['a choice that is an empty object', () => ({ ...byKey(), token_endpoint_auth_methods_supported: {} }), 'method'],
    [
      'a choice that is a text',
      () => ({ ...byKey(), token_endpoint_auth_methods_supported: 'private_key_jwt' }),
      'method'
    ],
    [
      'an algorithm with a secret beside none',
      () => ({ client_id: id, token_endpoint_auth_signing_alg: 'HS256' }),
      'alg'
    ],
    ['no algorithm beside none', () => ({ client_id: id, token_endpoint_auth_signing_alg: 'none' }), 'alg'],
    ['an algorithm that is not supported', () => ({ ...byKey(), token_endpoint_auth_signing_alg: 'ES256K' }), 'alg'],
    ['no keys', () => ({ ...byKey(), jwks_uri: undefined }), 'keys'],
    [
      'keys of which none can be used',
      () => ({ ...byKey(), jwks_uri: null, jwks: { keys: [makeKey('RS256', 'weak', 1024).jwk] } }),
      'keys'
    ],
    ['jwks no set', () => ({ ...byKey(), jwks_uri: '', jwks: [ec.jwk] }), 'keys'],
    ['jwks_uri by http', () => ({ ...byKey(), jwks_uri: 'http://app.example.com/jwks' }), 'keys'],
    ['jwks_uri an address', () => ({ ...byKey(), jwks_uri: 'https://10.0.0.1/jwks' }), 'keys'],
    ['jwks_uri a number', () => ({ ...byKey(), jwks_uri: 1 }), 'keys'],
    ['a private key beside none', () => ({ client_id: id, jwks: { keys: [privateJwk()] } }), 'private_key'],
    ['a private key in place of a set', () => ({ client_id: id, jwks: privateJwk() }), 'private_key'],
    [
      'a private key hidden in a key',
      () => ({ client_id: id, jwks: { keys: [{ ...ec.jwk, more: [privateJwk()] }] } }),
      'private_key'
    ],
    ['a redirect URI that is relative', () => ({ ...byKey(), redirect_uris: ['/callback'] }), 'redirect_uris'],
    ['javascript: behind a space', () => ({ ...byKey(), redirect_uris: [' javascript:alert(1)'] }), 'redirect_uris'],
    [
      'javascript: with a tab inside',
      () => ({ ...byKey(), redirect_uris: ['java\tscript:alert(1)'] }),
      'redirect_uris'
    ],
    ['JavaScript:', () => ({ ...byKey(), redirect_uris: ['JavaScript:alert(1)'] }), 'redirect_uris'],
    ['a redirect URI that is a number', () => ({ ...byKey(), redirect_uris: [1] }), 'redirect_uris'],
    ...['data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'blob:https://a.example/1', 'about:blank'].map(
      (uri): [string, () => Members, string] => [uri, () => ({ ...byKey(), redirect_uris: [uri] }), 'redirect_uris']
    ),
    ['a name that shows as another', () => ({ ...byKey(), client_name: turned }), 'field'],
    ['a name with a line break', () => ({ ...byKey(), client_name: 'a\nb' }), 'field'],
    ['a name of 2,049 characters', () => ({ ...byKey(), client_name: 'x'.repeat(2049) }), 'field'],
    ['a name that is an object', () => ({ ...byKey(), client_name: { en: 'x' } }), 'field'],
    ['grant types as text', () => ({ ...byKey(), grant_types: 'authorization_code' }), 'field'],
    ['contacts with a number', () => ({ ...byKey(), contacts: [1] }), 'field'],
    [
      'a text where true or false stands',
      () => ({ ...byKey(), tls_client_certificate_bound_access_tokens: 'yes' }),
      'field'
    ]
  ]
  test.each(broken)('%s', async (_name, members, why) => {
    publish(JSON.parse(JSON.stringify(members())))
    expect(await outcome()).toBe(why)
  })

  test.each([...new Set(broken.map(([, , why]) => why)), 'withdrawn'])(
    '%s: the wire tells the rule, and no value',
    async (why) => {
      const members = broken.find((row) => row[2] === why)?.[1] ?? (() => ({}))
      publish({ secret_note: 'hunter2', ...members() }, why === 'withdrawn' ? { status: 410 } : {})
      const error = await documentsOf()
        .get(id)
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ reason: 'client_document_invalid', code: 'invalid_client' })
      const { message } = error as ClientAuthError
      expect(message).toMatch(/^(?:The client metadata document (?:must|needs) |There is no client metadata document )/)
      expect(message).not.toMatch(/hunter2|liave|weak/)
    }
  )

  const kept: [name: string, members: () => Members][] = [
    ['a custom scheme', () => ({ ...byKey(), redirect_uris: ['com.example.app:/callback', 'http://127.0.0.1:1234/'] })],
    [
      'members that are empty',
      () => ({ ...byKey(), client_secret: '', jwks: {}, client_name: null, redirect_uris: [] })
    ],
    ['unknown keys beside a good one', () => ({ ...byKey(), jwks_uri: '', jwks: { keys: [{ kty: 'XYZ' }, ec.jwk] } })],
    ['an algorithm of another kind beside none', () => ({ client_id: id, token_endpoint_auth_signing_alg: 'ES256K' })],
    ['EdDSA under its other name', () => ({ ...byKey(), token_endpoint_auth_signing_alg: 'EdDSA' })],
    ['keys that nobody needs, however broken', () => ({ client_id: id, jwks: 'x', jwks_uri: 'http://x' })],
    ['a name of emoji and joiners', () => ({ ...byKey(), client_name: '👩‍💻 क्ष' })],
    ['a BOM-less umlaut', () => ({ ...byKey(), client_name: 'Bücher' })]
  ]
  test.each(kept)('accepted: %s', async (_name, members) => {
    publish(JSON.parse(JSON.stringify(members())))
    expect(await outcome(documentsOf({ algorithms: ['RS256', 'ES256', 'Ed25519'] }))).toMatchObject({ client_id: id })
  })
})

describe('the record', () => {
  // Threat 53: other URLs of the document are fetched elsewhere (keycloak#50529, #50746, #50747)
  test('holds what was judged and nothing else', async () => {
    publish({
      ...byKey(),
      client_name: 'App',
      client_uri: 'https://app.example.com/',
      logo_uri: 'javascript:alert(1)',
      tos_uri: 'https://10.0.0.1/tos#privacy',
      policy_uri: 'https://app.example.com/legal#privacy',
      redirect_uris: ['https://app.example.com/cb'],
      grant_types: ['authorization_code'],
      scope: 'read',
      contacts: ['me@app.example.com'],
      token_endpoint_auth_signing_alg: 'RS256',
      tls_client_certificate_bound_access_tokens: true,
      sector_identifier_uri: 'https://169.254.169.254/',
      request_uris: ['https://10.0.0.1/'],
      backchannel_logout_uri: 'https://10.0.0.1/',
      tls_client_auth_subject_dn: 'CN=app',
      client_secret: ''
    })
    const record = await outcome()
    expect(JSON.parse(JSON.stringify(record))).toEqual({
      client_id: id,
      client_name: 'App',
      client_uri: 'https://app.example.com/',
      policy_uri: 'https://app.example.com/legal#privacy',
      redirect_uris: ['https://app.example.com/cb'],
      grant_types: ['authorization_code'],
      scope: 'read',
      contacts: ['me@app.example.com'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'RS256',
      jwks_uri: jwksUri,
      tls_client_certificate_bound_access_tokens: true
    })
  })

  test('of a public client has neither keys nor algorithm', async () => {
    publish({ ...byKey(), token_endpoint_auth_method: 'none', token_endpoint_auth_signing_alg: 'RS256' })
    expect(Object.keys((await outcome()) as object)).toEqual(['client_id', 'token_endpoint_auth_method'])
  })

  test('cannot be edited, nor can what it holds', async () => {
    publish({ ...byKey(), jwks_uri: null, jwks: { keys: [ec.jwk] }, redirect_uris: ['https://app.example.com/cb'] })
    const record = (await outcome()) as { redirect_uris: string[]; jwks: { keys: object[] }; client_name?: string }
    for (const edit of [
      () => (record.client_name = 'x'),
      () => record.redirect_uris.push('https://evil.example/'),
      () => record.jwks.keys.push({}),
      () => Object.assign(record.jwks.keys[0]!, { kid: 'x' })
    ])
      expect(edit).toThrow(TypeError)
  })

  test('is owned, as is a copy by spread, and no other', async () => {
    publish(byKey())
    const documents = documentsOf()
    const record = (await documents.get(id))!
    expect([record, { ...record, tenant: 1 }].map((one) => documents.owns(one))).toEqual([true, true])
    const strangers = [{ client_id: id }, JSON.parse(JSON.stringify(record)) as typeof record]
    expect(strangers.map((one) => documents.owns(one))).toEqual([false, false])
    expect(documentsOf().owns(record)).toBe(false)
  })
})

test('explain tells what is wrong with a document after an earlier failure too', async () => {
  publish({ ...byKey(), client_secret: 'x' })
  const { explain } = createClientAuthenticator({ issuer, getClient: (asked) => documentsOf().get(asked) })
  const body = assertionForm(keyAssertion(rsa, { clientId: id, claims: { aud: 'https://other.example' } }))
  const { findings } = await explain({ headers: {}, body })
  expect(findings.filter(({ result }) => result === 'failed').map(({ reason }) => reason)).toEqual([
    'assertion_audience',
    'client_document_invalid'
  ])
})

describe('the cache', () => {
  test('cached: without a fetch, and only what is in hand', async () => {
    publish(byKey())
    const documents = documentsOf()
    expect(documents.cached(id)).toBeUndefined()
    expect(world.requests).toEqual([])
    const record = await documents.get(id)
    expect(documents.cached(id)).toBe(record)
    expect(documents.cached('someone')).toBeUndefined()
  })

  test('forget: the next request fetches', async () => {
    publish(byKey())
    const documents = documentsOf()
    await documents.get(id)
    documents.forget(id)
    expect(documents.cached(id)).toBeUndefined()
    await documents.get(id)
    expect(world.requests).toHaveLength(2)
  })

  test('forget: what is fetched meanwhile is not kept', async () => {
    publish(byKey())
    const documents = documentsOf()
    const turn = () => new Promise((done) => setImmediate(done))
    const underWay = documents.get(id)
    while (world.requests.length === 0) await turn()
    documents.forget(id)
    expect(await underWay).toMatchObject({ client_id: id })
    await turn()
    expect(documents.cached(id)).toBeUndefined()
  })

  test('inline keys: fresh for 600 s at most, and served stale for an hour', async () => {
    publish(
      { ...byKey(), jwks_uri: null, jwks: { keys: [ec.jwk] } },
      { headers: { 'content-type': 'application/json', 'cache-control': 'max-age=86400' } }
    )
    const documents = documentsOf()
    const record = await outcome(documents)
    pass(530)
    expect(await outcome(documents)).toBe(record)
    expect(world.requests).toHaveLength(1)
    publish('', { status: 403 })
    pass(100)
    expect(await outcome(documents)).toBe(record)
    pass(3500)
    expect(await outcome(documents)).toBe(record)
    pass(100)
    expect(await outcome(documents)).toBe('status')
  })

  test('410 takes a record away at the second word, a cool-down apart, fresh or not', async () => {
    publish(byKey(), { headers: { 'content-type': 'application/json', 'cache-control': 'max-age=600' } })
    const documents = documentsOf()
    const record = await outcome(documents)
    publish('', { status: 410 })
    pass(700)
    expect(await outcome(documents)).toBe(record)
    pass(10)
    expect(await outcome(documents)).toBe(record)
    expect(world.requests).toHaveLength(2)
    pass(30)
    expect(await outcome(documents)).toBe('withdrawn')
  })

  test('an owner’s broken rule ends the old record at once', async () => {
    publish(byKey())
    const documents = documentsOf()
    await outcome(documents)
    publish({ ...byKey(), client_secret: 'x' })
    pass(3700)
    expect(await outcome(documents)).toBe('secret')
    expect(documents.cached(id)).toBeUndefined()
  })

  // Threat 53: a record that is kept for ever (punkpeye/fastmcp#347)
  test('a year of freshness is a day', async () => {
    publish(byKey(), { headers: { 'content-type': 'application/json', 'cache-control': 'max-age=31536000' } })
    const documents = documentsOf()
    await outcome(documents)
    pass(86_401)
    await outcome(documents)
    expect(world.requests).toHaveLength(2)
  })

  test('a hundred at once: one fetch, and a rejection of its own for each', async () => {
    publish('', { status: 500 })
    const documents = documentsOf()
    const errors = await Promise.all(
      Array.from({ length: 100 }, () => documents.get(id).catch((error: unknown) => error))
    )
    expect(world.requests).toHaveLength(1)
    expect(new Set(errors).size).toBe(100)
    const again = await documents.get(id).catch((error: unknown) => error)
    expect(errors).not.toContain(again)
    expect(world.requests).toHaveLength(1)
  })

  test('allow is asked for cached documents too', async () => {
    publish(byKey())
    let isWelcome = true
    const documents = documentsOf({ allow: () => isWelcome })
    await documents.get(id)
    isWelcome = false
    expect(await outcome(documents)).toBe('policy')
  })
})

describe('events', () => {
  // Threat 53: the document changes between consent and token (patchwork-os#108)
  test('tell each attempt, and which members have changed', async () => {
    const events: ClientDocumentEvent[] = []
    const listen = (message: unknown) => events.push(message as ClientDocumentEvent)
    subscribe('oauth-client-auth:documents', listen)
    const documents = documentsOf()
    const etag = { headers: { 'content-type': 'application/json', etag: '"1"' } }
    publish({ ...byKey(), redirect_uris: ['https://app.example.com/a'] }, etag)
    await outcome(documents)
    publish({ ...byKey(), redirect_uris: ['https://app.example.com/b'], client_name: 'New' }, etag)
    pass(3700)
    await outcome(documents)
    publish({ ...byKey(), redirect_uris: ['https://app.example.com/b'], client_name: 'New' }, etag)
    pass(3700)
    await outcome(documents)
    publish('', { status: 304, headers: {} })
    pass(3700)
    await outcome(documents)
    publish('', { status: 500 })
    pass(3700)
    await outcome(documents)
    publish({ ...byKey(), client_secret: 'hunter2' })
    pass(60)
    await outcome(documents)
    unsubscribe('oauth-client-auth:documents', listen)
    expect(events.map(({ event, changed, why }) => [event, changed, why])).toEqual([
      ['fetched', undefined, undefined],
      ['refreshed', ['redirect_uris', 'client_name'], undefined],
      ['refreshed', [], undefined],
      ['not_modified', undefined, undefined],
      ['stale', undefined, 'status'],
      ['refused', undefined, 'secret']
    ])
    for (const event of events) {
      expect(event).toMatchObject({ clientId: id, host: name, durationMs: expect.any(Number) })
      expect(JSON.stringify([event, event.error?.message])).not.toContain('hunter2')
    }
  })
})

describe('methods of server and resolver', () => {
  async function warnings(methods: NonNullable<ClientDocumentsOptions['methods']>): Promise<string[]> {
    publish({ ...byKey(), token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] })
    const documents = documentsOf({ methods })
    const seen: string[] = []
    const emit = jest.spyOn(process, 'emitWarning').mockImplementation((warning, options) => {
      seen.push(`${(options as { code?: string }).code ?? ''} ${String(warning)}`)
    })
    const authenticate = createClientAuthenticator({
      issuer,
      methods: ['private_key_jwt', 'client_secret_basic', 'none'],
      getClient: (asked) => documents.get(asked)
    })
    for (let i = 0; i < 2; i++)
      await authenticate({ headers: {}, body: assertionForm(keyAssertion(rsa, { clientId: id })) }).catch(
        () => undefined
      )
    emit.mockRestore()
    return seen
  }

  test('no word where they are the same', async () => {
    expect(await warnings(['none', 'private_key_jwt', 'client_secret_basic'])).toEqual([])
  })

  test('one warning, with both lists and the fix, where they differ', async () => {
    const [warning, ...more] = await warnings(['none', 'self_signed_tls_client_auth'])
    expect(more).toEqual([])
    expect(warning).toMatch(
      /^OAUTH_CLIENT_AUTH_DOCUMENT_METHODS .*self_signed_tls_client_auth, none.*private_key_jwt, none.*"methods"/
    )
  })
})

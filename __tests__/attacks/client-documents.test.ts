// Threats of CLIENT-DOCUMENTS: whoever writes a document is a stranger, and so is whoever names it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import supertest from 'supertest'
import {
  clientAuth,
  type ClientAuthError,
  type ClientAuthOptions,
  createClientDocuments,
  createJwksFetcher,
  createMemoryReplayStore,
  type ClientDocumentsOptions,
  type OAuthClient,
  type RejectedEvent,
  type ReplayEntry
} from '../../lib'
import { assertionForm, issuer, keyAssertion, keyFor, makeKey, tokenEndpoint } from '../support/assertions'
import { fakeClocks, type HostAnswer, serveDocuments } from '../support/document-host'
import { clientsOf, tokenServer } from '../support/token-server'

const hosts = ['app.example.com', 'partner.example.com', 'a.open.example.net', 'b.open.example.net']
const floods = Array.from({ length: 40 }, (_, i) => `h${i}.open.example.net`)
const [rsa, ec] = [keyFor('RS256'), keyFor('ES256')]
let world: Awaited<ReturnType<typeof serveDocuments>>

beforeAll(async () => {
  world = await serveDocuments([...hosts, '*.open.example.net'])
})
afterAll(() => world.close())
beforeEach(() => {
  world.requests.length = 0
  world.answers.clear()
})
afterEach(() => {
  jest.useRealTimers()
})

const idOf = (host: string, path = '/client.json') => world.url(host, path)
/** Publishes a client that signs, and returns its id. */
function publish(host: string, more: object = {}, path = '/client.json'): string {
  const [id, jwks_uri] = [idOf(host, path), idOf(host, '/jwks.json')]
  world.answers.set(id, { body: { client_id: id, token_endpoint_auth_method: 'private_key_jwt', jwks_uri, ...more } })
  world.answers.set(jwks_uri, { body: { keys: [rsa.jwk] } })
  return id
}
const documentsOf = (more: Partial<ClientDocumentsOptions> = {}) =>
  createClientDocuments({ allow: 'anyone', ...world.options(floods), ...more })

type Documents = ReturnType<typeof documentsOf>
const serverOf = (documents: Documents, options: Partial<ClientAuthOptions> = {}, ...records: OAuthClient[]) => {
  const { getClient } = clientsOf(...records)
  return tokenServer({
    methods: ['private_key_jwt', 'client_secret_basic', 'none'],
    getClient: (id) => getClient(id) ?? documents.get(id),
    ...options
  })
}
const post = (app: ReturnType<typeof serverOf>, form: object) => supertest(app).post('/token').type('form').send(form)
const signed = (id: string, claims: object = {}) =>
  assertionForm(keyAssertion(rsa, { clientId: id, claims: { ...claims } }))

describe('the wire', () => {
  // Threat 53: a private address is told from a closed port, so that the network can be scanned (gtm-mcp-server#70)
  test('tells no outage from another, nor an address that is refused', async () => {
    const id = publish('app.example.com')
    const closed = { addresses: ['127.0.0.1'], ports: [world.port, 1] }
    const to = (answers: string[]) => () => ({
      resolve4: () => Promise.resolve(answers),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    })
    const plain = { hosts: { 'app.example.com': { ports: [world.port, 1] } } }
    const json = { 'content-type': 'application/json' }
    const faults: [
      why: string,
      options: Partial<ClientDocumentsOptions>,
      answer?: HostAnswer | undefined,
      asked?: string
    ][] = [
      ['address', { ...plain, resolver: to(['10.0.0.5']) }],
      ['address', { ...plain, resolver: to(['169.254.169.254']) }],
      ['dns', { ...plain, resolver: to([]) }],
      ['connection', { hosts: { 'app.example.com': closed } }, undefined, 'https://app.example.com:1/client.json'],
      ['tls', { hosts: { 'app.example.com': { addresses: ['127.0.0.1'], ports: [world.port] } } }],
      ['status', {}, { status: 302, headers: { location: 'http://169.254.169.254/' } }],
      ['status', {}, { status: 500 }],
      ['status', {}, { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>' }],
      ['content_type', {}, { headers: { 'content-type': 'text/html' }, body: '<html>' }],
      ['json', {}, { headers: json, body: '[]' }],
      ['too_large', {}, { headers: json, body: `{"a":"${'x'.repeat(10_240)}"}`, chunked: true }],
      ['timeout', { timeout: 0.3 }, { headers: json, drip: true }],
      ['busy', { maxFirstLoads: 1 }, { status: 500 }]
    ]
    const seen: unknown[] = []
    for (const [why, options, answer, asked = id] of faults) {
      world.answers.set(id, answer ?? { status: 500 })
      const documents = documentsOf(options)
      if (why === 'busy') await documents.get(idOf('app.example.com', '/other')).catch(() => undefined)
      const error = (await documents.get(asked).catch((thrown: unknown) => thrown)) as ClientAuthError
      expect([error.reason, (error.cause as { why: string }).why]).toEqual(['client_document_unavailable', why])
      const { status, headers, text } = await post(serverOf(documents), { client_id: asked })
      seen.push({ status, text, headers: { ...headers, date: undefined } })
    }
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1)
    expect(seen[0]).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
    expect(JSON.parse((seen[0] as { text: string }).text)).toMatchObject({ error: 'temporarily_unavailable' })
  })

  // Threat 53: an outage of the keys of a document wipes tokens, or tells what the network looks like
  describe('of keys', () => {
    const json = { 'content-type': 'application/json' }
    const nowhere: NonNullable<ClientDocumentsOptions['resolver']> = () => ({
      resolve4: (host) => Promise.resolve([host === 'app.example.com' ? '127.0.0.1' : '10.0.0.5']),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    })
    const keysAt = (host: string) => idOf(host, '/keys.json')
    const hostRules = () => world.options().hosts['app.example.com']!
    const faults: [why: string, answer: HostAnswer, options?: () => Partial<ClientDocumentsOptions>][] = [
      [
        'address',
        {},
        () => ({
          hosts: { 'app.example.com': hostRules(), 'partner.example.com': { ports: [world.port] } },
          resolver: nowhere
        })
      ],
      [
        'tls',
        {},
        () => ({
          hosts: {
            'app.example.com': hostRules(),
            'partner.example.com': { addresses: ['127.0.0.1'], ports: [world.port] }
          }
        })
      ],
      ['status', { status: 302, headers: { location: 'http://169.254.169.254/' } }],
      ['status', { status: 500 }],
      ['status', { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>' }],
      ['content_type', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
      ['json', { headers: json, body: '{' }],
      ['timeout', { headers: json, drip: true }, () => ({ timeout: 0.3 })]
    ]

    test('tells no outage from another: 503, and explain says the same', async () => {
      const id = publish('app.example.com', { jwks_uri: keysAt('partner.example.com') })
      const seen: unknown[] = []
      for (const [why, answer, options = () => ({})] of faults) {
        world.answers.set(keysAt('partner.example.com'), answer)
        const documents = documentsOf(options())
        await documents.get(id)
        const rejected: unknown[] = []
        const hear = (event: unknown) => rejected.push((event as RejectedEvent).error)
        subscribe('oauth-client-auth:rejected', hear)
        const { status, headers, text } = await post(serverOf(documents), signed(id))
        unsubscribe('oauth-client-auth:rejected', hear)
        expect(rejected).toMatchObject([{ reason: 'client_keys_unavailable', detail: { why } }])
        seen.push({ status, text, headers: { ...headers, date: undefined } })
        const { explain } = clientAuth({ issuer, getClient: (asked) => documents.get(asked) })
        const { findings, reason } = await explain({ headers: {}, body: signed(id) }, { fetch: true })
        expect(reason).toBe('client_keys_unavailable')
        expect(findings.filter(({ result }) => result === 'failed').map(({ check }) => check)).toEqual(['key set'])
        documents.close()
      }
      expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1)
      expect(seen[0]).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
      expect(JSON.parse((seen[0] as { text: string }).text)).toEqual({
        error: 'temporarily_unavailable',
        error_description: 'The keys of the client cannot be had at this time.'
      })
    })

    test('a key that could not be asked for is no wrong key', async () => {
      fakeClocks()
      const id = publish('app.example.com')
      const keys = idOf('app.example.com', '/jwks.json')
      const app = serverOf(documentsOf())
      const next = makeKey('RS256', 'next')
      const byNext = async () => (await post(app, assertionForm(keyAssertion(next, { clientId: id })))).status
      expect((await post(app, signed(id))).status).toBe(200)
      expect(await byNext()).toBe(401) // the set is new
      world.answers.set(keys, { status: 403 })
      jest.advanceTimersByTime(60_000)
      expect(await byNext()).toBe(503)
      expect(await byNext()).toBe(503) // within the cool-down
      expect((await post(app, signed(id))).status).toBe(200)
      world.answers.set(keys, { body: { keys: [next.jwk] } })
      jest.advanceTimersByTime(31_000)
      expect(await byNext()).toBe(200)
      expect((await post(app, signed(id))).status).toBe(401)
    })

    test('what the owner says is no outage, and registered clients have the answer that they had', async () => {
      const id = publish('app.example.com', { jwks_uri: keysAt('partner.example.com') })
      const mine = {
        client_id: 'mine',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: keysAt('partner.example.com')
      }
      const codeOf = async (clientId: string, answer: HostAnswer) => {
        world.answers.set(keysAt('partner.example.com'), answer)
        const keySets = createJwksFetcher(world.options())
        const { status, body } = await post(serverOf(documentsOf(), { keySets }, mine), signed(clientId))
        return [status, body.error, body.error_description]
      }
      const refused = [401, 'invalid_client', 'Client authentication failed.']
      const privateKey = { ...rsa.jwk, d: 'AQAB' }
      for (const answer of [{ status: 404 }, { status: 410 }, { body: {} }, { body: { keys: [privateKey] } }])
        expect(await codeOf(id, answer)).toEqual(refused)
      for (const answer of [{ status: 404 }, { status: 500 }, { headers: json, body: '{' }])
        expect(await codeOf('mine', answer)).toEqual(refused)
    })
  })

  // Threat 53: an outage wipes tokens: clients throw them away on invalid_client (pomerium#6786)
  test('an outage is served from what was had yesterday, and never answered by invalid_client', async () => {
    fakeClocks()
    const id = publish('app.example.com', { token_endpoint_auth_method: 'none' })
    const app = serverOf(documentsOf())
    expect((await post(app, { client_id: id })).status).toBe(200)
    world.answers.set(id, { status: 403 })
    jest.advanceTimersByTime(20 * 3_600_000)
    expect((await post(app, { client_id: id })).status).toBe(200)
    jest.advanceTimersByTime(6 * 3_600_000)
    const after = await post(app, { client_id: id })
    expect([after.status, after.body.error]).toEqual([503, 'temporarily_unavailable'])
  })
})

describe('proof', () => {
  // Threat 53: a key client that is let in by its id alone, because its document offers none as well
  test('a client that prefers its key is never let in without', async () => {
    const id = publish('app.example.com', { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] })
    const app = serverOf(documentsOf())
    const bare = await post(app, { client_id: id })
    expect([bare.status, bare.body.error]).toEqual([401, 'invalid_client'])
    expect((await post(app, signed(id))).body).toMatchObject({ client_id: id, method: 'private_key_jwt' })
  })

  test('a secret of a document opens nothing', async () => {
    const id = publish('app.example.com', {
      client_secret: 'hunter2',
      token_endpoint_auth_method: 'client_secret_post'
    })
    const answer = await post(serverOf(documentsOf(), { methods: ['client_secret_post'] }), {
      client_id: id,
      client_secret: 'hunter2'
    })
    expect(answer.body.error).toBe('invalid_client')
  })

  test('who was registered by the operator is pinned: the document at the same URL is never fetched', async () => {
    const id = publish('app.example.com')
    const mine = { client_id: id, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [ec.jwk] } }
    const app = serverOf(documentsOf(), {}, mine)
    expect((await post(app, signed(id))).status).toBe(401)
    expect((await post(app, assertionForm(keyAssertion(ec, { clientId: id })))).status).toBe(200)
    expect(world.requests).toEqual([])
  })
})

describe('audience', () => {
  const forms: [name: string, legacyAudiences: ClientAuthOptions['legacyAudiences']][] = [
    ['as a list', [tokenEndpoint]],
    ['as a function', () => [tokenEndpoint]]
  ]
  // Threat 53: an assertion that was made for another server, since these clients talk to any (CVE-2025-27370)
  test.each(forms)(
    'with legacyAudiences %s a client document has one aud, and a registered client may have several',
    async (_name, legacyAudiences) => {
      const id = publish('app.example.com')
      const mine = { client_id: 'mine', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [rsa.jwk] } }
      const app = serverOf(documentsOf(), { legacyAudiences }, mine)
      const [several, mixed] = [
        [tokenEndpoint, 'https://evil.example/token'],
        [issuer, 'https://evil.example']
      ]
      const statusOf = async (clientId: string, aud: unknown) => (await post(app, signed(clientId, { aud }))).status
      for (const aud of [issuer, [issuer], tokenEndpoint, [tokenEndpoint]])
        expect([aud, await statusOf(id, aud)]).toEqual([aud, 200])
      for (const aud of [several, mixed]) expect([aud, await statusOf(id, aud)]).toEqual([aud, 401])
      for (const aud of [several, mixed]) expect([aud, await statusOf('mine', aud)]).toEqual([aud, 200])
      const refused = await post(app, signed(id, { aud: several }))
      expect(refused.body.error_description).toBe(
        `For this client the aud of client_assertion must be one value: ${issuer}`
      )
    }
  )

  test('without legacyAudiences the issuer alone', async () => {
    const id = publish('app.example.com')
    const answer = await post(serverOf(documentsOf()), signed(id, { aud: tokenEndpoint }))
    expect(answer.status).toBe(401)
    expect(world.requests).toEqual([])
  })

  test('explain tells it in a row of its own, for such clients only', async () => {
    const id = publish('app.example.com')
    const documents = documentsOf()
    const mine = { client_id: 'mine', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [rsa.jwk] } }
    const { explain } = clientAuth({
      issuer,
      legacyAudiences: [tokenEndpoint],
      getClient: (asked) => (asked === 'mine' ? mine : documents.get(asked))
    })
    const checks = async (clientId: string, aud: unknown) =>
      (await explain({ headers: {}, body: signed(clientId, { aud }) }, { fetch: true })).findings.filter(({ check }) =>
        check.startsWith('sole aud')
      )
    expect(await checks(id, [tokenEndpoint, 'x'])).toEqual([
      expect.objectContaining({ result: 'failed', reason: 'assertion_audience' })
    ])
    expect(await checks(id, tokenEndpoint)).toEqual([expect.objectContaining({ result: 'passed' })])
    expect(await checks('mine', [tokenEndpoint, 'x'])).toEqual([])
  })
})

describe('keys', () => {
  // Threat 53: hostile jwks_uris of documents arrive where the keys of registered clients are fetched
  test('of documents are never asked of the server’s keySets, nor for a copied record', async () => {
    const id = publish('app.example.com')
    const asked: string[] = []
    const real = createJwksFetcher(world.options())
    const keySets = { get: (uri: string) => (asked.push(uri), real.get(uri)) }
    const documents = documentsOf()
    const mine = {
      client_id: 'mine',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: idOf('partner.example.com', '/jwks')
    }
    world.answers.set(mine.jwks_uri, { body: { keys: [rsa.jwk] } })
    const copy = async (asked: string) => ({ ...(await documents.get(asked))!, tenant: 7 })
    const app = serverOf(documents, { keySets, getClient: (clientId) => (clientId === 'mine' ? mine : copy(clientId)) })
    for (const clientId of [id, 'mine']) expect((await post(app, signed(clientId))).status).toBe(200)
    expect(asked).toEqual([mine.jwks_uri])
  })

  test('44 key hosts of documents that never answer delay no registered client', async () => {
    const ids = Array.from({ length: 44 }, (_, i) =>
      publish(floods[i % floods.length]!, { jwks_uri: idOf(floods[i % floods.length]!, `/slow${i}`) }, `/${i}`)
    )
    for (const host of floods) for (let i = 0; i < 44; i++) world.answers.set(idOf(host, `/slow${i}`), { drip: true })
    const mine = {
      client_id: 'mine',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: idOf('partner.example.com', '/jwks')
    }
    world.answers.set(mine.jwks_uri, { body: { keys: [rsa.jwk] } })
    const documents = documentsOf({ timeout: 5 })
    for (const id of ids) await documents.get(id) // only their keys are slow
    const keySets = createJwksFetcher({ ...world.options(floods), maxConcurrent: 4, timeout: 5 })
    const app = serverOf(documents, { keySets }, mine)
    const hostile = ids.map((id) => post(app, signed(id)).then(({ status }) => status))
    const isSlow = ({ url }: { url: string }) => url.includes('/slow')
    while (world.requests.filter(isSlow).length < 4) await new Promise((done) => setTimeout(done, 5))
    expect((await post(app, signed('mine'))).status).toBe(200)
    for (const status of await Promise.all(hostile)) expect([401, 503]).toContain(status)
  }, 60_000)
})

describe('a flood of made-up ids', () => {
  // Threat 53: a million URL ids: whoever sends requests makes this server send requests
  test('costs no fetch where allow does not name the host', async () => {
    const documents = documentsOf({ allow: ['app.example.com'] })
    for (let i = 0; i < 2000; i++)
      await expect(documents.get(`https://x${i}.evil.example/${i}`)).rejects.toMatchObject({
        reason: 'client_document_url'
      })
    expect(world.requests).toEqual([])
  })

  test('under a pattern takes nothing from the clients that are named', async () => {
    const documents = documentsOf({
      allow: ['app.example.com', '*.open.example.net'],
      maxFirstLoads: 5,
      maxFirstLoadsPerHost: 3,
      cooldown: 0
    })
    const ids = Array.from({ length: 200 }, (_, i) => idOf(floods[i % floods.length]!, `/${i}`))
    const whys = await Promise.all(
      ids.map((id) => documents.get(id).catch((error: unknown) => ((error as Error).cause as { why: string }).why))
    )
    expect(whys.filter((why) => why === 'withdrawn')).toHaveLength(5)
    expect(whys.filter((why) => why === 'busy')).toHaveLength(195)
    const id = publish('app.example.com')
    expect(await documents.get(id)).toMatchObject({ client_id: id })
  })

  test('at one host takes nothing from other hosts, and is refilled with time', async () => {
    fakeClocks()
    const documents = documentsOf({ maxFirstLoads: 100, maxFirstLoadsPerHost: 3 })
    const ask = (host: string, path: string) =>
      documents.get(idOf(host, path)).catch((error: unknown) => ((error as Error).cause as { why: string }).why)
    for (let i = 0; i < 3; i++) expect(await ask('a.open.example.net', `/${i}`)).toBe('withdrawn')
    expect(await ask('a.open.example.net', '/3')).toBe('busy')
    expect(await ask('b.open.example.net', '/0')).toBe('withdrawn')
    jest.advanceTimersByTime(20_000)
    expect(await ask('a.open.example.net', '/3')).toBe('withdrawn')
    expect(await ask('a.open.example.net', '/4')).toBe('busy')
  })

  // Threat 53: one host with many documents pushes the documents of all other hosts out of the cache
  test('of one host a tenth of the cache is kept, and the documents of others stay', async () => {
    const documents = documentsOf({ maxEntries: 20 })
    const other = publish('app.example.com')
    await documents.get(other)
    const many = Array.from({ length: 12 }, (_, i) => publish('a.open.example.net', {}, `/client-${i}.json`))
    for (const id of many) await documents.get(id)
    expect(many.filter((id) => documents.cached(id) !== undefined)).toEqual(many.slice(-2))
    expect(documents.cached(other)).toBeDefined()
    documents.close()
  })

  test('does not stand in front of a client that was good before', async () => {
    fakeClocks()
    const id = publish('app.example.com')
    const documents = documentsOf({ maxFirstLoads: 2, maxEntries: 1 })
    const record = await documents.get(id)
    // Another document takes its place, and the flood spends the budget
    await documents.get(publish('partner.example.com'))
    expect(documents.cached(id)).toBeUndefined()
    await expect(documents.get(idOf('b.open.example.net', '/1'))).rejects.toMatchObject({ cause: { why: 'busy' } })
    expect(await documents.get(id)).toEqual(record)
  })
})

describe('the replay store', () => {
  // Threat 53: strangers as clients fill the replay store, so that registered clients get 503
  test('keeps half for registered clients, and a tenth of the other half for each host', async () => {
    const groups: unknown[] = []
    const memory = createMemoryReplayStore({ maxEntries: 60, maxEntriesPerClient: 60 })
    const replayStore = { consume: (entry: ReplayEntry) => (groups.push(entry.group), memory.consume(entry)) }
    const mine = { client_id: 'mine', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [rsa.jwk] } }
    const app = serverOf(documentsOf(), { replayStore }, mine)
    const statuses = async (id: string, count: number) => {
      const answers = []
      for (let i = 0; i < count; i++) answers.push((await post(app, signed(id))).status)
      return answers
    }
    const [first, second] = [publish('a.open.example.net'), publish('a.open.example.net', {}, '/second')]
    expect(await statuses(first, 2)).toEqual([200, 200])
    expect(await statuses(second, 2)).toEqual([200, 503])
    expect(await statuses(publish('b.open.example.net'), 1)).toEqual([200])
    expect(await statuses('mine', 30)).toEqual(Array(30).fill(200))
    expect(new Set(groups)).toEqual(new Set(['a.open.example.net', 'b.open.example.net', undefined]))
  })

  test('a replay under the URL is refused', async () => {
    const id = publish('app.example.com')
    const app = serverOf(documentsOf())
    const form = signed(id)
    expect([(await post(app, form)).status, (await post(app, form)).status]).toEqual([200, 401])
  })

  test('another key at the same URL is the owner’s choice, and a stranger’s key is none', async () => {
    const id = publish('app.example.com')
    const app = serverOf(documentsOf())
    const other = makeKey('RS256', rsa.kid)
    expect((await post(app, assertionForm(keyAssertion(other, { clientId: id })))).status).toBe(401)
    expect((await post(app, signed(id))).status).toBe(200)
  })
})

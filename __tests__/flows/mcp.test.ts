// The MCP TypeScript SDK as a host, with clients that nobody registered, over real HTTP; their documents over real TLS.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type ClientDocumentEvent, createClientDocuments, type OAuthClient } from '../../lib'
import { keyFor, makeKey } from '../support/assertions'
import { fakeClocks, serveDocuments } from '../support/document-host'
import { handWrittenClient, redirectUri, sdkClient } from '../support/mcp-clients'
import { sdks, startMcpServer } from '../support/mcp-server'

const name = 'chat.example.com'
const key = keyFor('RS256')
let world: Awaited<ReturnType<typeof serveDocuments>>
let id: string
let jwksUri: string

beforeAll(async () => {
  world = await serveDocuments([name])
  id = world.url(name, '/client.json')
  jwksUri = world.url(name, '/jwks.json')
})
afterAll(() => world.close())

/** The form of ChatGPT's document. */
const document = () => ({
  client_id: id,
  client_name: 'A chat',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  token_endpoint_auth_signing_alg: 'RS256',
  jwks_uri: jwksUri
})
const publish = (more: object = {}) => world.answers.set(id, { body: { ...document(), ...more } })
const publishKeys = (...keys: object[]) => world.answers.set(jwksUri, { body: { keys } })

const closers: (() => void)[] = []
const events: ClientDocumentEvent[] = []
const methodsUsed: unknown[] = []
const hear = (event: unknown) => events.push(event as ClientDocumentEvent)
const hearMethod = (event: unknown) => methodsUsed.push((event as { method: unknown }).method)
beforeEach(() => {
  fakeClocks()
  events.length = methodsUsed.length = 0
  subscribe('oauth-client-auth:documents', hear)
  subscribe('oauth-client-auth:authenticated', hearMethod)
  publish()
  publishKeys(key.jwk)
})
afterEach(() => {
  unsubscribe('oauth-client-auth:documents', hear)
  unsubscribe('oauth-client-auth:authenticated', hearMethod)
  for (const close of closers.splice(0)) close()
  jest.useRealTimers()
})

const pass = (seconds: number) => {
  jest.advanceTimersByTime(seconds * 1000)
}

type Sdk = (typeof sdks)['sdk 1']

/** The SDK with our middleware ahead. */
async function guarded(sdk: Sdk, ...records: OAuthClient[]) {
  const methods = ['private_key_jwt', 'client_secret_basic', 'none'] as const
  const documents = createClientDocuments({ allow: [name], methods, ...world.options() })
  const find = (asked: string) => records.find(({ client_id }) => client_id === asked) ?? documents.get(asked)
  const server = await startMcpServer(sdk, find, {
    documents,
    options: (issuer) => ({
      methods,
      legacyAudiences: ({ client_id: client }) => (client === id ? [`${issuer}token`] : [])
    })
  })
  closers.push(server.close, () => {
    documents.close()
  })
  return server
}

const ok = { status: 200 }
const refused = { status: 401, error: 'invalid_client' }
const away = { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>' }

describe.each([
  ['the SDK’s client', sdkClient, sdks['sdk 1']],
  ['a stand-in for ChatGPT', handWrittenClient, sdks['sdk 1']],
  ['the SDK’s client, at server-legacy', sdkClient, sdks['server-legacy 2']],
  ['a stand-in for ChatGPT, at server-legacy', handWrittenClient, sdks['server-legacy 2']]
])('%s', (_name, createClient, sdk) => {
  test('authorizes, refreshes and revokes; goes on while its host is away; is refused without its key', async () => {
    const server = await guarded(sdk)
    const client = createClient(server, id, key)

    expect(await client.authorize()).toMatchObject(ok)
    const token = client.tokens()?.access_token ?? ''
    expect(await server.provider.verifyAccessToken(token)).toMatchObject({ clientId: id })
    expect(await client.refresh()).toMatchObject(ok)
    expect(client.tokens()?.access_token).not.toBe(token)
    expect(await client.revoke()).toMatchObject(ok)
    expect(events.map(({ event }) => event)).toEqual(['fetched'])

    // An hour of 403, for the document and the keys
    expect(await client.authorize()).toMatchObject(ok)
    for (const url of [id, jwksUri]) world.answers.set(url, away)
    for (const minutes of [5, 25, 29, 2]) {
      pass(minutes * 60)
      expect(await client.refresh()).toMatchObject(ok)
    }
    expect(events.at(-1)).toMatchObject({ event: 'stale', why: 'status' })

    // Back, without the key
    publish()
    publishKeys(makeKey('RS256', 'another').jwk)
    pass(61)
    const refresh = client.tokens()?.refresh_token
    const verdict = await client.refresh()
    expect(verdict).toMatchObject(refused)

    // The key again, and another redirect URI: the old one is no longer taken
    publishKeys(key.jwk)
    publish({ redirect_uris: ['https://new.example/callback'] })
    pass(3600)
    expect(client.tokens()?.refresh_token).toBe(refresh)
    expect(await client.refresh()).toMatchObject(ok)
    expect(events.at(-1)).toMatchObject({ event: 'refreshed', clientId: id, changed: ['redirect_uris'] })
    expect(await client.revoke()).toMatchObject(ok)
    expect(await client.authorize()).toMatchObject({ status: 400, error: 'invalid_request' })
    expect(new Set(methodsUsed)).toEqual(new Set(['private_key_jwt']))
  })
})

describe.each(Object.entries(sdks))('%s: a client that has a key and sends nothing but its id', (_name, sdk) => {
  const registered = () => ({
    client_id: 'job',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key.jwk] },
    redirect_uris: [redirectUri]
  })

  // Threat 53: the MCP SDK lets a client that is registered for private_key_jwt in by its id alone
  test('the SDK alone gives it a token', async () => {
    const server = await startMcpServer(sdk, (asked) => (asked === 'job' ? registered() : undefined))
    closers.push(server.close)
    const client = handWrittenClient(server, 'job')
    expect(await client.authorize()).toMatchObject(ok)
    const token = client.tokens()?.access_token ?? ''
    expect(await server.provider.verifyAccessToken(token)).toMatchObject({ clientId: 'job' })
  })

  test('with clientAuth() ahead it is refused, registered or not', async () => {
    const server = await guarded(sdk, registered())
    for (const clientId of ['job', id])
      expect([clientId, await handWrittenClient(server, clientId).authorize()]).toEqual([clientId, refused])
    expect(await sdkClient(server, id).authorize()).toEqual(refused)
    expect(methodsUsed).toEqual([])
  })
})

// Threat 53: a document changes from a key to none, and the grant that was made by the key goes on without
test('a grant that was made by a key is not refreshed by the id alone', async () => {
  const server = await guarded(sdks['sdk 1'])
  const client = handWrittenClient(server, id, key)
  expect(await client.authorize()).toMatchObject(ok)
  publish({ token_endpoint_auth_method: 'none' })
  pass(3700)
  const refresh_token = client.tokens()?.refresh_token ?? ''
  const body = new URLSearchParams({ client_id: id, grant_type: 'refresh_token', refresh_token })
  const answer = await fetch(server.tokenEndpoint, { method: 'POST', body })
  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })])
  expect(methodsUsed).toEqual(['private_key_jwt', 'none'])
})

test('discovery tells what is accepted, and browsers may ask and read a refusal', async () => {
  const server = await guarded(sdks['sdk 1'])
  const metadata = await fetch(new URL('/.well-known/oauth-authorization-server', server.issuer))
  const methods = ['private_key_jwt', 'client_secret_basic', 'none']
  expect(await metadata.json()).toMatchObject({
    issuer: server.issuer,
    token_endpoint: `${server.issuer}token`,
    token_endpoint_auth_methods_supported: expect.arrayContaining(methods),
    token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['RS256']),
    revocation_endpoint_auth_methods_supported: expect.arrayContaining(methods),
    client_id_metadata_document_supported: true
  })
  expect(server.issuer).toMatch(/\/$/)
  const origin = 'https://app.example'
  const asks = { origin, 'access-control-request-method': 'POST' }
  expect((await fetch(server.tokenEndpoint, { method: 'OPTIONS', headers: asks })).status).toBe(204)
  const body = new URLSearchParams({ client_id: 'nobody' })
  const refusal = await fetch(server.tokenEndpoint, { method: 'POST', headers: { origin }, body })
  expect([refusal.status, refusal.headers.get('access-control-allow-origin')]).toEqual([401, '*'])
})

// Threat 53: an outage wipes tokens: clients throw them away on invalid_client (pomerium#6786)
test('the SDK’s client keeps its tokens over an outage, and throws them away on invalid_client', async () => {
  const server = await guarded(sdks['sdk 1'])
  const client = sdkClient(server, id, key)
  expect(await client.authorize()).toMatchObject(ok)
  for (const url of [id, jwksUri]) world.answers.set(url, away)
  const unavailable = { status: 503, error: 'temporarily_unavailable' }
  pass(2 * 3600) // the keys cannot be had any more
  expect(await client.refresh()).toMatchObject(unavailable)
  pass(26 * 3600) // nor the document
  expect(await client.refresh()).toMatchObject(unavailable)
  expect(client.invalidated).toEqual([])
  publish()
  publishKeys(makeKey('RS256', 'another').jwk)
  pass(61)
  expect(await client.refresh()).toMatchObject(refused)
  expect(client.invalidated).toEqual(['all'])
})

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { ClientAuthError, createClientAuthenticator, createJwksFetcher, type OAuthClient } from '../../lib'
import { assertionForm, issuer, keyAssertion, makeKey, type TestKey } from '../support/assertions'
import { answer } from '../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../support/tls-certificates'
import { type Play, serveRaw, type TestServer } from '../support/tls-server'

// Handshakes by the hundred, on machines that have other work too
jest.setTimeout(60_000)

const host = 'keys.client-app.net'
const [first, second, stranger] = [makeKey('ES256', 'first'), makeKey('PS256', 'second'), makeKey('ES256', 'first')]
let authority: Certificate
let server: TestServer
let requests: number
const plays = new Map<string, Play>()

beforeAll(async () => {
  authority = await makeAuthority()
  server = await serveRaw(await makeCertificate(authority, { names: [host] }), (path) => (socket, request) => {
    requests++
    plays.get(path)?.(socket, request)
  })
})
afterAll(() => server.close())
beforeEach(() => {
  const real = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'] as const
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: [...real, 'clearImmediate', 'nextTick', 'queueMicrotask', 'hrtime']
  })
  requests = 0
  publish('/a', first)
})
afterEach(() => {
  jest.useRealTimers()
})

/** Moves the monotonic clock and the system's clock. */
const pass = (seconds: number) => {
  jest.advanceTimersByTime(seconds * 1000)
}
const publish = (path: string, ...keys: TestKey[]) =>
  plays.set(path, answer(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })))

function authenticator(...more: OAuthClient[]) {
  const record = (client_id: string, path: string): OAuthClient => ({
    client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: `https://${host}:${server.port}${path}`
  })
  const clients = [record('a', '/a'), record('a2', '/a'), record('b', '/b'), ...more]
  const authenticate = createClientAuthenticator({
    issuer,
    getClient: (id) => clients.find(({ client_id }) => client_id === id),
    keySets: createJwksFetcher({
      hosts: { [host]: { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert } },
      resolver: () => ({
        resolve4: () => Promise.resolve(['127.0.0.1']),
        resolve6: () => Promise.resolve([]),
        cancel: () => undefined
      }),
      timeout: 10
    })
  })
  return {
    clients,
    explain: authenticate.explain,
    by: (key: TestKey, clientId = 'a', header: Record<string, unknown> = {}) =>
      authenticate({ headers: {}, body: assertionForm(keyAssertion(key, { clientId, header })) })
  }
}

const reasonOf = async (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'authenticated',
    (error: unknown) => (error instanceof ClientAuthError ? error.reason : error)
  )

test('a key behind jwks_uri authenticates, and one fetch serves a thousand first uses', async () => {
  const { by } = authenticator()
  const all = await Promise.all(Array.from({ length: 1000 }, () => by(first)))
  expect(all.every(({ clientId }) => clientId === 'a')).toBe(true)
  expect(requests).toBe(1)
})

describe('1,000 assertions with 1,000 unknown kids', () => {
  const flood = async ({ by }: ReturnType<typeof authenticator>) => {
    const attempts = Array.from({ length: 1000 }, (_, i) => reasonOf(by(stranger, 'a', { kid: `unknown-${i}` })))
    const good = Array.from({ length: 20 }, () => reasonOf(by(first)))
    expect(new Set(await Promise.all(attempts))).toEqual(new Set(['no_matching_key']))
    expect(new Set(await Promise.all(good))).toEqual(new Set(['authenticated']))
  }

  // Threat 7: unknown-`kid` flooding
  test('make one refresh in 30 s, and good keys are served throughout', async () => {
    const made = authenticator()
    await made.by(first)
    await flood(made)
    expect(requests).toBe(1)
    pass(30)
    await flood(made)
    pass(29)
    await flood(made)
    expect(requests).toBe(2)
  })

  test('make one attempt in 30 s while the server is down, and good keys are served throughout', async () => {
    const made = authenticator()
    await made.by(first)
    plays.set('/a', (socket) => socket.destroy())
    pass(30)
    await flood(made)
    pass(29)
    await flood(made)
    expect(requests).toBe(2)
  })

  // Threat 7: flooding without `kid`
  test('even without a kid', async () => {
    const { by } = authenticator()
    await by(first)
    pass(31)
    const attempts = Array.from({ length: 200 }, () => reasonOf(by(stranger, 'a', { kid: undefined })))
    expect(new Set(await Promise.all(attempts))).toEqual(new Set(['signature_mismatch']))
    expect(requests).toBe(2)
  })
})

describe('rotation', () => {
  test('a kid published a minute ago works', async () => {
    const { by } = authenticator()
    await by(first)
    pass(60)
    publish('/a', first, second)
    expect(await reasonOf(by(second))).toBe('authenticated')
    expect(await reasonOf(by(first))).toBe('authenticated')
  })

  test('a forger with the new kid is told from one whose kid nobody knows', async () => {
    const { by } = authenticator()
    await by(first)
    pass(60)
    publish('/a', first, second)
    expect(await reasonOf(by({ ...second, privateKey: stranger.privateKey }))).toBe('signature_mismatch')
  })

  test('a removed key stops working within its time', async () => {
    const { by } = authenticator()
    await by(first)
    publish('/a', second)
    pass(601)
    expect(await reasonOf(by(first))).toBe('no_matching_key')
    expect(await reasonOf(by(second))).toBe('authenticated')
  })

  // Threat 7: a failed refresh that evicts good keys (CVE-2026-48524)
  test('a failed refresh keeps the old set for staleIfError and no longer', async () => {
    const { by } = authenticator()
    await by(first)
    plays.set('/a', answer('', {}, 500))
    pass(600 + 3598)
    expect(await reasonOf(by(first))).toBe('authenticated')
    pass(3)
    expect(await reasonOf(by(first))).toBe('jwks_unavailable')
  })
})

test('a new key under an old kid: explain says when the set in the cache was had, and until when it is used', async () => {
  const { by, explain } = authenticator()
  await by(first)
  publish('/a', stranger)
  pass(20)
  expect(await reasonOf(by(stranger))).toBe('signature_mismatch')
  const { reason, findings } = await explain({
    headers: {},
    body: assertionForm(keyAssertion(stranger, { clientId: 'a' }))
  })
  expect(reason).toBe('signature_mismatch')
  const { advice = '' } = findings.find(({ result }) => result === 'failed') ?? {}
  expect(advice).toContain('a new key needs a new kid')
  const [, fetched = '', until = ''] =
    /in the cache was looked at, fetched (\S+) and used until (\S+): ask with fetch\.$/.exec(advice) ?? []
  expect(Math.round((Date.now() - Date.parse(fetched)) / 1000)).toBeGreaterThanOrEqual(20)
  expect(Date.parse(until) - Date.parse(fetched)).toBe(600_000)
})

// Threat 7: two clients with one URI
test('two clients with one jwks_uri share a fetch, but neither can speak for the other', async () => {
  const { by } = authenticator()
  await by(first, 'a')
  await by(first, 'a2')
  expect(requests).toBe(1)
  publish('/b', stranger)
  expect(await reasonOf(by(stranger, 'a'))).toBe('signature_mismatch')
  expect(await reasonOf(by(stranger, 'b'))).toBe('authenticated')
})

test('a client that moves to another jwks_uri is judged by that one alone', async () => {
  const { by, clients } = authenticator()
  await by(first)
  publish('/b', second)
  const [a] = clients
  if (a !== undefined) a.jwks_uri = `https://${host}:${server.port}/b`
  expect(await reasonOf(by(first))).toBe('no_matching_key')
  expect(await reasonOf(by(second))).toBe('authenticated')
})

test('what the log is told of an unreachable set, and what the wire is not', async () => {
  const { by } = authenticator({
    client_id: 'inside',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://169.254.169.254/latest'
  })
  const error: unknown = await by(first, 'inside').catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    reason: 'jwks_unavailable',
    cause: { why: 'host', message: expect.stringContaining('169.254') as string }
  })
  expect(JSON.stringify(error)).toBe('{"error":"invalid_client","error_description":"Client authentication failed."}')
})

test('without a subscriber nothing is published, with one it is', async () => {
  expect(channel('oauth-client-auth:jwks').hasSubscribers).toBe(false)
  const seen: unknown[] = []
  const listener = (message: unknown) => seen.push(message)
  subscribe('oauth-client-auth:jwks', listener)
  await authenticator().by(first)
  unsubscribe('oauth-client-auth:jwks', listener)
  expect(seen).toMatchObject([{ event: 'fetched', host, keys: 1 }])
})

// What an operator is told of a refused request, and what explaining must not do.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  clientAuth,
  ClientAuthError,
  createClientAuthenticator,
  createJwksFetcher,
  createMemoryReplayStore,
  type ClientAuthOptions,
  type Explanation,
  type KeySets,
  type OAuthClient
} from '../../lib'
import {
  basic,
  issuer,
  keyAssertion,
  keyFor,
  makeKey,
  now,
  secretAssertion,
  tokenEndpoint
} from '../support/assertions'
import { brokenAssertions, ec, formOf, recordFor } from '../support/broken-assertions'
import { makeCertificate } from '../support/tls-certificates'
import { serveHttps, type TestServer } from '../support/tls-server'
import { clientsOf } from '../support/token-server'

const bank = recordFor({})
const shop: OAuthClient = { client_id: 'shop', client_secret: 'the secret of the shop' }
const optionsFor = (record: OAuthClient, more: Partial<ClientAuthOptions> = {}): ClientAuthOptions => ({
  issuer,
  getClient: clientsOf(record).getClient,
  ...more
})
const failedOf = ({ findings }: Explanation) => findings.filter(({ result }) => result === 'failed')
const resultOf = ({ findings }: Explanation, check: string) => findings.find((one) => one.check === check)?.result
const by = (claims = {}, header = {}) => formOf(keyAssertion(ec, { clientId: 'bank', claims, header }))
const request = (body: URLSearchParams, headers = {}) => ({ headers, body })

const faces = {
  'clientAuth().explain': (options: ClientAuthOptions) => clientAuth(options).explain,
  'createClientAuthenticator().explain': (options: ClientAuthOptions) =>
    createClientAuthenticator(options as Parameters<typeof createClientAuthenticator>[0]).explain
}

describe.each(Object.entries(faces))('%s', (_name, explainerOf) => {
  test.each(brokenAssertions)(
    '$name: told with the reason of authenticate, expected, received and advice',
    async ({ reason, expected, received, advice, assertion, isUsed, ...broken }) => {
      const options = optionsFor(recordFor(broken), { replayStore: createMemoryReplayStore() })
      const body = formOf(assertion())
      if (isUsed === true) await createClientAuthenticator(options as never)(request(body))
      const explanation = await explainerOf(options)(request(body))
      expect(explanation).toMatchObject({ accepted: false, reason, clientId: 'bank' })
      const [first] = failedOf(explanation)
      expect(first).toMatchObject({ reason, expected, advice: expect.stringContaining(advice) as string })
      expect(first?.received).toEqual(received)
      const error: unknown = await createClientAuthenticator(options as never)(request(body)).catch((e: unknown) => e)
      expect(error).toMatchObject({ reason, detail: { expected } })
    }
  )

  test('a good assertion passes every check, and can be used afterwards, once', async () => {
    const options = optionsFor(bank, { replayStore: createMemoryReplayStore() })
    const explain = explainerOf(options)
    const authenticate = createClientAuthenticator(options as never)
    const sent = request(by())
    for (let i = 0; i < 3; i++) {
      const explanation = await explain(sent)
      expect(explanation).toMatchObject({ accepted: true, clientId: 'bank', method: 'private_key_jwt' })
      expect(explanation.reason).toBeUndefined()
      expect(explanation.findings.map(({ result }) => result)).toEqual(explanation.findings.map(() => 'passed'))
    }
    await authenticate(sent)
    expect(await explain(sent)).toMatchObject({ accepted: false, reason: 'assertion_replayed' })
    // As of then the store knows nothing
    expect(await explain(sent, { at: new Date() })).toMatchObject({ accepted: true })
  })
})

test('four mistakes are told at once, in the order in which authenticate would find them', async () => {
  const { explain } = clientAuth(optionsFor(bank, { requireJti: true }))
  const claims = { aud: tokenEndpoint, exp: Date.now(), jti: undefined }
  const explanation = await explain(request(by(claims, { typ: 'at+jwt' })))
  expect(failedOf(explanation).map(({ reason }) => reason)).toEqual([
    'assertion_typ',
    'assertion_milliseconds',
    'assertion_jti',
    'assertion_audience'
  ])
  // Each says what was expected and what came, nothing included
  for (const failed of failedOf(explanation)) {
    expect(failed).toHaveProperty('expected')
    expect(failed).toHaveProperty('received')
    expect(failed.advice).toMatch(/\.$/)
  }
  // A time in milliseconds can be compared with nothing. The signature is another matter.
  expect(resultOf(explanation, 'exp not past')).toBe('not_checked')
  expect(resultOf(explanation, 'signature')).toBe('passed')
})

test('a sub made for each request: the client that iss names is looked up, and its signature judged', async () => {
  const explanation = await clientAuth(optionsFor(bank)).explain(request(by({ sub: crypto.randomUUID() })))
  expect(failedOf(explanation).map(({ check }) => check)).toEqual(['iss = sub'])
  expect(explanation.clientId).toBe('bank')
  expect(resultOf(explanation, 'signature')).toBe('passed')
})

test('an assertion that names nobody: nobody is looked up', async () => {
  const { getClient, asked } = clientsOf(bank)
  const explanation = await clientAuth({ issuer, getClient }).explain(request(by({ sub: undefined, iss: undefined })))
  expect(explanation.reason).toBe('assertion_subject')
  expect(resultOf(explanation, 'client')).toBe('not_checked')
  expect(asked).toEqual([])
})

describe.each([
  ['a text that is no JWT', formOf('no.jwt')],
  ['an empty form', new URLSearchParams()],
  ['a secret without client_id', new URLSearchParams({ client_secret: 'x' })]
])('%s', (_name, body) => {
  test('what comes after the credentials is not checked, and nobody is looked up', async () => {
    const { getClient, asked } = clientsOf(bank)
    const explanation = await clientAuth({ issuer, getClient }).explain(request(body))
    expect(explanation.accepted).toBe(false)
    expect(explanation.findings.at(-1)).toMatchObject({ check: 'client and proof', result: 'not_checked' })
    expect(asked).toEqual([])
  })
})

test('a repeated parameter is told as such, and not as a missing one', async () => {
  const body = new URLSearchParams('client_id=shop&client_secret=a&client_secret=b')
  const explanation = await clientAuth(optionsFor(shop)).explain(request(body))
  expect(failedOf(explanation).map(({ reason }) => reason)).toEqual(['parameter_repeated'])
})

describe('secrets', () => {
  const explainSecret = (secret: string, options: Partial<ClientAuthOptions> = {}, record = shop) =>
    clientAuth(optionsFor(record, options)).explain({ headers: { authorization: basic('shop', secret) } })

  test('a right one passes, a wrong one is told, and neither stands in the explanation', async () => {
    expect(await explainSecret('the secret of the shop')).toMatchObject({
      accepted: true,
      method: 'client_secret_basic'
    })
    const wrong = await explainSecret('a secret of somebody else')
    expect(wrong).toMatchObject({ accepted: false, reason: 'secret_mismatch' })
    expect(JSON.stringify(wrong)).not.toMatch(/secret of (the shop|somebody)/)
  })

  test.each([
    ['none is stored', { client_id: 'shop' }, 'no secret', 'Store a secret'],
    [
      'the stored one has expired',
      { ...shop, client_secret_expires_at: 1 },
      'only expired secrets',
      'Issue a new secret'
    ]
  ])('%s', async (_name, record, received, advice) => {
    const explanation = await explainSecret('x', {}, record)
    expect(explanation.reason).toBe('no_live_secret')
    const [first] = failedOf(explanation)
    expect(first).toMatchObject({ received, advice: expect.stringContaining(advice) as string })
    expect(resultOf(explanation, 'secret')).toBe('not_checked')
  })

  test('one that had not expired then is explained as of then', async () => {
    const record = { ...shop, client_secret_expires_at: now() - 60 }
    const sent = { headers: { authorization: basic('shop', 'the secret of the shop') } }
    const { explain } = clientAuth(optionsFor(record))
    expect(await explain(sent)).toMatchObject({ accepted: false, reason: 'no_live_secret' })
    expect(await explain(sent, { at: new Date(Date.now() - 3_600_000) })).toMatchObject({ accepted: true })
  })

  test('Basic beside a secret in the body: the mistake is told, and the secret judged', async () => {
    const sent = { headers: { authorization: basic('shop', 'wrong') }, body: { client_secret: 'x' } }
    const explanation = await clientAuth(optionsFor(shop)).explain(sent)
    expect(failedOf(explanation).map(({ reason }) => reason)).toEqual(['multiple_mechanisms', 'secret_mismatch'])
  })

  test('a MAC is not verified with the hash of a secret', async () => {
    const stored = 'a stored hash, which must not serve as the key of a MAC'
    const record = { client_id: 'shop', client_secret: stored, token_endpoint_auth_method: 'client_secret_jwt' }
    const { explain } = clientAuth(optionsFor(record, { verifySecret: () => true }))
    const explanation = await explain(request(formOf(secretAssertion(stored, { clientId: 'shop' }))))
    expect(explanation).toMatchObject({ accepted: false, reason: 'secret_hashed' })
    expect(resultOf(explanation, 'signature')).toBe('not_checked')
  })
})

test('an algorithm that the server does not accept is verified nevertheless, one that nobody knows is not', async () => {
  const options = optionsFor({ ...bank, token_endpoint_auth_signing_alg: 'RS256' }, { algorithms: ['RS256'] })
  const { explain } = clientAuth(options)
  const known = await explain(request(by()))
  expect(failedOf(known).map(({ reason }) => reason)).toEqual(['assertion_alg', 'alg_not_registered'])
  expect(resultOf(known, 'signature')).toBe('passed')
  const unknown = await explain(request(by({}, { alg: 'XS999' })))
  expect(unknown.reason).toBe('assertion_alg')
  expect(resultOf(unknown, 'signature')).toBe('not_checked')
})

describe('legacyAudiences per client', () => {
  const { explain } = clientAuth(optionsFor(bank, { legacyAudiences: () => [tokenEndpoint] }))

  test('is judged once, with the audiences of the client', async () => {
    const explanation = await explain(request(by({ aud: tokenEndpoint })))
    expect(explanation.accepted).toBe(true)
    expect(explanation.findings.filter(({ check }) => check === 'aud')).toHaveLength(1)
  })

  test('a wrong audience is told after the signature, with all that the client may use', async () => {
    const explanation = await explain(request(by({ aud: 'https://other.example' })))
    expect(failedOf(explanation)).toEqual([
      expect.objectContaining({ reason: 'assertion_audience', expected: [issuer, tokenEndpoint] })
    ])
  })

  test('an explicit typ is judged early and strictly, once', async () => {
    const typ = 'client-authentication+jwt'
    const explanation = await explain(request(by({ aud: tokenEndpoint }, { typ })))
    expect(failedOf(explanation)).toEqual([expect.objectContaining({ check: 'aud', expected: [issuer] })])
  })

  test('of an unknown client it is not checked', async () => {
    const explanation = await explain(request(formOf(keyAssertion(ec, { clientId: 'nobody' }))))
    expect(explanation.reason).toBe('unknown_client')
    expect(resultOf(explanation, 'aud')).toBe('not_checked')
  })
})

describe('as of another time', () => {
  test('a Date that is none is a mistake of the caller', async () => {
    const { explain } = clientAuth(optionsFor(bank))
    await expect(explain(request(by()), { at: new Date('yesterday') })).rejects.toThrow(
      new TypeError('explain: option "at" must be a valid Date')
    )
  })

  test('an assertion of last week is accepted as of last week and refused as of now', async () => {
    const then = now() - 7 * 86_400
    const sent = request(by({ iat: then, exp: then + 60 }))
    const { explain } = clientAuth(optionsFor(bank))
    expect(await explain(sent, { at: new Date((then + 5) * 1000) })).toMatchObject({ accepted: true })
    const today = await explain(sent)
    expect(today).toMatchObject({ accepted: false, reason: 'assertion_expired' })
    expect(failedOf(today)[0]?.detail).toMatchObject({ secondsLate: expect.any(Number) as number })
  })
})

describe('a jwks_uri', () => {
  const uri = 'https://keys.example/jwks'
  const byUri: OAuthClient = { ...bank, jwks: undefined, jwks_uri: uri }
  const keySets = (cached: object | undefined) => {
    const calls: unknown[] = []
    const get = async (...args: unknown[]) => {
      calls.push(args)
      return { keys: [ec.jwk] }
    }
    const sets: KeySets = {
      get,
      cached: () => cached as { keys: [] } | undefined
    }
    return { sets, calls, get }
  }

  test('in the cache: judged without a fetch', async () => {
    const { sets, calls } = keySets({ keys: [ec.jwk] })
    const { explain } = clientAuth(optionsFor(byUri, { keySets: sets }))
    expect(await explain(request(by()))).toMatchObject({ accepted: true })
    expect(calls).toEqual([])
  })

  test('in the cache, and without the kid: refused, and it is told that nothing was fetched', async () => {
    const { sets, calls } = keySets({ keys: [makeKey('ES256', 'old').jwk] })
    const { explain } = clientAuth(optionsFor(byUri, { keySets: sets }))
    const explanation = await explain(request(by()))
    expect(explanation).toMatchObject({ accepted: false, reason: 'no_matching_key' })
    expect(failedOf(explanation)[0]?.advice).toMatch(/Only the key set in the cache was looked at: ask with fetch\.$/)
    expect(calls).toEqual([])
  })

  test.each([
    ['not in the cache', keySets(undefined)],
    ['with keySets that have no cache', { sets: { get: keySets(undefined).get }, calls: [] }]
  ])('%s: not checked, not accepted, and it is told how', async (_name, { sets, calls }) => {
    const { explain } = clientAuth(optionsFor(byUri, { keySets: sets }))
    const explanation = await explain(request(by()))
    expect(explanation.accepted).toBe(false)
    expect(explanation.reason).toBeUndefined()
    expect(explanation.findings.find(({ check }) => check === 'signature')).toMatchObject({
      result: 'not_checked',
      advice: 'The key set is not in the cache: ask with fetch.'
    })
    expect(calls).toEqual([])
  })

  test('with fetch: true it is fetched as authenticate would', async () => {
    const { sets, calls } = keySets(undefined)
    const { explain } = clientAuth(optionsFor(byUri, { keySets: sets }))
    expect(await explain(request(by()), { fetch: true })).toMatchObject({ accepted: true })
    expect(calls).toEqual([[uri]])
  })

  describe('with a self-signed certificate', () => {
    let server: TestServer
    beforeAll(async () => {
      const tls = await makeCertificate(undefined, { names: ['keys.partner.example'] })
      server = await serveHttps(tls, (_req, res) => res.end(JSON.stringify({ keys: [ec.jwk] })))
    })
    afterAll(() => server.close())

    test('is told with the URL, the words of the fetcher and advice', async () => {
      const jwks_uri = `https://keys.partner.example:${server.port}/jwks`
      const fetcher = createJwksFetcher({
        hosts: { 'keys.partner.example': { addresses: ['127.0.0.0/8'], ports: [server.port] } },
        resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel: () => {} })
      })
      const { explain } = clientAuth(optionsFor({ ...byUri, jwks_uri }, { keySets: fetcher }))
      const explanation = await explain(request(by()), { fetch: true })
      expect(explanation.reason).toBe('jwks_unavailable')
      expect(failedOf(explanation)[0]).toMatchObject({
        expected: 'a JWK Set of public keys',
        received: expect.stringContaining('SELF_SIGNED_CERT') as string,
        detail: { uri: jwks_uri, why: 'tls' },
        advice: expect.stringContaining('certificate of a public CA') as string
      })
    })
  })
})

describe('no effect', () => {
  test('nothing is published, stored or counted', async () => {
    const names = ['authenticated', 'rejected', 'failed', 'jwks'].map((name) => `oauth-client-auth:${name}`)
    const heard: unknown[] = []
    const hear = (event: unknown) => heard.push(event)
    for (const name of names) subscribe(name, hear)
    const consumed: unknown[] = []
    const verified: unknown[] = []
    const replayStore = { consume: (entry: unknown) => consumed.push(entry) > 0 }
    const verifySecret = (presented: string) => verified.push(presented) > 0
    const { explain } = clientAuth(optionsFor(bank, { replayStore, verifySecret }))
    expect(await explain(request(by()))).toMatchObject({ accepted: true })
    expect(await explain(request(by({ aud: 'x' })))).toMatchObject({ accepted: false })
    expect(await explain({ headers: { authorization: basic('nobody', 'a guess') } })).toMatchObject({
      reason: 'unknown_client'
    })
    for (const name of names) unsubscribe(name, hear)
    expect([heard, consumed, verified]).toEqual([[], [], []])
  })

  test('a replay store without has, or one that fails, leaves replays unchecked and decides nothing', async () => {
    const failing = {
      consume: () => true,
      has: () => {
        throw new Error('down')
      }
    }
    for (const replayStore of [{ consume: () => true }, failing]) {
      const explanation = await clientAuth(optionsFor(bank, { replayStore })).explain(request(by()))
      expect(explanation.accepted).toBe(true)
      expect(resultOf(explanation, 'used once')).toBe('not_checked')
    }
  })
})

describe('what the application throws', () => {
  const broken = new Error('the database is down')
  const fail = () => {
    throw broken
  }

  test.each<[string, Partial<ClientAuthOptions>, OAuthClient]>([
    ['getClient', { getClient: fail }, bank],
    ['legacyAudiences', { legacyAudiences: fail }, bank]
  ])('%s: thrown on, unless the request is refused before it', async (_name, options, record) => {
    const { explain } = clientAuth(optionsFor(record, options))
    await expect(explain(request(by()))).rejects.toBe(broken)
    const refused = await explain(request(by({ exp: 1 })))
    expect(refused).toMatchObject({ accepted: false, reason: 'assertion_expired' })
  })

  test('verifySecret: thrown on', async () => {
    const { explain } = clientAuth(optionsFor(shop, { verifySecret: fail }))
    await expect(explain({ headers: { authorization: basic('shop', 'x') } })).rejects.toBe(broken)
  })

  test('a verifier that is too busy refuses, as authenticate does', async () => {
    const busy = () => {
      throw new ClientAuthError('secret_verifier_busy')
    }
    const { explain } = clientAuth(optionsFor(shop, { verifySecret: busy }))
    const explanation = await explain({ headers: { authorization: basic('shop', 'x') } })
    expect(explanation).toMatchObject({ accepted: false, reason: 'secret_verifier_busy' })
  })

  test('what is no record: thrown on', async () => {
    const { explain } = clientAuth({ issuer, getClient: () => [shop] as never })
    await expect(explain(request(by()))).rejects.toThrow('getClient returned no client record, but an array')
  })

  test('a record of another client: an unknown client, and the operator is told of whom', async () => {
    const { explain } = clientAuth({ issuer, getClient: () => shop })
    const { reason, findings } = await explain(request(by()))
    expect([reason, findings.find((one) => one.reason === 'unknown_client')?.detail]).toEqual([
      'unknown_client',
      { received: 'bank', record: 'that of another client_id: shop' }
    ])
  })
})

test('what the sender put into claims is cut and printable', async () => {
  const evil = `\u001b[2J<script>${'x'.repeat(2000)}`
  const { findings } = await clientAuth(optionsFor(bank)).explain(request(by({ aud: evil }, { typ: evil })))
  const texts = JSON.stringify(findings)
  expect(texts).not.toContain('\\u001b')
  expect(texts.length).toBeLessThan(8000)
})

test('the keys of RSA and HMAC clients are explained as well', async () => {
  const rsa = keyFor('PS256')
  const explainer = clientAuth(optionsFor(recordFor({ registered: { jwks: { keys: [rsa.jwk] } } })))
  expect(await explainer.explain(request(formOf(keyAssertion(rsa, { clientId: 'bank' }))))).toMatchObject({
    accepted: true
  })
  const secret = 'a secret of at least thirty-two octets'
  const hmac = { client_id: 'bank', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' }
  const { explain } = clientAuth(optionsFor(hmac))
  expect(await explain(request(formOf(secretAssertion(secret, { clientId: 'bank' }))))).toMatchObject({
    accepted: true,
    method: 'client_secret_jwt'
  })
})

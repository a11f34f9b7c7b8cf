// The facts that a log is told of a refusal: by what they are, and without the credential.
import {
  createClientAuthenticator,
  type ClientAuthError,
  type ClientAuthOptions,
  type KeySets,
  type OAuthClient
} from '../../lib'
import {
  assertionForm,
  basic,
  issuer,
  jws,
  keyAssertion,
  keyFor,
  makeKey,
  now,
  secretAssertion
} from '../support/assertions'
import { x509 } from '../support/client-certificates'

const key = keyFor('ES256')
const secret = 'a secret of more than thirty-two octets'
const bank = { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
const shop = { client_id: 'shop', token_endpoint_auth_method: 'client_secret_jwt', client_secret: secret }

const serverOf = (options: Partial<ClientAuthOptions> = {}, ...records: OAuthClient[]) =>
  createClientAuthenticator({
    issuer,
    getClient: (id) => [...records, bank, shop].find(({ client_id }) => client_id === id),
    ...options
  })
const by = (claims = {}, header = {}) => assertionForm(keyAssertion(key, { clientId: 'bank', claims, header }))
/** Node's own verifier never sees such headers, so they are signed by hand. */
const withHeader = (header: object) =>
  assertionForm(
    jws(
      { alg: 'ES256', ...header },
      { iss: 'bank', sub: 'bank', aud: issuer, jti: '1', exp: now() + 60 },
      'ES256',
      key.privateKey
    )
  )

test.each<[string, Record<string, unknown>, string, object]>([
  [
    'b64 in the header',
    withHeader({ b64: true }),
    'assertion_crit',
    { expected: 'neither crit nor b64', received: 'b64' }
  ],
  ['crit in the header', withHeader({ crit: ['exp'] }), 'assertion_crit', { received: ['exp'] }],
  ['a kid that is a number', withHeader({ kid: 5 }), 'assertion_malformed', { expected: 'a string', received: 5 }],
  ['a list within aud', by({ aud: [['x'], {}] }), 'assertion_audience', { received: ['an array', 'an object'] }],
  [
    'a client_id of 1025 characters',
    { client_id: 'x'.repeat(1025), client_secret: 'y' },
    'parameter_malformed',
    { parameter: 'client_id', length: 1025 }
  ],
  [
    'an assertion over the limit',
    assertionForm('x'.repeat(20_000)),
    'parameter_malformed',
    { parameter: 'client_assertion', received: '20000 characters' }
  ],
  ['an assertion of two parts', assertionForm('a.b'), 'assertion_malformed', { received: '2 parts, 3 characters' }],
  [
    'a parameter that is an object',
    { client_id: { a: 1 } },
    'parameter_malformed',
    { parameter: 'client_id', expected: 'a string' }
  ],
  [
    'a MAC of another secret',
    assertionForm(secretAssertion(`${secret}!`, { clientId: 'shop' })),
    'signature_mismatch',
    { received: { alg: 'HS256' } }
  ]
])('%s', async (_, body, reason, detail) => {
  const refused = serverOf()({ headers: {}, body })
  await expect(refused).rejects.toMatchObject({ reason, detail })
  const { findings } = await serverOf().explain({ headers: {}, body })
  expect(findings.find(({ result }) => result === 'failed')).toMatchObject({ reason, detail })
})

const at = now()
test.each<[string, Record<string, number>, object]>([
  ['assertion_expired', { exp: at - 100 }, { received: at - 100, now: at, secondsLate: 100 }],
  ['assertion_lifetime', { exp: at + 9000 }, { received: at + 9000, now: at, secondsAhead: 9000 }],
  ['assertion_not_yet_valid', { nbf: at + 100 }, { claim: 'nbf', received: at + 100, now: at, secondsEarly: 100 }],
  ['assertion_not_yet_valid', { iat: at + 100 }, { claim: 'iat', received: at + 100, now: at, secondsEarly: 100 }],
  ['assertion_milliseconds', { exp: at * 1000 }, { claim: 'exp', received: at * 1000, now: at }]
])('%s, %j: by how much the time is wrong', async (reason, claims, detail) => {
  const request = { headers: {}, body: by(claims) }
  const { findings } = await serverOf().explain(request, { at: new Date(at * 1000) })
  expect(findings.find(({ result }) => result === 'failed')).toMatchObject({ reason, detail })
})

const wrongSecret = basic('shop', 'x')
test.each<[string, Record<string, string>, Record<string, string>, string[]]>([
  [
    'a header and client_secret',
    { authorization: wrongSecret },
    { client_secret: 'x' },
    ['Authorization: Basic', 'client_secret']
  ],
  ['a header and an assertion', { authorization: wrongSecret }, by(), ['Authorization: Basic', 'client_assertion']],
  ['client_secret and an assertion', {}, { ...by(), client_secret: 'x' }, ['client_secret', 'client_assertion']],
  [
    'all three',
    { authorization: wrongSecret },
    { ...by(), client_secret: 'x' },
    ['Authorization: Basic', 'client_secret', 'client_assertion']
  ]
])('%s: the mechanisms are named', async (_, headers, body, received) => {
  const detail = { expected: 'one of them', received }
  await expect(serverOf()({ headers, body })).rejects.toMatchObject({ reason: 'multiple_mechanisms', detail })
})

describe.each([
  [9, 9],
  [10, 10],
  [11, 10]
])('of %d in a record', (count, told) => {
  const list = <T>(one: (index: number) => T) => Array.from({ length: count }, (_, index) => one(index))
  const expectTold = async (refused: Promise<unknown>, reason: string) => {
    const error = (await refused.catch((cause: unknown) => cause)) as ClientAuthError
    expect(error.reason).toBe(reason)
    expect(error.detail?.['expected']).toHaveLength(told)
  }
  const keys = list((index) => ({ ...key.jwk, kid: `k${index}` }))

  test(`keys ${told} are told`, () => {
    const body = assertionForm(keyAssertion(key, { clientId: 'many', header: { kid: 'x' } }))
    return expectTold(
      serverOf({}, { ...bank, client_id: 'many', jwks: { keys } })({ headers: {}, body }),
      'no_matching_key'
    )
  })

  test(`certificates ${told} are told`, () => {
    const record = { client_id: 'many', token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys } }
    const server = serverOf(
      {
        methods: ['self_signed_tls_client_auth'],
        clientCertificates: { get: () => ({ certificate: x509('self-bank'), verified: false }) }
      },
      record
    )
    return expectTold(server({ headers: {}, body: { client_id: 'many' } }), 'certificate_not_registered')
  })

  test(`identities ${told} are told`, () => {
    const idp = 'https://idp.example'
    const federated_identities = list((index) => ({ issuer: idp, subject: `job ${index}` }))
    const server = serverOf(
      { methods: ['federated_jwt'], trustedIssuers: { [idp]: { jwks: bank.jwks } } },
      { client_id: 'many', token_endpoint_auth_method: 'federated_jwt', federated_identities }
    )
    return expectTold(
      server({ headers: {}, body: { ...by({ iss: idp, sub: 'x' }), client_id: 'many' } }),
      'federated_subject'
    )
  })
})

test('a key that is too small is told as the fault of the key', async () => {
  const weak = makeKey('RS256', 'weak', 1024)
  const record = { ...bank, client_id: 'weak', jwks: { keys: [weak.jwk] } }
  const body = assertionForm(keyAssertion(weak, { clientId: 'weak' }))
  const { findings } = await serverOf({}, record).explain({ headers: {}, body })
  expect(findings).toContainEqual(
    expect.objectContaining({
      reason: 'no_matching_key',
      expected: [expect.objectContaining({ kid: 'weak', fault: 'has 1024 bits, not 2048 to 8192' })],
      advice: expect.stringContaining('Correct the key as its fault says') as string
    })
  )
})

test.each<[string, string | string[]]>([
  ['one method', 'private_key_jwt'],
  ['a list of methods', ['private_key_jwt', 'client_secret_basic']]
])('HS256 from a client with a key, registered for %s, is told to sign with the key', async (_, method) => {
  const record = { ...bank, client_id: 'hmac', token_endpoint_auth_method: method }
  const body = assertionForm(secretAssertion(secret, { clientId: 'hmac' }))
  const { findings } = await serverOf({}, record).explain({ headers: {}, body })
  expect(findings).toContainEqual(
    expect.objectContaining({
      reason: 'method_not_registered',
      advice: expect.stringContaining('Sign with the private key') as string
    })
  )
})

describe('a newer key set that does not help', () => {
  const record = { ...bank, client_id: 'uri', jwks: undefined, jwks_uri: 'https://client.example.com/jwks' }
  const other = makeKey('ES256', 'other')
  const set = (...keys: object[]) => ({ keys }) as Awaited<ReturnType<KeySets['get']>>

  test.each([
    ['has no key for it: the first look decides', undefined, [set(other.jwk), set()], 'signature_mismatch'],
    [
      'has another key: the newer set decides',
      'new',
      [set(other.jwk), set({ ...other.jwk, kid: 'new' })],
      'signature_mismatch'
    ],
    ['has not its kid: no key', 'new', [set(other.jwk), set({ ...other.jwk, kid: 'newer' })], 'no_matching_key']
  ] as const)('%s', async (_, kid, sets, reason) => {
    let looks = 0
    const get = () => Promise.resolve(sets[looks++]!)
    const body = assertionForm(keyAssertion(key, { clientId: 'uri', header: { kid } }))
    await expect(serverOf({ keySets: { get } }, record)({ headers: {}, body })).rejects.toMatchObject({ reason })
    expect(looks).toBe(2)
  })
})

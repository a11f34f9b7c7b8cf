// federated_jwt and spiffe_jwt: the rules, a row each.
import { clientAuth, createClientAuthenticator, type ClientAuthError, type OAuthClient } from '../../../lib'
import { assertionForm, issuer, JWT_BEARER, keyAssertion, keyFor, now } from '../../support/assertions'
import {
  deployer,
  formOf,
  github,
  githubKey,
  jobForm,
  jobToken,
  JWT_SPIFFE,
  kubernetes,
  ledger,
  podForm,
  podToken,
  svid,
  svidForm,
  trustDomain,
  trusting,
  worker
} from '../../support/workloads'
import { clientsOf, post, tokenServer, type Options } from '../../support/token-server'

type Form = Record<string, string>

/** The reason, or the method that let the client in. */
async function outcome(form: Form, options: Options = {}, ...others: OAuthClient[]): Promise<string> {
  const { getClient } = clientsOf(...others, worker, deployer, ledger)
  const authenticate = createClientAuthenticator({ issuer, getClient, ...trusting, ...options })
  const explanation = await authenticate.explain({ headers: {}, body: form })
  const result = await authenticate({ headers: {}, body: form }).then(
    ({ method }) => ({ told: method, reason: undefined as string | undefined }),
    ({ reason }: ClientAuthError) => ({ told: reason, reason })
  )
  // The same lists of rules
  expect(explanation.reason).toBe(result.reason)
  return result.told
}

const own = { ...worker, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keyFor('ES256').jwk] } }
const without = (form: Form, name: string): Form =>
  Object.fromEntries(Object.entries(form).filter(([key]) => key !== name))

const rows: [name: string, form: () => Form, told: string, options?: Options, client?: OAuthClient][] = [
  ['a pod', () => podForm(), 'federated_jwt'],
  ['a job', () => jobForm(), 'federated_jwt'],
  ['an SVID', () => svidForm(), 'spiffe_jwt'],

  // Which rules hold is decided by the assertion
  [
    'iss = sub is the own assertion of a client',
    () => podForm({ claims: { iss: 'worker', sub: 'worker' } }),
    'method_not_registered'
  ],
  ['an SVID under the other type', () => formOf('ledger', svid()), 'assertion_issuer'],
  [
    'an SVID under the other type, its trust domain as iss',
    () => formOf('ledger', svid({ claims: { iss: trustDomain } })),
    'assertion_issuer'
  ],
  ['a pod under the type of SPIFFE', () => formOf('worker', podToken(), JWT_SPIFFE), 'assertion_subject'],
  [
    'the type of SPIFFE where only federated_jwt is accepted',
    () => svidForm(),
    'assertion_type',
    { methods: ['federated_jwt'], trustedIssuers: { [kubernetes]: trusting.trustedIssuers![kubernetes]! } }
  ],
  [
    'another issuer where only spiffe_jwt is accepted',
    () => podForm(),
    'method_not_supported',
    { methods: ['spiffe_jwt'], trustedIssuers: { [trustDomain]: trusting.trustedIssuers![trustDomain]! } }
  ],
  [
    'an own assertion where only federated_jwt is accepted',
    () => assertionForm(keyAssertion(keyFor('ES256'), { clientId: 'worker' })),
    'method_not_supported',
    { methods: ['federated_jwt'], trustedIssuers: { [kubernetes]: trusting.trustedIssuers![kubernetes]! } }
  ],
  ['a client of private_key_jwt', () => podForm(), 'method_not_registered', {}, own],
  [
    'a client of federated_jwt by its own key',
    () => assertionForm(keyAssertion(keyFor('ES256'), { clientId: 'worker' })),
    'method_not_registered',
    {},
    { ...own, token_endpoint_auth_method: 'federated_jwt' }
  ],
  [
    'a client of both',
    () => podForm(),
    'federated_jwt',
    {},
    { ...own, token_endpoint_auth_method: ['private_key_jwt', 'federated_jwt'] }
  ],
  [
    'a client of spiffe_jwt by another issuer',
    () => podForm(),
    'method_not_registered',
    {},
    { ...worker, token_endpoint_auth_method: 'spiffe_jwt' }
  ],

  // client_id
  ['no client_id', () => without(podForm(), 'client_id'), 'client_id_missing'],
  ['no client_id beside an SVID', () => without(svidForm(), 'client_id'), 'client_id_missing'],
  [
    'client_id is the SPIFFE ID',
    () => formOf(ledger.spiffe_id!, svid(), JWT_SPIFFE),
    'spiffe_jwt',
    {},
    { ...ledger, client_id: ledger.spiffe_id! }
  ],
  ['an unknown client', () => formOf('nobody', podToken()), 'unknown_client'],
  [
    'an unknown client with a false signature',
    () => formOf('nobody', podToken({ key: githubKey, header: { kid: 'cluster' } })),
    'signature_mismatch'
  ],

  // iss
  ['iss missing', () => podForm({ claims: { iss: undefined } }), 'assertion_issuer'],
  ['iss a list', () => podForm({ claims: { iss: [kubernetes] } }), 'assertion_issuer'],
  ['iss with a slash at the end', () => podForm({ claims: { iss: `${kubernetes}/` } }), 'assertion_issuer'],
  ['iss in another case', () => podForm({ claims: { iss: kubernetes.toUpperCase() } }), 'assertion_issuer'],
  ['iss __proto__', () => podForm({ claims: { iss: '__proto__' } }), 'assertion_issuer'],
  ['iss is this server', () => podForm({ claims: { iss: issuer } }), 'assertion_issuer'],

  // sub
  ['sub missing', () => podForm({ claims: { sub: undefined } }), 'assertion_subject'],
  ['sub empty', () => podForm({ claims: { sub: '' } }), 'assertion_subject'],
  ['sub an object', () => podForm({ claims: { sub: { $gt: '' } } }), 'assertion_subject'],
  ['sub of 1,024 characters', () => podForm({ claims: { sub: 's'.repeat(1024) } }), 'federated_subject'],
  ['sub of 1,025 characters', () => podForm({ claims: { sub: 's'.repeat(1025) } }), 'assertion_subject'],

  // aud
  ['aud missing', () => podForm({ claims: { aud: undefined } }), 'assertion_audience'],
  ['aud of the cluster itself', () => podForm({ claims: { aud: [kubernetes] } }), 'assertion_audience'],
  ['two audiences', () => podForm({ claims: { aud: [issuer, 'https://vault.example'] } }), 'assertion_audience'],
  ['the same audience twice', () => podForm({ claims: { aud: [issuer, issuer] } }), 'assertion_audience'],
  ['an empty list', () => podForm({ claims: { aud: [] } }), 'assertion_audience'],
  [
    'a legacy audience',
    () => podForm({ claims: { aud: [`${issuer}/token`] } }),
    'assertion_audience',
    { legacyAudiences: [`${issuer}/token`] }
  ],
  [
    'a legacy audience of a function',
    () => podForm({ claims: { aud: [`${issuer}/token`] } }),
    'assertion_audience',
    { legacyAudiences: () => [`${issuer}/token`] }
  ],
  ['a list of one under stringAudience', () => podForm(), 'federated_jwt', { stringAudience: true }],
  ['two audiences of an SVID', () => svidForm({ claims: { aud: [issuer, 'x'] } }), 'assertion_audience'],

  // times
  ['exp missing', () => podForm({ claims: { exp: undefined } }), 'assertion_exp'],
  ['exp past', () => podForm({ claims: { exp: now() - 31 } }), 'assertion_expired'],
  ['exp past within the leeway', () => podForm({ claims: { exp: now() - 20 } }), 'federated_jwt'],
  ['exp an hour and the leeway ahead', () => podForm({ claims: { exp: now() + 3629 } }), 'federated_jwt'],
  ['exp further ahead', () => podForm({ claims: { exp: now() + 3640 } }), 'assertion_lifetime'],
  ['exp a year ahead', () => podForm({ claims: { exp: now() + 31_536_000 } }), 'assertion_lifetime'],
  ['maxAssertionLifetime is for assertions of clients', () => podForm(), 'federated_jwt', { maxAssertionLifetime: 60 }],
  ['nbf ahead', () => podForm({ claims: { nbf: now() + 60 } }), 'assertion_not_yet_valid'],
  ['iat ahead', () => svidForm({ claims: { iat: now() + 60 } }), 'assertion_not_yet_valid'],
  ['iat a day ago', () => podForm({ claims: { iat: now() - 86_400, nbf: now() - 86_400 } }), 'federated_jwt'],
  ['milliseconds', () => podForm({ claims: { exp: Date.now() } }), 'assertion_milliseconds'],

  // header
  ['typ of an access token', () => podForm({ header: { typ: 'at+jwt' } }), 'assertion_typ'],
  ['typ of an access token, whole', () => podForm({ header: { typ: 'application/at+jwt' } }), 'assertion_typ'],
  ['typ of client assertions', () => podForm({ header: { typ: 'client-authentication+jwt' } }), 'federated_jwt'],
  ['typ of a profile', () => podForm({ header: { typ: 'oauth-client-auth+jwt' } }), 'federated_jwt'],
  ['typ JOSE', () => podForm({ header: { typ: 'JOSE' } }), 'assertion_typ'],
  ['typ JOSE of an SVID', () => svidForm({ header: { typ: 'JOSE' } }), 'spiffe_jwt'],
  ['no typ of an SVID', () => svidForm({ header: { typ: undefined } }), 'spiffe_jwt'],
  [
    'typ of client assertions on an SVID',
    () => svidForm({ header: { typ: 'client-authentication+jwt' } }),
    'assertion_typ'
  ],
  ['alg none', () => podForm({ header: { alg: 'none' } }), 'assertion_alg'],
  ['an alg that the server does not accept', () => podForm(), 'assertion_alg', { algorithms: ['ES256'] }],
  [
    'HS256, though client_secret_jwt is accepted',
    () => podForm({ header: { alg: 'HS256' } }),
    'assertion_alg',
    { methods: [...trusting.methods!, 'client_secret_jwt'] }
  ],
  ['EdDSA on an SVID', () => svidForm({ key: keyFor('EdDSA') }), 'assertion_alg'],
  ['crit', () => podForm({ header: { crit: ['exp'] } }), 'assertion_crit'],
  [
    'another registered alg',
    () => podForm(),
    'alg_not_registered',
    {},
    { ...worker, token_endpoint_auth_signing_alg: 'ES256' }
  ],

  // jti
  ['jti a number', () => jobForm({ claims: { jti: 1 } }), 'assertion_jti'],
  ['requireJti without jti', () => jobForm({ claims: { jti: undefined } }), 'assertion_jti', { requireJti: true }],
  ['requireJti of a reusable issuer without jti', () => podForm(), 'federated_jwt', { requireJti: true }],

  // identities
  ['another subject', () => podForm({ claims: { sub: 'system:serviceaccount:shop:other' } }), 'federated_subject'],
  [
    'the beginning of the subject',
    () => podForm({ claims: { sub: 'system:serviceaccount:shop:work' } }),
    'federated_subject'
  ],
  [
    'the subject and more',
    () => podForm({ claims: { sub: 'system:serviceaccount:shop:worker2' } }),
    'federated_subject'
  ],
  [
    'the second of two identities',
    () => podForm(),
    'federated_jwt',
    {},
    { ...worker, federated_identities: [...deployer.federated_identities!, ...worker.federated_identities!] }
  ],
  [
    'the subject of another issuer',
    () => podForm(),
    'federated_subject',
    {},
    { ...worker, federated_identities: [{ issuer: github, subject: 'system:serviceaccount:shop:worker' }] }
  ],
  [
    'a pattern in the record',
    () => podForm(),
    'federated_subject',
    {},
    { ...worker, federated_identities: [{ issuer: kubernetes, subject: 'system:serviceaccount:shop:*' }] }
  ],
  [
    'a pattern in the record, literally',
    () => podForm({ claims: { sub: 'a:*' } }),
    'federated_subject',
    {},
    { ...worker, federated_identities: [{ issuer: kubernetes, subject: 'a:*' }] }
  ],
  ['no identities', () => podForm(), 'federated_subject', {}, { ...worker, federated_identities: null }],
  [
    'identities of the wrong type',
    () => podForm(),
    'federated_subject',
    {},
    { ...worker, federated_identities: [null, 1, 'x', {}] as never }
  ],
  [
    'an object for a list',
    () => podForm(),
    'federated_subject',
    {},
    { ...worker, federated_identities: worker.federated_identities![0] as never }
  ],

  // SPIFFE IDs
  ...(
    [
      ['/* and one segment below', '/ns/bank/sa/*', '/ns/bank/sa/ledger', 'spiffe_jwt'],
      ['/* and two segments below', '/ns/*', '/ns/bank/sa', 'spiffe_jwt'],
      ['/* of the whole domain', '/*', '/x', 'spiffe_jwt'],
      ['/* and the segment itself', '/ns/*', '/ns', 'federated_subject'],
      ['/* and the text goes on', '/ns/*', '/ns2/x', 'federated_subject'],
      ['* within a segment', '/ns/ba*', '/ns/bank', 'federated_subject'],
      ['another case of the path', '/ns/bank', '/ns/Bank', 'federated_subject'],
      ['below an exact ID', '/ns', '/ns/bank', 'federated_subject'],
      ['a dot segment', '/ns/*', '/ns/../admin', 'assertion_subject'],
      ['a single dot', '/ns/*', '/ns/./admin', 'assertion_subject'],
      ['percent', '/ns/*', '/ns/%2e%2e/admin', 'assertion_subject'],
      ['an empty segment', '/ns/*', '/ns//admin', 'assertion_subject'],
      ['a slash at the end', '/ns/*', '/ns/admin/', 'assertion_subject'],
      ['a query', '/ns/*', '/ns/a?b', 'assertion_subject'],
      ['a fragment', '/ns/*', '/ns/a#b', 'assertion_subject'],
      ['a line break at the end', '/ns/*', '/ns/a\n', 'assertion_subject'],
      ['a letter beyond ASCII', '/ns/*', '/ns/ä', 'assertion_subject']
    ] as const
  ).map(([name, registered, path, told]): [string, () => Form, string, Options, OAuthClient] => [
    name,
    () => svidForm({ claims: { sub: `spiffe://example.org${path}` } }),
    told,
    {},
    { ...ledger, spiffe_id: `spiffe://example.org${registered}` }
  ]),
  ...(
    [
      ['an upper-case trust domain', 'spiffe://EXAMPLE.org/x', 'assertion_subject'],
      ['an upper-case scheme', 'SPIFFE://example.org/x', 'assertion_subject'],
      ['a port', 'spiffe://example.org:443/x', 'assertion_subject'],
      ['a user', 'spiffe://example.org@evil.example/x', 'assertion_subject'],
      ['no trust domain', 'spiffe:///x', 'assertion_subject'],
      ['2,048 octets', `spiffe://example.org/${'x'.repeat(2048 - 21)}`, 'federated_subject'],
      ['2,049 octets', `spiffe://example.org/${'x'.repeat(2049 - 21)}`, 'assertion_subject'],
      ['a trust domain of 255 characters', `spiffe://${'x'.repeat(255)}/x`, 'assertion_issuer'],
      ['a trust domain of 256 characters', `spiffe://${'x'.repeat(256)}/x`, 'assertion_subject'],
      ['another trust domain', 'spiffe://evil.example/x', 'assertion_issuer'],
      ['a domain below', 'spiffe://sub.example.org/x', 'assertion_issuer']
    ] as const
  ).map(([name, sub, told]): [string, () => Form, string] => [name, () => svidForm({ claims: { sub } }), told]),
  ['no spiffe_id', () => svidForm(), 'federated_subject', {}, { ...ledger, spiffe_id: null }],
  [
    'a list as spiffe_id',
    () => svidForm(),
    'federated_subject',
    {},
    { ...ledger, spiffe_id: [ledger.spiffe_id] as never }
  ]
]

test.each(rows)('%s', async (_name, form, told, options = {}, ...clients) => {
  expect(await outcome(form(), options, ...(clients as OAuthClient[]))).toBe(told)
})

test.each([
  ['of a token, the issuers', () => podForm({ claims: { iss: 'https://other.example' } }), [kubernetes, github]],
  ['of an SVID, the trust domains', () => svidForm({ claims: { sub: 'spiffe://other.example/x' } }), [trustDomain]]
] as const)('the facts name what would be trusted: %s', async (_name, form, trusted) => {
  const authenticate = createClientAuthenticator({ issuer, getClient: () => worker, ...trusting })
  const { detail } = await authenticate({ headers: {}, body: form() }).then(
    () => ({ detail: undefined }),
    (error: ClientAuthError) => error
  )
  expect(detail?.['trusted']).toEqual(trusted)
})

test.each([
  ['both methods', ['federated_jwt', 'spiffe_jwt'], podForm, 'whose iss is not its sub'],
  ['spiffe_jwt alone', ['spiffe_jwt'], svidForm, 'of this type']
] as const)('%s: in words, which assertions need client_id', async (_name, methods, form, which) => {
  const trustedIssuers = Object.fromEntries(
    Object.entries(trusting.trustedIssuers!).filter(([name]) => methods.length > 1 || name.startsWith('spiffe:'))
  )
  const app = tokenServer({ ...trusting, methods: [...methods], trustedIssuers }, worker)
  const { body } = await post(app, without(form(), 'client_id'))
  expect(body).toEqual({
    error: 'invalid_request',
    error_description: `A client_assertion ${which} needs client_id in the form.`
  })
})

test('what is attached: the client, the method, and the verified token', async () => {
  const form = jobForm()
  const { body } = await post(tokenServer(trusting, deployer), form)
  expect(body).toMatchObject({
    client_id: 'deployer',
    clientId: 'deployer',
    method: 'federated_jwt',
    assertion: { header: { alg: 'RS256', kid: 'github' }, claims: { repository_id: '74', event_name: 'push' } }
  })
})

describe('audience and maxLifetime of an issuer', () => {
  const entry = { ...trusting.trustedIssuers![github], audience: 'api://exchange', maxLifetime: 86_400 }
  const options: Options = { methods: ['federated_jwt'], trustedIssuers: { [github]: entry } }

  test.each([
    ['that audience', 'api://exchange', 'federated_jwt'],
    ['the issuer of this server is no longer one', issuer, 'assertion_audience']
  ])('%s', async (_name, aud, told) => {
    expect(await outcome(jobForm({ claims: { aud } }), options)).toBe(told)
  })

  test('the answer names the audience that is demanded', async () => {
    const { body } = await post(tokenServer(options, deployer), jobForm())
    expect(body.error_description).toBe('The aud of client_assertion must be this value alone: api://exchange')
  })

  test.each([
    ['a day', 86_400, 'federated_jwt'],
    ['more than a day', 86_460, 'assertion_lifetime']
  ])('%s', async (_name, seconds, told) => {
    expect(await outcome(jobForm({ claims: { aud: 'api://exchange', exp: now() + seconds } }), options)).toBe(told)
  })
})

describe('discovery', () => {
  const metadata = (methods: Options['methods'], trustedIssuers: Options['trustedIssuers']) =>
    clientAuth({ issuer, getClient: () => null, methods, trustedIssuers }).metadata()
  const { [kubernetes]: cluster, [trustDomain]: domain } = trusting.trustedIssuers!

  test('federated_jwt is listed as private_key_jwt, once', () => {
    expect(
      metadata(['federated_jwt', 'private_key_jwt'], { [kubernetes]: cluster! }).token_endpoint_auth_methods_supported
    ).toEqual(['private_key_jwt'])
  })
  test('spiffe_jwt as the draft names it, with its algorithms alone', () => {
    expect(metadata(['spiffe_jwt'], { [trustDomain]: domain! })).toEqual({
      token_endpoint_auth_methods_supported: ['spiffe_jwt'],
      token_endpoint_auth_signing_alg_values_supported: [
        ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']
      ]
    })
  })
})

test('a server that does not name the methods answers as before', async () => {
  const options: Options = { methods: ['private_key_jwt'] }
  const answer = await post(tokenServer(options, worker), podForm())
  expect(answer.body.error_description).toBe('iss and sub of client_assertion differ: both must be the client_id.')
  expect((await post(tokenServer(options, ledger), svidForm())).body.error).toBe('invalid_request')
})

test('the reason is told, and the client of the form', async () => {
  const authenticate = createClientAuthenticator({ issuer, getClient: () => worker, ...trusting })
  await expect(authenticate({ headers: {}, body: formOf('worker', jobToken(), JWT_BEARER) })).rejects.toMatchObject({
    reason: 'federated_subject',
    clientId: 'worker',
    detail: {
      expected: [{ issuer: kubernetes, subject: 'system:serviceaccount:shop:worker' }],
      received: { issuer: github, subject: 'repo:acme/shop:ref:refs/heads/main' }
    }
  })
})

test('an issuer that is not trusted is one failure, and not a second one about its subject', async () => {
  const { getClient } = clientsOf(worker)
  const { explain } = createClientAuthenticator({ issuer, getClient, ...trusting })
  const { findings } = await explain({ headers: {}, body: podForm({ claims: { iss: 'https://other.example' } }) })
  expect(findings.filter(({ result }) => result === 'failed').map(({ check }) => check)).toEqual(['trusted issuer'])
})

test('what differs is told beside the identities of the same issuer alone', async () => {
  const subjects = ['repo:acme/shop:ref:refs/heads/main', 'repo:acme/shop:ref:refs/heads/dev/2']
  const client: OAuthClient = {
    client_id: 'both',
    token_endpoint_auth_method: 'federated_jwt',
    federated_identities: [
      { issuer: github, subject: subjects[0]! },
      { issuer: kubernetes, subject: subjects[1]! } // more like the one that is sent
    ]
  }
  const authenticate = createClientAuthenticator({ issuer, getClient: () => client, ...trusting })
  const token = jobToken({ claims: { sub: 'repo:acme/shop:ref:refs/heads/dev/1' } })
  await expect(authenticate({ headers: {}, body: formOf('both', token, JWT_BEARER) })).rejects.toMatchObject({
    reason: 'federated_subject',
    detail: { differs: { part: 'branch', expected: 'main', received: 'dev/1' } }
  })
})

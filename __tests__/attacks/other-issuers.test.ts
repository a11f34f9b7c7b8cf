// What goes wrong where the tokens of other issuers authenticate clients (docs/threats.md, 54). Real keys, real TLS.
import {
  createClientAuthenticator,
  createJwksFetcher,
  type AuthenticatorOptions,
  type ClientAuthError,
  type OAuthClient,
  type ReplayEntry
} from '../../lib'
import { issuer, jws, keyFor, now } from '../support/assertions'
import { type Certificate, makeCertificate } from '../support/tls-certificates'
import { serveHttps, type TestServer } from '../support/tls-server'
import {
  bundle,
  clusterKey,
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
  strangerKey,
  svid,
  svidForm,
  svidKey,
  trustDomain,
  trusting,
  worker
} from '../support/workloads'

type Form = Record<string, string>
interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: unknown
}

const idp = 'idp.partner.example'
let tls: Certificate
let server: TestServer
let asked: string[]
const answers = new Map<string, Answer>()

beforeAll(async () => {
  tls = await makeCertificate(undefined, { names: [idp] })
  server = await serveHttps(tls, (req, res) => {
    asked.push(String(req.url))
    const { status = 200, headers, body } = answers.get(String(req.url)) ?? { status: 404 }
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  })
})
afterAll(() => server.close())
beforeEach(() => {
  asked = []
  answers.clear()
})
afterEach(() => {
  jest.useRealTimers()
})

const origin = () => `https://${idp}:${server.port}`
const discovery = '/.well-known/openid-configuration'
const publish = (document: object, ...keys: object[]) => {
  answers.set(discovery, { body: document })
  answers.set('/jwks', { body: { keys } })
}
const fetcher = () =>
  createJwksFetcher({
    hosts: { [idp]: { addresses: ['127.0.0.0/8'], ports: [server.port], ca: tls.cert } },
    resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel: () => undefined })
  })

/** A server with these clients; tells the reason, or the method, and remembers who was looked up. */
function serverOf(options: Partial<AuthenticatorOptions>, ...clients: OAuthClient[]) {
  const lookedUp: string[] = []
  const authenticate = createClientAuthenticator({
    issuer,
    getClient: (id) => {
      lookedUp.push(id)
      return clients.find(({ client_id }) => client_id === id)
    },
    ...(trusting as Partial<AuthenticatorOptions>),
    ...options
  })
  const refusal = (form: Form): Promise<ClientAuthError> =>
    authenticate({ headers: {}, body: form }).then(
      () => {
        throw new Error('authenticated')
      },
      (error: ClientAuthError) => error
    )
  const told = (form: Form): Promise<string> =>
    authenticate({ headers: {}, body: form }).then(
      ({ method }) => method,
      ({ reason }: ClientAuthError) => reason
    )
  return { told, refusal, lookedUp, explain: authenticate.explain }
}

/** A server that discovers the keys of one issuer. */
const discovering = (...clients: OAuthClient[]) =>
  serverOf({ methods: ['federated_jwt'], trustedIssuers: { [origin()]: {} }, keySets: fetcher() }, ...clients)
const tenant = (): OAuthClient => ({ ...deployer, federated_identities: [{ issuer: origin(), subject: 'job-1' }] })
const tokenOf = (claims: object = {}, header: object = {}): string =>
  jobToken({ claims: { iss: origin(), sub: 'job-1', ...claims }, header: { ...header } })

describe('the right issuer, somebody else', () => {
  // Threat 54: a job of a pull request, with the token of the right issuer
  test.each([
    ['a pull request', 'repo:acme/shop:pull_request'],
    ['another branch', 'repo:acme/shop:ref:refs/heads/main2'],
    ['a tag', 'repo:acme/shop:ref:refs/tags/main'],
    ['a fork', 'repo:mallory/shop:ref:refs/heads/main'],
    ['a repository whose name goes on', 'repo:acme/shop-evil:ref:refs/heads/main'],
    ['another case', 'repo:acme/Shop:ref:refs/heads/main']
  ])('%s is not the registered branch', async (_name, sub) => {
    expect(await serverOf({}, deployer).told(jobForm({ claims: { sub } }))).toBe('federated_subject')
  })

  // Threat 54: the client_id of another client of the same issuer
  test('a workload cannot pass for another', async () => {
    const other = { ...worker, client_id: 'payroll', federated_identities: [{ issuer: kubernetes, subject: 'x' }] }
    expect(await serverOf({}, worker, other).told(formOf('payroll', podToken()))).toBe('federated_subject')
  })
})

describe('issuer A says what only B may', () => {
  // Threat 54: the subject of one issuer, signed by another trusted one in its own name
  test('the pair is matched, not the subject alone', async () => {
    const form = podForm({ claims: { iss: github, aud: issuer }, key: githubKey })
    expect(await serverOf({}, worker).told(form)).toBe('federated_subject')
  })

  // Threat 54: an issuer signs in the name of another, under the kid of its key
  test.each([
    ['its own kid', 'github', 'no_matching_key'],
    ['the kid of the other', 'cluster', 'signature_mismatch'],
    ['no kid', undefined, 'signature_mismatch']
  ])('keys are those of the named issuer alone: %s', async (_name, kid, reason) => {
    expect(await serverOf({}, worker).told(podForm({ key: githubKey, header: { kid } }))).toBe(reason)
  })

  // Threat 54: one trust domain signs an SVID of another
  test('a bundle vouches for its own trust domain alone', async () => {
    const { [trustDomain]: own } = trusting.trustedIssuers!
    const trustedIssuers = {
      [trustDomain]: own!,
      'spiffe://other.example': { jwks: { keys: [{ ...keyFor('ES384').jwk, use: 'jwt-svid' }] } }
    }
    const forged = svidForm({ key: { ...keyFor('ES384'), kid: 'svid' } })
    expect(await serverOf({ methods: ['spiffe_jwt'], trustedIssuers }, ledger).told(forged)).toBe('no_matching_key')
  })
})

describe('whose keys', () => {
  // Threat 54: the key of the signer in the header
  test('keys in the header are neither used nor fetched', async () => {
    const { told, lookedUp } = serverOf({ keySets: fetcher() }, worker)
    const header = { jwk: strangerKey.jwk, jku: `${origin()}/jwks`, x5u: `${origin()}/x`, kid: 'stranger' }
    expect(await told(podForm({ key: strangerKey, header }))).toBe('no_matching_key')
    expect([asked, lookedUp]).toEqual([[], ['worker']])
  })

  // Threat 54: the public key of the issuer as HMAC key
  test.each(['HS256', 'HS512'])('%s is no algorithm of an issuer', async (alg) => {
    const pem = clusterKey.jwk['n'] as string
    const claims = { iss: kubernetes, sub: 'system:serviceaccount:shop:worker', aud: issuer, exp: now() + 60 }
    const methods = [...trusting.methods!, 'client_secret_jwt' as const]
    const form = formOf('worker', jws({ alg, kid: 'cluster' }, claims, alg, pem))
    expect(await serverOf({ methods }, worker).told(form)).toBe('assertion_alg')
  })

  // Threat 54: an X.509 authority of a bundle, or a key without use, signs a JWT-SVID
  test.each(['x509-svid', 'sig', undefined])('a key with use %s signs no JWT-SVID', async (use) => {
    const uri = `${origin()}/bundle`
    answers.set('/bundle', {
      body: {
        keys: [
          { ...svidKey.jwk, use },
          { ...keyFor('ES384').jwk, use: 'jwt-svid' }
        ]
      }
    })
    const trustedIssuers = { [trustDomain]: { jwks_uri: uri, reusable: true } }
    const { told } = serverOf({ methods: ['spiffe_jwt'], trustedIssuers, keySets: fetcher() }, ledger)
    expect(await told(svidForm())).toBe('no_matching_key')
  })

  test('a bundle by jwks_uri: the key for JWT-SVIDs is found among others', async () => {
    answers.set('/bundle', {
      body: { ...bundle, keys: [{ kty: 'EC', use: 'x509-svid', x5c: ['AA=='] }, ...bundle.keys] }
    })
    const trustedIssuers = { [trustDomain]: { jwks_uri: `${origin()}/bundle`, reusable: true } }
    const { told } = serverOf({ methods: ['spiffe_jwt'], trustedIssuers, keySets: fetcher() }, ledger)
    expect([await told(svidForm()), await told(svidForm({ header: { kid: undefined } }))]).toEqual([
      'spiffe_jwt',
      'spiffe_jwt'
    ])
    expect(asked).toEqual(['/bundle'])
  })

  // Threat 54: a key for JWT-SVIDs in the set of a client signs its own assertions
  test.each(['inline', 'behind a URI'])('a key with use jwt-svid, %s, is none for private_key_jwt', async (where) => {
    answers.set('/bundle', { body: bundle })
    const keys = where === 'inline' ? { jwks: bundle } : { jwks_uri: `${origin()}/bundle` }
    const client = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt', ...keys }
    const token = svid({ claims: { iss: 'c', sub: 'c' } })
    expect(await serverOf({ keySets: fetcher() }, client).told(formOf('c', token))).toBe('no_matching_key')
  })
})

describe('for another audience', () => {
  // Threat 54: the default token of a pod, which is made for the API server
  test('it is refused before anybody is looked up', async () => {
    const { told, lookedUp } = serverOf({}, worker)
    expect(await told(podForm({ claims: { aud: [kubernetes] } }))).toBe('assertion_audience')
    expect(lookedUp).toEqual([])
  })

  // Threat 54: a token for two servers, which one of them passes on
  test.each([[[issuer, 'https://other.example']], [['https://other.example', issuer]]])('%j', async (aud) => {
    expect(await serverOf({}, worker).told(podForm({ claims: { aud } }))).toBe('assertion_audience')
    expect(await serverOf({}, ledger).told(svidForm({ claims: { aud } }))).toBe('assertion_audience')
  })

  // Threat 54: an access token of the issuer as credential
  test('an access token is refused by its typ', async () => {
    expect(await serverOf({}, deployer).told(jobForm({ header: { typ: 'at+jwt' } }))).toBe('assertion_typ')
  })
})

describe('requests of this server to elsewhere', () => {
  // Threat 54: iss leads this server to a URL (CVE-2026-1180)
  test.each([
    ['iss', (url: string) => formOf('deployer', jobToken({ claims: { iss: url, sub: 'x' } }))],
    ['iss of an SVID', (url: string) => formOf('ledger', svid({ claims: { iss: url } }), JWT_SPIFFE)]
  ])('an untrusted %s costs no connection, and no look-up of clients or keys', async (name, formFor) => {
    const { told, lookedUp } = serverOf({ keySets: fetcher() }, deployer, ledger)
    const before = server.connections
    expect(await told(formFor(origin()))).toBe(name === 'iss' ? 'assertion_issuer' : 'spiffe_jwt')
    expect(server.connections).toBe(before)
    expect(lookedUp).toEqual(name === 'iss' ? [] : ['ledger'])
  })

  // Threat 54: a discovery document leads into the network (CVE-2026-1180)
  test.each([
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/jwks',
    'https://[::1]/jwks',
    'https://localhost/jwks',
    'http://idp.partner.example/jwks',
    'file:///etc/passwd'
  ])('jwks_uri %s', async (jwks_uri) => {
    publish({ issuer: origin(), jwks_uri })
    const error = await discovering(tenant()).refusal(formOf('deployer', tokenOf()))
    expect(error).toMatchObject({ reason: 'issuer_unavailable', status: 503, code: 'temporarily_unavailable' })
    expect(error.cause).toMatchObject({ why: expect.stringMatching(/^(url|host)$/) })
    expect(asked).toEqual([discovery])
  })

  // Threat 54: a discovery document names another issuer
  test.each([
    ['another', () => 'https://evil.example'],
    ['a slash at the end', () => `${origin()}/`],
    ['none', () => undefined]
  ])('the document of %s', async (_name, named) => {
    publish({ issuer: named(), jwks_uri: `${origin()}/jwks` }, githubKey.jwk)
    const error = await discovering(tenant()).refusal(formOf('deployer', tokenOf()))
    expect(error.reason).toBe('issuer_unavailable')
    expect(String(error.detail?.['received'])).toContain(`is not ${origin()}`)
    expect(asked).toEqual([discovery])
  })

  // Threat 54: a discovery document, or the key set, redirects
  test.each([discovery, '/jwks'])('%s redirects', async (path) => {
    publish({ issuer: origin(), jwks_uri: `${origin()}/jwks` }, githubKey.jwk)
    answers.set(path, { status: 302, headers: { location: `${origin()}/elsewhere` } })
    const error = await discovering(tenant()).refusal(formOf('deployer', tokenOf()))
    expect(error).toMatchObject({ reason: 'issuer_unavailable', status: 503 })
    expect(asked).not.toContain('/elsewhere')
  })

  test.each([
    ['is no object', () => ({ body: [origin()] })],
    ['has no jwks_uri', () => ({ body: { issuer: origin() } })],
    ['has a list as jwks_uri', () => ({ body: { issuer: origin(), jwks_uri: [`${origin()}/jwks`] } })],
    ['is away', () => ({ status: 500 })]
  ])('the document %s', async (_name, answer: () => Answer) => {
    answers.set(discovery, answer())
    const error = await discovering(tenant()).refusal(formOf('deployer', tokenOf()))
    expect(error).toMatchObject({ reason: 'issuer_unavailable', status: 503 })
    expect(asked).toEqual([discovery])
  })
})

describe('keys of an issuer, by discovery', () => {
  const realTimers = [
    ...(['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'] as const),
    ...(['nextTick', 'queueMicrotask', 'hrtime'] as const)
  ]

  test('are fetched once, and once more for a new kid', async () => {
    jest.useFakeTimers({ now: Date.now(), doNotFake: realTimers })
    publish({ issuer: origin(), jwks_uri: `${origin()}/jwks` }, githubKey.jwk)
    const { told } = discovering(tenant())
    for (let i = 0; i < 3; i++) expect(await told(formOf('deployer', tokenOf()))).toBe('federated_jwt')
    expect(asked).toEqual([discovery, '/jwks'])
    const renewed = () =>
      formOf('deployer', jobToken({ key: keyFor('ES256'), claims: { iss: origin(), sub: 'job-1' } }))
    publish({ issuer: origin(), jwks_uri: `${origin()}/jwks` }, githubKey.jwk, keyFor('ES256').jwk)
    // Within 30 s of the last attempt nothing is asked, however often
    for (let i = 0; i < 3; i++) expect(await told(renewed())).toBe('no_matching_key')
    jest.advanceTimersByTime(31_000)
    expect(await told(renewed())).toBe('federated_jwt')
    expect(asked).toHaveLength(4)
  })

  test('an issuer that has moved its keys is followed', async () => {
    jest.useFakeTimers({ now: Date.now(), doNotFake: realTimers })
    publish({ issuer: origin(), jwks_uri: `${origin()}/jwks` }, githubKey.jwk)
    const { told } = discovering(tenant())
    expect(await told(formOf('deployer', tokenOf()))).toBe('federated_jwt')
    answers.set(discovery, { body: { issuer: origin(), jwks_uri: `${origin()}/new` } })
    answers.set('/new', { body: { keys: [keyFor('ES256').jwk] } })
    jest.advanceTimersByTime(31_000)
    const moved = jobToken({ key: keyFor('ES256'), claims: { iss: origin(), sub: 'job-1' } })
    expect(await told(formOf('deployer', moved))).toBe('federated_jwt')
  })

  // Threat 54: who has an issuer that is away finds out which clients exist
  test('an issuer that is away is told of known and unknown clients alike', async () => {
    const { refusal } = discovering(tenant(), { ...worker, token_endpoint_auth_method: 'private_key_jwt' })
    const errors = await Promise.all(['deployer', 'nobody', 'worker'].map((id) => refusal(formOf(id, tokenOf()))))
    for (const { reason, status, message } of errors)
      expect({ reason, status, message }).toEqual({
        reason: 'issuer_unavailable',
        status: 503,
        message: 'Client authentication is temporarily unavailable.'
      })
  })

  test('a slash at the end of an issuer is left out of the URL alone', async () => {
    const slashed = `${origin()}/`
    publish({ issuer: slashed, jwks_uri: `${origin()}/jwks` }, githubKey.jwk)
    const client = { ...deployer, federated_identities: [{ issuer: slashed, subject: 'job-1' }] }
    const options = { methods: ['federated_jwt' as const], trustedIssuers: { [slashed]: {} }, keySets: fetcher() }
    const { told } = serverOf(options, client)
    expect(await told(formOf('deployer', tokenOf({ iss: slashed })))).toBe('federated_jwt')
    expect(await told(formOf('deployer', tokenOf()))).toBe('assertion_issuer')
  })

  test('explain without fetch asks nobody, and says so', async () => {
    publish({ issuer: origin(), jwks_uri: `${origin()}/jwks` }, githubKey.jwk)
    const { explain } = discovering(tenant())
    const form = formOf('deployer', tokenOf())
    const { accepted, findings } = await explain({ headers: {}, body: form })
    expect(accepted).toBe(false)
    expect(findings.find(({ check }) => check === 'signature')).toMatchObject({ result: 'not_checked' })
    expect(asked).toEqual([])
    expect((await explain({ headers: {}, body: form }, { fetch: true })).accepted).toBe(true)
  })
})

describe('what ended', () => {
  // Threat 54: a legacy token of a service account, which lives for a year
  test('a token that lives for a year', async () => {
    const { told } = serverOf({}, worker)
    expect(await told(podForm({ claims: { exp: now() + 31_536_000 } }))).toBe('assertion_lifetime')
  })

  // Threat 54: an identity that was taken out is still accepted (CVE-2026-1609)
  test('an identity that is taken out of the record is refused at once', async () => {
    const client = { ...worker, federated_identities: [...worker.federated_identities!] }
    const { told } = serverOf({}, client)
    expect(await told(podForm())).toBe('federated_jwt')
    client.federated_identities.pop()
    expect(await told(podForm())).toBe('federated_subject')
  })

  // Threat 54: an issuer that was taken out is still accepted (CVE-2026-1486)
  test('an issuer that is taken out of the options is refused from the restart on', async () => {
    const { [kubernetes]: cluster, [github]: jobs } = trusting.trustedIssuers!
    const started = (trustedIssuers: object) =>
      serverOf({ methods: ['federated_jwt'], trustedIssuers } as never, worker)
    expect(await started({ [kubernetes]: cluster, [github]: jobs }).told(podForm())).toBe('federated_jwt')
    expect(await started({ [github]: jobs }).told(podForm())).toBe('assertion_issuer')
  })
})

describe('replay', () => {
  // Threat 54: a token is read in the log of a build and used again
  test.each([
    ['with jti', jobForm()],
    ['without jti', jobForm({ claims: { jti: undefined } })]
  ])('each token once, %s', async (_name, form) => {
    const { told } = serverOf({}, deployer)
    expect([await told(form), await told(form)]).toEqual(['federated_jwt', 'assertion_replayed'])
  })

  test('as often as wanted where the issuer is reusable, and nothing is remembered', async () => {
    const consume = jest.fn<boolean, [ReplayEntry]>(() => true)
    const { told } = serverOf({ replayStore: { consume } }, worker, ledger)
    const [pod, svidOnce] = [podForm({ claims: { jti: 'x' } }), svidForm()]
    expect([await told(pod), await told(pod), await told(svidOnce), await told(svidOnce)]).toEqual([
      'federated_jwt',
      'federated_jwt',
      'spiffe_jwt',
      'spiffe_jwt'
    ])
    expect(consume).not.toHaveBeenCalled()
  })

  test('a missing jti makes no token reusable', async () => {
    const { [kubernetes]: cluster } = trusting.trustedIssuers!
    const trustedIssuers = { [kubernetes]: { ...cluster!, reusable: false } }
    const { told } = serverOf({ methods: ['federated_jwt'], trustedIssuers }, worker)
    const form = podForm()
    expect([await told(form), await told(form)]).toEqual(['federated_jwt', 'assertion_replayed'])
  })

  test('one jti of two issuers is two uses, and of two clients', async () => {
    const jti = 'the same'
    const both = {
      ...deployer,
      federated_identities: [...deployer.federated_identities!, { issuer: 'https://two.example', subject: 'y' }]
    }
    const { [github]: jobs } = trusting.trustedIssuers!
    const trustedIssuers = { [github]: jobs!, 'https://two.example': { jwks: { keys: [githubKey.jwk] } } }
    const { told } = serverOf({ methods: ['federated_jwt'], trustedIssuers }, both, { ...both, client_id: 'other' })
    const first = jobForm({ claims: { jti } })
    const second = jobForm({ claims: { jti, iss: 'https://two.example', sub: 'y' } })
    expect(await told(first)).toBe('federated_jwt')
    expect(await told(second)).toBe('federated_jwt')
    expect(await told({ ...first, client_id: 'other' })).toBe('federated_jwt')
    expect([await told(first), await told(second)]).toEqual(['assertion_replayed', 'assertion_replayed'])
  })

  test('a refused token is not used up', async () => {
    const client = { ...deployer, federated_identities: [] as { issuer: string; subject: string }[] }
    const { told } = serverOf({}, client)
    const form = jobForm()
    expect(await told(form)).toBe('federated_subject')
    client.federated_identities = [...deployer.federated_identities!]
    expect(await told(form)).toBe('federated_jwt')
  })

  test('a store that fails lets nobody in', async () => {
    const replayStore = { consume: () => Promise.reject(new Error('down')) }
    expect(await serverOf({ replayStore }, deployer).told(jobForm())).toBe('replay_store_unavailable')
  })
})

// Threat 54: the answer tells which clients and identities exist
test('known and unknown clients, methods and identities have one answer', async () => {
  const { refusal } = serverOf({}, worker, {
    ...worker,
    client_id: 'keys',
    token_endpoint_auth_method: 'private_key_jwt'
  })
  const forms = [
    formOf('nobody', podToken()),
    formOf('keys', podToken()),
    podForm({ claims: { sub: 'x' } }),
    podForm({ key: strangerKey }),
    podForm({ header: { kid: 'unknown' } })
  ]
  const errors = await Promise.all(forms.map(refusal))
  expect(errors.map(({ reason }) => reason)).toEqual([
    'unknown_client',
    'method_not_registered',
    'federated_subject',
    'signature_mismatch',
    'no_matching_key'
  ])
  expect(new Set(errors.map((error) => JSON.stringify([error.status, error.headers, error.toJSON()]))).size).toBe(1)
})

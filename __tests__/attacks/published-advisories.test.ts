// Advisories of other servers and libraries, 2025 and 2026: what each let happen does not happen here. Others stand
// beside the tests of their subject: docs/threats.md lists all of them by number.
import { createClientAuthenticator, createProxyCertificates, type OAuthClient } from '../../lib'
import { assertionForm, basic, issuer, jws, keyAssertion, makeKey, now } from '../support/assertions'
import { attacker, claimsOf, clients, good, key, mustBeRefused, secret } from '../support/attacked-clients'
import { encoded } from '../support/certificate-headers'
import { serveKeys } from '../support/key-server'
import { clientsOf, post, tokenServer } from '../support/token-server'

/** Milliseconds of CPU of this process that something takes, the least of five tries. */
async function cpuOf(act: () => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const began = process.cpuUsage()
    await act()
    const { user, system } = process.cpuUsage(began)
    times.push((user + system) / 1000)
  }
  return Math.min(...times)
}

describe('bad attempts at a client with a large key set', () => {
  // Threat 7: each bad attempt fetches, or reads anew, a large cached set (CVE-2026-59396)
  test.each([
    ['under a kid of the set', () => key.kid],
    ['under a kid that nobody has', () => 'made up']
  ])(
    '%s: the set is fetched twice at most, and an attempt costs about what it costs with a small set',
    async (...row) => {
      const kid = row[1]()
      const many = Array.from({ length: 99 }, (_, index) => ({
        ...makeKey('ES256', `other ${index}`).jwk,
        n: 'x'.repeat(400)
      }))
      const costs: number[] = []
      for (const keys of [[key.jwk], [...many, key.jwk]]) {
        let fetches = 0
        const server = await serveKeys(() => {
          fetches++
          return { body: { keys } }
        })
        const record = { client_id: 'key', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: server.uri }
        const keySets = server.fetcher()
        const authenticate = createClientAuthenticator({ issuer, getClient: () => record, keySets })
        const isLetIn = (body: Record<string, string>) =>
          authenticate({ headers: {}, body }).then(
            () => true,
            () => false
          )
        expect(await isLetIn(assertionForm(good('key')))).toBe(true)
        const bad = assertionForm(keyAssertion(attacker, { clientId: 'key', header: { kid } }))
        costs.push(
          await cpuOf(async () => {
            for (let count = 0; count < 300; count++) if (await isLetIn(bad)) throw new Error('let in')
          })
        )
        expect(fetches).toBeLessThanOrEqual(2)
        keySets.close()
        await server.close()
      }
      const [small = 0, large = 0] = costs
      expect(large).toBeLessThan(2 * small)
    }
  )
})

describe('an assertion that has ended', () => {
  // Threat 4: `exp` in the past is accepted (CVE-2026-53431)
  test.each([
    ['a second after the leeway', () => now() - 31],
    ['a minute ago', () => now() - 60],
    ['a year ago', () => now() - 31_536_000],
    ['at the epoch', () => 0],
    ['before it', () => -1],
    ['now, in milliseconds of a year ago', () => (now() - 31_536_000) * 1000],
    ['as a text', () => `${now() - 60}`]
  ])('%s', async (_name, exp) => {
    // The store would refuse most of them as well.
    const replayStore = { consume: () => true }
    await mustBeRefused(
      assertionForm(keyAssertion(key, { clientId: 'key', claims: { exp: exp() } })),
      {},
      { replayStore }
    )
  })
})

// Threat 6: the URL of the keys is taken from the claims (CVE-2026-32301)
test('no URL of the claims is fetched', async () => {
  const url = 'https://keys.attacker.example/jwks'
  const asked: string[] = []
  const get = async (uri: string) => {
    asked.push(uri)
    return { keys: [attacker.jwk] }
  }
  const byUri = {
    client_id: 'uri',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://uri.example/jwks'
  }
  const app = tokenServer({ keySets: { get } }, ...clients, byUri)
  for (const claims of [
    { jku: url },
    { jwks_uri: url },
    { x5u: url },
    { jwks: { keys: [attacker.jwk] } },
    { cnf: { jku: url } },
    { iss: url, sub: url }
  ])
    expect((await post(app, assertionForm(keyAssertion(attacker, { clientId: 'key', claims })))).status).toBe(401)
  expect(asked).toEqual([])
  // Where the client has a URL, it is the registered one.
  const form = assertionForm(keyAssertion(attacker, { clientId: 'uri', claims: { jku: url, jwks_uri: url } }))
  expect((await post(app, form)).status).toBe(200)
  expect(asked).toEqual([byUri.jwks_uri])
})

describe('one client authenticates and another is named', () => {
  const form = new URLSearchParams(assertionForm(good('key'))).toString()
  const whole = encodeURIComponent(secret)
  const named: [string, string, Record<string, string>][] = [
    ['Basic, client_id of another', 'client_id=post', { Authorization: basic('basic', secret) }],
    [
      'Basic, its own client_id and another',
      'client_id=basic&client_id=post',
      { Authorization: basic('basic', secret) }
    ],
    ['a secret, two ids', `client_id=post&client_secret=${whole}&client_id=basic`, {}],
    ['an assertion, client_id of another', `${form}&client_id=post`, {}]
  ]
  // Threat 10: authenticated as one client, treated as another (CVE-2026-118669)
  test.each(named)('%s: refused', async (_name, body, headers) => {
    await mustBeRefused(body, headers)
  })

  test('what handlers behind read is the client that was authenticated', async () => {
    const app = tokenServer({}, ...clients)
    const answer = await post(app, 'clientId=post&client%5Bid%5D=post&scope=client_id%3Dpost', {
      Authorization: basic('basic', secret)
    })
    expect(answer.body).toMatchObject({ client_id: 'basic', clientId: 'basic', body: { client_id: 'basic' } })
    const signed = await post(app, `${form}&id=post`)
    expect(signed.body).toMatchObject({ client_id: 'key', clientId: 'key', body: { client_id: 'key' } })
  })
})

describe('an assertion with several signatures', () => {
  const [head = '', body = '', right = ''] = good('key').split('.')
  const bad = keyAssertion(attacker, { clientId: 'key' }).split('.')[2] ?? ''
  const json = (value: object) => JSON.stringify(value)
  // Threat 5: several signatures, of which one is verified (CVE-2026-137582)
  test.each([
    ['the JSON form, flattened', json({ payload: body, protected: head, signature: right })],
    [
      'the JSON form, a right and a wrong one',
      json({
        payload: body,
        signatures: [
          { protected: head, signature: right },
          { protected: head, signature: bad }
        ]
      })
    ],
    ['a wrong and a right one behind each other', `${head}.${body}.${bad}.${right}`],
    ['a right and a wrong one behind each other', `${head}.${body}.${right}.${bad}`],
    ['joined by a comma', `${head}.${body}.${right},${bad}`],
    ['two assertions', `${good('key')} ${good('key')}`],
    ['two assertions, encoded as a list', json([good('key'), good('key')])]
  ])('%s', async (_name, assertion) => {
    await mustBeRefused(assertionForm(assertion))
  })
})

describe('a registered subject is a name and no expression', () => {
  const source = createProxyCertificates({
    header: 'X-Cert',
    verified: { header: 'X-Verify', value: 'SUCCESS' },
    addresses: ['127.0.0.1', '::1']
  })
  const shown = { 'X-Cert': encoded({ encode: 'escaped-pem', certificate: 'bank' }), 'X-Verify': 'SUCCESS' }
  const ask = (subject: string) => {
    const record: OAuthClient = {
      client_id: 'bank',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: subject
    }
    const app = tokenServer({ methods: ['tls_client_auth'], clientCertificates: source }, record)
    return post(app, { client_id: 'bank' }, shown)
  }

  test('the name itself', async () => {
    expect((await ask('CN=bank.example,O=Bank AG,C=DE')).status).toBe(200)
  })

  // Threat 52: a distinguished name compared by an expression (CVE-2026-45063)
  test.each([
    'CN=.*,O=Bank AG,C=DE',
    'CN=bank.example,O=Bank AG,C=..',
    'CN=*,O=Bank AG,C=DE',
    'CN=bank?example,O=Bank AG,C=DE',
    'CN=bank.example|x,O=Bank AG,C=DE',
    '.*',
    '^CN=bank',
    'CN=bank.example',
    'CN=bank.example,O=Bank AG,C=DE|CN=x',
    '(?i)CN=bank.example,O=Bank AG,C=DE',
    'CN=bank.example,O=Bank AG,C=(DE)?'
  ])('%s', async (subject) => {
    expect((await ask(subject)).status).not.toBe(200)
  })
})

test('clients of these tests are let in without an attack', async () => {
  const app = tokenServer({}, ...clients)
  expect(
    (
      await post(
        app,
        assertionForm(jws({ alg: 'ES256', kid: key.kid }, { ...claimsOf('key'), jti: 'a' }, 'ES256', key.privateKey))
      )
    ).status
  ).toBe(200)
  expect(clientsOf(...clients).getClient('basic')).toBeDefined()
})

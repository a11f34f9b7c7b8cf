// The table of algorithms: two names of Ed25519 (RFC 9864), and ML-DSA (RFC 9964) where this Node.js has it. The parts
// about ML-DSA are of two kinds: one runs with Node.js 24.6 or newer, the other with an older one.
import { randomBytes } from 'node:crypto'
import {
  clientAuth,
  createClientAuthenticator,
  validateClientMetadata,
  type ClientAuthError,
  type ClientMetadataOptions,
  type Jwk,
  type OAuthClient
} from '../../../lib'
import { keyAlgorithms } from '../../../lib/jwt/algorithms'
import { createTestClient } from '../../../lib/testing'
import { assertionForm, issuer, keyAssertion, keyFor, makeKey } from '../../support/assertions'
import { post, tokenServer } from '../../support/token-server'

const metadataOf = (algorithms?: string[]) =>
  clientAuth({ issuer, getClient: () => null, algorithms }).metadata().token_endpoint_auth_signing_alg_values_supported

const registration = (metadata: Partial<OAuthClient>, options?: ClientMetadataOptions): string => {
  try {
    validateClientMetadata({ client_id: 'c', token_endpoint_auth_method: 'private_key_jwt', ...metadata }, options)
    return 'taken'
  } catch (error) {
    return (error as ClientAuthError).message
  }
}

describe('EdDSA and Ed25519 are one algorithm', () => {
  const { jwk } = keyFor('Ed25519')
  const names = [undefined, 'EdDSA', 'Ed25519']
  const pairs = names.flatMap((registered) =>
    names.flatMap((inKey) => ['EdDSA', 'Ed25519'].map((sent) => [registered, inKey, sent] as const))
  )
  const recordOf = (registered: string | undefined, inKey: string | undefined): OAuthClient => ({
    client_id: 'c',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: registered,
    jwks: { keys: [{ ...jwk, alg: inKey }] }
  })
  const outcomeOf = async (client: OAuthClient, sent: string, algorithms?: string[]): Promise<string> => {
    const authenticate = createClientAuthenticator({ issuer, algorithms, getClient: () => client })
    const token = keyAssertion({ ...keyFor('Ed25519'), alg: sent }, { clientId: 'c' })
    return authenticate({ headers: {}, body: assertionForm(token) }).then(
      ({ assertion }) => `accepted ${String(assertion?.header['alg'])}`,
      ({ reason }: ClientAuthError) => reason
    )
  }

  test('there are 18 pairs', () => {
    expect(pairs).toHaveLength(18)
  })

  describe.each([[undefined], [['EdDSA']], [['Ed25519']], [['ES256', 'Ed25519', 'EdDSA']]])(
    'a server with algorithms: %j',
    (algorithms) => {
      test.each(pairs)('registered %s, in the key %s, sent %s: accepted', async (registered, inKey, sent) => {
        expect(await outcomeOf(recordOf(registered, inKey), sent, algorithms)).toBe(`accepted ${sent}`)
      })

      test.each(['EdDSA', 'Ed25519'])('%s can be registered', (registered) => {
        const options = { methods: ['private_key_jwt'] as const, algorithms }
        for (const inKey of names) expect(registration(recordOf(registered, inKey), options)).toBe('taken')
      })
    }
  )

  test.each(pairs)('registered %s, in the key %s, sent %s: refused without it', async (registered, inKey, sent) => {
    expect(await outcomeOf(recordOf(registered, inKey), sent, ['ES256'])).toBe('assertion_alg')
  })

  test.each([
    ['ES256', undefined, 'alg_not_registered'],
    ['Ed448', undefined, 'alg_not_registered'],
    [undefined, 'ES256', 'no_matching_key'],
    [undefined, 'Ed448', 'no_matching_key']
  ])('another one registered (%s) or in the key (%s): %s', async (registered, inKey, reason) => {
    expect(await outcomeOf(recordOf(registered, inKey), 'EdDSA')).toBe(reason)
  })

  test('discovery lists both while one is accepted, and neither otherwise', () => {
    expect(metadataOf(['Ed25519', 'ES256'])).toEqual(['EdDSA', 'Ed25519', 'ES256'])
    expect(metadataOf(['ES256', 'EdDSA', 'Ed25519'])).toEqual(['ES256', 'EdDSA', 'Ed25519'])
    expect(metadataOf(['ES256'])).toEqual(['ES256'])
  })
})

const sets = [
  ['ML-DSA-44', 1312],
  ['ML-DSA-65', 1952],
  ['ML-DSA-87', 2592]
] as const
/** Any octets are a public key of ML-DSA. */
const akp = (octets: number, members: Partial<Jwk>): Jwk => ({
  kty: 'AKP',
  pub: randomBytes(octets).toString('base64url'),
  ...members
})
const registered = (key: Jwk, others: Partial<OAuthClient> = {}) => registration({ jwks: { keys: [key] }, ...others })
const hasMlDsa = keyAlgorithms.includes('ML-DSA-65')

test('this Node.js has ML-DSA or it has not: from 24.6 on, with its own OpenSSL', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  expect(hasMlDsa).toBe(major > 24 || (major === 24 && minor >= 6))
})

const withMlDsa = hasMlDsa ? describe : describe.skip
const withoutMlDsa = hasMlDsa ? describe.skip : describe

withMlDsa('ML-DSA, which this Node.js has', () => {
  test('is accepted and advertised, if nothing else is said', () => {
    expect(metadataOf()).toEqual(expect.arrayContaining(sets.map(([alg]) => alg)))
    expect(metadataOf(['ML-DSA-65'])).toEqual(['ML-DSA-65'])
  })

  test.each(sets)('%s: a key of %s octets can be registered', (alg, octets) => {
    expect(registered(akp(octets, { alg }))).toBe('taken')
    expect(registered(akp(octets, { alg, use: 'sig' }), { token_endpoint_auth_signing_alg: alg })).toBe('taken')
  })

  test.each(sets)('%s: what is wrong with a key is told', (alg, octets) => {
    const other = alg === 'ML-DSA-44' ? 'ML-DSA-65' : 'ML-DSA-44'
    expect(registered(akp(octets, {}))).toBe('jwks: key 0 has no alg, which its kty needs.')
    expect(registered(akp(octets - 1, { alg }))).toBe(`jwks: key 0 needs a pub of ${octets} octets.`)
    expect(registered(akp(octets + 1, { alg }))).toBe(`jwks: key 0 needs a pub of ${octets} octets.`)
    expect(registered(akp(octets, { alg: other }))).toMatch(/^jwks: key 0 needs a pub of \d+ octets\.$/)
    expect(registered(akp(octets, { alg, pub: undefined }))).toBe('jwks: key 0 needs pub in base64url.')
    expect(registered(akp(octets, { alg, pub: 'A+' }))).toBe('jwks: key 0 needs pub in base64url.')
    expect(registered(akp(octets, { alg: 'ES256' }))).toBe('jwks: key 0 has an alg that does not fit its kty and crv.')
    expect(registered(akp(octets, { alg }), { token_endpoint_auth_signing_alg: other })).toBe(
      `jwks has no key that can verify ${other}.`
    )
    expect(registered(akp(octets, { alg, priv: randomBytes(32).toString('base64url') }))).toMatch(/private/)
  })
})

withMlDsa('an assertion by ML-DSA', () => {
  const keys = new Map((hasMlDsa ? sets : []).map(([alg]) => [alg, keyFor(alg)])) // a skipped part runs so far
  const recordOf = (client_id: string, jwk: Jwk): [string, OAuthClient] => [
    client_id,
    { client_id, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }
  ]
  const records = new Map(
    [...keys].flatMap(([alg, { jwk }]) => [recordOf(alg, jwk), recordOf(`${alg} bare`, { ...jwk, alg: undefined })])
  )
  const reasons: string[] = []
  const server = tokenServer({
    getClient: (id) => records.get(id),
    onError: (error, _req, res) => {
      reasons.push(error.reason)
      res.writeHead(error.status).end()
    }
  })
  const send = (token: string) => post(server, assertionForm(token))

  type Name = (typeof sets)[number][0]
  const next = { 'ML-DSA-44': 'ML-DSA-65', 'ML-DSA-65': 'ML-DSA-87', 'ML-DSA-87': 'ML-DSA-44' } as const
  const good = (alg: Name, clientId: string = alg) => keyAssertion(keys.get(alg)!, { clientId })
  /** A good one, its signature changed. */
  const changed =
    (change: (signature: Buffer) => Uint8Array) =>
    (alg: Name): string => {
      const [head, body, signature = ''] = good(alg).split('.')
      return [head, body, Buffer.from(change(Buffer.from(signature, 'base64url'))).toString('base64url')].join('.')
    }
  /** Signed by the client's next set, under a name and the kid of this one. */
  const byNext = (alg: Name, header: Record<string, unknown>) =>
    keyAssertion(keys.get(next[alg])!, { clientId: alg, header: { ...header, kid: keys.get(alg)!.kid } })

  // Threat 11: told apart by the time of an assertion by ML-DSA
  test.each(sets)('%s: an unknown client costs a verification, as a known one does', async (alg) => {
    const verify = jest.spyOn(jest.requireActual<typeof import('node:crypto')>('node:crypto'), 'verify')
    for (const token of [good(alg, 'nobody'), byNext(alg, { alg })]) {
      verify.mockClear()
      await send(token).expect(401)
      expect(verify).toHaveBeenCalledTimes(1)
    }
    verify.mockRestore()
    reasons.length = 0
  })

  test.each(sets)('%s: accepted', async (alg) => {
    const { body } = await send(good(alg)).expect(200)
    expect(body).toMatchObject({ client_id: alg, method: 'private_key_jwt', assertion: { header: { alg } } })
  })

  test.each<[string, (alg: Name) => string, string]>([
    ['altered', changed((signature) => signature.map((octet, at) => octet ^ Number(at === 9))), 'signature_mismatch'],
    ['short', changed((signature) => signature.subarray(1)), 'signature_mismatch'],
    ['long', changed((signature) => Buffer.concat([signature, Buffer.of(0)])), 'signature_mismatch'],
    ['empty', changed(() => Buffer.of()), 'signature_mismatch'],
    ['by another key', (alg) => keyAssertion(makeKey(alg), { clientId: alg }), 'signature_mismatch'],
    ['by another set', (alg) => byNext(alg, {}), 'no_matching_key'],
    ['by another set under the name of this', (alg) => byNext(alg, { alg }), 'signature_mismatch'],
    ['with a key that has no alg', (alg) => good(alg, `${alg} bare`), 'no_matching_key'],
    ['of a client that nobody knows', (alg) => good(alg, 'nobody'), 'unknown_client']
  ])('%s: refused, each with its reason', async (_name, make, reason) => {
    for (const [alg] of sets) await send(make(alg)).expect(401)
    expect(reasons.splice(0)).toEqual([reason, reason, reason])
  })

  test('explain tells that the key has no alg', async () => {
    const authenticate = createClientAuthenticator({ issuer, getClient: (id) => records.get(id) })
    const { findings } = await authenticate.explain({
      headers: {},
      body: assertionForm(good('ML-DSA-65', 'ML-DSA-65 bare'))
    })
    expect(JSON.stringify(findings)).toContain('has no alg, which its kty needs')
  })
})

withoutMlDsa('ML-DSA, which needs a newer Node.js', () => {
  const note = '(ML-DSA-44, ML-DSA-65, ML-DSA-87 need Node.js 24.6 or newer)'

  test('is neither accepted nor advertised', () => {
    expect(metadataOf()).toEqual(keyAlgorithms.concat(['HS256', 'HS384', 'HS512']))
    expect(keyAlgorithms).not.toContain('ML-DSA-65')
  })

  test.each(sets)('%s: start-up and registration say which is needed', (alg, octets) => {
    const start = () => clientAuth({ issuer, getClient: () => null, algorithms: ['ES256', alg] })
    expect(start).toThrow(TypeError)
    expect(start).toThrow(`HS512 ${note}, not one with "${alg}"`)
    expect(registered(akp(octets, { alg }))).toBe('jwks: key 0 is for an algorithm that needs Node.js 24.6 or newer.')
    expect(registration({ token_endpoint_auth_signing_alg: alg })).toMatch(
      /^token_endpoint_auth_signing_alg must be one of RS256, .*HS512 \(ML-DSA-44, .* need Node\.js 24\.6 or newer\)\.$/
    )
  })

  test('a test client says so as well', () => {
    const make = () => createTestClient({ client_id: 'c', method: 'private_key_jwt', issuer, alg: 'ML-DSA-65' })
    expect(make).toThrow(`${note}, not "ML-DSA-65"`)
  })
})

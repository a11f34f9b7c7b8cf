// Certificates of clients whose keys are behind a jwks_uri, and records that cannot be matched.
import { sign, X509Certificate } from 'node:crypto'
import {
  createClientAuthenticator,
  type AuthenticatedClient,
  type ClientAuthenticator,
  type KeySets,
  type OAuthClient
} from '../../lib'
import { keyAlgorithms } from '../../lib/jwt/algorithms'
import { owned } from '../../lib/methods/record-owner'
import { issuer } from '../support/assertions'
import { newKeyPair } from '../../lib/testing/signing'
import { publicJwk, x509 } from '../support/client-certificates'
import * as der from '../support/der'

const body = { grant_type: 'client_credentials', client_id: 'c' }
const request = { headers: {}, body }

/** A server to which `shown` is presented; `verified` is what the source says of it. */
const serverFor = (shown: string | X509Certificate, record: Partial<OAuthClient>, keySets?: KeySets, verified = true) =>
  createClientAuthenticator({
    issuer,
    getClient: (id) => (id === 'c' ? { client_id: 'c', ...record } : undefined),
    methods: ['tls_client_auth', 'self_signed_tls_client_auth', 'client_secret_basic'],
    clientCertificates: { get: () => ({ certificate: typeof shown === 'string' ? x509(shown) : shown, verified }) },
    ...(keySets === undefined ? {} : { keySets })
  })
const reasonOf = (authenticate: ClientAuthenticator): Promise<unknown> =>
  authenticate(request).then(
    () => 'accepted',
    (error: unknown) => (error as { reason: unknown }).reason
  )

describe('a client with a jwks_uri', () => {
  const record = { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks_uri: 'https://c.example.com/jwks' }
  const setOf = (...ids: string[]) => ({ keys: ids.map(publicJwk) })
  const [old, other, both] = [setOf('self-bank'), setOf('shop'), setOf('self-bank', 'self-bank-new-key')]

  test.each<[string, string, (() => unknown)[], string]>([
    ['the certificate in the set: one look', 'self-bank', [() => old], 'accepted'],
    ['a renewed one, in the newer set: two looks', 'self-bank-new-key', [() => old, () => both], 'accepted'],
    ['one that the newer set does not have either', 'self-bank', [() => other, () => setOf('shop')], 'not registered'],
    ['one where there is no newer set', 'self-bank', [() => other, () => other], 'not registered'],
    ['a set that cannot be had', 'self-bank', [() => Promise.reject(new Error('down'))], 'unavailable'],
    [
      'a newer set that cannot be had',
      'self-bank',
      [() => other, () => Promise.reject(new Error('down'))],
      'unavailable'
    ],
    ['what is no set', 'self-bank', [() => ({ keys: 5 })], 'unavailable']
  ])('%s', async (_, shown, answers, outcome) => {
    const asked: unknown[] = []
    const get = (uri: string, how?: object) => {
      asked.push([uri, how])
      return Promise.resolve(answers[asked.length - 1]?.()) as ReturnType<KeySets['get']>
    }
    const reasons: Record<string, string> = {
      'not registered': 'certificate_not_registered',
      unavailable: 'jwks_unavailable'
    }
    expect(await reasonOf(serverFor(shown, record, { get }))).toBe(reasons[outcome] ?? outcome)
    const looks = [
      [record.jwks_uri, undefined],
      [record.jwks_uri, { refresh: true }]
    ] as const
    expect(asked).toEqual(looks.slice(0, answers.length))
  })

  test('an outage of the keys of a client document is called one', async () => {
    const keySets = { get: () => Promise.reject(new Error('down')) }
    const document = owned({ client_id: 'c', ...record }, { keySets, methods: ['self_signed_tls_client_auth'] })
    expect(await reasonOf(serverFor('self-bank', document))).toBe('client_keys_unavailable')
  })

  test('the log is told which set cannot be had, and why', async () => {
    const get = () => Promise.reject(Object.assign(new Error('no route'), { why: 'connection' }))
    const { findings } = await serverFor('self-bank', record, { get }).explain(request, { fetch: true })
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'key set',
        result: 'failed',
        detail: {
          uri: record.jwks_uri,
          expected: 'a JWK Set of public keys',
          received: 'no route',
          why: 'connection'
        }
      })
    )
  })
})

describe('a record with a subject that cannot be matched', () => {
  const two = { tls_client_auth_san_dns: 'bank.example', tls_client_auth_san_ip: '192.0.2.7' }
  test.each<[string, object, string]>([
    ['two subjects', two, 'tls_client_auth needs exactly one of'],
    ['a name that is none', { tls_client_auth_subject_dn: 'bank' }, 'tls_client_auth_subject_dn must be'],
    ['none', {}, 'tls_client_auth needs exactly one of']
  ])('%s: refused, and explained by the record alone', async (_, subject, words) => {
    const server = serverFor('bank', { token_endpoint_auth_method: 'tls_client_auth', ...subject })
    expect(await reasonOf(server)).toBe('certificate_subject_not_registered')
    const failed = (await server.explain(request)).findings.filter(({ result }) => result === 'failed')
    expect(failed[0]).toMatchObject({ check: 'registered subject', expected: expect.stringContaining(words) as string })
  })
})

test('a subject of an unknown type lets a registered key in, and is told as no name', async () => {
  const jwks = { keys: [publicJwk('dn-unknown-type')] }
  const record = { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks }
  const { certificate }: AuthenticatedClient = await serverFor('dn-unknown-type', record)(request)
  expect(certificate).toMatchObject({ subject: '', verified: true })
})

test('a certificate whose key is weak: which strength it needs, and which it has', async () => {
  const record = { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [] } }
  const { findings } = await serverFor('self-bank-rsa1024', record).explain(request)
  expect(findings).toContainEqual(
    expect.objectContaining({
      reason: 'certificate_weak',
      received: 'the key has 1024 bits, not 2048 to 8192',
      expected: expect.stringContaining('2048') as string
    })
  )
})

const withMlDsa = keyAlgorithms.includes('ML-DSA-65') ? test : test.skip
withMlDsa('a certificate over a key of ML-DSA is of an unsupported type, also beside its own key', async () => {
  const { privateKey, publicKey } = newKeyPair('ML-DSA-65')
  const algorithm = der.sequence(der.objectIdentifier('2.16.840.1.101.3.4.3.18'))
  const content = der.sequence(
    ...[der.explicit(0, der.integer(2)), der.integer(1), algorithm, der.sequence()],
    der.sequence(der.time(new Date('2024-01-01')), der.time(new Date('2049-01-01'))),
    ...[der.sequence(), publicKey.export({ type: 'spki', format: 'der' })]
  )
  const signature = der.bitString(sign(null, content, privateKey))
  const certificate = new X509Certificate(der.sequence(content, algorithm, signature))
  expect(certificate.verify(publicKey)).toBe(true)
  const keys = [publicKey, newKeyPair('ML-DSA-65').publicKey].map((key) => ({
    ...key.export({ format: 'jwk' }),
    kid: 'k'
  }))
  for (const key of keys) {
    const record = { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [key] } }
    expect(await reasonOf(serverFor(certificate, record))).toBe('certificate_weak')
  }
})

// Attacks with an assertion: another algorithm, another key, a key that anybody can sign for, claims of other types.
import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { OAuthClient } from '../../lib'
import { assertionForm, jws, keyAssertion, makeKey, secretAssertion } from '../support/assertions'
import { attacker, claimsOf, clients, good, key, mustBeRefused, rsa, secret } from '../support/attacked-clients'
import { clientsOf, post, tokenServer } from '../support/token-server'

const pem = (type: 'spki' | 'pkcs1', jwk: JsonWebKey = rsa.jwk) =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ type, format: 'pem' }).toString()

describe('algorithm confusion', () => {
  const asSecrets: [string, string][] = [
    ['the public key as PEM', pem('spki')],
    ['the public key as PEM without its last line feed', pem('spki').trimEnd()],
    ['the public key as PKCS 1', pem('pkcs1')],
    ['the public key as JWK', JSON.stringify(rsa.jwk)],
    ['the modulus', Buffer.from(String(rsa.jwk.n), 'base64url').toString('latin1')],
    ['nothing', '']
  ]
  const ids = ['key', 'keys only', 'moving']
  const rows = asSecrets.flatMap(([name, text]) => ids.map((id) => [id, name, text] as const))
  // Threat 1: an HMAC whose secret is a public key (CVE-2026-11800, CVE-2024-37568)
  test.each(rows)('an HMAC of %s under %s', async (clientId, _name, text) => {
    await mustBeRefused(assertionForm(secretAssertion(text, { clientId, header: { kid: rsa.kid } })))
  })

  // Threat 1: a family other than the method's (CVE-2026-48526)
  test('an HMAC with the secret of a client registered for keys', async () => {
    await mustBeRefused(assertionForm(secretAssertion(secret, { clientId: 'key' })))
  })
  // Threat 1: a signature of a client that is registered for HMAC
  test('a signature by the key of a client registered for HMAC', async () => {
    await mustBeRefused(assertionForm(good('hmac')))
  })
  // Threat 1: `none`, in any case
  test.each(['none', 'None', 'NONE', 'nOnE'])('alg %s', async (alg) => {
    await mustBeRefused(assertionForm(jws({ alg }, claimsOf('key'), 'none', '')))
  })
  // Threat 1: one algorithm under the name of another
  test('a signature of one algorithm under the name of another', async () => {
    await mustBeRefused(assertionForm(jws({ alg: 'PS256', kid: rsa.kid }, claimsOf('key'), 'RS256', rsa.privateKey)))
    await mustBeRefused(assertionForm(jws({ alg: 'ES384', kid: key.kid }, claimsOf('key'), 'ES256', key.privateKey)))
  })
})

// Threat 2: `jwk`, `jku`, `x5u`, `x5c` used or fetched (CVE-2026-27962, CVE-2026-34240)
test('keys in the header are neither used nor fetched', async () => {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  let connections = 0
  listener.on('connection', () => connections++)
  const url = `https://127.0.0.1:${(listener.address() as AddressInfo).port}/`
  const app = tokenServer({}, ...clients)
  for (const header of [
    { jwk: attacker.jwk },
    { jku: url },
    { x5u: url },
    { x5c: ['MIIB'] },
    { jku: url, jwk: attacker.jwk }
  ]) {
    const answer = await post(
      app,
      assertionForm(keyAssertion(attacker, { clientId: 'key', header: { kid: key.kid, ...header } }))
    )
    expect(answer.status).toBe(401)
    // With the right signature they do no harm either
    const honest = await post(app, assertionForm(keyAssertion(key, { clientId: 'key', header })))
    expect(honest.status).toBe(200)
  }
  expect(connections).toBe(0)
  listener.close()
})

// Threat 14: `e` = 1, Ed25519 points of small order: forged signatures verify
describe('forged without any private key', () => {
  /** The neutral element: [S]B = R + [k]A holds for S = 0, R = A, whatever was signed. */
  const neutral = Buffer.concat([Buffer.of(1), Buffer.alloc(31)])
  const smallOrder = { kty: 'OKP', crv: 'Ed25519', x: neutral.toString('base64url'), kid: 'weak' }
  const forgeEd = (): Buffer => Buffer.concat([neutral, Buffer.alloc(32)])

  /** With e = 1 the signature is the padded digest itself (RFC 8017 §9.2). */
  const identity = { kty: 'RSA', n: String(rsa.jwk.n), e: 'AQ', kid: 'weak' }
  const forgeRsa = (input: Buffer): Buffer => {
    const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex')
    const digest = createHash('sha256').update(input).digest()
    return Buffer.concat([
      Buffer.from('0001', 'hex'),
      Buffer.alloc(256 - 3 - 51, 0xff),
      Buffer.alloc(1),
      prefix,
      digest
    ])
  }
  const forgers: [string, string, JsonWebKey, (input: Buffer) => Buffer, string | null][] = [
    ['Ed25519 point of small order', 'EdDSA', smallOrder, forgeEd, null],
    ['RSA with e = 1', 'RS256', identity, forgeRsa, 'sha256']
  ]

  test.each(forgers)('%s', async (_name, alg, jwk, forge, digest) => {
    const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const input = `${encode({ alg, kid: 'weak' })}.${encode(claimsOf('weak'))}`
    const signature = forge(Buffer.from(input))
    // It is no empty threat: Node takes it, of points of small order before Node 24.
    const taken = verify(digest, Buffer.from(input), createPublicKey({ key: jwk, format: 'jwk' }), signature)
    expect(taken).toBe(alg === 'RS256' || Number(process.versions.node.split('.')[0]) < 24)
    const client = {
      client_id: 'weak',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] }
    } as OAuthClient
    const token = `${input}.${signature.toString('base64url')}`
    expect((await post(tokenServer({}, client), assertionForm(token))).status).toBe(401)
  })

  // Threat 14: RSA-1024
  test.each([
    ['RSA-1024', makeKey('RS256', 'weak', 1024)],
    ['RSA-1536', makeKey('RS256', 'weak', 1536)]
  ])('%s: its own signature is refused', async (_name, weak) => {
    const client: OAuthClient = {
      client_id: 'weak',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [weak.jwk] }
    }
    expect((await post(tokenServer({}, client), assertionForm(keyAssertion(weak, { clientId: 'weak' })))).status).toBe(
      401
    )
  })
})

// Threat 7: cache keys that collide (CVE-2025-59936)
test('keys that print otherwise than they read are what they read, and do not speak for each other', async () => {
  class Entity {
    readonly #keys: unknown[]
    constructor(...keys: unknown[]) {
      this.#keys = keys
    }
    get keys(): unknown[] {
      return this.#keys
    }
  }
  const printing = (jwk: object) => ({ keys: [{ ...jwk, toJSON: () => key.jwk }] })
  const record = (client_id: string, jwks: unknown) =>
    ({ client_id, token_endpoint_auth_method: 'private_key_jwt', jwks }) as OAuthClient
  const other = makeKey('ES256', key.kid)
  const app = tokenServer(
    {},
    ...[record('a', new Entity(key.jwk)), record('b', new Entity(other.jwk))],
    ...[record('c', printing(key.jwk)), record('d', printing(other.jwk))]
  )
  for (const clientId of ['a', 'c']) expect((await post(app, assertionForm(good(clientId)))).status).toBe(200)
  expect((await post(app, assertionForm(good('b')))).status).toBe(401)
  expect((await post(app, assertionForm(keyAssertion(other, { clientId: 'a' })))).status).toBe(401)
  expect((await post(app, assertionForm(keyAssertion(other, { clientId: 'd' })))).status).toBe(200)
  expect((await post(app, assertionForm(good('d')))).status).toBe(401)
  expect((await post(app, assertionForm(keyAssertion(other, { clientId: 'c' })))).status).toBe(401)
})

// Threat 13: `sub` an object, which must not reach the look-up
test.each<[string, Record<string, unknown>]>([
  ['an object', { sub: { $gt: '' } }],
  ['an object with toString', { sub: { toString: 'key' } }],
  ['an array', { sub: ['key'], iss: ['key'] }],
  ['a number', { sub: 5, iss: 5 }],
  ['true', { sub: true, iss: true }],
  ['null', { sub: null, iss: null }],
  ['empty', { sub: '', iss: '' }],
  ['a path', { sub: '../key\0', iss: '../key\0' }],
  ['of 4,000 characters', { sub: 'x'.repeat(4000), iss: 'x'.repeat(4000) }],
  ['beyond ASCII', { sub: 'kéy', iss: 'kéy' }]
])('sub is %s: it never reaches the look-up', async (_name, claims) => {
  const { getClient, asked } = clientsOf(...clients)
  const answer = await post(tokenServer({ getClient }), assertionForm(keyAssertion(key, { clientId: 'key', claims })))
  expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
  expect(asked).toEqual([])
})

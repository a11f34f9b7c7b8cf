// Attacks that became advisories or bugs in other servers, each sent over real HTTP. Those that have a test of their
// own elsewhere are not repeated: docs/threats.md lists them all.
import { createHash, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import https, { Agent } from 'node:https'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { gzipSync } from 'node:zlib'
import type { AddressInfo } from 'node:net'
import express from 'express'
import request from 'supertest'
import { clientAuth, createJwksFetcher, rememberSecrets, type OAuthClient } from '../../lib'
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
import { watchNetwork } from '../support/jwks-uri-cases'
import { fuzzServer, send, type HttpAnswer } from '../support/fuzz/wire'
import { makeAuthority, makeCertificate } from '../support/tls-certificates'
import { serveHttps } from '../support/tls-server'
import { clientsOf, post, tokenServer, type Options } from '../support/token-server'

const key = keyFor('ES256')
const rsa = keyFor('RS256')
const attacker = makeKey('ES256', 'attacker')
const secret = 'a shared secret of sixty-four octets and a few more, for HS512 too'
const both = { client_secret: secret, jwks: { keys: [key.jwk, rsa.jwk] } }
const everyMethod = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt']

const clients: OAuthClient[] = [
  { client_id: 'basic', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'key', ...both, token_endpoint_auth_method: 'private_key_jwt' },
  { client_id: 'hmac', ...both, token_endpoint_auth_method: 'client_secret_jwt' },
  { client_id: 'moving', ...both, token_endpoint_auth_method: everyMethod },
  { client_id: 'keys only', jwks: { keys: [key.jwk] }, token_endpoint_auth_method: everyMethod },
  { client_id: 'empty', client_secret: '', token_endpoint_auth_method: everyMethod },
  { client_id: 'empty among', client_secret: ['', secret], token_endpoint_auth_method: everyMethod }
]

const good = (clientId: string) => keyAssertion(key, { clientId })
const pem = (type: 'spki' | 'pkcs1', jwk: JsonWebKey = rsa.jwk) =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ type, format: 'pem' }).toString()
const claimsOf = (clientId: string) => ({ iss: clientId, sub: clientId, aud: issuer, exp: now() + 60 })

test('without an attack they are let in', async () => {
  const app = tokenServer({}, ...clients)
  for (const clientId of ['key', 'moving', 'keys only'])
    expect((await post(app, assertionForm(good(clientId)))).body).toMatchObject({ client_id: clientId })
  for (const clientId of ['hmac', 'moving'])
    expect((await post(app, assertionForm(secretAssertion(secret, { clientId })))).status).toBe(200)
  for (const clientId of ['basic', 'moving', 'empty among'])
    expect((await post(app, {}, { Authorization: basic(clientId, secret) })).status).toBe(200)
})

type Attack = [name: string, form: () => Record<string, string> | string, headers?: Record<string, string>]

/** Nothing of these may ever be let in, whoever the client is and whatever it is registered for. */
async function mustBeRefused(form: Record<string, string> | string, headers = {}, options: Options = {}) {
  const answer = await post(tokenServer(options, ...clients), form, headers)
  expect([answer.status, answer.body]).toEqual([
    expect.any(Number),
    { error: expect.any(String), error_description: expect.any(String) }
  ])
  expect([400, 401]).toContain(answer.status)
}

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

// Threat 5: a failing assertion beside a secret that authenticates (CVE-2026-16093)
describe('decoration: an assertion beside a secret that authenticates', () => {
  const assertions: [string, () => string][] = [
    ['unsigned', () => jws({ alg: 'none' }, claimsOf('basic'), 'none', '')],
    ['of another key', () => keyAssertion(attacker, { clientId: 'basic' })],
    ['of another client', () => good('key')],
    ['good', () => secretAssertion(secret, { clientId: 'moving' })],
    ['no JWT', () => 'x']
  ]
  test.each(assertions)('%s', async (_name, make) => {
    await mustBeRefused(assertionForm(make()), { Authorization: basic('basic', secret) })
    await mustBeRefused({ ...assertionForm(make()), client_id: 'post', client_secret: secret })
    await mustBeRefused({ client_assertion: make(), client_id: 'post', client_secret: secret })
    await mustBeRefused({ ...assertionForm(make()), client_id: 'moving', client_secret: secret })
  })
})

// Threat 9: an empty secret for a client that has only keys, and an empty stored one
describe('empty secrets', () => {
  const base64 = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const ids = ['keys only', 'empty', 'empty among']
  const attacks = ids.flatMap((id): Attack[] => [
    [`${id}: Basic`, () => '', base64(`${encodeURIComponent(id)}:`)],
    [`${id}: Basic, a space`, () => '', base64(`${encodeURIComponent(id)}:+`)],
    [`${id}: Basic, an encoded nothing`, () => '', base64(`${encodeURIComponent(id)}:%00`)],
    [`${id}: post`, () => `client_id=${id}&client_secret=`],
    [`${id}: post without a value`, () => `client_id=${id}&client_secret`],
    [`${id}: the word undefined`, () => `client_id=${id}&client_secret=undefined`],
    [`${id}: the word null`, () => `client_id=${id}&client_secret=null`],
    [`${id}: HMAC`, () => assertionForm(secretAssertion('', { clientId: id }))]
  ])
  test.each(attacks)('%s', async (_name, form, headers = {}) => {
    await mustBeRefused(form(), headers)
    // Nor where it compares hashes, and the function is careless
    await mustBeRefused(form(), headers, { verifySecret: (presented, stored) => presented.trim() === stored })
  })
})

describe('mixing', () => {
  const wholeSecret = encodeURIComponent(secret)
  test.each<Attack>([
    // Threat 10: Basic id with form secret
    [
      'Basic id with form secret',
      () => ({ client_secret: secret }),
      { Authorization: `Basic ${Buffer.from('basic:').toString('base64')}` }
    ],
    [
      'Basic id without colon, form secret',
      () => ({ client_secret: secret }),
      { Authorization: `Basic ${Buffer.from('basic').toString('base64')}` }
    ],
    ['Bearer id with form secret', () => ({ client_secret: secret }), { Authorization: 'Bearer basic' }],
    [
      'assertion of one client, client_id of another',
      () => ({ ...assertionForm(good('key')), client_id: 'keys only' })
    ],
    // Threat 10: another client's `client_id`
    ['good Basic, client_id of another', () => ({ client_id: 'post' }), { Authorization: basic('basic', secret) }],
    ['an encoded name', () => `client%5Fid=post&client_id=basic&client_secret=${wholeSecret}`],
    ['a name with a space', () => `client_id =post&client_secret=${wholeSecret}`],
    ['a name in other case', () => `Client_Id=post&CLIENT_SECRET=${wholeSecret}`],
    ['separated by semicolons', () => `client_id=post;client_secret=${wholeSecret}`]
  ])('%s', async (_name, form, headers = {}) => {
    await mustBeRefused(form(), headers)
  })

  const parsers: [string, express.RequestHandler][] = [
    ['extended', express.urlencoded({ extended: true })],
    ['JSON', express.json()],
    [
      'none',
      (_req, _res, next) => {
        next()
      }
    ]
  ]
  const bodies: [string, string, string][] = [
    ['an inherited id and secret', 'form', `__proto__[client_id]=post&__proto__[client_secret]=${wholeSecret}&x=1`],
    ['an inherited secret', 'form', `client_id=post&__proto__[client_secret]=${wholeSecret}`],
    ['by constructor', 'form', `constructor[prototype][client_secret]=${wholeSecret}&client_id=post`],
    ['an object', 'form', `client_id=post&client_secret[$ne]=x`],
    ['an array', 'form', `client_id=post&client_secret[]=${wholeSecret}`],
    ['an indexed array', 'form', `client_id=post&client_secret[0]=${wholeSecret}`],
    ['inherited in JSON', 'json', `{"client_id":"post","__proto__":{"client_secret":${JSON.stringify(secret)}}}`],
    ['an object in JSON', 'json', '{"client_id":"post","client_secret":{"$gt":""}}'],
    ['an array in JSON', 'json', `{"client_id":["post"],"client_secret":[${JSON.stringify(secret)}]}`],
    ['true in JSON', 'json', '{"client_id":"post","client_secret":true}']
  ]
  const rows = parsers.flatMap(([parser, handler]) =>
    bodies.map(([name, type, body]) => ({ parser, handler, name, type, body }))
  )
  // Threat 10: arrays, objects, `__proto__`
  test.each(rows)('$name, after parser: $parser', async ({ handler, type, body }) => {
    const app = express()
    app.post('/token', handler, clientAuth({ issuer, getClient: clientsOf(...clients).getClient }), (_req, res) => {
      res.json({ let: 'in' })
    })
    const answer = await request(app).post('/token').type(type).send(body)
    expect([400, 401]).toContain(answer.status)
    expect(answer.body).toHaveProperty('error')
  })

  // Threat 10: a polluted prototype
  test('a polluted prototype supplies no credentials', async () => {
    const prototype = Object.prototype as Record<string, unknown>
    Object.assign(prototype, { client_id: 'post', client_secret: secret })
    try {
      await mustBeRefused({ grant_type: 'client_credentials' })
    } finally {
      delete prototype['client_id']
      delete prototype['client_secret']
    }
  })
})

/** Every MAC and signature that is verified: of RSA the bits of the key, of the others its kind. */
function watchVerifications() {
  const crypto = jest.requireActual<typeof import('node:crypto')>('node:crypto')
  const seen: unknown[] = []
  const note = (key: unknown) => {
    const { asymmetricKeyDetails, asymmetricKeyType } = key as KeyObject
    seen.push(asymmetricKeyDetails?.modulusLength ?? asymmetricKeyType ?? 'secret')
  }
  const [verifyOnce, hmac] = [crypto.verify, crypto.createHmac] as ((...args: unknown[]) => unknown)[]
  const spies = [
    jest.spyOn(crypto, 'verify').mockImplementation((...args: unknown[]) => {
      note(args[2])
      return verifyOnce!(...args)
    }),
    jest.spyOn(crypto, 'createHmac').mockImplementation(((...args: unknown[]) => {
      note({})
      return hmac!(...args)
    }) as never)
  ]
  return {
    seen,
    end: () => {
      for (const spy of spies) spy.mockRestore()
    }
  }
}

describe('enumeration', () => {
  const keyed = { ...clients[2]!, client_id: 'other alg', token_endpoint_auth_signing_alg: 'RS256' }
  const expired: OAuthClient = { client_id: 'expired', client_secret: secret, client_secret_expires_at: 1 }
  const unreachable: OAuthClient = {
    client_id: 'unreachable',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://localhost/'
  }
  const records = [
    ...clients,
    keyed,
    expired,
    unreachable,
    { client_id: 'keyless', token_endpoint_auth_method: 'private_key_jwt' }
  ]

  const wrong = 'wrong'.repeat(13)
  const ids = ['nobody', ...records.map(({ client_id }) => client_id)]
  const mechanisms: [string, string[], (id: string) => { authorization?: string; form: Record<string, string> }][] = [
    ['Basic', ids.filter((id) => id !== 'post'), (id) => ({ authorization: basic(id, wrong), form: {} })],
    [
      'Basic, the right secret of a client that must not use it',
      ['key', 'hmac', 'post', 'expired', 'nobody'],
      (id) => ({ authorization: basic(id, secret), form: {} })
    ],
    [
      'Basic, near misses',
      ['nobody', 'basic'],
      (id) => ({ authorization: basic(id, `${secret.slice(0, -1)}!`), form: {} })
    ],
    ['post', ids, (id) => ({ form: { client_id: id, client_secret: wrong } })],
    [
      'ES256 by another key',
      ids,
      (id) => ({ form: assertionForm(keyAssertion(attacker, { clientId: id, header: { kid: key.kid } })) })
    ],
    [
      'ES256 by another key, unknown kid',
      ids,
      (id) => ({ form: assertionForm(keyAssertion(attacker, { clientId: id })) })
    ],
    [
      'RS256 by another key',
      ids,
      (id) => ({ form: assertionForm(jws({ alg: 'RS256' }, claimsOf(id), 'RS256', otherRsa.privateKey)) })
    ],
    ['HS256 with another secret', ids, (id) => ({ form: assertionForm(secretAssertion(wrong, { clientId: id })) })]
  ]
  const otherRsa = makeKey('RS256', 'other')

  // Threat 11: unknown ids, wrong secrets and near misses told apart by the answer
  test.each(mechanisms)('%s: unknown and known-but-wrong get the same octets', async (_name, some, make) => {
    const server = await fuzzServer({ getClient: clientsOf(...records).getClient })
    const answers = new Map<string, string[]>()
    for (const id of some) {
      const { authorization, form } = make(id)
      const body = new URLSearchParams(form).toString()
      const head = ['POST /token HTTP/1.1', 'Host: as', `Content-Length: ${body.length}`, 'Connection: close']
      head.push('Content-Type: application/x-www-form-urlencoded')
      if (authorization !== undefined) head.push(`Authorization: ${authorization}`)
      const [answer] = await send(
        server,
        { pieces: [Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)], isWhole: true },
        true
      )
      const octets = wireForm(answer)
      answers.set(octets, [...(answers.get(octets) ?? []), id])
    }
    server.close()
    expect([...answers.keys()]).toEqual([
      expect.stringContaining('{"error":"invalid_client","error_description":"Client authentication failed."}')
    ])
  })

  const wireForm = (answer: HttpAnswer | undefined): string => {
    const { date, ...headers } = answer?.headers ?? {}
    return (
      JSON.stringify({ hasDate: date !== undefined, status: answer?.status, headers: Object.entries(headers) }) +
      (answer?.body ?? '')
    )
  }

  // Threat 11: told apart by the time of an assertion
  test.each<[string, (id: string) => string]>([
    ['ES256', (id) => keyAssertion(attacker, { clientId: id, header: { kid: key.kid } })],
    ['ES256 with an unknown kid', (id) => keyAssertion(attacker, { clientId: id })],
    ['HS256', (id) => secretAssertion(wrong, { clientId: id })]
  ])('%s: an unknown client costs as many verifications as a known one', async (_name, make) => {
    const work = watchVerifications()
    const app = tokenServer({}, ...records)
    const counts: [string, number][] = []
    for (const id of ['nobody', 'key', 'hmac', 'basic', 'keyless', 'other alg', 'unreachable']) {
      const form = assertionForm(make(id))
      work.seen.length = 0
      expect((await post(app, form)).status).toBe(401)
      counts.push([id, work.seen.length])
    }
    work.end()
    expect(counts).toEqual(counts.map(([id]) => [id, 1]))
  })

  const rsaClients = [2048, 3072, 4096].map((bits) => ({
    client_id: `rsa ${bits}`,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [makeKey('RS256', 'rsa', bits).jwk] }
  }))
  // RFC 8017 §8.2.2: a signature of another length, or not less than the modulus, costs no exponentiation.
  // Threat 11: told apart by an RSA signature that fits no modulus
  test.each([
    ['less than any modulus', 256, 0x20, 2048],
    ['less than some moduli', 256, 0xbf, 2048],
    ['less than the decoy alone', 256, 0xfe, 2048],
    ['less than none', 256, undefined, undefined],
    ['of 3072 bits', 384, 0x20, 3072],
    ['of 4096 bits', 512, 0x20, 4096],
    ['too short for any', 100, 0x20, undefined]
  ])('RS256, a signature %s: what is worked out depends on it alone', async (_name, octets, first, worked) => {
    const forged = (id: string) => {
      const signature = Buffer.alloc(octets, first ?? 0xff)
      const [header, claims] = keyAssertion(keyFor('RS256'), { clientId: id, header: { kid: 'rsa' } }).split('.')
      return assertionForm(`${header}.${claims}.${signature.toString('base64url')}`)
    }
    const app = tokenServer({}, ...rsaClients)
    const { seen, end } = watchVerifications()
    const work: unknown[] = []
    for (const id of ['nobody', 'rsa 2048', 'rsa 3072', 'rsa 4096']) {
      seen.length = 0
      expect((await post(app, forged(id))).status).toBe(401)
      work.push([...seen])
    }
    end()
    expect(work).toEqual(work.map(() => (worked === undefined ? [] : [worked])))
  })

  // Threat 11: told apart by the time of a remembered secret
  test('a remembered secret of another client is no faster against an unknown one', async () => {
    let slow = 0
    const verifySecret = rememberSecrets((presented: string, stored: string) => {
      slow++
      return presented === stored
    })
    const mine: OAuthClient = { client_id: 'mine', client_secret: 'mine' }
    const app = tokenServer({ verifySecret }, mine, { client_id: 'theirs', client_secret: 'theirs' })
    const counts = []
    for (const id of ['theirs', 'nobody', 'theirs', 'nobody']) {
      expect((await post(app, {}, { Authorization: basic('mine', 'mine') })).status).toBe(200)
      slow = 0
      expect((await post(app, {}, { Authorization: basic(id, 'mine') })).status).toBe(401)
      counts.push(slow)
    }
    expect(counts).toEqual([1, 1, 1, 1])
  })
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
    // It is no empty threat: Node takes it.
    expect(verify(digest, Buffer.from(input), createPublicKey({ key: jwk, format: 'jwk' }), signature)).toBe(true)
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

describe('downgrade', () => {
  const keyMethod = { token_endpoint_auth_method: 'private_key_jwt' }
  const client: OAuthClient = { client_id: 'key', ...both, ...keyMethod }
  // Threat 15: a client registered for keys let in by anything else
  test.each<Attack>([
    ['Basic', () => '', { Authorization: basic('key', secret) }],
    ['post', () => ({ client_id: 'key', client_secret: secret })],
    ['HMAC', () => assertionForm(secretAssertion(secret, { clientId: 'key' }))],
    ['client_id alone', () => ({ client_id: 'key' })]
  ])('a client registered for its key is not let in by %s', async (_name, form, headers = {}) => {
    const methods: Options['methods'] = [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'none'
    ]
    const answer = await post(tokenServer({ methods }, client), form(), headers)
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
  })

  // Threat 15: a failing assertion that falls back to `client_id`
  test('a failing assertion does not fall back to anything', async () => {
    const app = tokenServer({}, ...clients)
    const form = {
      ...assertionForm(keyAssertion(attacker, { clientId: 'moving', header: { kid: key.kid } })),
      client_id: 'moving'
    }
    expect((await post(app, form)).status).toBe(401)
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

// Threat 11: told apart by an error that only known clients cause
test('a record whose hash breaks the comparison does not break it for unknown clients', async () => {
  const verifySecret = (_presented: string, stored: string): boolean => {
    if (stored === 'broken') throw new Error('no hash')
    return false
  }
  const app = tokenServer({ verifySecret }, { client_id: 'a', client_secret: 'broken' })
  const attempt = (id: string) => post(app, {}, { Authorization: basic(id, 'x') })
  expect((await attempt('a')).status).toBe(500)
  expect((await attempt('nobody')).status).toBe(401)
})

describe('proxies', () => {
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
  const before = { ...process.env }
  afterEach(() => {
    for (const name of names) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = before[name]
    }
  })

  // Threat 6: proxies and agents of the environment
  test('neither the environment nor a global agent leads a fetch elsewhere', async () => {
    let strayed = 0
    const proxy = createServer((socket) => {
      strayed++
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    for (const name of names) process.env[name] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    process.env['NODE_USE_ENV_PROXY'] = '1'

    const stray = new Agent()
    stray.createConnection = () => {
      strayed++
      throw new Error('the global agent was used')
    }
    const { globalAgent } = https
    const host = 'keys.example.com'
    const authority = await makeAuthority()
    const server = await serveHttps(await makeCertificate(authority, { names: [host] }), (_req, res) => {
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.jwk] }))
    })
    const resolver = () => ({
      resolve4: () => Promise.resolve(['127.0.0.1']),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    })
    const hosts = { [host]: { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert } }
    const network = watchNetwork()
    try {
      https.globalAgent = stray
      const { keys } = await createJwksFetcher({ hosts, resolver, timeout: 20 }).get(`https://${host}:${server.port}/`)
      expect([keys.length, strayed, network.seen.connects]).toEqual([1, 0, 1])
    } finally {
      network.stop()
      https.globalAgent = globalAgent
      await server.close()
      proxy.close()
    }
  })
})

// Threat 6: rebinding between the check and the connection
test('rebinding: DNS is asked once, and the connection goes to what was vetted', async () => {
  const host = 'keys.example.com'
  const authority = await makeAuthority()
  const certificate = await makeCertificate(authority, { names: [host] })
  const served: string[] = []
  const server = await serveHttps(certificate, ({ socket }, res) => {
    served.push(String(socket.localAddress))
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.jwk] }))
  })
  let asked = 0
  const resolver = () => ({
    resolve4: () => Promise.resolve([asked++ === 0 ? '127.0.0.1' : '127.0.0.2']),
    resolve6: () => Promise.resolve([]),
    cancel: () => undefined
  })
  const hosts = { [host]: { addresses: ['127.0.0.1', '127.0.0.2'], ports: [server.port], ca: authority.cert } }
  const network = watchNetwork()
  try {
    await createJwksFetcher({ hosts, resolver, timeout: 20 }).get(`https://${host}:${server.port}/`)
    expect([served, asked, network.seen]).toEqual([['127.0.0.1'], 1, { connects: 1, lookups: 0 }])
  } finally {
    network.stop()
    await server.close()
  }
})

// Threat 16: a compressed body that breaks off
test('a compressed body that breaks off leaves nothing waiting', async () => {
  const body = gzipSync('client_id=basic&client_secret=secret'.repeat(100)).subarray(0, 40)
  const reasons: unknown[] = []
  const note = (event: unknown) => reasons.push((event as { reason: unknown }).reason)
  subscribe('oauth-client-auth:rejected', note)
  const server = await fuzzServer()
  const head = [
    ...['POST /token HTTP/1.1', 'Host: as', 'Content-Length: 5000', 'Content-Encoding: gzip'],
    ...['Content-Type: application/x-www-form-urlencoded', '', '']
  ]
  await send(server, { pieces: [Buffer.from(head.join('\r\n')), body], breakAfter: 2, isWhole: false }, true)
  for (let tries = 0; tries < 100 && reasons.length === 0; tries++) await new Promise((done) => setTimeout(done, 20))
  unsubscribe('oauth-client-auth:rejected', note)
  server.close()
  expect([reasons, server.pending()]).toEqual([['body_unreadable'], 0])
})

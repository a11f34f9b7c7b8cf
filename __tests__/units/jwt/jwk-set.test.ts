import { createHash, generateKeyPairSync } from 'node:crypto'
import { keyFault } from '../../../lib/jwt/jwk'
import { keyReports, keySetShape, usableKeySet } from '../../../lib/jwt/jwk-set'
import { KeySetError } from '../../../lib/jwt/key-set-error'
import corpus from '../../fixtures/jwks-uri.json'

type Jwk = Record<string, unknown>

const ec = corpus.fixtures.ES256.public
const rsa = corpus.fixtures.RS256.public
const ed = corpus.fixtures.EdDSA.public

const rsaOfBits = (bits: number): Jwk => {
  const octets = Buffer.alloc(Math.ceil(bits / 8), 0xff)
  octets[0] = 0xff >> (octets.length * 8 - bits)
  return { kty: 'RSA', n: octets.toString('base64url'), e: 'AQAB' }
}

const p = 2n ** 255n - 19n
const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (let b = ((base % p) + p) % p, e = exponent; e > 0n; e >>= 1n, b = (b * b) % p)
    if (e & 1n) result = (result * b) % p
  return result
}

/** All 14 encodings, canonical or not, of the 8 points of order 1, 2, 4 and 8, found by solving for them. */
function smallOrderEncodings(): string[] {
  const d = (-121665n * power(121666n, p - 2n)) % p
  const root = (value: bigint): bigint | undefined => {
    const v = ((value % p) + p) % p
    const candidates = [power(v, (p + 3n) / 8n), (power(v, (p + 3n) / 8n) * power(2n, (p - 1n) / 4n)) % p]
    return candidates.find((c) => (c * c) % p === v)
  }
  // Order 8: x² = -y², hence d·y⁴ + 2·y² - 1 = 0
  const orderEight = [1n, -1n]
    .map((sign) => (-1n + sign * (root(1n + d) ?? 0n)) * power(d, p - 2n))
    .map(root)
    .filter((y) => y !== undefined)
    .flatMap((y) => [y, p - y])
  expect(orderEight).toHaveLength(2)
  const ys = [0n, 1n, p - 1n, p, p + 1n, ...orderEight]
  return ys
    .flatMap((y) => [y, y + 2n ** 255n])
    .map((y) => {
      const hex = y.toString(16).padStart(64, '0')
      return Buffer.from(hex, 'hex').reverse().toString('base64url')
    })
}

describe('keyFault', () => {
  const good: [string, Jwk][] = [
    ...Object.entries(corpus.fixtures).map(([name, { public: jwk }]): [string, Jwk] => [name, jwk]),
    ['RSA of 8192 bits', rsaOfBits(8192)],
    ['RSA of exactly 2048 bits', rsaOfBits(2048)],
    ['RSA with e = 3', { ...rsa, e: 'Aw' }],
    ['key_ops with verify among others', { ...ec, key_ops: ['sign', 'verify'] }],
    ['EdDSA by its fully-specified name', { ...ed, alg: 'Ed25519' }],
    ['an empty kid', { ...ec, kid: '' }]
  ]
  test.each(good)('takes %s', (_name, jwk) => {
    expect(keyFault(jwk)).toBeUndefined()
  })

  const flipped = Buffer.from(ec.y, 'base64url')
  flipped[31] = (flipped[31] ?? 0) ^ 1
  const bad: [string, Jwk, RegExp][] = [
    ['RSA of 2047 bits', rsaOfBits(2047), /2047 bits/],
    ['RSA of 8193 bits', rsaOfBits(8193), /8193 bits/],
    ['even n', { ...rsa, n: Buffer.alloc(256, 0xfe).toString('base64url') }, /even n/],
    [
      'n with a leading zero',
      { ...rsa, n: Buffer.concat([Buffer.of(0), Buffer.from(rsa.n, 'base64url')]).toString('base64url') },
      /leading/
    ],
    ['e with a leading zero', { ...rsa, e: 'AAEAAQ' }, /leading/],
    ['padded n', { ...rsa, n: `${rsa.n}==` }, /base64url/],
    ['n in plain base64', { ...rsa, n: rsa.n.replace(/_/g, '/') }, /base64url/],
    ['n with white space', { ...rsa, n: `${rsa.n}\n` }, /base64url/],
    ['n with unused bits set', { ...rsa, n: `${rsa.n.slice(0, -1)}R` }, /base64url/],
    ['e = 1', { ...rsa, e: 'AQ' }, /unusable e/],
    ['e = 2', { ...rsa, e: 'Ag' }, /unusable e/],
    ['e of 65 bits', { ...rsa, e: Buffer.of(1, 0, 0, 0, 0, 0, 0, 0, 1).toString('base64url') }, /unusable e/],
    ['e empty', { ...rsa, e: '' }, /base64url/],
    ['e a number', { ...rsa, e: 65537 }, /base64url/],
    ['EC off the curve', { ...ec, y: flipped.toString('base64url') }, /not a point on its curve/],
    [
      'EC with a short coordinate',
      { ...ec, x: Buffer.from(ec.x, 'base64url').subarray(1).toString('base64url') },
      /32 octets/
    ],
    ['EC with the coordinates of another curve', { ...corpus.fixtures.ES384.public, crv: 'P-256' }, /32 octets/],
    ['EC without y', { ...ec, y: undefined }, /base64url/],
    ['secp256k1', { ...ec, crv: 'secp256k1' }, /kty or crv/],
    ['Ed448', { ...ed, crv: 'Ed448' }, /kty or crv/],
    ['X25519', { ...ed, crv: 'X25519' }, /kty or crv/],
    ['kty __proto__', { ...ec, kty: '__proto__' }, /kty or crv/],
    ['kty an array', { ...ec, kty: ['EC'] }, /kty or crv/],
    ['alg an array', { ...ec, alg: ['ES256'] }, /alg/],
    ['alg of another curve', { ...ec, alg: 'ES384' }, /alg/],
    ['alg none', { ...ec, alg: 'none' }, /alg/],
    ['alg null', { ...ec, alg: null }, /alg/],
    ['HS256 on an RSA key', { ...rsa, alg: 'HS256' }, /alg/],
    ['use enc', { ...ec, use: 'enc' }, /use/],
    ['use in another case', { ...ec, use: 'SIG' }, /use/],
    ['key_ops without verify', { ...ec, key_ops: ['encrypt'] }, /key_ops/],
    ['key_ops repeated', { ...ec, key_ops: ['verify', 'verify'] }, /key_ops/],
    ['key_ops a string that contains verify', { ...ec, key_ops: 'verify' }, /key_ops/],
    ['kid a number', { ...ec, kid: 1 }, /kid/],
    ['Ed25519 of 31 octets', { ...ed, x: Buffer.alloc(31, 7).toString('base64url') }, /32 octets/],
    [
      'Ed25519 with x over p',
      { ...ed, x: Buffer.from('ef'.padEnd(62, 'f') + '7f', 'hex').toString('base64url') },
      /canonical/
    ]
  ]
  test.each(bad)('refuses %s and says why', (_name, jwk, why) => {
    expect(keyFault(jwk)).toMatch(why)
  })

  test.each(smallOrderEncodings())('refuses the Ed25519 point of small order %s', (x) => {
    expect(keyFault({ ...ed, x })).toMatch(/small order|canonical/)
  })

  test('takes a hundred fresh Ed25519 keys', () => {
    for (let i = 0; i < 100; i++) {
      expect(keyFault({ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) })).toBeUndefined()
    }
  })
})

describe('usableKeySet', () => {
  const thrown = (value: unknown, maxKeys?: number): KeySetError => {
    try {
      usableKeySet(value, maxKeys)
    } catch (error) {
      if (error instanceof KeySetError) return error
    }
    throw new Error('expected a KeySetError')
  }

  test.each([
    undefined,
    null,
    1,
    'x',
    [],
    {},
    { keys: null },
    { keys: {} },
    { keys: ['a'] },
    { keys: [[]] },
    { keys: [null] }
  ])('refuses %j, which is no JWK Set', (value) => {
    expect(thrown(value)).toMatchObject({ why: 'keys', message: expect.stringContaining('not a JWK Set') as string })
  })

  const secrets = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
  // Threat 14: private or symmetric keys in a set
  test.each(secrets)('refuses the whole set for a private member %s, even an empty one', (name) => {
    const { message, why } = thrown({ keys: [ec, { kty: 'unknown', [name]: 'hush-hush' }] })
    expect(why).toBe('private_key')
    expect(message).not.toContain('hush')
    expect(thrown({ keys: [{ ...ec, [name]: '' }, ec] }).why).toBe('private_key')
  })

  test('refuses the whole set for a symmetric key', () => {
    expect(thrown({ keys: [ec, { kty: 'oct' }] }).why).toBe('private_key')
  })

  test('leaves out the single unusable key and keeps the others', () => {
    const set = usableKeySet({ keys: [{ kty: 'RSA' }, { ...ec, kid: 'a' }, { kty: 'new' }, { ...ed, kid: 'b' }] })
    expect(set.keys.map(({ kid }) => kid)).toEqual(['a', 'b'])
  })

  test('keeps nothing that verification does not need', () => {
    const set = usableKeySet({
      keys: [{ ...ec, kid: 'a', alg: 'ES256', use: 'sig', x5u: 'https://127.0.0.1/', note: 1 }],
      more: 1
    })
    expect(set).toEqual({ keys: [{ kty: 'EC', crv: 'P-256', x: ec.x, y: ec.y, kid: 'a', alg: 'ES256' }] })
  })

  const mibThumbprint = createHash('sha256').update(Buffer.from('MIIB', 'base64')).digest('base64url')
  test.each([
    ['of no certificate: none', {}, undefined],
    ['x5t#S256: as it is', { 'x5t#S256': 'abc' }, 'abc'],
    ['x5c: the thumbprint of its first', { x5c: ['MIIB', '!'] }, mibThumbprint],
    ['both that agree', { x5c: ['MIIB'], 'x5t#S256': mibThumbprint }, mibThumbprint],
    ['both that disagree: one that fits nothing', { x5c: ['MIIB'], 'x5t#S256': 'abc' }, ''],
    ['an x5t#S256 that is no string', { 'x5t#S256': 1 }, ''],
    ['an x5c that is no list', { x5c: 'MIIB' }, ''],
    ['an empty x5c', { x5c: [] }, ''],
    ['an x5c in sloppy base64', { x5c: ['MII B'] }, '']
  ])('keeps the thumbprint of the certificate, %s', (_title, members, expected) => {
    expect(usableKeySet({ keys: [{ ...ec, ...members }] }).keys[0]?.['x5t#S256']).toBe(expected)
  })

  test('counts keys, usable or not', () => {
    const keys = Array.from({ length: 101 }, () => ({ kty: 'unknown' }))
    expect(thrown({ keys }).message).toBe('the JWK Set has 101 keys, more than 100')
    expect(usableKeySet({ keys: keys.slice(1) })).toEqual({ keys: [] })
    expect(thrown({ keys: [ec, ec] }, 1).why).toBe('keys')
  })
})

describe('what stands where a key set should, told by its kind alone', () => {
  const pem = '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----'
  test.each<[string, unknown]>([
    ['PEM, as text', pem],
    ['PEM, as text', [pem]],
    ['a text', '{"keys":[]}'],
    ['an array', [ec]],
    ['one JWK', ec],
    ['an object without keys', {}],
    ['a value of type number', 5],
    ['an object whose keys are a text', { keys: 'x' }],
    ['an object with a key that is PEM, as text', { keys: [ec, pem] }],
    ['an object with a key that is a value of type number', { keys: [7] }],
    ['an object whose key k1 has d', { keys: [{ ...ec, kid: 'k1', d: 'x' }] }],
    ['an object whose key without kid has k', { keys: [{ kty: 'oct', k: 'x' }] }],
    ['an object with 2 keys', { keys: [ec, rsa] }]
  ])('%s', (shape, value) => {
    expect(keySetShape(value)).toBe(shape)
  })
})

test('a report says of each key why it is not used, those left out by the fetch included', () => {
  const keys = [
    { ...ec, kid: 'a', alg: undefined },
    { ...ec, kid: 'b', alg: 'ES256' },
    { ...ec, kid: 'c', use: 'enc' }
  ]
  const asked = { kid: 'a', alg: 'RS256' }
  const faults = ['is not for RS256', 'has another kid', 'is not for signatures (use)']
  expect(keyReports({ keys }, asked).map(({ fault }) => fault)).toEqual(faults)
  expect(keyReports(usableKeySet({ keys }), asked).map(({ fault }) => fault)).toEqual(faults)
  expect(keyReports({ keys }, { kid: 'b', alg: 'ES256' })[1]).not.toHaveProperty('fault')
  expect(keyReports({ keys }, { kid: undefined, alg: 'ES256' })[0]).not.toHaveProperty('fault')
})

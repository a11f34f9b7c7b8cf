// Forged signatures of every class, for every algorithm; and jose.jwtVerify as a second opinion on mutated assertions.
import { constants, createHash, createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { importJWK, jwtVerify } from 'jose'
import { createClientAuthenticator, type ClientAuthError, type OAuthClient } from '../../lib'
import { hmacAlgorithms, keyAlgorithms } from '../../lib/jwt/algorithms'
import { assertionForm, issuer, keyFor, makeKey, now, type TestKey } from '../support/assertions'
import { curves, toBigInt, toOctets } from '../support/chosen-signatures'

const secret = 'the secret of sixty-four octets or more, for every one of the HMACs'
const keyNames = keyAlgorithms
const secretNames = hmacAlgorithms
const names = [...keyNames, ...secretNames]
const bits = (alg: string) => Number(alg.slice(-3))
const hashOf = (alg: string) => `sha${bits(alg)}`

const record = (client_id: string, key: TestKey): OAuthClient => ({
  client_id,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [{ ...key.jwk, alg: client_id }] }
})
const weakRsa = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
const cubeKey = { ...weakRsa.publicKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'cube', alg: 'RS256', use: 'sig' }
const identityKey = { ...keyFor('RS256').jwk, e: 'AQ', kid: 'identity' }
const records = new Map<string, OAuthClient>([
  ...keyNames.map((alg) => [alg, record(alg, keyFor(alg))] as const),
  ...secretNames.map(
    (alg) => [alg, { client_id: alg, client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' }] as const
  ),
  ['cube', { client_id: 'cube', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [cubeKey] } }],
  ['identity', { client_id: 'identity', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [identityKey] } }]
])

/** `accepted`, or the reason of the refusal. The replay store lets everything pass: signatures alone are tried here. */
const authenticate = createClientAuthenticator({
  issuer,
  getClient: (id) => records.get(id),
  replayStore: { consume: () => true }
})
const outcomeOf = (token: string): Promise<string> =>
  authenticate({ headers: {}, body: assertionForm(token) }).then(
    () => 'accepted',
    ({ reason }: ClientAuthError) => reason
  )

let serial = 0
const inputOf = (clientId: string, alg = clientId): string => {
  const claims = { iss: clientId, sub: clientId, aud: issuer, jti: `jti ${serial++}`, iat: now(), exp: now() + 3500 }
  return [{ alg }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
}

function signatureOf(alg: string, input: string, key: KeyObject | undefined, saltLength?: number): Buffer {
  const octets = Buffer.from(input)
  if (key === undefined) return createHmac(hashOf(alg), secret).update(octets).digest()
  if (/^(Ed|ML)/.test(alg)) return sign(null, octets, key)
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: saltLength ?? bits(alg) / 8 }
  return sign(hashOf(alg), octets, {
    key,
    ...(alg.startsWith('PS') ? pss : {}),
    ...(alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' } : {})
  })
}

const privateKeyOf = (alg: string): KeyObject | undefined =>
  secretNames.includes(alg) ? undefined : keyFor(alg).privateKey
const join = (input: string, signature: Buffer | string): string =>
  `${input}.${typeof signature === 'string' ? signature : signature.toString('base64url')}`
/** A good assertion, its signature changed. */
const altered =
  (change: (signature: Buffer, alg: string, input: string) => Buffer | string) =>
  (alg: string): string => {
    const input = inputOf(alg)
    return join(input, change(signatureOf(alg, input, privateKeyOf(alg)), alg, input))
  }

const flipped = (signature: Buffer, at: number): Buffer => {
  const copy = Buffer.from(signature)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}
const orderOf = (alg: string): bigint => curves[alg]!.n
/** The order of the group of Ed25519 (RFC 8032 §5.1). */
const edOrder = 2n ** 252n + 27742317777372353535851937790883648493n

/** Signs new texts until the signature is one that suits. */
function until(alg: string, suits: (signature: Buffer) => boolean): { input: string; signature: Buffer } {
  for (;;) {
    const input = inputOf(alg)
    const signature = signatureOf(alg, input, privateKeyOf(alg))
    if (suits(signature)) return { input, signature }
  }
}
const otherKeys = new Map(keyNames.map((alg) => [alg, makeKey(alg)]))
const half = (signature: Buffer, which: 0 | 1): Buffer =>
  signature.subarray((which * signature.length) / 2, ((which + 1) * signature.length) / 2)
const zero = (signature: Buffer): Buffer => Buffer.alloc(signature.length / 2)
const pair = (alg: string, r: Buffer, s: Buffer | bigint): Buffer =>
  Buffer.concat([r, typeof s === 'bigint' ? toOctets(s, r.length) : s]).subarray(
    0,
    2 * (bits(alg) === 512 ? 66 : r.length)
  )

const any: Record<string, (alg: string) => string> = {
  'none at all': altered(() => ''),
  'without its last octet': altered((signature) => signature.subarray(0, -1)),
  'with one octet more': altered((signature) => Buffer.concat([signature, Buffer.of(0)])),
  'with a zero before it': altered((signature) => Buffer.concat([Buffer.of(0), signature])),
  'with a bit changed in the middle': altered((signature) => flipped(signature, signature.length >> 1)),
  'with its first bit changed': altered((signature) => flipped(signature, 0)),
  'all zeros': altered((signature) => Buffer.alloc(signature.length)),
  'all ones': altered((signature) => Buffer.alloc(signature.length, 0xff)),
  'twice in a row': altered((signature) => Buffer.concat([signature, signature])),
  'with dangling characters of base64url': altered((signature) => {
    const text = signature.toString('base64url')
    return text + 'A'.repeat((5 - (text.length % 4)) % 4 || 4)
  }),
  'of another text': altered((_signature, alg) => signatureOf(alg, inputOf(alg), privateKeyOf(alg))),
  'by another key': altered((_signature, alg, input) =>
    secretNames.includes(alg)
      ? createHmac(hashOf(alg), `${secret}!`).update(input).digest()
      : signatureOf(alg, input, otherKeys.get(alg)?.privateKey)
  )
}
const ecdsa: typeof any = {
  'in DER': altered((_signature, alg, input) => sign(hashOf(alg), Buffer.from(input), keyFor(alg).privateKey)),
  'with r zero': altered((signature, alg) => pair(alg, zero(signature), half(signature, 1))),
  'with s zero': altered((signature, alg) => pair(alg, half(signature, 0), zero(signature))),
  'with r the order': altered((signature, alg) =>
    Buffer.concat([toOctets(orderOf(alg), signature.length / 2), half(signature, 1)])
  ),
  'with s the order': altered((signature, alg) => pair(alg, half(signature, 0), orderOf(alg))),
  'with r and s exchanged': altered((signature) => Buffer.concat([half(signature, 1), half(signature, 0)])),
  'by a key of another curve': altered((_signature, alg, input) =>
    signatureOf(alg, input, keyFor(alg === 'ES256' ? 'ES384' : 'ES256').privateKey)
  )
}
/** r + n and s + n, where they fit into the octets. Of P-521 they always do. */
const overflowing: typeof any = {
  'with s + n': altered((signature, alg) => pair(alg, half(signature, 0), toBigInt(half(signature, 1)) + orderOf(alg))),
  'with r + n': altered((signature, alg) =>
    Buffer.concat([toOctets(toBigInt(half(signature, 0)) + orderOf(alg), 66), half(signature, 1)])
  )
}
const rsa: typeof any = {
  'without its leading zero': (alg) => {
    const { input, signature } = until(alg, (one) => one[0] === 0)
    return join(input, signature.subarray(1))
  },
  'with the modulus added': (alg) => {
    const n = toBigInt(Buffer.from(String(keyFor(alg).jwk['n']), 'base64url'))
    const { input, signature } = until(alg, (one) => toBigInt(one) + n < 2n ** 2048n)
    return join(input, toOctets(toBigInt(signature) + n, 256))
  },
  'by the other padding': (alg) => {
    const input = inputOf(alg)
    return join(input, signatureOf(`${alg.startsWith('PS') ? 'RS' : 'PS'}${bits(alg)}`, input, keyFor(alg).privateKey))
  },
  'over another hash': (alg) => {
    const input = inputOf(alg)
    return join(
      input,
      signatureOf(`${alg.slice(0, 2)}${alg.endsWith('256') ? 384 : 256}`, input, keyFor(alg).privateKey)
    )
  }
}
const pss: typeof any = Object.fromEntries(
  [0, 1, 20, 31, 33, 128].map((salt) => [
    `with a salt of ${salt} octets`,
    (alg: string) => {
      const input = inputOf(alg)
      return join(input, signatureOf(alg, input, keyFor(alg).privateKey, salt))
    }
  ])
)
const hmac: typeof any = {
  ...Object.fromEntries(
    [1, 8, 16, 31].map((octets) => [
      `of its first ${octets} octets`,
      altered((signature) => signature.subarray(0, octets))
    ])
  ),
  'of another hash': altered((_signature, alg, input) =>
    createHmac(alg === 'HS256' ? 'sha512' : 'sha256', secret)
      .update(input)
      .digest()
  ),
  'with the empty key': altered((_signature, alg, input) => createHmac(hashOf(alg), '').update(input).digest())
}
const edwards: typeof any = {
  'with S + L': altered((signature) => {
    const s = toBigInt(Buffer.from(signature.subarray(32)).reverse()) + edOrder
    return Buffer.concat([signature.subarray(0, 32), toOctets(s, 32).reverse()])
  })
}

const rows = [
  [names, any],
  [['ES256', 'ES384', 'ES512'], ecdsa],
  [['ES512'], overflowing],
  [keyNames.filter((alg) => /^[RP]S/.test(alg)), rsa],
  [keyNames.filter((alg) => alg.startsWith('PS')), pss],
  [secretNames, hmac],
  [['EdDSA', 'Ed25519'], edwards]
] as const
const forgeries = rows.flatMap(([algs, classes]) =>
  Object.entries(classes).flatMap(([name, forge]) =>
    algs.map((alg): [string, string, (alg: string) => string] => [alg, name, forge])
  )
)

describe('a forged signature', () => {
  test.each(names)('%s: a good one is accepted', async (alg) => {
    expect(await outcomeOf(altered((signature) => signature)(alg))).toBe('accepted')
  })

  test.each(forgeries)('%s, %s, is refused', async (alg, _name, forge) => {
    expect(await outcomeOf(forge(alg))).toMatch(/^(signature_mismatch|assertion_malformed)$/)
  })

  test('with e = 1, when every message is its own signature, is refused', async () => {
    const input = inputOf('identity', 'RS256')
    const digest = Buffer.from('3031300d060960864801650304020105000420', 'hex')
    const tail = Buffer.concat([Buffer.of(0), digest, createHash('sha256').update(input).digest()])
    const padded = Buffer.concat([Buffer.of(0, 1), Buffer.alloc(254 - tail.length, 0xff), tail])
    expect(await outcomeOf(join(input, padded))).toBe('no_matching_key')
  })

  test('with e = 3, a cube root of a text that only begins like a padded digest, is refused', async () => {
    const input = inputOf('cube', 'RS256')
    expect(await outcomeOf(join(input, signatureOf('RS256', input, weakRsa.privateKey)))).toBe('accepted')
    const head = Buffer.concat([
      Buffer.from('0001ffffffffffffffff00', 'hex'),
      Buffer.from('3031300d060960864801650304020105000420', 'hex'),
      createHash('sha256').update(input).digest()
    ])
    const target = toBigInt(Buffer.concat([head, Buffer.alloc(256 - head.length, 0xff)]))
    let [low, high] = [0n, 2n ** 700n]
    while (low < high) {
      const middle = (low + high + 1n) / 2n
      if (middle ** 3n <= target) low = middle
      else high = middle - 1n
    }
    // The forgery holds: its cube begins with the padded digest
    expect(
      toOctets(low ** 3n, 256)
        .subarray(0, head.length)
        .equals(head)
    ).toBe(true)
    expect(await outcomeOf(join(input, toOctets(low, 256)))).toBe('signature_mismatch')
  })
})

/** What we refuse and jose does not: rules that are ours, RFC 10070's or OpenID's, and none about the signature. */
const stricter = [
  ...['assertion_typ', 'assertion_audience', 'assertion_lifetime', 'assertion_milliseconds', 'assertion_jti'],
  ...['assertion_not_yet_valid', 'assertion_crit', 'assertion_malformed', 'parameter_malformed'],
  // The client_id in the claims is not the one that the oracle was told to expect
  ...['unknown_client', 'assertion_subject', 'method_not_registered']
]

const runs = Number(process.env['FUZZ_RUNS'] ?? 3000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

describe('jose.jwtVerify as oracle', () => {
  const oracleKeys = new Map<string, Awaited<ReturnType<typeof importJWK>> | Uint8Array>()
  const pool = new Map<string, string[]>()
  // jose knows ML-DSA by WebCrypto alone, which has it on no Node.js without a warning.
  const names = [...keyNames, ...secretNames].filter((alg) => !alg.startsWith('ML'))
  beforeAll(async () => {
    for (const alg of names.filter((one) => !secretNames.includes(one)))
      oracleKeys.set(alg, await importJWK({ ...keyFor(alg).jwk, alg }, alg))
    for (const alg of secretNames) oracleKeys.set(alg, Buffer.from(secret))
    for (const alg of names)
      pool.set(
        alg,
        Array.from({ length: 20 }, () => altered((signature) => signature)(alg))
      )
  })

  const characters = [...Array.from('ABCDwxyz0189-_'), '=', '.', ' ', '\n', '+', '/', 'é', '\0']
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('replace' as const), at: fc.nat(), by: fc.constantFrom(...characters) }),
    fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), by: fc.constantFrom(...characters) }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), by: fc.constant('') }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), by: fc.constant('') }),
    fc.record({ kind: fc.constant('octet' as const), at: fc.nat(), by: fc.constant('') }),
    fc.record({ kind: fc.constant('swap' as const), at: fc.nat(), by: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('nothing' as const), at: fc.nat(), by: fc.constant('') })
  )
  type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never

  function mutated(token: string, { kind, at, by }: Mutation): string {
    // Near the end half of the time, where the signature is
    const index = at % 2 === 0 ? token.length - 1 - (at % Math.min(80, token.length)) : at % token.length
    if (kind === 'replace') return token.slice(0, index) + by + token.slice(index + 1)
    if (kind === 'insert') return token.slice(0, index) + by + token.slice(index)
    if (kind === 'remove') return token.slice(0, index) + token.slice(index + 1)
    if (kind === 'cut') return token.slice(0, index)
    const [header = '', payload = '', signature = ''] = token.split('.')
    if (kind === 'octet') {
      const octets = Buffer.from(signature, 'base64url')
      if (octets.length === 0) return token
      return `${header}.${payload}.${flipped(octets, at % octets.length).toString('base64url')}`
    }
    if (kind === 'swap') {
      const other = Buffer.from(JSON.stringify({ alg: by })).toString('base64url')
      return at % 3 === 0
        ? `${other}.${payload}.${signature}`
        : `${header}.${payload}.${pool.get(by)?.[0]?.split('.')[2] ?? ''}`
    }
    return token
  }

  async function oracle(alg: string, token: string): Promise<boolean> {
    const policy = {
      algorithms: [alg],
      issuer: alg,
      subject: alg,
      audience: issuer,
      requiredClaims: ['exp'],
      clockTolerance: 30
    }
    return jwtVerify(token, oracleKeys.get(alg)!, policy).then(
      () => true,
      () => false
    )
  }

  test(
    'agrees, but where we are stricter',
    async () => {
      const seen = { both: 0, neither: 0, stricter: 0 }
      const property = fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(19),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        async (alg, which, mutations) => {
          const token = mutations.reduce(mutated, pool.get(alg)![which]!)
          const [ours, theirs] = [await outcomeOf(token), await oracle(alg, token)]
          if (ours === 'accepted' && theirs) seen.both++
          else if (ours === 'accepted' || (theirs && !stricter.includes(ours))) {
            throw new Error(`${ours} here, ${theirs ? 'accepted' : 'refused'} by jose: ${token}`)
          } else if (theirs) seen.stricter++
          else seen.neither++
        }
      )
      await fc.assert(property, { numRuns: runs, seed })
      process.stdout.write(`signatures, seed ${seed}: ${JSON.stringify(seen)}\n`)
      expect(seen.both).toBeGreaterThan(runs / 40)
      expect(seen.neither).toBeGreaterThan(runs / 4)
    },
    24 * 3_600_000
  )
})

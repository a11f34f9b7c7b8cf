// What the fuzzing sends. Most of it begins as something good and is then spoilt, for noise alone gets nowhere.
import { randomUUID, type KeyObject } from 'node:crypto'
import fc, { type Arbitrary } from 'fast-check'
import { assertionForm, basic, issuer, jws, JWT_BEARER, now } from '../assertions'
import { keys, records, secrets } from './world'

const ids = records.map(({ client_id }) => client_id)
const hostileTexts = [
  '',
  ' ',
  ':',
  '%',
  '%00',
  '%ff',
  '%zz',
  '+',
  '&',
  '=',
  '\0',
  '\r\n',
  '\u202e',
  '\ud800',
  '__proto__'
]
const longText = fc.integer({ min: 200, max: 20_000 }).map((length) => 'x'.repeat(length))

export const someId = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...ids) },
  fc.constantFrom('nobody', ...hostileTexts),
  fc.string({ unit: 'binary', maxLength: 20 })
)
export const someSecret = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.values(secrets)) },
  { weight: 2, arbitrary: nearMisses(Object.values(secrets)) },
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: 'binary', maxLength: 40 }),
  longText
)

/** A text with a little of it lost, doubled or changed. */
function nearMisses(texts: string[]): Arbitrary<string> {
  const spoilt = (text: string, at: number, insert: string) => text.slice(0, at) + insert + text.slice(at + 1)
  return fc
    .tuple(fc.constantFrom(...texts), fc.nat(80), fc.constantFrom(...hostileTexts, 'A', 'é'))
    .map(([text, at, insert]) => spoilt(text, at % text.length, insert))
}

export const someJson: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, 0, -0, 1, -1, 1e11, 1e12, 2 ** 53, 5e-324, 1.5, '', '0', [], {}, [[]], [null]),
  fc.integer(),
  fc.double(),
  fc.constantFrom(...hostileTexts, ...ids, issuer, `${issuer}/`, `${issuer}/token`, 'JWT', 'ES256', 'HS256', 'none'),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom([issuer], [issuer, issuer], [issuer, 'https://evil.example'], { [issuer]: issuer }),
  fc.jsonValue({ maxDepth: 2 })
)

// Basic

const alphabets: ((pair: Buffer) => string)[] = [
  (pair) => pair.toString('base64'),
  (pair) => pair.toString('base64url'),
  (pair) => pair.toString('base64').replace(/=+$/, ''),
  (pair) => `${pair.toString('base64')}=`,
  (pair) => pair.toString('base64').replace(/(.{4})/, '$1 '),
  (pair) => pair.toString('base64').replace(/(.{4})/, '$1\n'),
  (pair) => pair.toString('base64').replace(/.$/, '!'),
  (pair) => pair.toString('hex'),
  (pair) => pair.toString('latin1')
]
const schemes = [
  'Basic ',
  'basic ',
  'BASIC   ',
  'Basic',
  'Basic\t',
  ' Basic ',
  'Bearer ',
  'DPoP ',
  'Basic,Basic ',
  'x, Basic '
]
const urlEncoded = (text: string) => new URLSearchParams({ text }).toString().slice('text='.length)
const halves: ((text: string) => string)[] = [urlEncoded, (text) => text, (text) => urlEncoded(urlEncoded(text))]
const joined = fc
  .tuple(
    someId,
    someSecret,
    fc.constantFrom(...halves),
    fc.constantFrom(...halves),
    fc.constantFrom(':', ':', ':', '::', '', '%3A')
  )
  .map(([id, secret, encodeId, encodeSecret, colon]) => Buffer.from(encodeId(id) + colon + encodeSecret(secret)))
const pairs = fc.oneof(
  { weight: 8, arbitrary: joined },
  joined.map((pair) => Buffer.from(pair.toString(), 'latin1')),
  joined.map((pair) => Buffer.from(pair.toString(), 'utf16le')),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
)

export const soundBasic = fc
  .constantFrom(...records.filter(({ client_secret }) => client_secret !== undefined))
  .map(({ client_id }) => basic(client_id, soundSecretOf(client_id)))

const soundSecretOf = (id: string): string => {
  const stored = records.find(({ client_id }) => client_id === id)?.client_secret
  return typeof stored === 'string' ? stored : secrets.odd
}

export const someAuthorization: Arbitrary<unknown> = fc.oneof(
  { weight: 1, arbitrary: soundBasic },
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom('Basic ', 'Basic ', ...schemes),
        pairs,
        fc.constantFrom(...alphabets.slice(0, 1), ...alphabets)
      )
      .map(([scheme, pair, write]) => scheme + write(pair))
  },
  fc.constantFrom(undefined, '', 'Basic', ['Basic YTpi', 'Basic YTpi'], 'Basic Og==', 'Basic ='),
  fc.string({ unit: 'binary', maxLength: 60 })
)

// Bodies

const parameters = [
  ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type', 'grant_type', 'assertion'],
  ...['code', 'scope', 'resource', '__proto__', 'constructor', 'client_id[]', 'client_secret[x]', 'toString', 'getAll']
]

/** Name and value pairs, with repetition. */
export const someFields: Arbitrary<[string, string][]> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constantFrom(...ids).map((id): [string, string][] => [
      ['client_id', id],
      ['client_secret', soundSecretOf(id)]
    ])
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        someId,
        someSecret,
        fc.array(fc.tuple(fc.constantFrom(...parameters), fc.oneof(someId, someSecret)), { maxLength: 3 })
      )
      .map(([id, secret, more]): [string, string][] => [['client_id', id], ['client_secret', secret], ...more])
  },
  fc.array(fc.tuple(fc.constantFrom(...parameters), fc.oneof(someId, someSecret, fc.constant(JWT_BEARER))), {
    maxLength: 6
  })
)

const strangeValue = fc.oneof(
  someId,
  someSecret,
  someJson,
  fc.constantFrom(undefined, 0n, NaN, Symbol('s'), new Date(0), Buffer.from('x'), new Map(), () => 'x'),
  fc.array(someSecret, { maxLength: 2 })
)

/** What parsers of every kind may leave in `body`. */
export const someParsedBody: Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: someFields.map((fields) => Object.fromEntries(fields)) },
  { weight: 2, arbitrary: someFields.map((fields) => new URLSearchParams(fields)) },
  { weight: 4, arbitrary: fc.dictionary(fc.constantFrom(...parameters), strangeValue, { maxKeys: 5 }) },
  someFields.map((fields) => Object.assign(Object.create(null) as object, Object.fromEntries(fields))),
  someFields.map((fields) => Object.create(Object.fromEntries(fields)) as unknown),
  someFields.map((fields) => fields),
  strangeValue
)

// Assertions

export interface Signer {
  alg: string
  kid?: string
  key: KeyObject | string
}

const publicText = keys.ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const signers: Signer[] = [
  { alg: 'ES256', kid: keys.ec.kid, key: keys.ec.privateKey },
  { alg: 'ES256', key: keys.ec.privateKey },
  { alg: 'EdDSA', kid: keys.ed.kid, key: keys.ed.privateKey },
  { alg: 'Ed25519', kid: keys.ed.kid, key: keys.ed.privateKey },
  { alg: 'ES384', kid: keys.ec.kid, key: keys.stranger.privateKey },
  { alg: 'HS256', key: secrets.hmac },
  { alg: 'HS512', key: secrets.hmac },
  { alg: 'HS256', key: secrets.plain },
  { alg: 'HS256', kid: keys.ec.kid, key: publicText },
  { alg: 'HS256', kid: keys.ec.kid, key: JSON.stringify(keys.ec.jwk) },
  { alg: 'HS256', key: '' },
  { alg: 'none', key: '' }
]
/** Those that the oracle takes for some of the records. */
const soundSigners: Record<string, Signer[]> = {
  keys: signers.slice(0, 3),
  'one key': signers.slice(0, 2),
  'secret and key': signers.slice(0, 2),
  hmac: [signers[5]!, signers[6]!]
}

/** Once in a while RSA, which takes a millisecond to sign. */
const rareSigner: Signer = { alg: 'PS256', kid: keys.rsa.kid, key: keys.rsa.privateKey }

const sound = fc.constantFrom(
  ...Object.entries(soundSigners).flatMap(([id, list]) => list.map((signer) => ({ id, signer })))
)
const anyhow = fc.record({
  id: fc.constantFrom(...ids, 'nobody'),
  signer: fc.constantFrom(...signers, ...signers, rareSigner)
})

const headerMembers = ['alg', 'typ', 'kid', 'crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u', 'zip', 'enc', '__proto__', 'cty']
const claimMembers = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', '__proto__', 'constructor', 'toJSON', 'azp']
const changes = (members: string[]) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    fc.dictionary(fc.constantFrom(...members), fc.oneof(someJson, fc.constant(undefined), someTime()), { maxKeys: 2 })
  )

function someTime(): Arbitrary<number> {
  const offsets = [-31, -30, -29, -1, 0, 0.5, 1, 29, 30, 31, 60, 3599, 3600, 3629, 3630, 3631, 1e6]
  return fc.oneof(
    fc.constantFrom(...offsets).map((offset) => now() + offset),
    fc.constantFrom(...offsets).map((offset) => (now() + offset) * 1000),
    fc.double({ noNaN: true })
  )
}

/** What JSON can say and `JSON.stringify` cannot. */
const rawEdits: ((json: string) => string)[] = [
  (json) => json,
  (json) => json,
  (json) => json,
  (json) => json.replace(/("exp":)[\d.]+/, '$11e400'),
  (json) => json.replace(/("exp":)[\d.]+/, '$1NaN'),
  (json) => json.replace(/("exp":)([\d.]+)/, '$1$2.999999999999999'),
  (json) => json.replace(/}$/, ',"sub":"basic"}'),
  (json) => json.replace(/}$/, ',"alg":"none"}'),
  (json) => json.replace(/}$/, ',"aud":"https://evil.example"}'),
  (json) => `[${json}]`,
  (json) => JSON.stringify(json),
  (json) => ` \n${json}\t`,
  (json) => `\ufeff${json}`,
  (json) => json.slice(0, -1),
  (json) => json.replace('"', '"\u0000'),
  (json) => json.replace(/"(iss|sub)"/, '"\\u0069ss"'),
  (json) => `{"a":${'['.repeat(2000)}${']'.repeat(2000)},${json.slice(1)}`
]

/** The parts after signing: cut, joined, written in other ways. */
const tokenEdits: ((token: string) => string)[] = [
  ...Array.from({ length: 12 }, () => (token: string) => token),
  (token) => token.slice(0, -1),
  (token) => token.slice(0, token.lastIndexOf('.') + 1),
  (token) => token.slice(0, token.lastIndexOf('.')),
  (token) => `${token}.`,
  (token) => `${token}=`,
  (token) => `${token}AA`,
  (token) => `${token} `,
  (token) => `.${token}`,
  (token) => token.replace('.', '..'),
  (token) => token.replaceAll('-', '+').replaceAll('_', '/'),
  (token) => token.split('.').reverse().join('.'),
  (token) => token.replace(/[A-Za-z](?=[^.]*$)/, (letter) => (letter === 'A' ? 'B' : 'A')),
  (token) => token.replace(/^(.{10})./, '$1A'),
  (token) => token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  (token) => token.toLowerCase(),
  (token) => encodeURIComponent(token),
  (token) => token.repeat(40)
]

export interface SomeAssertion {
  token: string
  id: string
  /** Nothing at all is wrong with it. */
  isSound: boolean
}

export const someAssertion: Arbitrary<SomeAssertion> = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: sound }, { weight: 1, arbitrary: anyhow }),
    changes(headerMembers),
    changes(claimMembers),
    fc.constantFrom(...rawEdits),
    fc.constantFrom(...rawEdits),
    fc.constantFrom(...tokenEdits)
  )
  .map(([{ id, signer }, header, claims, editHeader, editClaims, editToken]) => {
    const { alg, kid, key } = signer
    const head = editHeader(JSON.stringify({ alg, ...(kid === undefined ? {} : { kid }), ...header }))
    const usual = { iss: id, sub: id, aud: issuer, jti: randomUUID(), exp: now() + 60 }
    const body = editClaims(JSON.stringify({ ...usual, ...claims }))
    const token = jws(head, body, alg, key)
    const edited = editToken(token)
    const plain =
      head === JSON.stringify({ alg, ...(kid === undefined ? {} : { kid }) }) && body === JSON.stringify(usual)
    const isSound = edited === token && plain && soundSigners[id]?.includes(signer) === true
    return { token: edited, id, isSound }
  })

/** The same signature in other octets, and the same octets signed anew. */
export function variantsOf(token: string): string[] {
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const mirrored = Buffer.from(signature)
  if (signature.length === 64) {
    const s = n - (BigInt(`0x${signature.toString('hex', 32)}`) % n)
    mirrored.write(s.toString(16).padStart(64, '0'), 32, 'hex')
  }
  return [token, token.slice(0, end + 1) + mirrored.toString('base64url'), `${token}=`]
}

export const formOf = ({ token, id }: SomeAssertion, withId: boolean): Record<string, string> => ({
  ...assertionForm(token),
  ...(withId ? { client_id: id } : {})
})

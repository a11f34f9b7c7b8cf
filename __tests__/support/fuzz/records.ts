// Client records as a careless database returns them, and key sets as careless people publish them.
import fc, { type Arbitrary } from 'fast-check'
import type { OAuthClient } from '../../../lib'
import { keyFor, makeKey } from '../assertions'
import { someJson } from './inputs'
import { keys, secrets } from './world'

/** What a column may hold instead of what was meant. */
const strays: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      undefined,
      0,
      1,
      '',
      '0',
      'null',
      '[]',
      '{}',
      true,
      NaN,
      0n,
      new Date(0),
      new Date(1e15),
      [],
      {},
      [null],
      [[]]
    ],
    ...[
      Buffer.from(secrets.plain),
      new Map(),
      new Set([1]),
      Symbol('s'),
      () => 'x',
      new Proxy({}, {}),
      Object.create(null)
    ]
  ),
  someJson
)

const secretColumns: Arbitrary<unknown> = fc.oneof(
  strays,
  fc.constantFrom(...Object.values(secrets)),
  fc.constantFrom<unknown>(
    ...[[secrets.plain], [[secrets.plain]], { value: secrets.plain }, [{ value: secrets.plain, expires_at: '0' }]],
    ...[[{ value: secrets.plain, expires_at: 1 }], [{ value: '' }, ''], JSON.stringify([secrets.plain])],
    ...[Buffer.from(secrets.plain), new String(secrets.plain), [secrets.odd, null, { value: secrets.plain }]]
  )
)

const methodColumns: Arbitrary<unknown> = fc.oneof(
  strays,
  fc.constantFrom<unknown>(
    ...['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none', 'client_secret_basic private_key_jwt'],
    ...[['private_key_jwt', 'client_secret_basic'], ['none', null], [['private_key_jwt']], '["private_key_jwt"]']
  )
)

const timeColumns = fc.oneof(
  strays,
  fc.constantFrom<unknown>(0, '0', 1, 1e12, '4102444800', 4_102_444_800, -1, Infinity)
)

class Entity {
  readonly #keys: unknown[]
  constructor(list: unknown[]) {
    this.#keys = list
  }
  /** As some object mappers have it: nothing of it shows in JSON. */
  get keys(): unknown[] {
    return this.#keys
  }
}

const good = [keys.ec.jwk, keys.ed.jwk, keys.rsa.jwk]
const weakRsa = makeKey('RS256', 'weak', 1024).jwk
const spoiltKeys: unknown[] = [
  { ...keys.ec.jwk, use: 'enc' },
  { ...keys.ec.jwk, alg: 'HS256' },
  { ...keys.ec.jwk, key_ops: ['sign'] },
  { ...keys.ec.jwk, x: keys.ec.jwk.y },
  { ...keys.ec.jwk, d: null },
  { ...keys.ec.privateKey.export({ format: 'jwk' }) },
  { ...keys.ed.jwk, x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
  { ...keys.rsa.jwk, e: 'AQ' },
  { kty: 'oct', k: 'c2VjcmV0', kid: keys.ec.kid },
  { kty: 'OKP', crv: 'X25519', x: keys.ed.jwk.x },
  { ...keyFor('ES384').jwk, kid: keys.ec.kid },
  weakRsa,
  {},
  []
]
/** Another key under the kid that the request names. */
const usurper = { ...makeKey('ES256').jwk, kid: keys.ec.kid }

const spoilt = fc
  .tuple(
    fc.constantFrom(...good),
    fc.dictionary(
      fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg', 'key_ops', 'd', 'k'),
      someJson,
      { maxKeys: 2 }
    )
  )
  .map(([jwk, changes]) => ({ ...jwk, ...changes }))
const someKey = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...good, usurper) },
  { weight: 3, arbitrary: fc.constantFrom(...spoiltKeys) },
  { weight: 3, arbitrary: spoilt },
  strays
)

export const someKeySet: Arbitrary<unknown> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ keys: good }) },
  { weight: 6, arbitrary: fc.array(someKey, { maxLength: 5 }).map((list) => ({ keys: list })) },
  fc.array(someKey, { maxLength: 3 }).map((list) => new Entity(list)),
  fc.array(someKey, { maxLength: 3 }).map((list) => ({ keys: list, toJSON: () => 'hidden' })),
  fc.array(someKey, { maxLength: 3 }),
  fc.constantFrom<unknown>(
    JSON.stringify({ keys: good }),
    Buffer.from('{}'),
    { keys: new Set(good) },
    { keys: { 0: good[0], length: 1 } }
  ),
  fc.constant({ keys: Array.from({ length: 101 }, () => keys.ec.jwk) }),
  strays
)

/** Set where a field of the record throws, as a lazily loaded one may. */
export const carelessError = new Error('the connection to the database is closed')

export const someRecord = (sound: OAuthClient): Arbitrary<OAuthClient> => {
  const columns = fc.record({
    client_id: fc.oneof({ weight: 20, arbitrary: fc.constant<unknown>(sound.client_id) }, strays),
    client_secret: secretColumns,
    client_secret_expires_at: timeColumns,
    token_endpoint_auth_method: methodColumns,
    token_endpoint_auth_signing_alg: fc.oneof(strays, fc.constantFrom('ES256', 'HS256', 'none', ['ES256'])),
    jwks: someKeySet,
    jwks_uri: strays
  })
  const names = [
    ...['client_id', 'client_secret', 'client_secret_expires_at', 'token_endpoint_auth_method'],
    ...['token_endpoint_auth_signing_alg', 'jwks', 'jwks_uri']
  ] as const
  // One or two at a time: a record that is wrong in every way is refused at the first
  const made = fc.tuple(columns, fc.subarray([...names], { minLength: 1, maxLength: 2 })).map(([all, chosen]) => {
    return { ...sound, ...Object.fromEntries(chosen.map((name) => [name, all[name]])) }
  })
  const throwing = fc.constantFrom('client_secret', 'jwks', 'token_endpoint_auth_method').map((name) =>
    Object.defineProperty({ ...sound }, name, {
      get: () => {
        throw carelessError
      }
    })
  )
  return fc.oneof(
    { weight: 20, arbitrary: made },
    throwing,
    made.map((record) => Object.freeze(record))
  )
}

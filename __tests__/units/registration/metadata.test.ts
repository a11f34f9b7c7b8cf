// Registration (RFC 7591) and discovery (RFC 8414). What discovery lists is tried in discovery.test.ts.
import {
  clientAuth,
  createJwksFetcher,
  validateClientMetadata,
  type ClientAuthError,
  type ClientMetadataOptions
} from '../../../lib'
import { issuer, keyFor, makeKey } from '../../support/assertions'

const ec = keyFor('ES256')
const rsa = keyFor('RS256')
const privateJwk = { ...ec.privateKey.export({ format: 'jwk' }), kty: 'EC' }
const keys = (...list: object[]) => ({ jwks: { keys: list } })
const byKey = { token_endpoint_auth_method: 'private_key_jwt' }
const byHmac = { token_endpoint_auth_method: 'client_secret_jwt' }
const uri = 'https://client.example.com/jwks.json'

/** The refusal's message, or undefined where the metadata is taken. */
function refusal(metadata: unknown, options?: ClientMetadataOptions): string | undefined {
  try {
    validateClientMetadata(metadata as object, options)
    return undefined
  } catch (error) {
    expect(error).toMatchObject({
      name: 'ClientAuthError',
      code: 'invalid_client_metadata',
      reason: 'invalid_client_metadata',
      status: 400
    })
    expect((error as ClientAuthError).toJSON()).toEqual({
      error: 'invalid_client_metadata',
      error_description: (error as Error).message
    })
    return (error as Error).message
  }
}

test.each<[name: string, metadata: unknown, words: string, options?: ClientMetadataOptions]>([
  ['no object', null, 'must be an object'],
  ['both jwks and jwks_uri', { ...byKey, ...keys(ec.jwk), jwks_uri: uri }, 'jwks and jwks_uri must not both'],
  ['private_key_jwt without keys', byKey, 'private_key_jwt needs jwks or jwks_uri'],
  ['a private key', { ...byKey, ...keys(privateJwk) }, 'jwks: the JWK Set holds a private or symmetric key'],
  ['a symmetric key', { ...byKey, ...keys(ec.jwk, { kty: 'oct', k: 'AAAA' }) }, 'private or symmetric'],
  ['jwks for another method, private all the same', keys(privateJwk), 'private or symmetric'],
  ['jwks no set', { ...byKey, jwks: { keys: null } }, 'jwks: not a JWK Set'],
  ['an empty object as jwks: none', { ...byKey, jwks: {} }, 'needs jwks or jwks_uri'],
  ['keys for something else alone', { ...byKey, ...keys({ ...ec.jwk, use: 'tls' }) }, 'key 0 is not for signatures'],
  [
    'a weak signing key beside a good one',
    { ...byKey, ...keys(ec.jwk, { ...rsa.jwk, e: 'AQ' }) },
    'key 1 has an unusable e'
  ],
  [
    'keys that fit none of the algorithms here',
    { ...byKey, ...keys(ec.jwk) },
    'jwks has no key that can verify RS256, PS256.',
    { algorithms: ['RS256', 'PS256'] }
  ],
  ['a curve that nobody has', { ...byKey, ...keys(ec.jwk, { ...ec.jwk, crv: 'P256' }) }, 'an unsupported kty or crv'],
  [
    'two spellings that disagree',
    { tls_client_certificate_bound_access_tokens: false, tlsClientCertificateBoundAccessTokens: true },
    'RFC 8705 calls it tls_client_certificate_bound_access_tokens.'
  ],
  ...Object.entries({
    token_endpoint_auth_signing_algorithm: 'token_endpoint_auth_signing_alg',
    token_endpoint_authentication_method: 'token_endpoint_auth_method',
    token_endpoint_auth_alg: 'token_endpoint_auth_signing_alg',
    tls_client_auth_san_dns_name: 'tls_client_auth_san_dns',
    certificate_bound_access_tokens: 'tls_client_certificate_bound_access_tokens'
  }).map(([other, name]): [string, unknown, string] => [
    other,
    { client_secret: 'x', [other]: 'x' },
    ` calls it ${name}.`
  ]),
  ['a Promise', Promise.resolve({}), 'not a Promise: write await'],
  ['a list of records', [{ client_id: 'c' }], 'not an array: give its first element'],
  ['the result of a query', { rows: [{}], rowCount: 1 }, 'with rows: give its first row'],
  ['secret in place of client_secret', { secret: 'x' }, 'secret is not read: RFC 7591 calls it client_secret.'],
  [
    'a member in camel case that would fail open',
    { tlsClientCertificateBoundAccessTokens: true },
    'RFC 8705 calls it tls_client_certificate_bound_access_tokens.'
  ],
  ['a letter missing', { ...byKey, jwk_uri: uri }, 'jwk_uri is not read: RFC 7591 calls it jwks_uri.'],
  [
    'a singular',
    { tls_client_certificate_bound_access_token: true },
    'RFC 8705 calls it tls_client_certificate_bound_access_tokens.'
  ],
  ['a line break behind the secret', { client_secret: 'secret\n' }, 'a line break: no request can present it.'],
  ['a secret of 1,025 characters', { client_secret: 'x'.repeat(1025) }, '1025 characters, more than 1024'],
  ['a day without a time', { client_secret: 'x', client_secret_expires_at: '2099-01-01' }, 'not a text'],
  ['jwks as text', { ...byKey, jwks: JSON.stringify(keys(ec.jwk).jwks) }, 'jwks: not a JWK Set'],
  ['no keys', { ...byKey, ...keys() }, 'jwks has no key that can verify'],
  ['RSA of 1024 bits', { ...byKey, ...keys(ec.jwk, makeKey('RS256', 'weak', 1024).jwk) }, 'jwks: key 1 has 1024 bits'],
  ['RSA with e = 1', { ...byKey, ...keys({ ...rsa.jwk, e: 'AQ' }) }, 'jwks: key 0 has an unusable e'],
  ['only an encryption key', { ...byKey, ...keys({ ...ec.jwk, use: 'enc', alg: undefined }) }, 'jwks has no key'],
  [
    'no key for the registered alg',
    { ...byKey, token_endpoint_auth_signing_alg: 'PS256', ...keys(rsa.jwk) },
    'jwks has no key that can verify PS256'
  ],
  ['jwks_uri no string', { ...byKey, jwks_uri: 1 }, 'jwks_uri must be a string'],
  ['jwks_uri by http', { ...byKey, jwks_uri: 'http://client.example.com/jwks' }, 'jwks_uri: '],
  ['jwks_uri an address', { ...byKey, jwks_uri: 'https://127.0.0.1/jwks' }, 'jwks_uri: '],
  ['jwks_uri an internal name', { ...byKey, jwks_uri: 'https://keys.corp/jwks' }, 'jwks_uri: '],
  [
    'an unsupported method',
    { token_endpoint_auth_method: 'tls_client_auth' },
    'token_endpoint_auth_method must be one of client_secret_basic'
  ],
  ['a method that is no string', { token_endpoint_auth_method: [1] }, 'token_endpoint_auth_method must be one of'],
  ['an empty list of methods', { token_endpoint_auth_method: [] }, 'must not be an empty list'],
  ['an empty choice of methods', { token_endpoint_auth_methods_supported: [] }, 'must be a non-empty list of texts'],
  ['a choice that is no list', { token_endpoint_auth_methods_supported: 'none' }, 'must be a non-empty list of texts'],
  ['a choice with a number', { token_endpoint_auth_methods_supported: [1] }, 'must be a non-empty list of texts'],
  [
    'a choice of which nothing is accepted',
    { token_endpoint_auth_methods_supported: ['none', 'attest_jwt_client_auth'] },
    'token_endpoint_auth_methods_supported must have one of client_secret_basic'
  ],
  [
    'a choice without the method itself',
    { ...byKey, ...keys(ec.jwk), token_endpoint_auth_methods_supported: ['client_secret_basic'] },
    'token_endpoint_auth_method must be one of token_endpoint_auth_methods_supported'
  ],
  [
    'a choice of keys without keys',
    { token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic'] },
    'private_key_jwt needs jwks or jwks_uri'
  ],
  [
    'a choice of secrets with a short one',
    { token_endpoint_auth_methods_supported: ['client_secret_jwt'], client_secret: 'short' },
    'at least 32 octets'
  ],
  ['a choice by another name', { tokenEndpointAuthMethodsSupported: ['none'] }, 'is not read'],
  [
    'none where public clients are off',
    { token_endpoint_auth_method: 'none' },
    'token_endpoint_auth_method must be one of'
  ],
  [
    'a method that this server does not accept',
    byHmac,
    'must be one of private_key_jwt.',
    { methods: ['private_key_jwt'] }
  ],
  [
    'client_secret_jwt where secrets are hashed',
    byHmac,
    'token_endpoint_auth_method must be one of',
    { verifySecret: () => true }
  ],
  ['the default method where it is off', {}, 'must be one of private_key_jwt', { methods: ['private_key_jwt'] }],
  [
    'an unsupported algorithm',
    { ...byKey, ...keys(ec.jwk), token_endpoint_auth_signing_alg: 'ES256K' },
    'token_endpoint_auth_signing_alg must be one of'
  ],
  [
    'algorithm none',
    { ...byKey, ...keys(ec.jwk), token_endpoint_auth_signing_alg: 'none' },
    'token_endpoint_auth_signing_alg must be one of'
  ],
  [
    'HS256 for private_key_jwt',
    { ...byKey, ...keys(ec.jwk), token_endpoint_auth_signing_alg: 'HS256' },
    'HS256 does not fit token_endpoint_auth_method private_key_jwt'
  ],
  ['ES256 for client_secret_jwt', { ...byHmac, token_endpoint_auth_signing_alg: 'ES256' }, 'ES256 does not fit'],
  [
    'a secret too short for any HMAC',
    { ...byHmac, client_secret: 'short' },
    'client_secret must have at least 32 octets'
  ],
  [
    'a secret too short for HS512',
    { ...byHmac, client_secret: 'x'.repeat(63), token_endpoint_auth_signing_alg: 'HS512' },
    'at least 64 octets'
  ],
  [
    'one of two secrets too short',
    { ...byHmac, client_secret: ['x'.repeat(32), { value: 'short' }] },
    'at least 32 octets'
  ],
  ['an id that no request can send', { client_id: 'café' }, 'printable ASCII characters, and holds others'],
  [
    'a jwks_uri at another port',
    { ...byKey, jwks_uri: 'https://keys.example.com:8555/' },
    'the port 8555 is not allowed.'
  ],
  [
    'a jwks_uri without a dot',
    { ...byKey, jwks_uri: 'https://keys/' },
    'has no dot: a search domain could complete it.'
  ],
  ['an id that is too long', { client_id: 'x'.repeat(1025) }, 'and has 1025'],
  ['an id that is no text', { client_id: ['bank'] }, 'client_id must be a string, not an array'],
  [
    'more members than any client has',
    Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`member${index}`, 1])),
    'at most 200 members'
  ],
  ['a key whose alg cannot be a text', { ...byKey, ...keys({ ...ec.jwk, alg: { toString: 1 } }) }, 'jwks: key 0 '],
  ['an empty secret', { client_secret: '' }, 'client_secret must be a non-empty string'],
  ['a secret that is no string', { client_secret: 12345 }, 'client_secret must be a non-empty string'],
  [
    'an end in milliseconds',
    { client_secret: 'x', client_secret_expires_at: Date.now() },
    'client_secret_expires_at must be'
  ],
  [
    'an end of one secret in milliseconds',
    { client_secret: [{ value: 'x', expires_at: Date.now() }] },
    'expires_at of a client_secret'
  ],
  [
    'an end of one secret under another name',
    { client_secret: ['y', { value: 'x', expiresAt: 4102444800 }] },
    'expiresAt of a client_secret is not read: write expires_at.'
  ],
  [
    'an end that is no number',
    { client_secret: 'x', client_secret_expires_at: 'never' },
    'client_secret_expires_at must be a number'
  ]
])('refused: %s', (_name, metadata, words, options = {}) => {
  expect(refusal(metadata, options)).toContain(words)
})

test.each<[name: string, metadata: unknown, options?: ClientMetadataOptions]>([
  ['nothing: client_secret_basic', {}],
  ['an id', { client_id: '17' }],
  ['an id that a database holds as a number', { client_id: 17 }],
  ['members whose names every object has', { constructor: 'x', ...(JSON.parse('{"__proto__": 1}') as object) }],
  ['inline keys', { ...byKey, ...keys(ec.jwk, rsa.jwk) }],
  ['an encryption key beside', { ...byKey, ...keys(ec.jwk, { kty: 'OKP', crv: 'X25519', x: 'AAAA', use: 'enc' }) }],
  ['a registered algorithm', { ...byKey, ...keys(ec.jwk), token_endpoint_auth_signing_alg: 'ES256' }],
  [
    'a key without alg',
    { ...byKey, ...keys({ ...rsa.jwk, alg: undefined }), token_endpoint_auth_signing_alg: 'PS256' }
  ],
  ['jwks_uri', { ...byKey, jwks_uri: uri }],
  [
    'keys for something else beside a good one',
    {
      ...byKey,
      ...keys(
        ec.jwk,
        { ...rsa.jwk, alg: 'RSA-OAEP-256', use: undefined },
        { ...rsa.jwk, use: 'tls' },
        { ...rsa.jwk, use: undefined, key_ops: ['encrypt'] },
        { kty: 'foreign', x: 'AAAA' },
        { kty: 'OKP', crv: 'X25519', x: 'AAAA' },
        { kty: 'OKP', crv: 'Ed448', x: 'AAAA' },
        { kty: 'EC', crv: 'secp256k1', x: 'AAAA', y: 'AAAA', alg: 'ES256K' }
      )
    }
  ],
  ['encryption keys alone, for a client with a secret', { client_secret: 'x', ...keys({ ...rsa.jwk, use: 'enc' }) }],
  ['a key among others that fits an algorithm here', { ...byKey, ...keys(ec.jwk, rsa.jwk) }, { algorithms: ['RS256'] }],
  ['two spellings that agree', { client_secret: 'x', clientSecret: 'x' }],
  ['an algorithm beside a method that signs nothing', { token_endpoint_auth_signing_alg: 'ES256' }],
  ['a long algorithm beside a short secret', { client_secret: 'short', token_endpoint_auth_signing_alg: 'HS512' }],
  [
    'an algorithm beside mutual TLS',
    {
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=c,O=o,C=DE',
      token_endpoint_auth_signing_alg: 'PS256'
    },
    { methods: ['tls_client_auth'], clientCertificates: { get: () => undefined } }
  ],
  [
    'empty members',
    {
      ...{ client_secret: 'x', jwks: {}, jwks_uri: '', token_endpoint_auth_method: '', client_secret_expires_at: '' },
      ...{ token_endpoint_auth_signing_alg: '', tls_client_auth_subject_dn: '', tls_client_auth_san_dns: null },
      tls_client_certificate_bound_access_tokens: ''
    }
  ],
  ['an empty secret of a client with a key', { ...byKey, ...keys(ec.jwk), client_secret: '' }],
  [
    'ends as databases return them',
    {
      client_secret: [
        { value: 'x', expires_at: 4102444800n },
        { value: 'y', expires_at: '4102444800' }
      ]
    }
  ],
  [
    'members of other purposes',
    { client_name: 'x', client_uri: uri, logo_uri: uri, id_token_signed_response_alg: 'ES256' }
  ],
  [
    'a list of methods',
    { token_endpoint_auth_method: ['client_secret_basic', 'private_key_jwt'], jwks_uri: uri, client_secret: 'any' }
  ],
  ['client_secret_jwt before its secret is made', byHmac],
  [
    'client_secret_jwt with a long secret',
    { ...byHmac, client_secret: 'x'.repeat(64), token_endpoint_auth_signing_alg: 'HS512' }
  ],
  [
    'client_secret_jwt with its alg and a key set for other uses',
    { ...byHmac, token_endpoint_auth_signing_alg: 'HS256', ...keys(ec.jwk) }
  ],
  ['a short secret for Basic', { client_secret: 'short', client_secret_expires_at: 0 }],
  ['none where public clients are on', { token_endpoint_auth_method: 'none' }, { methods: ['none'] }],
  [
    'a jwks_uri that the fetcher allows',
    { ...byKey, jwks_uri: 'https://keys.corp:8443/jwks' },
    { keySets: createJwksFetcher({ hosts: { 'keys.corp': { addresses: ['10.0.0.0/8'], ports: [8443] } } }) }
  ],
  [
    'a jwks_uri where keySets has no check',
    { ...byKey, jwks_uri: 'https://127.0.0.1/jwks' },
    { keySets: { get: () => Promise.reject(new Error()) } }
  ]
])('taken: %s', (_name, metadata, options = {}) => {
  expect(refusal(metadata, options)).toBeUndefined()
})

test('takes the other members of a registration, as its type says', () => {
  validateClientMetadata({ client_name: 'Partner', redirect_uris: ['https://client.example/cb'], software_id: 7 })
  expect(refusal({ client_name: 'Partner', token_endpoint_auth_method: 'x' })).toContain('token_endpoint_auth_method')
})

describe('metadata()', () => {
  const middleware = (options: object = {}) => clientAuth({ issuer, getClient: () => null, ...options })

  const major = Number(process.versions.node.split('.')[0])
  test('the defaults', () => {
    expect(middleware().metadata()).toEqual({
      token_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt'
      ],
      token_endpoint_auth_signing_alg_values_supported: [
        ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
        ...(major >= 24 ? ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] : []),
        ...['HS256', 'HS384', 'HS512']
      ]
    })
  })

  test('other endpoints have fields of their own', () => {
    expect(Object.keys(middleware().metadata('introspection'))).toEqual([
      'introspection_endpoint_auth_methods_supported',
      'introspection_endpoint_auth_signing_alg_values_supported'
    ])
    expect(Object.keys(middleware().metadata('revocation'))).toEqual([
      'revocation_endpoint_auth_methods_supported',
      'revocation_endpoint_auth_signing_alg_values_supported'
    ])
  })

  test('no algorithms without a JWT method', () => {
    expect(middleware({ methods: ['client_secret_post'] }).metadata()).toEqual({
      token_endpoint_auth_methods_supported: ['client_secret_post']
    })
  })

  test('client_secret_jwt is left out where secrets are hashed', () => {
    const {
      token_endpoint_auth_methods_supported: methods,
      token_endpoint_auth_signing_alg_values_supported: algorithms
    } = middleware({ verifySecret: () => true }).metadata()
    expect(methods).not.toContain('client_secret_jwt')
    expect(algorithms?.filter((alg) => alg.startsWith('HS'))).toEqual([])
  })

  test('an endpoint that RFC 8414 has no metadata for', () => {
    expect(() => middleware().metadata('par' as never)).toThrow(
      new TypeError(
        'metadata: endpoint must be token (also for PAR and device authorization), introspection or revocation, not par'
      )
    )
  })
})

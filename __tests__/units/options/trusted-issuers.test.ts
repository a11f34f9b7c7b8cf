// The option trustedIssuers: what cannot be meant is a TypeError at start-up that names the entry and the fix.
import { clientAuth, createJwksFetcher, type ClientAuthMethod, type TrustedIssuer } from '../../../lib'
import { issuer, keyFor } from '../../support/assertions'

const idp = 'https://idp.example.com'
const domain = 'spiffe://example.org'
const jwks = { keys: [keyFor('ES256').jwk] }
const svids = { keys: [{ ...keyFor('ES256').jwk, use: 'jwt-svid' }] }
const secret = { keys: [{ ...keyFor('ES256').jwk, d: 'x' }] }
const methods: ClientAuthMethod[] = ['private_key_jwt', 'federated_jwt', 'spiffe_jwt']

const start = (trustedIssuers: unknown, more: object = {}) => {
  const options = {
    issuer,
    getClient: () => null,
    methods,
    trustedIssuers: trustedIssuers as Record<string, TrustedIssuer>
  }
  return clientAuth({ ...options, ...more })
}

test.each<[string, unknown, string, object?]>([
  ['a list', [idp], 'option "trustedIssuers" must be an object by issuer'],
  ['plain http', { 'http://idp.example.com': { jwks } }, 'must be an https URL'],
  ['plain http on this machine', { 'http://localhost': { jwks } }, 'must be an https URL'],
  ['a query', { 'https://idp.example.com?a': { jwks } }, 'must be an https URL'],
  ['a fragment', { 'https://idp.example.com#a': { jwks } }, 'must be an https URL'],
  ['a user', { 'https://a@idp.example.com': { jwks } }, 'must be an https URL'],
  ['no URL', { 'idp.example.com': { jwks } }, 'must be an https URL'],
  ['this server', { [issuer]: { jwks } }, 'is this server: its access tokens would authenticate clients'],
  ['two sources of keys', { [idp]: { jwks, jwks_uri: `${idp}/jwks` } }, 'has jwks and jwks_uri'],
  ['no key', { [idp]: { jwks: { keys: [] } } }, 'has jwks without a usable key'],
  ['a private key', { [idp]: { jwks: secret } }, 'holds a private or symmetric key'],
  ['keys that are no set', { [idp]: { jwks: { key: 1 } } }, 'not a JWK Set'],
  ['keys as text', { [idp]: { jwks: JSON.stringify(jwks) } }, 'option "jwks" must be a JWK Set'],
  ['a jwks_uri of plain http', { [idp]: { jwks_uri: 'http://idp.example.com/jwks' } }, 'cannot have its keys fetched'],
  ['a private name without an exception', { 'https://kubernetes.default.svc': {} }, 'is a special-use or private name'],
  ['an address', { 'https://10.0.0.1': {} }, 'cannot have its keys fetched'],
  ['a trust domain without keys', { [domain]: {} }, 'nothing can be derived from a trust domain'],
  ['a trust domain with a port', { 'spiffe://example.org:8080': { jwks: svids } }, 'without port and path'],
  ['a trust domain with a path', { 'spiffe://example.org/x': { jwks: svids } }, 'without port and path'],
  ['a trust domain with a slash', { 'spiffe://example.org/': { jwks: svids } }, 'without port and path'],
  ['an upper-case trust domain', { 'spiffe://Example.org': { jwks: svids } }, 'without port and path'],
  [
    'keys of a trust domain that do not say so',
    { [domain]: { jwks } },
    'has jwks without a usable key that has use: jwt-svid'
  ],
  ['a misspelt member', { [idp]: { jwks, reuseable: true } }, 'did you mean "reusable"?'],
  ['reusable a text', { [idp]: { jwks, reusable: 'false' } }, 'option "reusable" must be true or false'],
  ['audience empty', { [idp]: { jwks, audience: '' } }, 'option "audience" must be a non-empty string'],
  [
    'maxLifetime a year',
    { [idp]: { jwks, maxLifetime: 31_536_000 } },
    'option "maxLifetime" must be seconds from 1 to 604800'
  ],
  [
    'discovery by a keySets without document',
    { [idp]: {} },
    'has no method document',
    { keySets: { get: () => Promise.reject(new Error()) } }
  ],
  ['federated_jwt and no issuer', undefined, '"methods" has federated_jwt', { methods: ['federated_jwt'] }],
  ['spiffe_jwt and no issuer', {}, '"methods" has spiffe_jwt', { methods: ['spiffe_jwt'] }],
  [
    'an issuer and no method for it',
    { [idp]: { jwks } },
    'needs federated_jwt among the "methods"',
    { methods: ['private_key_jwt'] }
  ],
  [
    'a trust domain and no method for it',
    { [domain]: { jwks: svids } },
    'needs spiffe_jwt among the "methods"',
    { methods: ['federated_jwt'] }
  ],
  [
    'spiffe_jwt without an algorithm of SVIDs',
    { [domain]: { jwks: svids } },
    'option "algorithms" has none for it',
    { methods: ['spiffe_jwt'], algorithms: ['EdDSA'] }
  ]
])('%s', (_name, trustedIssuers, words, ...[more]) => {
  expect(() => start(trustedIssuers, more)).toThrow(TypeError)
  expect(() => start(trustedIssuers, more)).toThrow(words)
})

const named = { hosts: { 'kubernetes.default.svc': { addresses: ['10.0.0.0/8'] } } }

test.each<[string, Record<string, TrustedIssuer>, object?]>([
  ['discovery', { [idp]: {} }],
  ['a slash at the end', { [`${idp}/`]: {} }],
  ['a path', { [`${idp}/tenant/v2.0`]: {} }],
  ['pasted keys of a private name', { 'https://kubernetes.default.svc': { jwks } }],
  ['a private name as an exception', { 'https://kubernetes.default.svc': {} }, { keySets: createJwksFetcher(named) }],
  [
    'jwks_uri by a keySets without document',
    { [idp]: { jwks_uri: 'https://x' } },
    { keySets: { get: () => Promise.reject(new Error()) } }
  ],
  ['a trust domain', { [domain]: { jwks_uri: 'https://spire.example.org/bundle', reusable: true } }],
  ['undefined members count as absent', { [idp]: { jwks, jwks_uri: undefined, audience: undefined } }]
])('%s is taken', (_name, trustedIssuers, ...[more]) => {
  expect(start(trustedIssuers, more)).toBeInstanceOf(Function)
})

// Registration of clients that other issuers vouch for.
import { validateClientMetadata, type ClientAuthMethod, type OAuthClient } from '../../../lib'
import { keyFor } from '../../support/assertions'

const idp = 'https://idp.example.com'
const domain = 'spiffe://example.org'
const options = {
  methods: ['private_key_jwt', 'federated_jwt', 'spiffe_jwt'] as ClientAuthMethod[],
  trustedIssuers: {
    [idp]: { jwks: { keys: [keyFor('ES256').jwk] } },
    [domain]: { jwks: { keys: [{ ...keyFor('ES256').jwk, use: 'jwt-svid' }] } }
  }
}
const identity = { issuer: idp, subject: 'repo:acme/shop:ref:refs/heads/main' }
const federated = (federated_identities: unknown) =>
  ({ token_endpoint_auth_method: 'federated_jwt', federated_identities }) as Partial<OAuthClient>
const spiffe = (spiffe_id: unknown) => ({ token_endpoint_auth_method: 'spiffe_jwt', spiffe_id }) as Partial<OAuthClient>

test.each<[string, Partial<OAuthClient>]>([
  ['one identity', federated([identity])],
  ['twenty', federated(Array.from({ length: 20 }, () => identity))],
  ['an exact SPIFFE ID', spiffe(`${domain}/ns/bank`)],
  ['a SPIFFE ID with /*', spiffe(`${domain}/ns/bank/*`)],
  ['the algorithm of the issuer', { ...federated([identity]), token_endpoint_auth_signing_alg: 'RS256' }],
  ['empty members that belong to no method', { ...federated([identity]), spiffe_id: '', jwks_uri: null }]
])('%s', (_name, metadata) => {
  expect(() => {
    validateClientMetadata(metadata, options)
  }).not.toThrow()
})

test.each<[string, Partial<OAuthClient>, string]>([
  ['none', federated(undefined), 'federated_identities must be a list of 1 to 20 identities.'],
  ['an empty list', federated([]), 'federated_identities must be a list of 1 to 20 identities.'],
  ['twenty-one', federated(Array.from({ length: 21 }, () => identity)), '1 to 20'],
  ['no list', federated(identity), '1 to 20'],
  ['a text in the list', federated([identity, 'x']), 'identity 1 must be { issuer, subject }'],
  ['no subject', federated([{ issuer: idp }]), 'must have issuer and subject'],
  ['an empty subject', federated([{ ...identity, subject: '' }]), 'a subject of 1 to 1024 characters'],
  ['a long subject', federated([{ ...identity, subject: 'x'.repeat(1025) }]), 'a subject of 1 to 1024 characters'],
  ['a pattern', federated([{ ...identity, subject: 'repo:acme/shop:*' }]), 'no pattern here'],
  [
    'a further member',
    federated([{ ...identity, audience: 'x' }]),
    'has audience: only issuer and subject are compared'
  ],
  ['an issuer that is not trusted', federated([{ ...identity, issuer: 'https://evil.example' }]), 'not trusted'],
  ['an issuer with a slash', federated([{ ...identity, issuer: `${idp}/` }]), 'not trusted'],
  ['an issuer of Object.prototype', federated([{ ...identity, issuer: 'toString' }]), 'not trusted'],
  ['a trust domain as issuer', federated([{ ...identity, issuer: domain }]), 'not trusted'],
  ['no SPIFFE ID', spiffe(undefined), 'spiffe_id must be a SPIFFE ID'],
  ['a wildcard within a segment', spiffe(`${domain}/ns/ba*`), 'spiffe_id must be a SPIFFE ID'],
  ['a wildcard in the middle', spiffe(`${domain}/*/bank`), 'spiffe_id must be a SPIFFE ID'],
  ['a port', spiffe('spiffe://example.org:8080/ns'), 'spiffe_id must be a SPIFFE ID'],
  ['a trust domain that is not trusted', spiffe('spiffe://evil.example/ns'), 'not trusted'],
  [
    'identities that no method of the client needs yet',
    { ...spiffe(`${domain}/x`), federated_identities: [] },
    '1 to 20'
  ]
])('%s is refused', (_name, metadata, words) => {
  const validate = () => {
    validateClientMetadata(metadata, options)
  }
  expect(validate).toThrow(expect.objectContaining({ code: 'invalid_client_metadata', status: 400 }))
  expect(validate).toThrow(words)
})

test('a server that trusts no issuer does not look at these members', () => {
  const metadata = {
    client_id: 'c',
    client_secret: 'a secret',
    spiffe_id: 7 as never,
    federated_identities: 'mine' as never
  }
  expect(() => {
    validateClientMetadata(metadata)
  }).not.toThrow()
})

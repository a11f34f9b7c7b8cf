// Which advice the facts of a failure get: those that show a cause, and their neighbours that do not.
import { adviceFor, reasons } from '../../../lib/refusals/reasons'
import type { ClientAuthErrorReason } from '../../../lib'

const issuer = 'https://as.example.com'
const uuid = '2b1d5a64-0d1e-4c58-9d7e-0f6a1f5f8f10'
const expectedAud = { expected: [issuer, `${issuer}/token`] }
const key = (kid?: string, fault?: string) => ({
  ...(kid !== undefined && { kid }),
  ...(fault !== undefined && { fault })
})
const keys = (received: object, ...expected: object[]) => ({ expected, received })
const identity = (issuerOf: string, subject: string) => ({ issuer: issuerOf, subject })
const differs = (part: string) => ({
  expected: [identity('a', 'x')],
  received: identity('a', 'y'),
  differs: { part, expected: 'x', received: 'y' }
})

/** Facts, and the beginning of the cause that they show: none, where the general advice is given. */
type Row = [facts: Record<string, unknown>, when?: string]
const rows: Partial<Record<ClientAuthErrorReason, Row[]>> = {
  parameter_malformed: [[{ parameter: 'client_secret' }, 'client_secret holds'], [{ parameter: 'client_id' }]],
  basic_malformed: [
    [{ problem: 'secret ends with a control character, a line break' }, 'the secret ends with'],
    [{ problem: 'hold no colon' }]
  ],
  assertion_malformed: [[{ expected: 'a string', received: 5 }, '`kid` is no string'], [{ expected: 'three parts' }]],
  assertion_alg: [
    [{}, '`alg` is `none`'],
    [{ received: 'none' }, '`alg` is `none`'],
    [{ received: 'NonE' }, '`alg` is `none`'],
    [{ received: 'HS256' }],
    [{ received: 'none256' }]
  ],
  assertion_typ: [
    [{ received: 'at+jwt' }, '`typ` is that of an access token'],
    [{ received: 'application/AT+JWT' }, '`typ` is that of an access token'],
    [{ received: 'at+jwt2' }],
    [{ received: 'id+jwt' }]
  ],
  assertion_issuer: [
    [{ trusted: ['https://b', 'https://a'], received: 'https://a/' }, 'it differs from a trusted one by a slash'],
    [{ trusted: ['https://a/'], received: 'https://a' }, 'it differs from a trusted one by a slash'],
    [{ trusted: ['https://a'], received: 'https://a' }],
    [{ trusted: ['https://a'], received: 'https://a//' }],
    [{ trusted: 'https://a', received: 'https://a/' }]
  ],
  assertion_subject: [
    [{ received: { sub: uuid, iss: 'bank' } }, '`sub` looks made'],
    [{ received: { sub: 'ab'.repeat(12), iss: 'bank' } }, '`sub` looks made'],
    [{ received: { sub: 'ab'.repeat(11), iss: 'bank' } }],
    [{ received: { sub: uuid, iss: uuid } }],
    [{ received: { sub: `${uuid}0`, iss: 'bank' } }],
    [{ received: { sub: 'g'.repeat(24), iss: 'bank' } }],
    [{ expected: 'a SPIFFE ID', received: 'bank' }, '`sub` is to be a SPIFFE ID'],
    [{ received: { sub: 'bank' } }, '`iss` is missing'],
    [{ received: { iss: 'bank' } }, '`sub` is missing'],
    [{ received: { iss: 'bank', sub: 'shop' } }],
    [{ received: {} }]
  ],
  assertion_audience: [
    [{ ...expectedAud }, '`aud` is missing'],
    [{ ...expectedAud, received: ['https://other.example'], issuer: 'a' }, 'the token is of another issuer'],
    [{ ...expectedAud, received: [issuer] }, '`aud` is an array'],
    [{ ...expectedAud, received: [issuer, 'as'] }, '`aud` is an array'],
    [{ ...expectedAud, received: [] }, '`aud` is an array'],
    [{ ...expectedAud, received: [`${issuer}/`] }, '`aud` is a single slash'],
    [{ ...expectedAud, received: [`${issuer}/token`] }, '`aud` is the token endpoint'],
    [{ ...expectedAud, received: ['https://other.example'] }, '`aud` is a URL of another host'],
    [{ ...expectedAud, received: [5] }],
    [{ ...expectedAud, received: `${issuer}/` }, '`aud` is a single slash'],
    [{ expected: `${issuer}/`, received: issuer }, '`aud` is a single slash'],
    [{ ...expectedAud, received: `${issuer}//` }, '`aud` is the token endpoint'],
    [{ ...expectedAud, received: `${issuer}/token` }, '`aud` is the token endpoint'],
    [{ ...expectedAud, received: `${issuer}.evil.example` }, '`aud` only begins like'],
    [{ ...expectedAud, received: 'https://as.example' }, '`aud` only begins like'],
    [{ ...expectedAud, received: 'https://other.example' }, '`aud` is a URL of another host'],
    [{ ...expectedAud, received: 'as' }],
    [{ ...expectedAud, received: '' }],
    [{ ...expectedAud, received: 5 }]
  ],
  assertion_exp: [[{}, '`exp` is missing'], [{ received: '5' }]],
  assertion_expired: [[{ issuer: 'a' }, 'the token is of another issuer'], [{}]],
  assertion_lifetime: [[{ issuer: 'a' }, 'the token is of another issuer'], [{}]],
  assertion_not_yet_valid: [[{ received: '5' }, 'the claim is no number'], [{ received: 5 }]],
  no_live_secret: [
    [{ received: 'only expired secrets' }, 'secrets are stored'],
    [{ received: 'no secret' }],
    [{ field: 'client_secret', received: 'a number' }, 'a field of the record']
  ],
  unknown_client: [[{ record: {} }, '`getClient` returned'], [{}]],
  method_not_registered: [
    [{ received: 'client_secret_basic', expected: 'CLIENT_SECRET_BASIC' }, 'the registered method is none'],
    [{ received: 'client_secret_basic', expected: ['none', 'clientSecretBasic'] }, 'the registered method is none'],
    [{ received: 'client_secret_basic', expected: [] }],
    [{ received: 'none', expected: 'self_signed_tls_client_auth' }],
    [{ received: 'client_secret_jwt', expected: 'private_key_jwt' }, 'signed with HS256'],
    [{ received: 'client_secret_jwt', expected: ['none', 'private_key_jwt'] }, 'signed with HS256'],
    [{ received: 'client_secret_jwt', expected: 'client_secret_basic' }],
    [{ received: 'private_key_jwt', expected: 'client_secret_jwt' }, 'signed with a key'],
    [{ received: 'private_key_jwt', expected: 'client_secret_basic' }],
    [{ received: 'client_secret_post', expected: 'client_secret_basic' }, 'the secret came in the body'],
    [{ received: 'client_secret_basic', expected: ['client_secret_post'] }, 'the secret came in the body'],
    [{ received: 'client_secret_basic', expected: 'private_key_jwt' }],
    [{ received: 'client_secret_post', expected: 'private_key_jwt' }],
    [{ received: 'none', expected: 'client_secret_basic' }],
    [{ received: 'none', expected: 'client_secret_post' }],
    [{ received: 'none', expected: 'client_secret_jwt' }],
    [{ received: 'none', expected: 'private_key_jwt' }]
  ],
  keys_not_registered: [[{ received: 'both' }, 'both are registered'], [{ received: 'neither' }]],
  jwks_invalid: [
    [{ why: 'private_key' }, 'a private or symmetric key'],
    [{ received: 'a text in PEM' }, 'a key is stored as PEM'],
    [{ received: 'text' }, 'the keys are stored as text'],
    [{ received: 'one JWK' }, 'a key or a list of keys'],
    [{ received: 'an array' }, 'a key or a list of keys'],
    [{ received: 'a number' }]
  ],
  jwks_unavailable: [
    [{ why: 'tls' }, 'TLS fails'],
    ...['url', 'host', 'address'].map((why): Row => [{ why }, 'the URL, the host or the address']),
    [{ why: 'dns' }, 'the host has no address'],
    [{ why: 'private_key' }, 'the set holds a private'],
    [{ why: 'status' }]
  ],
  no_matching_key: [
    [{ ...keys({ kid: 'a' }, key('b')), issuer: 'a' }, 'the token is of another issuer'],
    [keys({ kid: 'a' }), 'the set is empty'],
    [keys({ kid: 'a' }, key()), 'the published keys have no `kid`'],
    [keys({ kid: 'a' }, key('b'), key()), 'the published keys have no `kid`'],
    [keys({ kid: 'a' }, key('b')), 'no key has the `kid`'],
    [keys({ kid: 'a' }, key('a', 'is not for signatures (use)'), key()), 'the key is meant for encryption'],
    [keys({ kid: 'a' }, key('a', 'is not for ES256')), 'the key is of another type'],
    [keys({}, key('a'), key('b', 'is not for ES256')), 'the key is of another type'],
    [keys({ kid: 'a' }, key('a', 'has 1024 bits')), 'the key cannot be used'],
    [keys({ kid: 'a' }, key('a'), key('b', 'has 1024 bits'))],
    [keys({}, key('a', 'cannot be used: it is not for ES256')), 'the key cannot be used'],
    [{ expected: 'a key', received: { kid: 'a' } }]
  ],
  signature_mismatch: [
    [{ cachedSeconds: 0, issuer: 'a' }, 'the token is of another issuer'],
    [{ cachedSeconds: 0 }, 'the key set was fetched'],
    [{ received: {} }]
  ],
  federated_subject: [
    [{}, 'no identity is registered'],
    [{ expected: [], received: identity('a', 'x') }, 'no identity is registered'],
    [{ expected: [identity('b', 'x')], received: identity('a', 'x') }, 'the identities are of other issuers'],
    [
      { expected: [identity('b', 'x'), identity('a', 'y*')], received: identity('a', 'x') },
      'a registered subject has a `*`'
    ],
    ...['branch', 'tag', 'branch or tag', 'environment', 'kind of run'].map((part): Row => [
      differs(part),
      'the branch,'
    ]),
    ...['namespace', 'service account'].map((part): Row => [differs(part), 'the namespace']),
    [differs('repository')],
    [{ expected: 'none', received: identity('a', 'x') }]
  ],
  certificate_expired: [
    [{ received: { validFrom: '2030-01-01T00:00:01Z' }, now: 1893456000 }, 'it is not valid yet'],
    [{ received: { validFrom: '2030-01-01T00:00:00Z' }, now: 1893456000 }],
    [{ received: { validTo: '2030-01-01T00:00:01Z' }, now: 1893456000 }]
  ],
  certificate_unverified: [
    ...['INVALID_PURPOSE', 'FAILED:unsuitable certificate purpose', '26'].map((verdict): Row => [
      { received: { verdict } },
      'the verdict is INVALID_PURPOSE'
    ]),
    ...[
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'FAILED:unable to verify the first certificate',
      'FAILED:unable to get local issuer certificate',
      '20',
      '21'
    ].map((verdict): Row => [{ received: { verdict } }, 'the verdict is UNABLE_TO']),
    [{ received: { verdict: 'no header X-V' } }, 'the request lacks the header'],
    [{ received: 'the certificate of an authority' }, 'it is the certificate of an authority'],
    ...['126', '22', '200', 'CERT_HAS_EXPIRED'].map((verdict): Row => [{ received: { verdict } }])
  ],
  certificate_subject_not_registered: [
    [{ expected: 'tls_client_auth_subject_dn must be …' }, 'tls_client_auth_subject_dn is no'],
    [{ expected: 'one of tls_client_auth_subject_dn must be' }]
  ],
  certificate_not_registered: [
    [{ expected: [{ kid: 'a' }, { note: 'padded' }] }, 'a registered x5t#S256'],
    [{ expected: [{ kid: 'a' }] }],
    [{ expected: 'a note' }]
  ],
  client_document_url: [
    [{ why: 'policy' }, '`allow` does not'],
    [{ why: 'host' }, 'the host is no public name'],
    [{ why: 'url' }]
  ],
  client_document_invalid: [
    [{ why: 'withdrawn' }, 'the host answers 404'],
    [{ why: 'private_key' }, 'it holds a private'],
    [{ why: 'method' }, 'no method of the document'],
    [{ why: 'json' }]
  ],
  client_document_unavailable: [
    [{ why: 'busy' }, 'too many documents'],
    [{ why: 'address' }, 'the host has an address'],
    [{ why: 'status' }, 'the host answers with another status'],
    [{ why: 'tls' }]
  ]
}

const all = Object.entries(rows) as [ClientAuthErrorReason, Row[]][]

test.each(all.flatMap(([reason, some]) => some.map(([facts, when]) => ({ reason, facts, when }))))(
  '$reason, $facts: $when',
  ({ reason, facts, when }) => {
    const { advice, cases = [] } = reasons[reason]
    const shown = when === undefined ? { advice } : cases.find((one) => one.when.startsWith(when))
    expect(shown).toBeDefined()
    expect(adviceFor(reason, facts)).toBe(shown?.advice)
  }
)

test('each cause of each reason is shown by some facts above', () => {
  const missing = Object.entries(reasons).flatMap(([reason, { cases = [] }]) => {
    const shown = (rows[reason as ClientAuthErrorReason] ?? []).map(([, when]) => when)
    return cases
      .filter((one) => !shown.some((when) => when !== undefined && one.when.startsWith(when)))
      .map((one) => `${reason}: ${one.when}`)
  })
  expect(missing).toEqual([])
})

// What registration (RFC 7591) says of certificates beside keys, and of subjects (RFC 8705 §2).
import { createTlsCertificates, validateClientMetadata } from '../../../lib'
import { certificate, publicJwk } from '../../support/client-certificates'
import { explicitCurve } from '../../support/hostile-certificates'

const methods = ['self_signed_tls_client_auth', 'tls_client_auth', 'client_secret_basic'] as const
const clientCertificates = createTlsCertificates({ ca: certificate('ca').pem })
const x5cOf = (id: string) => [certificate(id).der.toString('base64')]
const bank = { ...publicJwk('self-bank'), x5c: x5cOf('self-bank') }

const register = (metadata: object) => () => {
  validateClientMetadata(metadata, { methods: [...methods], clientCertificates })
}
const withKeys = (...keys: object[]) => ({
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  jwks: { keys }
})

test.each<[string, object[]]>([
  ['a key with its certificate', [bank]],
  ['its thumbprint beside it', [{ ...bank, 'x5t#S256': certificate('self-bank').thumbprint }]],
  ['a bare key', [publicJwk('self-bank')]],
  ['100 certificates', Array.from({ length: 100 }, () => bank)],
  ['an RSA key with its certificate', [{ ...publicJwk('self-bank-rsa'), x5c: x5cOf('self-bank-rsa') }]],
  ['an encryption key with what is no certificate', [bank, { ...publicJwk('shop'), use: 'enc', x5c: ['no'] }]]
])('taken: %s', (_, keys) => {
  expect(register(withKeys(...keys))).not.toThrow()
})

test.each<[string, object, string]>([
  ['an x5c that is no list', withKeys({ ...bank, x5c: 'MII' }), 'key 0 has an x5c that does not begin with'],
  ['an empty x5c', withKeys({ ...bank, x5c: [] }), 'key 0 has an x5c that does not begin with a certificate'],
  ['an x5c of numbers', withKeys({ ...bank, x5c: [5] }), 'key 0 has an x5c that does not begin with a certificate'],
  ['an x5c of PEM', withKeys({ ...bank, x5c: [certificate('self-bank').pem] }), 'key 0 has an x5c that does not begin'],
  [
    'the certificate of another key',
    withKeys(bank, { ...bank, x5c: x5cOf('shop') }),
    'key 1 has an x5c of another key'
  ],
  // Threat 35: a key that holds the event loop where it is decoded
  [
    'a certificate whose key has parameters of its own',
    withKeys({ ...bank, x5c: [explicitCurve().toString('base64')] }),
    'key 0 has an x5c whose key is not on P-256, P-384 or P-521'
  ],
  [
    'the thumbprint of another certificate',
    withKeys({ ...bank, 'x5t#S256': certificate('shop').thumbprint }),
    'key 0 has an x5t#S256 that is not of its x5c'
  ],
  [
    'a certificate that has ended',
    withKeys({ ...publicJwk('self-bank-expired'), x5c: x5cOf('self-bank-expired') }),
    'key 0 has an x5c that is not valid now'
  ],
  [
    'a subject for another method',
    { token_endpoint_auth_method: 'client_secret_basic', tls_client_auth_san_dns: 'bank.example' },
    'tls_client_auth_san_dns needs token_endpoint_auth_method tls_client_auth.'
  ]
])('refused: %s', (_, metadata, words) => {
  expect(register(metadata)).toThrow(words)
})

test.each<[string, unknown]>([
  ['a number', 5],
  ['an object', {}],
  ['a list with null', [null]]
])('an authority that is %s is an option mistake', (_, ca) => {
  expect(() => createTlsCertificates({ ca: ca as string })).toThrow(/option "ca" must be .* in PEM/)
})

// A ratio, since a bound of time breaks on a busy machine. One such key takes OpenSSL as long as a thousand others.
test('a certificate that is made to hold the event loop takes no longer than another', () => {
  const timed = (x5c: string[]) => {
    const start = performance.now()
    expect(register(withKeys({ ...publicJwk('shop'), x5c }))).toThrow(/^jwks: key 0 has an x5c/)
    return performance.now() - start
  }
  const hostile = [explicitCurve().toString('base64')]
  const median = (x5c: string[]) => Array.from({ length: 21 }, () => timed(x5c)).sort((a, b) => a - b)[10]!
  expect(median(hostile)).toBeLessThan(20 * median(x5cOf('self-bank')))
})

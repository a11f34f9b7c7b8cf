// Metadata that is made to be expensive.
import { createHash } from 'node:crypto'
import { validateClientMetadata } from '../../lib'
import { makeKey } from '../support/assertions'
import { cpuOf } from '../support/cpu-time'
import { secret } from '../support/three-clients'

// Threat 24: metadata that holds the event loop
describe('registration costs less than the SHA-512 of 20 MB, whatever is sent', () => {
  const p521 = makeKey('ES512').jwk
  const octets = Buffer.alloc(20_000_000)
  const limit = cpuOf(() => createHash('sha512').update(octets).digest())
  const by = (method: string, more: object) => ({ token_endpoint_auth_method: method, ...more })
  const times = (count: number, jwk: object) => ({
    jwks: { keys: Array.from({ length: count }, (_, index) => ({ ...jwk, kid: `k${index}` })) }
  })
  const long = (octets: number) => Buffer.alloc(octets, 0xa5).toString('base64url')
  const big = Buffer.alloc(1024, 0xff).toString('base64url')
  const deep = JSON.parse('{"a":'.repeat(5000) + '1' + '}'.repeat(5000)) as object

  test.each<[string, object]>([
    ['100 keys of P-521', by('private_key_jwt', times(100, p521))],
    ['100 points that are on no curve', by('private_key_jwt', times(100, { ...p521, y: long(66) }))],
    ['100 keys of RSA-8192', by('private_key_jwt', times(100, { kty: 'RSA', n: big, e: 'AQAB' }))],
    ['100 keys of Ed25519', by('private_key_jwt', times(100, makeKey('EdDSA').jwk))],
    ['100,000 keys', by('private_key_jwt', times(100_000, makeKey('EdDSA').jwk))],
    ['a modulus of 100,000 octets', by('private_key_jwt', times(1, { kty: 'RSA', n: long(1e5), e: 'AQAB' }))],
    ['a point of 100,000 octets', by('private_key_jwt', times(1, { ...p521, x: long(1e5) }))],
    ['10,000 secrets', by('client_secret_basic', { client_secret: Array(10_000).fill(secret) as string[] })],
    ...['kid', 'kty', 'alg', 'use', 'crv'].map((name): [string, object] => [
      `a key whose ${name} has 100,000 letters`,
      by('private_key_jwt', times(2, { ...p521, y: long(66), [name]: 'x'.repeat(1e5) }))
    ]),
    ['a method of 100,000 letters', by('x'.repeat(1e5), {})],
    ['an id of 100,000 letters', { client_id: 'x'.repeat(1e5) }],
    ['a name of 1,000,000 letters', { ['x'.repeat(1e6)]: 1 }],
    ['20,000 names', Object.fromEntries(Array.from({ length: 2e4 }, (_, index) => [`a name as long ${index}`, 1]))],
    [
      '10,000 methods out of 10,000',
      {
        token_endpoint_auth_method: Array.from({ length: 10_000 }, () => 'client_secret_basic'),
        token_endpoint_auth_methods_supported: Array.from({ length: 10_000 }, (_, at) => `${at}`).concat(
          'client_secret_basic'
        )
      }
    ],
    ['10,000 methods', { token_endpoint_auth_method: Array(10_000).fill('client_secret_basic') as string[] }],
    ['an object 5,000 levels deep as a key', by('private_key_jwt', times(1, { ...makeKey('EdDSA').jwk, deep }))],
    ['an object 5,000 levels deep as jwks', by('private_key_jwt', { jwks: deep })]
  ])('%s', (_name, metadata) => {
    const costs = [1, 2, 3].map(() =>
      cpuOf(() => {
        try {
          validateClientMetadata(metadata)
        } catch {
          // refused: that may be, as long as it is cheap
        }
      })
    )
    expect(Math.min(...costs)).toBeLessThan(limit) // the others may hold a collection of garbage
  })
})

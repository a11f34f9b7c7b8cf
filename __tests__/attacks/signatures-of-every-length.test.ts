// An ECDSA signature is written as DER, whose lengths depend on r and s (X.690 §10.1: the shortest form). A rare length
// written wrong refuses a good signature. Keys are made to fit chosen r and s, and OpenSSL is asked about each in the
// form that JWS has.
import { createPublicKey, verify } from 'node:crypto'
import { createClientAuthenticator, type ClientAuthError, type Jwk } from '../../lib'
import { assertionForm, issuer, now } from '../support/assertions'
import { chosenSignature, curves, pointFrom } from '../support/chosen-signatures'

let registered: Jwk
const authenticate = createClientAuthenticator({
  issuer,
  getClient: (client_id) => ({
    client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [registered] }
  }),
  replayStore: { consume: () => true }
})

const claims = { iss: 'c', sub: 'c', aud: issuer, jti: 'jti', exp: now() + 3500 }
const inputOf = (alg: string) =>
  [{ alg }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

/** What comes of the signature with this s and the first r that is x of a point, from `least` on. */
async function outcomeOf(alg: string, least: bigint, s: bigint): Promise<string> {
  const curve = curves[alg]!
  const input = inputOf(alg)
  const { jwk, signature } = chosenSignature(curve, pointFrom(curve, least), s, input)
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  if (!verify(curve.hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, signature)) return 'no good vector'
  registered = jwk
  return authenticate({ headers: {}, body: assertionForm(`${input}.${signature.toString('base64url')}`) }).then(
    () => 'accepted',
    ({ reason }: ClientAuthError) => reason
  )
}

/** The least number of this many octets: with its first bit set, which DER writes with a zero before it, or without. */
const least = (octets: number, top: 0x01 | 0x80): bigint => BigInt(top) << BigInt(8 * (octets - 1))

describe.each(Object.entries(curves))('%s', (alg, { octets, n }) => {
  const every = Array.from({ length: octets }, (_, index) => index + 1)
  // The first octet of P-521 has one bit.
  const tops = (length: number) => (length === 66 ? ([0x01] as const) : ([0x01, 0x80] as const))
  const full = least(octets, tops(octets).at(-1)!)

  test.each([
    ['r', tops, (number: bigint) => [number, full] as const],
    ['s', tops, (number: bigint) => [full, number] as const],
    ['r and s alike', () => [0x01] as const, (number: bigint) => [number, number] as const]
  ])('%s of every length', async (_name, topsOf, place) => {
    const refused: string[] = []
    for (const length of every) {
      for (const top of topsOf(length)) {
        const outcome = await outcomeOf(alg, ...place(least(length, top)))
        if (outcome !== 'accepted') refused.push(`${length} octets from 0x${top.toString(16)}: ${outcome}`)
      }
    }
    expect(refused).toEqual([])
  })

  test.each([
    ['r = 1 or the next that there is', 1n, full],
    ['s = 1', full, 1n],
    ['r and s tiny', 1n, 1n],
    ['s = n - 1', full, n - 1n],
    ['x = n + 1 or the next that there is, of which r is the rest', n + 1n, full],
    ['the same and a tiny s', n + 1n, 2n]
  ])('%s', async (_name, r, s) => {
    expect(await outcomeOf(alg, r, s)).toBe('accepted')
  })
})

// The length of the whole takes a second octet from 128 on.
test.each([122, 123, 124, 125, 126])('ES512, r and s of %s octets together', async (sum) => {
  const outcomes: string[] = []
  for (let r = sum - 66; r <= 66; r++) outcomes.push(await outcomeOf('ES512', least(r, 0x01), least(sum - r, 0x01)))
  expect(outcomes.filter((outcome) => outcome !== 'accepted')).toEqual([])
})

// 20: what hostile clients can make the process keep of their keys, measured from outside, after the garbage.
import { generateKeyPairSync } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClientAuthenticator, type Jwk, type OAuthClient } from '../../lib'
import { assertionForm, issuer, jws, now } from '../support/assertions'

jest.setTimeout(600_000)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const megabytes = (): number => {
  for (let times = 0; times < 4; times++) collect()
  return process.memoryUsage().rss / 1e6
}

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
const octets = Buffer.from(n, 'base64url')
/** Any odd number will do as a modulus: nobody signs with it. A new one each time, as long as a key of 2048 bits. */
function modulus(number: number): string {
  const made = Buffer.from(octets)
  made.writeUInt32BE(number, 16)
  return made.toString('base64url')
}
const signature = 'A'.repeat(342)
const assertion = (alg: string, clientId: string) =>
  `${jws({ alg, kid: 'k' }, { iss: clientId, sub: clientId, aud: issuer, exp: now() + 60 }, 'none', '')}${signature}`

let made = 0
const newKeys = (count: number): Jwk[] =>
  Array.from({ length: count }, () => ({ kty: 'RSA', kid: 'k', n: modulus(made++), e: 'AQAB' }))

/** Megabytes of the process above the start, at the end. */
async function growth(rounds: number, clientOf: () => OAuthClient, sets?: (uri: string) => Jwk[]): Promise<number> {
  let record = clientOf()
  const authenticate = createClientAuthenticator({
    issuer,
    getClient: () => record,
    ...(sets === undefined ? {} : { keySets: { get: (uri) => Promise.resolve({ keys: sets(uri) }) } })
  })
  const ask = async () => {
    for (const alg of algorithms) {
      const refusal = authenticate({ headers: {}, body: assertionForm(assertion(alg, 'c')) })
      await expect(refusal).rejects.toMatchObject({ reason: 'signature_mismatch' })
    }
  }
  for (let warmUp = 0; warmUp < 20; warmUp++) await ask()
  const before = megabytes()
  for (let round = 0; round < rounds; round++) {
    record = clientOf()
    await ask()
  }
  return megabytes() - before
}

const byKey = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt' }

test('a client that renews its inline keys 5,000 times, 8 keys of one kid, 6 algorithms: under 100 MB', async () => {
  const grown = await growth(5000, () => ({ ...byKey, jwks: { keys: newKeys(8) } }))
  process.stderr.write(`${grown.toFixed(0)} MB above the start after 5,000 renewals\n`)
  expect(grown).toBeLessThan(100)
})

test('1,000 fetched sets of 100 keys each, 6 algorithms: under 100 MB', async () => {
  let number = 0
  const grown = await growth(
    1000,
    () => ({ ...byKey, jwks_uri: `https://c${number++}.example.com/jwks` }),
    () => newKeys(100)
  )
  process.stderr.write(`${grown.toFixed(0)} MB above the start after 1,000 sets\n`)
  expect(grown).toBeLessThan(100)
})

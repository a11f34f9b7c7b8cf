import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Jwk } from '../types'
import type { Algorithm } from './algorithms'

const made = new Map<string, readonly Jwk[]>()

function make({ kty, crv, keyOctets }: Algorithm, octets: number): object {
  if (keyOctets !== undefined) return { kty, pub: randomBytes(keyOctets).toString('base64url') } // all values are keys
  if (kty === 'EC') return generateKeyPairSync('ec', { namedCurve: String(crv) }).publicKey.export({ format: 'jwk' })
  if (kty === 'OKP') return generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  // Any odd number costs the same as a modulus, and needs no search for primes. Larger than any signature.
  const n = randomBytes(octets).fill(0xff, 0, 8)
  n.writeUInt8(n.readUInt8(octets - 1) | 1, octets - 1)
  return { kty, n: n.toString('base64url'), e: 'AQAB' }
}

/**
 * A public key whose private half nobody has, to verify with where there is no key of a client: the refusal of an
 * unknown client then takes as long as that of a known one. For RSA one as long as the signature, in the usual sizes.
 * It is a set of keys like a client's, so that it goes through the same look-up.
 */
export function decoyKeys(algorithm: Algorithm, signatureOctets: number): readonly Jwk[] {
  const { alg } = algorithm
  const octets = algorithm.octets ?? ([384, 512].includes(signatureOctets) ? signatureOctets : 256)
  const id = `${alg} ${octets}`
  const keys = made.get(id) ?? [{ ...make(algorithm, octets), kid: alg, alg, use: 'sig' }]
  made.set(id, keys)
  return keys
}

import { createPublicKey } from 'node:crypto'
import { attempt } from '../basics/attempt'

/** What the signatures of one algorithm are made of (RFC 7518 §3, RFC 8037 §3.1, RFC 9964). */
export interface Algorithm {
  readonly alg: string
  /** An older name of the same algorithm, which records, keys and assertions still use (RFC 9864). */
  readonly olderName?: 'EdDSA'
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP' | 'AKP'
  readonly crv?: 'P-256' | 'P-384' | 'P-521' | 'Ed25519'
  /** The hash as node:crypto names it; Ed25519 and ML-DSA have their own inside. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  /** Octets of the MAC or signature. Of RSA the key decides: as many as its modulus. */
  readonly octets?: number
  /** RSASSA-PSS: octets of the salt, as many as of the hash (RFC 7518 §3.5). No other length verifies. */
  readonly saltLength?: number
  /** AKP: octets of `pub`. Such a key must name its algorithm, since nothing else in it does (RFC 9964 §3). */
  readonly keyOctets?: number
  /** Octets of memory that an imported public key takes, as measured on Node.js 20 to 26; of RSA with 8192 bits. */
  readonly memory?: number
  /** The Node.js that has the algorithm, where this one lacks it. */
  readonly needs?: string | undefined
}

type Bits = 256 | 384 | 512

const hmac = (bits: Bits): Algorithm => ({ alg: `HS${bits}`, kty: 'oct', hash: `sha${bits}`, octets: bits / 8 })
const rsa = { kty: 'RSA', memory: 9_500 } as const
const pkcs1 = (bits: Bits): Algorithm => ({ ...rsa, alg: `RS${bits}`, hash: `sha${bits}` })
const pss = (bits: Bits): Algorithm => ({ ...rsa, alg: `PS${bits}`, hash: `sha${bits}`, saltLength: bits / 8 })
/** RFC 7518 §3.4: r and s, each as long as the order of the curve. */
const ecdsa = (bits: Bits, crv: 'P-256' | 'P-384' | 'P-521', octets: number): Algorithm => {
  return { alg: `ES${bits}`, kty: 'EC', crv, hash: `sha${bits}`, octets, memory: 5_000 }
}

/** Node.js has ML-DSA from 24.6 on, unless it was built with an OpenSSL before 3.5: so it is asked, with a key of zeros. */
const hasMlDsa =
  attempt(() => createPublicKey({ key: { kty: 'AKP', alg: 'ML-DSA-44', pub: 'A'.repeat(1750) }, format: 'jwk' })) !==
  undefined
const needs = hasMlDsa ? undefined : 'Node.js 24.6 or newer'
const mlDsa = (set: 44 | 65 | 87, keyOctets: number, octets: number, memory: number): Algorithm => {
  return { alg: `ML-DSA-${set}`, kty: 'AKP', keyOctets, octets, memory, needs }
}

const bits: readonly Bits[] = [256, 384, 512]
/** Every algorithm that the package knows. `none` is never one (RFC 8725 §3.2). */
export const knownAlgorithms: readonly Algorithm[] = [
  ...bits.map(pkcs1),
  ...bits.map(pss),
  ecdsa(256, 'P-256', 64),
  ecdsa(384, 'P-384', 96),
  ecdsa(512, 'P-521', 132),
  { alg: 'Ed25519', olderName: 'EdDSA', kty: 'OKP', crv: 'Ed25519', octets: 64, memory: 2_500 },
  mlDsa(44, 1312, 2420, 10_000),
  mlDsa(65, 1952, 3309, 13_500),
  mlDsa(87, 2592, 4627, 17_000),
  ...bits.map(hmac)
]
const supported = knownAlgorithms.filter((algorithm) => algorithm.needs === undefined)

/** Every name that an algorithm goes by. */
export const namesOf = ({ alg, olderName }: Algorithm): readonly string[] =>
  olderName === undefined ? [alg] : [olderName, alg]

/** Every algorithm that this Node.js has, by each of its names. */
export const algorithms: ReadonlyMap<unknown, Algorithm> = new Map(
  supported.flatMap((algorithm) => namesOf(algorithm).map((name) => [name, algorithm]))
)

/** Whether two names mean one algorithm. */
export const isSameAlgorithm = (one: unknown, other: unknown): boolean =>
  algorithms.has(one) && algorithms.get(one) === algorithms.get(other)

/** The row of an `alg` that the rules have let pass. */
export function algorithmOf(alg: unknown): Algorithm {
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined) throw new TypeError('an alg that the rules let pass must be in the table')
  return algorithm
}

const namesWhere = (test: (algorithm: Algorithm) => boolean): readonly string[] =>
  supported.filter(test).flatMap(namesOf)

/** Signed with a private key: those of `private_key_jwt`. */
export const keyAlgorithms = namesWhere(({ kty }) => kty !== 'oct')

/** JWT-SVID §2.1: RSA and ECDSA alone. */
export const svidAlgorithms = namesWhere(({ kty }) => kty === 'RSA' || kty === 'EC')

/** Signed with a secret: those of `client_secret_jwt`. */
export const hmacAlgorithms = namesWhere(({ kty }) => kty === 'oct')

const lacking = knownAlgorithms.filter((algorithm) => algorithm.needs !== undefined).map(({ alg }) => alg)
/** For whoever asks for an algorithm that this Node.js lacks; empty where it has all. */
export const lackingNote = needs === undefined ? '' : ` (${lacking.join(', ')} need ${needs})`

/** RFC 7518 §3.2, OIDC Core §16.19: the key of an HMAC has at least as many octets as the MAC. */
export const minSecretOctets = (alg: unknown): number => algorithms.get(alg)?.octets ?? 0

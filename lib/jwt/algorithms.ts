import { webcrypto } from 'node:crypto'

/** What the signatures of one `alg` are made of and how they are verified (RFC 7518 §3, RFC 8037 §3.1). */
export interface Algorithm {
  readonly alg: string
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP'
  readonly crv?: 'P-256' | 'P-384' | 'P-521' | 'Ed25519'
  /** The hash as `createHmac` names it. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  /** Octets of the MAC or signature. Of RSA the key decides: as many as its modulus. */
  readonly octets?: number
  /**
   * What `subtle.verify` needs. Verified on the thread pool: even the fastest (RSA-2048, some 30 µs) would hold the
   * event loop for longer than handing it over does.
   */
  readonly verify?: webcrypto.AlgorithmIdentifier | webcrypto.RsaPssParams | webcrypto.EcdsaParams
}

const hmac = (bits: 256 | 384 | 512): Algorithm => ({
  alg: `HS${bits}`,
  kty: 'oct',
  hash: `sha${bits}`,
  octets: bits / 8
})
const pkcs1 = (bits: number): Algorithm => ({ alg: `RS${bits}`, kty: 'RSA', verify: { name: 'RSASSA-PKCS1-v1_5' } })
/** RFC 7518 §3.5: the salt is as long as the hash. No other length verifies. */
const pss = (bits: number): Algorithm => ({
  alg: `PS${bits}`,
  kty: 'RSA',
  verify: { name: 'RSA-PSS', saltLength: bits / 8 }
})
/** RFC 7518 §3.4: r and s, each as long as the curve's order. WebCrypto takes no other form, so no DER. */
const ecdsa = (bits: number, crv: 'P-256' | 'P-384' | 'P-521', octets: number): Algorithm => ({
  alg: `ES${bits}`,
  kty: 'EC',
  crv,
  octets,
  verify: { name: 'ECDSA', hash: `SHA-${bits}` }
})
const ed25519 = (alg: 'EdDSA' | 'Ed25519'): Algorithm => ({
  alg,
  kty: 'OKP',
  crv: 'Ed25519',
  octets: 64,
  verify: { name: 'Ed25519' }
})

const all: readonly Algorithm[] = [
  ...[256, 384, 512].map(pkcs1),
  ...[256, 384, 512].map(pss),
  ecdsa(256, 'P-256', 64),
  ecdsa(384, 'P-384', 96),
  ecdsa(512, 'P-521', 132),
  ed25519('EdDSA'),
  ed25519('Ed25519'),
  hmac(256),
  hmac(384),
  hmac(512)
]

/** Every algorithm that is supported, by its `alg`. `none` is never one (RFC 8725 §3.2). */
export const algorithms: ReadonlyMap<unknown, Algorithm> = new Map(all.map((algorithm) => [algorithm.alg, algorithm]))

const namesWhere = (test: (algorithm: Algorithm) => boolean): readonly string[] =>
  all.filter(test).map(({ alg }) => alg)

/** Signed with a private key: those of `private_key_jwt`. */
export const keyAlgorithms = namesWhere(({ kty }) => kty !== 'oct')

/** Signed with a secret: those of `client_secret_jwt`. */
export const hmacAlgorithms = namesWhere(({ kty }) => kty === 'oct')

/** RFC 7518 §3.2, OIDC Core §16.19: the key of an HMAC has at least as many octets as the MAC. */
export const minSecretOctets = (alg: unknown): number => algorithms.get(alg)?.octets ?? 0

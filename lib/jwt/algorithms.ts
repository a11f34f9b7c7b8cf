/** What the signatures of one `alg` are made of (RFC 7518 §3, RFC 8037 §3.1). */
export interface Algorithm {
  readonly alg: string
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP'
  readonly crv?: 'P-256' | 'P-384' | 'P-521' | 'Ed25519'
  /** The hash as node:crypto names it; Ed25519 has its own inside. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  /** Octets of the MAC or signature. Of RSA the key decides: as many as its modulus. */
  readonly octets?: number
  /** RSASSA-PSS: octets of the salt, as many as of the hash (RFC 7518 §3.5). No other length verifies. */
  readonly saltLength?: number
}

type Bits = 256 | 384 | 512

const hmac = (bits: Bits): Algorithm => ({ alg: `HS${bits}`, kty: 'oct', hash: `sha${bits}`, octets: bits / 8 })
const pkcs1 = (bits: Bits): Algorithm => ({ alg: `RS${bits}`, kty: 'RSA', hash: `sha${bits}` })
const pss = (bits: Bits): Algorithm => ({ alg: `PS${bits}`, kty: 'RSA', hash: `sha${bits}`, saltLength: bits / 8 })
/** RFC 7518 §3.4: r and s, each as long as the order of the curve. */
const ecdsa = (bits: Bits, crv: 'P-256' | 'P-384' | 'P-521', octets: number): Algorithm => ({
  alg: `ES${bits}`,
  kty: 'EC',
  crv,
  hash: `sha${bits}`,
  octets
})
const ed25519 = (alg: 'EdDSA' | 'Ed25519'): Algorithm => ({ alg, kty: 'OKP', crv: 'Ed25519', octets: 64 })

const bits: readonly Bits[] = [256, 384, 512]
const all: readonly Algorithm[] = [
  ...bits.map(pkcs1),
  ...bits.map(pss),
  ecdsa(256, 'P-256', 64),
  ecdsa(384, 'P-384', 96),
  ecdsa(512, 'P-521', 132),
  ed25519('EdDSA'),
  ed25519('Ed25519'),
  ...bits.map(hmac)
]

/** Every algorithm that is supported, by its `alg`. `none` is never one (RFC 8725 §3.2). */
export const algorithms: ReadonlyMap<unknown, Algorithm> = new Map(all.map((algorithm) => [algorithm.alg, algorithm]))

/** The row of an `alg` that the rules have let pass. */
export function algorithmOf(alg: unknown): Algorithm {
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined) throw new TypeError('an alg that the rules let pass must be in the table')
  return algorithm
}

const namesWhere = (test: (algorithm: Algorithm) => boolean): readonly string[] =>
  all.filter(test).map(({ alg }) => alg)

/** Signed with a private key: those of `private_key_jwt`. */
export const keyAlgorithms = namesWhere(({ kty }) => kty !== 'oct')

/** JWT-SVID §2.1: RSA and ECDSA alone. */
export const svidAlgorithms = namesWhere(({ kty }) => kty === 'RSA' || kty === 'EC')

/** Signed with a secret: those of `client_secret_jwt`. */
export const hmacAlgorithms = namesWhere(({ kty }) => kty === 'oct')

/** RFC 7518 §3.2, OIDC Core §16.19: the key of an HMAC has at least as many octets as the MAC. */
export const minSecretOctets = (alg: unknown): number => algorithms.get(alg)?.octets ?? 0

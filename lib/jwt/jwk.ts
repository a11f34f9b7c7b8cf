import { canonicalBase64 } from '../basics/canonical-base64'
import { type Algorithm, isSameAlgorithm, knownAlgorithms, namesOf } from './algorithms'

type Members = Readonly<Record<string, unknown>>

/** Private and symmetric values (RFC 7518 §6.2.2, §6.3.2, §6.4; `priv` of AKP): never to be published (OIDC Registration §2). */
export const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** Whether a key is symmetric or has one of {@link secretMembers}. Asked for every request, so each is read by its name. */
export const isSecretKey = ({ kty, d, p, q, dp, dq, qi, oth, k, priv }: Members): boolean =>
  kty === 'oct' || [d, p, q, dp, dq, qi, oth, k, priv].some((value) => value !== undefined)

const hasType = ({ kty, crv }: Members, algorithm: Algorithm): boolean =>
  algorithm.kty !== 'oct' && algorithm.kty === kty && (algorithm.crv === undefined || algorithm.crv === crv)

/** The algorithms that a key of this type and curve can be used with. */
export const algorithmsOf = (jwk: Members): readonly Algorithm[] =>
  knownAlgorithms.filter((algorithm) => hasType(jwk, algorithm))

/** Whether a key is for an algorithm: it has the type and the curve, and names no other (RFC 7517 §4.4). */
export function isKeyFor(jwk: Members, algorithm: Algorithm): boolean {
  if (!hasType(jwk, algorithm)) return false
  return jwk.alg === undefined ? algorithm.keyOctets === undefined : isSameAlgorithm(jwk.alg, algorithm.alg)
}

const toInteger = (bigEndian: Buffer): bigint => BigInt(`0x${bigEndian.toString('hex')}`)
const isOdd = (number: Buffer): boolean => (number.readUInt8(number.length - 1) & 1) === 1

function rsaFault(n: Buffer, e: Buffer): string | undefined {
  if (n[0] === 0 || e[0] === 0) return 'has n or e with leading zeros'
  const bits = n.length * 8 - Math.clz32(n.readUInt8(0)) + 24
  if (bits < 2048 || bits > 8192) return `has ${bits} bits, not 2048 to 8192`
  if (!isOdd(n)) return 'has an even n'
  // With e = 1 every message is its own signature. OpenSSL takes no e over 64 bits, and large ones are slow.
  return !isOdd(e) || e.equals(Buffer.of(1)) || e.length > 8 ? 'has an unusable e' : undefined
}

/** The prime and the coefficient b of y² = x³ - 3x + b (SP 800-186 §3.2.1). */
const curves: Readonly<Record<string, { octets: number; p: bigint; b: bigint }>> = {
  'P-256': {
    octets: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8_aa3a93e7_b3ebbd55_769886bc_651d06b0_cc53b0f6_3bce3c3e_27d2604bn
  },
  'P-384': {
    octets: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7_e23ee7e4_988e056b_e3f82d19_181d9c6e_fe814112_0314088f_5013875a_c656398d_8a2ed19d_2a85c8ed_d3ec2aefn
  },
  'P-521': {
    octets: 66,
    p: 2n ** 521n - 1n,
    b: 0x0051_953eb961_8e1c9a1f_929a21a0_b68540ee_a2da725b_99b315f3_b8b48991_8ef109e1_56193951_ec7e937b_1652c0bd_3bb1bf07_3573df88_3d2c34f1_ef451fd4_6b503f00n
  }
}

/**
 * Judged by arithmetic, which takes microseconds. OpenSSL takes up to 2 ms to import a key and say the same: 100 keys
 * in a registration would hold the event loop for 200 ms. Each of these curves has a prime order, so a point on it is
 * a good one.
 */
function ecFault({ crv }: Algorithm, x: Buffer, y: Buffer): string | undefined {
  const { octets: size, p, b } = curves[String(crv)] ?? { octets: 0, p: 1n, b: 0n }
  if (x.length !== size || y.length !== size) return `needs x and y of ${size} octets`
  const [X, Y] = [toInteger(x), toInteger(y)]
  if (X >= p || Y >= p || (Y * Y - X * X * X + 3n * X - b) % p !== 0n) return 'is not a point on its curve'
  return undefined
}

/**
 * A point whose order divides 8 verifies signatures that anybody can make. With x² = -y² where the double has
 * y = 0, the curve equation gives the orders 1, 2, 4 and 8 as the roots of one polynomial in y (RFC 8032 §5.1).
 */
function ed25519Fault(x: Buffer): string | undefined {
  if (x.length !== 32) return 'needs x of 32 octets'
  const p = 2n ** 255n - 19n
  const y = BigInt.asUintN(255, toInteger(Buffer.from(x).reverse()))
  if (y >= p) return 'has an x that is not canonical'
  const yy = (y * y) % p
  return (y * (yy - 1n) * (121665n * yy * yy - 243332n * yy + 121666n)) % p === 0n
    ? 'is a point of small order'
    : undefined
}

/** For each type of key, the members that are its value, and what may be wrong with their octets. */
const types: Readonly<Record<string, { members: readonly string[]; fault: typeof ecFault }>> = {
  RSA: { members: ['n', 'e'], fault: (_algorithm, n, e) => rsaFault(n, e) },
  EC: { members: ['x', 'y'], fault: ecFault },
  OKP: { members: ['x'], fault: (_algorithm, x) => ed25519Fault(x) },
  AKP: {
    members: ['pub'],
    fault: ({ keyOctets }, pub) => (pub.length === keyOctets ? undefined : `needs a pub of ${keyOctets} octets`)
  }
}

/** The members that are the value of a key, of whatever type. */
export const valueMembers = [...new Set(Object.values(types).flatMap(({ members }) => members))]

/** The value of a key as one text, `undefined` where a part of it is no text. */
export function valueText(jwk: Members, { kty, crv, keyOctets }: Algorithm): string | undefined {
  const values = (types[kty]?.members ?? []).map((name) => jwk[name])
  return values.every((value) => typeof value === 'string') ? [kty, crv, keyOctets, ...values].join(' ') : undefined
}

/** What is wrong with the value of a key. To judge it costs the most by far, and it is the same for each use. */
export function valueFault(jwk: Members, algorithm: Algorithm): string | undefined {
  const { members, fault } = types[algorithm.kty] ?? { members: [], fault: () => 'is not public' }
  const values = members.map((name) => canonicalBase64(jwk[name], 'base64url')).filter((value) => value !== undefined)
  if (values.length < members.length) return `needs ${members.join(' and ')} in base64url`
  const [first = Buffer.of(), second = Buffer.of()] = values
  return fault(algorithm, first, second)
}

/**
 * What keys are for: signatures of any kind; JWT-SVIDs, whose keys must say so (SPIFFE Trust Domain and Bundle §4);
 * certificates of clients, whose keys some directories mark with `tls`.
 */
export type KeyUse = 'sig' | 'jwt-svid' | 'tls'

/** What tells that a key is not for verifying such signatures. */
export function purposeFault({ use, key_ops: operations, kid }: Members, wanted: KeyUse): string | undefined {
  if (kid !== undefined && typeof kid !== 'string') return 'has a kid that is not a string'
  if (wanted === 'jwt-svid' && use !== wanted) return 'is not for JWT-SVIDs (use)'
  if (wanted === 'sig' && use !== undefined && use !== wanted) return 'is not for signatures (use)'
  if (wanted === 'tls' && ![undefined, 'sig', wanted].includes(use as string)) return 'is not for certificates (use)'
  if (operations === undefined) return undefined
  if (!Array.isArray(operations) || !operations.includes('verify')) return 'is not for verifying (key_ops)'
  return new Set(operations).size < operations.length ? 'repeats an operation (key_ops)' : undefined
}

/**
 * Why a key cannot verify client assertions, in words that follow "the key …", or `undefined` if it can. Stricter than
 * JOSE libraries, most of which take RSA keys of any size and exponent and Ed25519 points of small order.
 */
export function keyFault(jwk: Members, use: KeyUse = 'sig'): string | undefined {
  const fitting = algorithmsOf(jwk)
  if (fitting.length === 0) return 'has an unsupported kty or crv'
  const [algorithm] = fitting.filter((one) => jwk.alg === undefined || namesOf(one).includes(jwk.alg as string))
  if (algorithm === undefined) return 'has an alg that does not fit its kty and crv'
  if (algorithm.needs !== undefined) return `is for an algorithm that needs ${algorithm.needs}`
  if (jwk.alg === undefined && algorithm.keyOctets !== undefined) return 'has no alg, which its kty needs'
  return purposeFault(jwk, use) ?? valueFault(jwk, algorithm)
}

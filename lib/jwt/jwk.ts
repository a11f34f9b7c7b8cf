import { createPublicKey, type JsonWebKey } from 'node:crypto'

interface KeyKind {
  kty: string
  crv?: string
  algorithms: readonly string[]
  members: readonly string[]
  /** Octets of each member (RFC 7518 §6.2.1.2, RFC 8037 §2). */
  size?: number
}

/** The keys behind each asymmetric algorithm that is supported. */
const keyKinds: readonly KeyKind[] = [
  { kty: 'RSA', algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'], members: ['n', 'e'] },
  { kty: 'EC', crv: 'P-256', algorithms: ['ES256'], members: ['x', 'y'], size: 32 },
  { kty: 'EC', crv: 'P-384', algorithms: ['ES384'], members: ['x', 'y'], size: 48 },
  { kty: 'EC', crv: 'P-521', algorithms: ['ES512'], members: ['x', 'y'], size: 66 },
  { kty: 'OKP', crv: 'Ed25519', algorithms: ['EdDSA', 'Ed25519'], members: ['x'], size: 32 }
]
export const keyAlgorithms = keyKinds.flatMap(({ algorithms }) => algorithms)

/** Private and symmetric values (RFC 7518 §6.2.2, §6.3.2, §6.4; `priv` of AKP): never to be published (OIDC Registration §2). */
export const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

export const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null
export const isObject = (value: unknown): value is Record<string, unknown> =>
  isContainer(value) && !Array.isArray(value)

/** The octets of a base64url value, or `undefined` unless it is written in the one canonical way (RFC 7515 §2). */
function octets(value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  const decoded = Buffer.from(value, 'base64url')
  return decoded.toString('base64url') === value ? decoded : undefined
}

const isOdd = (number: Buffer): boolean => ((number.at(-1) ?? 0) & 1) === 1

function rsaFault(n: Buffer, e: Buffer): string | undefined {
  if (n[0] === 0 || e[0] === 0) return 'has n or e with leading zeros'
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24
  if (bits < 2048 || bits > 8192) return `has ${bits} bits, not 2048 to 8192`
  if (!isOdd(n)) return 'has an even n'
  // With e = 1 every message is its own signature; OpenSSL takes no e over 64 bits, and large ones are slow
  return !isOdd(e) || e.equals(Buffer.of(1)) || e.length > 8 ? 'has an unusable e' : undefined
}

/**
 * A point whose order divides 8 verifies signatures that anybody can make. With x² = -y² where the double has
 * y = 0, the curve equation gives the orders 1, 2, 4 and 8 as the roots of one polynomial in y (RFC 8032 §5.1).
 */
function ed25519Fault(x: Buffer): string | undefined {
  const p = 2n ** 255n - 19n
  const y = BigInt.asUintN(255, BigInt(`0x${Buffer.from(x).reverse().toString('hex')}`))
  if (y >= p) return 'has an x that is not canonical'
  const yy = (y * y) % p
  return (y * (yy - 1n) * (121665n * yy * yy - 243332n * yy + 121666n)) % p === 0n
    ? 'is a point of small order'
    : undefined
}

function strengthFault(
  kty: unknown,
  [first = Buffer.of(), second = Buffer.of()]: readonly Buffer[]
): string | undefined {
  if (kty === 'RSA') return rsaFault(first, second)
  return kty === 'OKP' ? ed25519Fault(first) : undefined
}

function purposeFault({ use, key_ops: operations, kid }: Record<string, unknown>): string | undefined {
  if (kid !== undefined && typeof kid !== 'string') return 'has a kid that is not a string'
  if (use !== undefined && use !== 'sig') return 'is not for signatures (use)'
  if (operations === undefined) return undefined
  if (!Array.isArray(operations) || !operations.includes('verify')) return 'is not for verifying (key_ops)'
  return new Set(operations).size < operations.length ? 'repeats an operation (key_ops)' : undefined
}

function importFault(jwk: JsonWebKey): string | undefined {
  try {
    createPublicKey({ key: jwk, format: 'jwk' })
    return undefined
  } catch {
    return 'is not a valid public key'
  }
}

/** Stricter than jose, which takes RSA keys of any size and exponent and Ed25519 points of small order. */
export function formFault(jwk: Readonly<Record<string, unknown>>): string | undefined {
  const { kty, crv, alg } = jwk
  const kind = keyKinds.find((known) => known.kty === kty && (known.crv === undefined || known.crv === crv))
  if (kind === undefined) return 'has an unsupported kty or crv'
  if (alg !== undefined && !kind.algorithms.includes(alg as string))
    return 'has an alg that does not fit its kty and crv'
  const values = kind.members.map((name) => octets(jwk[name])).filter((value) => value !== undefined)
  if (values.length < kind.members.length) return `needs ${kind.members.join(' and ')} in base64url`
  if (kind.size !== undefined && values.some(({ length }) => length !== kind.size)) {
    return `needs ${kind.members.join(' and ')} of ${kind.size} octets`
  }
  return purposeFault(jwk) ?? strengthFault(kty, values)
}

/**
 * Why a key cannot verify client assertions, in words that follow "the key …", or `undefined` if it can. Made for
 * registration: whether a point is on its curve takes OpenSSL up to 2 ms, too long for each key of each fetched set.
 */
export const keyFault = (jwk: Readonly<Record<string, unknown>>): string | undefined =>
  formFault(jwk) ?? importFault(jwk)

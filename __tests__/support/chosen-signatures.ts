// Valid ECDSA signatures whose r and s are chosen: for a point R and an s, Q = (s R - e G) / r is the public key for which
// they hold (SEC 1 §4.1.6). Plain arithmetic, slow and not constant in time: it handles no secret.
import { createECDH, createHash } from 'node:crypto'

/** y² = x³ - 3x + b over the integers modulo p; the base point has the order n (SP 800-186 §3.2.1). */
interface Curve {
  readonly crv: string
  /** As OpenSSL calls it. */
  readonly name: string
  readonly hash: string
  /** Octets of a coordinate, and of r and s. */
  readonly octets: number
  readonly p: bigint
  readonly n: bigint
}

export const curves: Readonly<Record<string, Curve>> = {
  ES256: {
    crv: 'P-256',
    name: 'prime256v1',
    hash: 'sha256',
    octets: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  },
  ES384: {
    crv: 'P-384',
    name: 'secp384r1',
    hash: 'sha384',
    octets: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n
  },
  ES512: {
    crv: 'P-521',
    name: 'secp521r1',
    hash: 'sha512',
    octets: 66,
    p: 2n ** 521n - 1n,
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n
  }
}

/** Jacobian coordinates: x = X / Z², y = Y / Z³. Z = 0 is the point at infinity. */
type Point = readonly [bigint, bigint, bigint]
type Multiple = readonly [Point, scalar: bigint]

export const toBigInt = (octets: Buffer): bigint => BigInt(`0x${octets.toString('hex')}`)
export const toOctets = (value: bigint, length: number): Buffer =>
  Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')

const mod = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, u, v] = [mod(value, modulus), modulus, 1n, 0n]
  while (a !== 0n) [a, b, u, v] = [b % a, a, v - (b / a) * u, u]
  return mod(v, modulus)
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let [square, left] = [base, exponent]; left > 0n; left >>= 1n, square = (square * square) % modulus)
    if (left & 1n) result = (result * square) % modulus
  return result
}

function double([X, Y, Z]: Point, p: bigint): Point {
  const [delta, gamma] = [(Z * Z) % p, (Y * Y) % p]
  const [beta, alpha] = [(X * gamma) % p, (3n * (X - delta) * (X + delta)) % p]
  const x = mod(alpha * alpha - 8n * beta, p)
  return [x, mod(alpha * (4n * beta - x) - 8n * gamma * gamma, p), mod(2n * Y * Z, p)]
}

function add(first: Point, second: Point, p: bigint): Point {
  const [[X1, Y1, Z1], [X2, Y2, Z2]] = [first, second]
  if (Z1 === 0n) return second
  if (Z2 === 0n) return first
  const [A, B] = [(Z1 * Z1) % p, (Z2 * Z2) % p]
  const [U, S] = [(X1 * B) % p, (Y1 * Z2 * B) % p]
  const [H, R] = [mod(X2 * A - U, p), mod(Y2 * Z1 * A - S, p)]
  if (H === 0n) return R === 0n ? double(first, p) : [1n, 1n, 0n]
  const [HH, HHH] = [(H * H) % p, (H * H * H) % p]
  const X = mod(R * R - HHH - 2n * U * HH, p)
  return [X, mod(R * (U * HH - X) - S * HHH, p), (H * Z1 * Z2) % p]
}

/** The sum of two multiples, by one run of doublings. */
function sumOfMultiples([first, a]: Multiple, [second, b]: Multiple, p: bigint): Point {
  const both = add(first, second, p)
  let sum: Point = [1n, 1n, 0n]
  for (let bit = BigInt(Math.max(a.toString(2).length, b.toString(2).length)); bit-- > 0n;) {
    sum = double(sum, p)
    const [ofFirst, ofSecond] = [(a >> bit) & 1n, (b >> bit) & 1n]
    if (ofFirst || ofSecond) sum = add(sum, ofFirst ? (ofSecond ? both : first) : second, p)
  }
  return sum
}

const bases = new Map<string, Point>()
/** The base point, by OpenSSL. */
function baseOf({ name, octets }: Curve): Point {
  const known = bases.get(name)
  if (known !== undefined) return known
  const ecdh = createECDH(name)
  ecdh.setPrivateKey(toOctets(1n, octets))
  const encoded = ecdh.getPublicKey().subarray(1)
  const base: Point = [toBigInt(encoded.subarray(0, octets)), toBigInt(encoded.subarray(octets)), 1n]
  bases.set(name, base)
  return base
}

const found = new Map<string, Point>()
/** The first point whose x is `least` or more. */
export function pointFrom(curve: Curve, least: bigint): Point {
  const name = `${curve.name} ${least}`
  const point = found.get(name) ?? findPoint(curve, least)
  found.set(name, point)
  return point
}

function findPoint(curve: Curve, least: bigint): Point {
  const { p } = curve
  const [x0, y0] = baseOf(curve)
  const b = mod(y0 * y0 - x0 ** 3n + 3n * x0, p)
  for (let x = least; ; x++) {
    const square = mod(x ** 3n - 3n * x + b, p)
    const y = power(square, (p + 1n) / 4n, p) // each of the three primes is 3 mod 4
    if ((y * y) % p === square) return [x, y, 1n]
  }
}

/** The signature of a text with this R and s, and the public key for which it holds. */
export function chosenSignature(curve: Curve, point: Point, s: bigint, text: string) {
  const { crv, hash, octets, p, n } = curve
  const r = point[0] % n
  const e = toBigInt(createHash(hash).update(text).digest())
  const factor = inverse(r, n)
  const [X, Y, Z] = sumOfMultiples([point, mod(s * factor, n)], [baseOf(curve), mod(-e * factor, n)], p)
  const z = inverse(Z, p)
  const member = (value: bigint) => toOctets(value, octets).toString('base64url')
  const jwk = { kty: 'EC', crv, x: member((X * z * z) % p), y: member(mod(Y * z * z * z, p)) }
  return { jwk, signature: Buffer.concat([toOctets(r, octets), toOctets(s, octets)]) }
}

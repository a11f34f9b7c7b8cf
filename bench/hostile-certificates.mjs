// Certificates that cost whoever decodes or verifies them much more than whoever made them. No private key is needed.
import { checkPrimeSync, generateKeyPairSync, randomBytes } from 'node:crypto'

// DER, as far as certificates and groups need it

const length = (n) => (n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255])
function tlv(tag, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([Buffer.from([tag, ...length(body.length)]), body])
}
export const sequence = (...parts) => tlv(0x30, ...parts)
export const integer = (octets) => tlv(0x02, octets[0] > 127 ? Buffer.concat([Buffer.of(0), octets]) : octets)
const bitString = (octets) => tlv(0x03, [0], octets)
const oid = (hex) => tlv(0x06, Buffer.from(hex, 'hex'))
const nothing = Buffer.of(5, 0)
const nameOf = (text) => sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, text))))
const utcTime = (days) =>
  tlv(
    0x17,
    new Date(Date.now() + days * 86_400_000)
      .toISOString()
      .replace(/[-:T]|\.\d+/g, '')
      .slice(2)
  )
export const pem = (label, der) =>
  `-----BEGIN ${label}-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)
    .join('\n')}\n-----END ${label}-----\n`

/** An odd number of so many octets. What verifies or agrees with it never looks whether it is prime. */
export function odd(octets) {
  const number = randomBytes(octets)
  number[0] |= 0xc0
  number[octets - 1] |= 1
  return number
}

let serial = 0
function certificate({ subject, issuer, publicKey, algorithm, signature, names = [], isBare }) {
  const altNames = sequence(oid('551d11'), tlv(4, sequence(...names.map((name) => tlv(0x82, name)))))
  const authority = sequence(oid('551d13'), tlv(1, [255]), tlv(4, sequence(tlv(1, [255]))))
  const toBeSigned = sequence(
    tlv(0xa0, integer([2])),
    integer([(++serial % 100) + 1]),
    algorithm,
    nameOf(issuer),
    sequence(utcTime(-1), utcTime(1)),
    nameOf(subject),
    publicKey,
    ...(isBare ? [] : [tlv(0xa3, sequence(names.length > 0 ? altNames : authority))])
  )
  return pem('CERTIFICATE', sequence(toBeSigned, algorithm, bitString(signature)))
}

const belowModulus = (octets) => Buffer.concat([Buffer.of(1), randomBytes(octets - 1)])
export const rsa = (octets, e = Buffer.of(1, 0, 1)) => ({
  publicKey: () =>
    sequence(sequence(oid('2a864886f70d010101'), nothing), bitString(sequence(integer(odd(octets)), integer(e)))),
  algorithm: sequence(oid('2a864886f70d01010b'), nothing),
  signature: () => belowModulus(octets)
})
export const dsa = (octets) => ({
  publicKey: () =>
    sequence(
      sequence(oid('2a8648ce380401'), sequence(integer(odd(octets)), integer(odd(32)), integer([2]))),
      bitString(integer([3]))
    ),
  algorithm: sequence(oid('608648016503040302')),
  signature: () => sequence(integer(belowModulus(32)), integer(belowModulus(32)))
})

/**
 * A key on a curve of its own, y² = x³ + b, over p = k·2^e + 1 of 661 bits, the most that OpenSSL takes. Both points are
 * compressed, so that to decode it takes two square roots modulo p; with so large an e each takes some e² products.
 */
export function explicitCurve() {
  const power = (base, exponent, p) => {
    let result = 1n
    for (let [b, e] = [base, exponent]; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) result = (result * b) % p
    return result
  }
  const e = 649n
  let k = 2049n
  while (!checkPrimeSync(k * 2n ** e + 1n, { checks: 10 })) k += 2n
  const p = k * 2n ** e + 1n
  // A square whose roots are none: the worst for the algorithm of Tonelli and Shanks
  let b = 2n
  while (power(b, (p - 1n) / 2n, p) !== 1n || power(b, (p - 1n) / 4n, p) === 1n) b++
  const octetsOf = (number) => Buffer.from(number.toString(16).padStart(166, '0'), 'hex')
  const point = Buffer.concat([Buffer.of(2), Buffer.alloc(83)]) // x = 0
  const field = sequence(oid('2a8648ce3d0101'), integer(octetsOf(p)))
  const curve = sequence(tlv(4, [0]), tlv(4, Buffer.of(Number(b))))
  const parameters = sequence(integer([1]), field, curve, tlv(4, point), integer(octetsOf(p - 2n)))
  const publicKey = sequence(sequence(oid('2a8648ce3d0201'), parameters), bitString(point))
  return {
    publicKey: () => publicKey,
    algorithm: sequence(oid('2a8648ce3d040302')),
    signature: () => sequence(integer([1]), integer([1])),
    isBare: true // so that 31 of them fit into a handshake
  }
}

/** A leaf below so many authorities. Their signatures are wrong, but OpenSSL goes through all of them. */
export function chainOf(kind, count, names) {
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const authorities = Array.from({ length: count }, (_, i) => ({
    subject: `${i}`,
    issuer: `${Math.min(i + 1, count - 1)}`,
    publicKey: kind.publicKey(),
    isBare: kind.isBare
  }))
  const publicKey = leaf.publicKey.export({ type: 'spki', format: 'der' })
  const all = [{ subject: 'leaf', issuer: '0', publicKey, names }, ...authorities]
  return {
    key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: all.map((one) => certificate({ ...one, algorithm: kind.algorithm, signature: kind.signature() })).join('')
  }
}

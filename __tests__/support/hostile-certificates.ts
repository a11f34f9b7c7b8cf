// Certificates that cost whoever decodes them much more than whoever made them. No private key is needed: they are
// decoded before any signature is looked at.
import * as der from './der'

/** 661 bits, the most that OpenSSL takes; p - 1 = 471 · 2^652, so that square roots take it the longest. */
const twos = 652n
const prime = 471n * 2n ** twos + 1n

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base % prime]
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % prime
    square = (square * square) % prime
  }
  return result
}

const octets = (number: bigint): Buffer => {
  const hex = number.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}
const fieldElement = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(166, '0'), 'hex')

/** Whose root OpenSSL finds last: a square, in the largest of the groups whose order is a power of two. */
function hardSquare(): bigint {
  let base = 2n
  while (power(base, (prime - 1n) / 2n) === 1n) base++
  return power(base, 471n * (2n ** 200n - 2n))
}

/** y² of the point with x = 0. */
const b = hardSquare()
const point = Buffer.concat([Buffer.of(2), fieldElement(0n)])

/** An EC key with parameters of its own, generator and point compressed (X9.62): each costs a square root. */
const explicitKey = (): Buffer =>
  der.sequence(
    der.sequence(
      der.objectIdentifier('1.2.840.10045.2.1'),
      der.sequence(
        der.integer(1),
        der.sequence(der.objectIdentifier('1.2.840.10045.1.1'), der.integer(octets(prime))),
        der.sequence(der.octetString(fieldElement(1n)), der.octetString(fieldElement(b))),
        der.octetString(point),
        der.integer(octets(prime - 2n))
      )
    ),
    der.bitString(point)
  )

const rsaKey = (modulus: Buffer, exponent: Buffer): Buffer =>
  der.sequence(
    der.sequence(der.objectIdentifier('1.2.840.113549.1.1.1'), der.nothing),
    der.bitString(der.sequence(der.integer(modulus), der.integer(exponent)))
  )

/** A certificate over any key, whose signature means nothing. */
export function certificateOver(
  publicKey: Buffer,
  subject: Buffer | string = 'bank.example',
  end = new Date('2049-01-01')
): Buffer {
  const algorithm = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))
  const commonName = (text: string) =>
    der.sequence(der.set(der.sequence(der.objectIdentifier('2.5.4.3'), der.value(0x0c, Buffer.from(text)))))
  const name = typeof subject === 'string' ? commonName(subject) : subject
  const validity = der.sequence(der.time(new Date('1998-01-01')), der.time(end))
  const content = der.sequence(der.integer(1), algorithm, name, validity, name, publicKey)
  return der.sequence(content, algorithm, der.bitString(Buffer.from('3006020101020101', 'hex')))
}

/** Holds the event loop for some 300 ms where OpenSSL decodes it (threats 33 to 36). */
export const explicitCurve = (): Buffer => certificateOver(explicitKey())

export const largeModulus = (bits: number): Buffer =>
  certificateOver(rsaKey(Buffer.alloc(bits / 8, 0xff), Buffer.of(1, 0, 1)))

export const longExponent = (): Buffer => certificateOver(rsaKey(Buffer.alloc(512, 0xff), Buffer.alloc(9, 0xff)))

// Writes DER, as much of it as X.509 needs (X.690 §10). Certificates with a NUL in a name, with broken UTF-8 or of
// version 1 come from no tool, so all of them are made here.

const lengthOctets = (length: number): Buffer => {
  if (length < 0x80) return Buffer.of(length)
  const hex = length.toString(16)
  const octets = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.of(0x80 + octets.length), octets])
}

export const value = (tag: number, ...contents: Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.of(tag), lengthOctets(content.length), content])
}

export const sequence = (...items: Uint8Array[]): Buffer => value(0x30, ...items)
/** X.690 §10.3: the members of a set stand in the order of their encodings. */
export const set = (...items: Uint8Array[]): Buffer => value(0x31, ...[...items].sort((a, b) => Buffer.compare(a, b)))
export const boolean = (flag: boolean): Buffer => value(0x01, Buffer.of(flag ? 0xff : 0x00))
export const octetString = (...contents: Uint8Array[]): Buffer => value(0x04, ...contents)
export const bitString = (content: Uint8Array, unused = 0): Buffer => value(0x03, Buffer.of(unused), content)
export const nothing = Buffer.of(0x05, 0x00)
export const explicit = (tag: number, ...contents: Uint8Array[]): Buffer => value(0xa0 + tag, ...contents)

/** A non-negative integer, from its octets or a small number. */
export const integer = (number: number | Uint8Array): Buffer => {
  const octets = typeof number === 'number' ? Buffer.of(number) : Buffer.from(number)
  return (octets[0] ?? 0) >= 0x80 ? value(0x02, Buffer.of(0), octets) : value(0x02, octets)
}

export const objectIdentifier = (dotted: string): Buffer => {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [root * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.push((left & 0x7f) | 0x80)
    return digits.reverse()
  })
  return value(0x06, Buffer.from(octets))
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050. */
export const time = (date: Date): Buffer => {
  const text = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  return date.getUTCFullYear() < 2050 ? value(0x17, Buffer.from(text.slice(2))) : value(0x18, Buffer.from(text))
}

export const pem = (label: string, der: Buffer): string =>
  [`-----BEGIN ${label}-----`, ...(der.toString('base64').match(/.{1,64}/g) ?? []), `-----END ${label}-----`, ''].join(
    '\n'
  )

import { isUtf8 } from 'node:buffer'
import { typeByName, typeByPrintedName, typeName } from './attribute-types'
import { readDer } from './der'

type Attribute = readonly [oid: string, value: string]

/** A distinguished name in RFC 4514 order, the most specific RDN first. Each RDN is a set of attributes. */
export type DistinguishedName = readonly (readonly Attribute[])[]

/** RFC 4514 §3: `\` before a special character, or before the two hexadecimal digits of one octet of UTF-8. */
const pair = '\\\\(?:[ "#+,;<=>\\\\]|[0-9A-Fa-f]{2})'
/** Unescaped spaces around a value do not belong to it (RFC 2253 §4); a value that begins with `#` is hexadecimal. */
const attributePattern = new RegExp(
  ` *([A-Za-z0-9.-]+) *= *(?:#((?:[0-9A-Fa-f]{2})+)|"((?:[^"\\\\\\0]|${pair})*)"|(?!#)((?:[^\\\\,+"<>;\\0 ]|${pair}| +(?=[^ ,+]))*)) *`,
  'y'
)

/** The text behind the escapes, or `undefined` where they are no UTF-8. */
function unescaped(text: string): string | undefined {
  const octets = text.replace(/((?:\\[0-9A-Fa-f]{2})+)|\\(.)/gs, (_match, hex: string | undefined, char: string) =>
    hex === undefined ? char : `\0${hex.replaceAll('\\', '')}\0`
  )
  // An odd part stood between two marks: the grammar allows no NUL but as an escape.
  const parts = octets.split('\0').map((part, index) => (index % 2 === 0 ? part : utf8(Buffer.from(part, 'hex'))))
  return parts.includes(undefined) ? undefined : parts.join('')
}

const utf8 = (bytes: Buffer): string | undefined => (isUtf8(bytes) ? bytes.toString() : undefined)
const utf32 = (bytes: Buffer): string | undefined => {
  if (bytes.length % 4 !== 0) return undefined
  const points = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4))
  return points.every((point) => point <= 0x10ffff) ? String.fromCodePoint(...points) : undefined
}
const latin1 = (bytes: Buffer): string => bytes.toString('latin1')

/** The string types of ASN.1 that a name may use (RFC 5280 §4.1.2.4), by tag, and how OpenSSL reads each. */
const stringTypes: Readonly<Record<number, (bytes: Buffer) => string | undefined>> = {
  0x0c: utf8, // UTF8String
  0x12: latin1, // NumericString
  0x13: latin1, // PrintableString
  0x14: latin1, // TeletexString
  0x16: latin1, // IA5String
  0x1a: latin1, // VisibleString
  0x1c: utf32, // UniversalString
  0x1e: (bytes) => (bytes.length % 2 === 0 ? Buffer.from(bytes).swap16().toString('utf16le') : undefined) // BMPString
}

/** RFC 4514 §2.4: the BER of the value in hexadecimal. Only string types, with a definite length, and nothing behind. */
function fromHex(hex: string): string | undefined {
  const [value, behind] = readDer(Buffer.from(hex, 'hex')) ?? []
  return value === undefined || behind !== undefined ? undefined : stringTypes[value.tag]?.(value.content)
}

/**
 * A real name has a dozen attributes. Each costs some microseconds of the event loop, and a stranger may choose the name:
 * in a registration, or in a certificate.
 */
const maxAttributes = 64
const maxLength = 4_096

/** RDNs as they are written, `undefined` unless the whole text is grammar. `typeOf` knows the names that may stand there. */
function readRdns(text: string, typeOf: (name: string) => string | undefined): Attribute[][] | undefined {
  if (text.length > maxLength) return undefined
  const rdns: Attribute[][] = [[]]
  attributePattern.lastIndex = 0
  for (let count = 0; count < maxAttributes; count++) {
    const [whole, name = '', hex, quoted, plain = ''] = attributePattern.exec(text) ?? []
    const oid = typeOf(name)
    const value = hex === undefined ? unescaped(quoted ?? plain) : fromHex(hex)
    if (whole === undefined || oid === undefined || value === undefined) return undefined
    rdns.at(-1)?.push([oid, value])
    const end = attributePattern.lastIndex
    if (end === text.length) return rdns
    if (text[end] === ',') rdns.push([])
    else if (text[end] !== '+') return undefined
    attributePattern.lastIndex = end + 1
  }
  return undefined
}

/** Reads what an operator registered (RFC 4514 §3, and the forms of RFC 2253 §4); `undefined` for anything else. */
export const parseDistinguishedName = (text: string): DistinguishedName | undefined => readRdns(text, typeByName)

/**
 * Reads `X509Certificate.subject`: one RDN a line, escaped as in RFC 4514, in the certificate's order, which is the
 * reverse of RFC 4514 §2.1. An empty name has no lines. `undefined` where a type is unknown or the name is too long: it
 * matches nothing.
 */
export function readSubject(subject: string | undefined): DistinguishedName | undefined {
  const lines = subject ? subject.split('\n') : []
  if (lines.length > maxAttributes) return undefined
  const rdns = lines.flatMap((line) => {
    const read = readRdns(line, typeByPrintedName)
    return read?.length === 1 ? read : []
  })
  return rdns.length === lines.length ? rdns.reverse() : undefined
}

/** The types in the subject of a certificate that have no name here, for the log. */
export const unknownTypes = (subject: string): string[] =>
  [...subject.matchAll(/(?:^|\n| \+ )([^=\n]+)=/g)]
    .map(([, type = '']) => type)
    .filter((type) => typeByPrintedName(type) === undefined)

const escaped = (value: string): string =>
  value
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/^[ #]|(?<!^) $/g, '\\$&')
    .replace(/\p{Cc}/gu, (char) => Buffer.from(char).toString('hex').replace(/../g, '\\$&'))

/** RFC 4514 §2: the text to register. {@link parseDistinguishedName} reads it as the same name. */
export const formatDistinguishedName = (name: DistinguishedName): string =>
  name.map((rdn) => rdn.map(([oid, value]) => `${typeName(oid)}=${escaped(value)}`).join('+')).join(',')

/** The same in printable ASCII (RFC 4514 §2.4 lets any character be escaped): for logs, and fit to be registered. */
export const asciiDistinguishedName = (name: DistinguishedName): string =>
  formatDistinguishedName(name).replace(/[^\x20-\x7e]/gu, (char) =>
    Buffer.from(char).toString('hex').replace(/../g, '\\$&')
  )

const same = (value: string): string => value
/** What differs in case, in spaces or in normalisation only becomes equal. */
const folded = (value: string): string => value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/** Each RDN as one string; the attributes of an RDN are a set (RFC 5280 §4.1.2.4), so their order does not count. */
const rdnTexts = (name: DistinguishedName, form: (value: string) => string): string[] =>
  name.map((rdn) => JSON.stringify(rdn.map(([oid, value]) => JSON.stringify([oid, form(value)])).sort()))

/** A name as texts to be compared. */
export interface ComparableName {
  /**
   * Equal for two names that are the same sequence of RDNs with the same values, code point by code point. Nothing is
   * folded: RFC 5280 §7.1 would ignore case and inner spaces, and such folding is where look-alikes get in.
   */
  readonly exact: string
  /** Equal for two that differ in order, case, spaces or normalisation only: no match, but worth a hint in the log. */
  readonly folded: string
}

export const comparable = (name: DistinguishedName): ComparableName => ({
  exact: rdnTexts(name, same).join(),
  folded: rdnTexts(name, folded).sort().join()
})

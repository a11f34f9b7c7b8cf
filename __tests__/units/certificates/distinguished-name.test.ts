import {
  comparable,
  type DistinguishedName,
  formatDistinguishedName,
  parseDistinguishedName,
  readSubject,
  unknownTypes
} from '../../../lib/certificates/distinguished-name'
import { recipes } from '../../support/certificate-recipes'
import { certificate, x509 } from '../../support/client-certificates'
import { cpuOf } from '../../support/cpu-time'

const isSameName = (a: DistinguishedName, b: DistinguishedName) => comparable(a).exact === comparable(b).exact
const isSameButForm = (a: DistinguishedName, b: DistinguishedName) => comparable(a).folded === comparable(b).folded
const parsed = (text: string) => parseDistinguishedName(text)
const valueOf = (text: string) => parsed(`CN=${text}`)?.[0]?.[0]?.[1]
const types = (text: string) => parsed(text)?.map((rdn) => rdn.map(([oid]) => oid))

describe('parseDistinguishedName', () => {
  test.each([
    ['plain text', 'bank.example', 'bank.example'],
    ['spaces inside', 'Bank  AG', 'Bank  AG'],
    ['spaces around it do not count', '  Bank AG  ', 'Bank AG'],
    ['escaped spaces do', '\\  a \\ ', '  a  '],
    ['a backslash before each special character', '\\ \\"\\#\\+\\,\\;\\<\\=\\>\\\\', ' "#+,;<=>\\'],
    ['a backslash before octets of UTF-8', 'B\\C3\\a4nk', 'B\u00e4nk'],
    ['octets in the middle of plain UTF-8', '\u65e5\\e6\\9c\\ac', '\u65e5\u672c'],
    ['an escaped NUL', 'a\\00b', 'a\0b'],
    ['a line break', 'a\nb', 'a\nb'],
    ['an equals sign, plain (RFC 4514 §3)', 'a=b', 'a=b'],
    ['nothing', '', ''],
    ['quotes around it (RFC 1779)', '"Acme, Inc.; + <>=#"', 'Acme, Inc.; + <>=#'],
    ['escapes within quotes', '" \\"x\\" "', ' "x" '],
    ['hexadecimal UTF8String', '#0c0742616e6b204147', 'Bank AG'],
    ['hexadecimal PrintableString, capital letters', '#13024445'.toUpperCase(), 'DE'],
    ['hexadecimal BMPString', '#1e0400420061', 'Ba'],
    ['hexadecimal UniversalString', '#1c040001d11e', '\u{1d11e}'],
    ['hexadecimal TeletexString, Latin-1', '#1401e4', '\u00e4'],
    ['hexadecimal with a long length', `#0c8180${'61'.repeat(128)}`, 'a'.repeat(128)]
  ])('reads a value: %s', (_title, text, expected) => {
    expect(valueOf(text)).toBe(expected)
  })

  test.each([
    ['no equals sign', 'CN'],
    ['nothing at all', ''],
    ['an unknown name', 'NOSUCHNAME=x'],
    ['a pattern', '(.*?)(?:$)'],
    ['a comma at the end', 'CN=x,'],
    ['a plus at the end', 'CN=x+'],
    ['a comma at the start', ',CN=x'],
    ['an unescaped quote inside', 'CN=a"b'],
    ['an open quote', 'CN="a'],
    ['text behind quotes', 'CN="a"b'],
    ['unescaped ; < or >', 'CN=a;O=b'],
    ['unescaped <', 'CN=a<b'],
    ['a NUL', 'CN=a\0b'],
    ['a NUL in quotes', 'CN="a\0b"'],
    ['a backslash at the end', 'CN=a\\'],
    ['a backslash before an ordinary letter', 'CN=a\\gb'],
    ['escaped octets that are no UTF-8', 'CN=a\\ff'],
    ['escaped octets that break off', 'CN=\\e6\\9c'],
    ['# without octets', 'CN=#'],
    ['# with half an octet', 'CN=#0c0'],
    ['# of an OCTET STRING', 'CN=#040161'],
    ['# whose length is too small', 'CN=#0c016161'],
    ['# whose length is too large', 'CN=#0c0361'],
    ['# with an indefinite length', 'CN=#0c8061610000'],
    ['# of broken UTF-8', 'CN=#0c01ff'],
    ['# of half a BMP character', 'CN=#1e0141'],
    ['# of no Unicode code point', 'CN=#1c0400110000'],
    ['# of three quarters of a code point', 'CN=#1c03000041'],
    ['an object identifier with a leading zero', '2.5.04.3=x'],
    ['an object identifier with one arc', '2=x'],
    ['an object identifier outside its tree', '3.1.2=x'],
    ['OpenSSL’s slash form', '/C=DE/CN=x']
  ])('refuses %s', (_title, text) => {
    expect(parsed(text)).toBeUndefined()
  })

  test.each([
    [
      'names in any case',
      'cn=x,Ou=y,EMAILADDRESS=z,e=w',
      ['2.5.4.3', '2.5.4.11', ...Array(2).fill('1.2.840.113549.1.9.1')]
    ],
    [
      'dotted object identifiers, with OID. or without',
      '2.5.4.97=x,OID.2.5.4.97=y,oid.1.2.3=z',
      ['2.5.4.97', '2.5.4.97', '1.2.3']
    ],
    ['UID in any case is userId (RFC 4514 §3)', 'uid=1', ['0.9.2342.19200300.100.1.1']],
    ['spaces around commas, equals and plus signs', ' CN = x , O = y ', ['2.5.4.3', '2.5.4.10']]
  ])('reads %s', (_title, text, expected) => {
    expect(types(text)?.flat()).toEqual(expected)
  })

  test('is quick with long text that matches almost', () => {
    const texts = [`CN=${' '.repeat(50_000)},`, `CN=${'\\41'.repeat(20_000)};`, `CN="${'a'.repeat(50_000)}`]
    expect(cpuOf(() => texts.map(parsed))).toBeLessThan(500)
  })
})

describe('the subject of a certificate', () => {
  const readable = Object.keys(recipes).filter((id) => !['dn-bad-utf8', 'dn-octets', 'dn-unknown-type'].includes(id))

  test.each(readable)('%s: its text, registered, is the same name', (id) => {
    const name = readSubject(x509(id).subject)
    expect(name).toBeDefined()
    if (name?.length === 0) return
    const text = formatDistinguishedName(name!)
    expect(text).toMatch(/^[^\n\0]+$/)
    expect(isSameName(parsed(text)!, name!)).toBe(true)
  })

  // Threat 52: a name whose text reads like several RDNs
  test.each([
    ['bank', 'CN=bank.example,O=Bank AG,C=DE'],
    ['dn-comma', 'CN=a\\+b=c\\;d\\<e\\>\\"f\\"\\\\g,O=Acme\\, Inc.,C=US'],
    ['dn-newline', 'CN=x\\0aO=Bank AG\\0aCN=bank.example,O=Shop,C=DE'],
    ['dn-nul', 'CN=bank.example\\00.evil.example,O=Bank AG,C=DE'],
    ['dn-edges', 'CN=\\#lead,O=\\ #edge\\ ,C=DE'],
    ['dn-private', '1.3.6.1.4.1.99999.1=anything,O=Bank AG,C=DE'],
    ['dn-empty', '']
  ])('%s is %s', (id, expected) => {
    expect(formatDistinguishedName(readSubject(x509(id).subject)!)).toBe(expected)
  })

  test.each(['dn-bad-utf8', 'dn-octets'])('%s: OpenSSL reads no such certificate', (id) => {
    expect(() => x509(id)).toThrow()
  })

  test('a type that we do not know makes it match nothing', () => {
    const { subject } = x509('dn-unknown-type')
    expect(subject).toContain('subjectAltName=anything')
    expect(readSubject(subject)).toBeUndefined()
    expect(unknownTypes(subject)).toEqual(['subjectAltName'])
  })

  // Threat 52: an attribute type that imitates another
  test('uniqueIdentifier, which OpenSSL prints as uid, is not UID', () => {
    expect(x509('dn-unique-identifier').subject).toMatch(/^uid=client-1$/m)
    const name = readSubject(x509('dn-unique-identifier').subject)!
    expect(formatDistinguishedName(name)).toBe('uniqueIdentifier=client-1,O=Bank AG,C=DE')
    expect(isSameName(parsed('UID=client-1,O=Bank AG,C=DE')!, name)).toBe(false)
    expect(isSameName(parsed('uid=client-1,O=Bank AG,C=DE')!, name)).toBe(false)
  })

  test('a line is one RDN: what would read as two is none', () => {
    expect(readSubject('C=DE,O=Bank AG')).toBeUndefined()
    expect(readSubject('C=DE\n')).toBeUndefined()
  })

  test('the certificates of a run are made once', () => {
    expect(certificate('bank')).toBe(certificate('bank'))
  })
})

describe('comparison', () => {
  const subject = (id: string) => readSubject(x509(id).subject)!
  const bank = parsed('CN=bank.example,O=Bank AG,C=DE')!

  test.each([
    ['bank', true, true],
    ['dn-printable', true, true],
    ['dn-bmp', true, true],
    ['dn-upper', false, true],
    ['dn-spaces', false, true],
    ['dn-reversed', false, true],
    ['dn-homoglyph', false, false],
    ['dn-prefix', false, false],
    ['dn-suffix', false, false],
    ['dn-shorter', false, false],
    ['dn-nul', false, false],
    ['dn-multi', false, false],
    ['dn-two-ou', false, false],
    ['dn-empty', false, false]
  ])('%s: the same %j, but for form %j', (id, same, form) => {
    expect([isSameName(bank, subject(id)), isSameButForm(bank, subject(id))]).toEqual([same, form])
  })

  test.each([
    ['the attributes of one RDN have no order', 'UID=42+CN=a,O=b', 'CN=a+UID=42,O=b', true],
    ['RDNs have one', 'CN=a,O=b', 'O=b,CN=a', false],
    ['two RDNs are not one of two attributes', 'CN=a,O=b', 'CN=a+O=b', false],
    ['an attribute twice is not the same as once', 'CN=a+CN=a', 'CN=a', false],
    ['NFC and NFD differ', 'O=B\u00e4nk', 'O=Ba\u0308nk', false],
    ['values keep their bounds', 'CN=a,O=b', 'CN=a\\,O\\=b', false],
    ['types count', 'CN=a', 'O=a', false],
    ['a UniversalString in hexadecimal', 'CN=#1c08000000420001f600,O=b', 'CN=B\u{1f600},O=b', true]
  ])('%s', (_title, a, b, expected) => {
    expect(isSameName(parsed(a)!, parsed(b)!)).toBe(expected)
  })

  test('NFC and NFD differ in form only', () => {
    expect(isSameButForm(parsed('O=B\u00e4nk')!, parsed('O=Ba\u0308nk')!)).toBe(true)
  })
})

describe('a name that is too long', () => {
  const longest = Array.from({ length: 64 }, (_, index) => `OU=${index}`)

  test.each([
    ['64 attributes are read, 65 are not', longest.join(','), [...longest, 'CN=a'].join(',')],
    ['in one RDN as well', longest.join('+'), [...longest, 'CN=a'].join('+')],
    ['4,096 characters are read, more are not', `CN=${'a'.repeat(4_093)}`, `CN=${'a'.repeat(4_094)}`]
  ])('%s', (_name, read, refused) => {
    expect(parseDistinguishedName(read)).toBeDefined()
    expect(parseDistinguishedName(refused)).toBeUndefined()
  })

  test('nor is the subject of a certificate with more than 64 RDNs', () => {
    expect(readSubject(longest.join('\n'))).toHaveLength(64)
    expect(readSubject([...longest, 'CN=a'].join('\n'))).toBeUndefined()
  })
})

// What is read of a certificate before OpenSSL decodes it, held against OpenSSL.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { lookAtCertificate } from '../../../lib/certificates/undecoded-certificate'
import { recipes } from '../../support/certificate-recipes'
import { certificate, x509 } from '../../support/client-certificates'
import * as der from '../../support/der'
import { certificateOver, explicitCurve, largeModulus, longExponent } from '../../support/hostile-certificates'
import { rsaPair } from '../../support/rsa-keys'

const unreadable = ['dn-bad-utf8', 'dn-octets']
const seconds = (text: string) => Date.parse(text) / 1000

test.each(Object.keys(recipes).filter((id) => !unreadable.includes(id)))('%s: as OpenSSL reads it', (id) => {
  const look = lookAtCertificate(certificate(id).der)
  const { publicKey, validFrom, validTo } = x509(id)
  const jwk = publicKey.export({ format: 'jwk' })
  expect(look).toEqual({
    key: jwk.crv === 'secp256k1' ? 'is not on P-256, P-384 or P-521' : jwk,
    validFrom: seconds(validFrom),
    validTo: seconds(validTo)
  })
})

const spki = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ type: 'spki', format: 'der' })
const keyIn = (octets: Buffer) => lookAtCertificate(octets)?.key

test.each([
  ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['RSA of 4096 bits', rsaPair(4096)],
  ['RSA with a long exponent', generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 0x1000001 })]
])('a key is read: %s', (_, pair) => {
  expect(keyIn(certificateOver(spki(pair)))).toEqual(pair.publicKey.export({ format: 'jwk' }))
})

const namedCurve = (oid: string, point: Buffer) =>
  der.sequence(der.sequence(der.objectIdentifier('1.2.840.10045.2.1'), der.objectIdentifier(oid)), der.bitString(point))
const compressed = namedCurve('1.2.840.10045.3.1.7', Buffer.alloc(33, 2))
/** The key of the hostile certificate, under the name of another kind. */
const renamed = (oid: string) => {
  const octets = explicitCurve()
  const name = der.objectIdentifier('1.2.840.10045.2.1')
  const at = octets.indexOf(name)
  const other = der.objectIdentifier(oid)
  expect(other).toHaveLength(name.length)
  return Buffer.concat([octets.subarray(0, at), other, octets.subarray(at + name.length)])
}

/** An RSA key whose octets stand in the certificate as `wrap` puts them. */
function rsaIn(wrap: (key: Buffer) => Buffer): Buffer {
  const pair = rsaPair(2048)
  const key = pair.publicKey.export({ type: 'pkcs1', format: 'der' })
  return der.sequence(der.sequence(der.objectIdentifier('1.2.840.113549.1.1.1')), wrap(key))
}

test.each<[string, Buffer, string]>([
  ['an EC key with parameters of its own', explicitCurve(), 'is not on P-256, P-384 or P-521'],
  [
    'an EC key without parameters',
    certificateOver(der.sequence(der.sequence(der.objectIdentifier('1.2.840.10045.2.1')), der.bitString(Buffer.of(4)))),
    'is not on P-256'
  ],
  ['P-224, whose roots are slow', certificateOver(namedCurve('1.3.132.0.33', Buffer.alloc(29, 2))), 'is not on P-256'],
  ['a compressed point', certificateOver(compressed), 'has a compressed point'],
  ['RSA of 8200 bits', largeModulus(8200), 'has 8200 bits'],
  ['RSA of 65536 bits', largeModulus(65_536), 'has 65536 bits'],
  ['an exponent of 72 bits', longExponent(), 'has an unusable e'],
  [
    'RSA that is none',
    certificateOver(
      der.sequence(der.sequence(der.objectIdentifier('1.2.840.113549.1.1.1')), der.bitString(Buffer.of(1)))
    ),
    'cannot be read'
  ],
  [
    'RSA behind unused bits',
    certificateOver(
      der.sequence(der.sequence(der.objectIdentifier('1.2.840.113549.1.1.1')), der.bitString(Buffer.of(0x30, 0), 1))
    ),
    'cannot be read'
  ],
  ['RSA behind unused bits, whole', certificateOver(rsaIn((key) => der.bitString(key, 1))), 'cannot be read'],
  [
    'RSA in an octet string',
    certificateOver(rsaIn((key) => Buffer.concat([Buffer.of(4), der.bitString(key).subarray(1)]))),
    'cannot be read'
  ],
  ['another kind of key', certificateOver(spki(generateKeyPairSync('x25519'))), 'has an unsupported type'],
  // OpenSSL reads SM2 with any parameters under this name.
  ['the same EC key under another name', renamed('1.2.840.10045.9.9'), 'has an unsupported type'],
  [
    'RSASSA-PSS',
    certificateOver(spki(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }))),
    'has an unsupported type'
  ]
])('a key that is not decoded: %s', (_, octets, fault) => {
  expect(keyIn(octets)).toMatch(new RegExp(`^${fault}`))
})

const { der: bank } = certificate('bank')
const flipped = (index: number, octet: number) => {
  const copy = Buffer.from(bank)
  copy[index] = octet
  return copy
}
test.each<[string, Buffer]>([
  ['nothing', Buffer.of()],
  ['an octet behind it', Buffer.concat([bank, Buffer.of(0)])],
  ['a second one behind it', Buffer.concat([bank, bank])],
  ['cut off', bank.subarray(0, -1)],
  ['an indefinite length', flipped(1, 0x80)],
  ['a tag of several octets', flipped(0, 0x3f)],
  ['a set in place of a sequence', flipped(0, 0x31)],
  ['PEM', Buffer.from(certificate('bank').pem)],
  // Node would decode the text, wherever it stands.
  [
    'a certificate whose name holds PEM',
    certificateOver(spki(generateKeyPairSync('ed25519')), `\n${der.pem('CERTIFICATE', explicitCurve())}`)
  ]
])('no certificate: %s', (_, octets) => {
  expect(lookAtCertificate(octets)).toBeUndefined()
})

// Its length takes two octets. OpenSSL skips zeros before them.
test.each([2, 3, 4, 5, 6, 7, 126, 127])('a length of %d octets is read if it is of at most three', (count) => {
  const length = Buffer.alloc(count)
  length.writeUInt16BE(bank.length - 4, count - 2)
  const octets = Buffer.concat([Buffer.of(0x30, 0x80 + count), length, bank.subarray(4)])
  expect(lookAtCertificate(octets)).toEqual(count <= 3 ? lookAtCertificate(bank) : undefined)
})

test.each([
  ['UTCTime until 2049', '2049-12-31T23:59:59Z'],
  ['UTCTime of the last century', '1999-01-02T03:04:05Z'],
  ['GeneralizedTime from 2050', '2050-01-01T00:00:00Z']
])('dates: %s', (_, text) => {
  const octets = certificateOver(compressed, 'a', new Date(text))
  expect(lookAtCertificate(octets)?.validTo).toBe(seconds(text))
})

test('a date that is none is NaN, which is never valid', () => {
  const octets = certificateOver(compressed)
  const at = octets.indexOf('490101000000Z')
  expect(
    lookAtCertificate(Buffer.concat([octets.subarray(0, at), Buffer.from('49010100000+Z'), octets.subarray(at + 13)]))
      ?.validTo
  ).toBeNaN()
})

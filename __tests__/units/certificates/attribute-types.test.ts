// Every attribute type that the OpenSSL of this Node has a name for can be read, and registered by that name.
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { typeByName, typeByPrintedName, typeName } from '../../../lib/certificates/attribute-types'
import { readSubject } from '../../../lib/certificates/distinguished-name'
import * as der from '../../support/der'
import { certificateOver } from '../../support/hostile-certificates'

/** Arcs of attribute types, and how far OpenSSL may know them. */
const arcs: [arc: string, last: number][] = [
  ['2.5.4', 130],
  ['0.9.2342.19200300.100.1', 80],
  ['1.2.840.113549.1.9', 15],
  ['1.3.6.1.4.1.311.60.2.1', 5],
  ['1.3.6.1.5.5.7.9', 8],
  ['1.2.643.100', 120],
  ['1.2.643.3.131.1', 3],
  ['1.3.6.1.4.1.311.20.2', 3]
]
/** No attribute types: an arc itself, and extended key usages. */
const others = ['1.3.6.1.4.1.311.20.2.2']

const spki = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' })
const oids = arcs.flatMap(([arc, last]) => Array.from({ length: last + 1 }, (_, number) => `${arc}.${number}`))
const rdn = (oid: string) => der.set(der.sequence(der.objectIdentifier(oid), der.value(0x0c, Buffer.from('value'))))
/** The subject as OpenSSL prints it. */
const printed = (oid: string) => new X509Certificate(certificateOver(spki, der.sequence(rdn(oid)))).subject

test.each(oids.filter((oid) => !others.includes(oid)))('%s', (oid) => {
  const subject = printed(oid)
  expect(readSubject(subject)).toEqual([[[oid, 'value']]])
  const name = subject.replace(/=value$/, '')
  expect(typeByPrintedName(name)).toBe(oid)
  // What is written for it reads as the same type again.
  expect(typeByName(typeName(oid))).toBe(oid)
  if (name !== 'uid') expect(typeByName(name)).toBe(oid)
})

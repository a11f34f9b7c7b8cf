import {
  compareSubject,
  registeredSubject,
  urisIn,
  type SubjectField
} from '../../../lib/certificates/registered-subject'
import { readCertificate } from '../../../lib/certificates/client-certificate'
import { x509 } from '../../support/client-certificates'

const compare = (id: string, field: string, value: unknown) =>
  compareSubject(readCertificate(x509(id)), { [`tls_client_auth_${field}`]: value })

test.each([
  ['one of several', 'san-many', 'san_dns', 'rp.example', 'match'],
  ['in another case', 'san-upper', 'san_dns', 'rp.example', 'match'],
  ['in the CN only', 'san-none', 'san_dns', 'rp.example', 'other'],
  ['a wildcard in the certificate', 'san-wildcard', 'san_dns', 'rp.example', 'other'],
  ['a wildcard in the certificate that OpenSSL would take', 'san-wildcard-below', 'san_dns', 'a.rp.example', 'other'],
  ['a wildcard registered', 'san-wildcard', 'san_dns', '*.example', 'unusable'],
  ['a leading dot registered', 'san-child', 'san_dns', '.rp.example', 'unusable'],
  ['a trailing dot registered', 'san-many', 'san_dns', 'rp.example.', 'unusable'],
  ['a subdomain', 'san-child', 'san_dns', 'rp.example', 'other'],
  ['the parent domain', 'san-parent', 'san_dns', 'rp.example', 'other'],
  // Threat 52: a NUL behind a name
  ['a NUL behind the name', 'san-nul', 'san_dns', 'rp.example', 'other'],
  ['an entry that reads like several', 'san-injected-dns', 'san_dns', 'rp.example', 'other'],
  ['an address registered', 'san-ip-as-dns', 'san_dns', '192.0.2.7', 'unusable'],
  ['nothing registered', 'san-many', 'san_dns', '', 'unusable'],
  ['no string registered', 'san-many', 'san_dns', ['rp.example'], 'unusable']
] as const)('dns, %s', (_title, id, field, value, expected) => {
  expect(compare(id, field, value)).toBe(expected)
})

test.each([
  ['the very text', 'san-many', 'https://rp.example/client', 'match'],
  ['another case', 'san-upper', 'https://rp.example/client', 'other'],
  ['a longer path', 'san-many', 'https://rp.example/client/', 'other'],
  ['an entry of a DNS name that reads like a URI', 'san-injected-dns', 'https://rp.example/client', 'other'],
  ['a DNS name that is a URI', 'san-uri-as-dns', 'https://rp.example/client', 'other'],
  ['an entry that reads like two', 'san-injected-uri', 'https://rp.example/client', 'other'],
  // Threat 52: alternative names that read like several (CVE-2021-44532)
  ['an entry with quotes that reads like two', 'san-injected-quote', 'https://rp.example/client', 'other'],
  ['a relative one registered', 'san-many', '/client', 'unusable'],
  ['one with a space registered', 'san-many', 'https://rp.example/a b', 'unusable'],
  ['a SPIFFE id', 'svid', 'spiffe://example.org/client/one', 'match'],
  ['a SPIFFE id beside another', 'svid-two-uris', 'spiffe://example.org/client/one', 'other'],
  ['no alternative names', 'san-none', 'https://rp.example/client', 'other']
])('uri, %s', (_title, id, value, expected) => {
  expect(compare(id, 'san_uri', value)).toBe(expected)
})

test.each([
  ['IPv4', 'san-many', 'ip', '192.0.2.7', 'match'],
  ['IPv6 in another spelling', 'san-many', 'ip', '2001:DB8:0:0::0:7', 'match'],
  ['an address as DNS name', 'san-ip-as-dns', 'ip', '192.0.2.7', 'other'],
  ['IPv4 is not its mapped form', 'san-ip-mapped', 'ip', '192.0.2.7', 'other'],
  ['the mapped form itself', 'san-ip-mapped', 'ip', '::ffff:192.0.2.7', 'match'],
  ['a range registered', 'san-many', 'ip', '192.0.2.0/24', 'unusable'],
  ['a zone registered', 'san-many', 'ip', 'fe80::1%eth0', 'unusable'],
  ['another', 'san-many', 'ip', '192.0.2.8', 'other'],
  ['a mailbox', 'san-many', 'email', 'Ops@Rp.example', 'match'],
  ['a mailbox, its domain in another case', 'san-many', 'email', 'Ops@RP.EXAMPLE', 'match'],
  ['a mailbox, its local part in another case', 'san-many', 'email', 'ops@rp.example', 'other'],
  ['a mailbox in the subject only', 'san-email-in-dn', 'email', 'ops@rp.example', 'other'],
  ['two mailboxes registered', 'san-many', 'email', 'a@rp.example,b@rp.example', 'unusable'],
  ['a domain registered as mailbox', 'san-many', 'email', '@rp.example', 'unusable']
])('%s', (_title, id, kind, value, expected) => {
  expect(compare(id, `san_${kind}`, value)).toBe(expected)
})

test.each([
  ['the name', 'bank', 'CN=bank.example,O=Bank AG,C=DE', 'match'],
  ['another case', 'dn-upper', 'CN=bank.example,O=Bank AG,C=DE', 'form'],
  ['another name', 'shop', 'CN=bank.example,O=Bank AG,C=DE', 'other'],
  ['no name', 'dn-empty', 'CN=bank.example,O=Bank AG,C=DE', 'other'],
  ['a type that we do not know', 'dn-unknown-type', '2.5.29.17=anything,O=Bank AG,C=DE', 'other'],
  ['a type by its number', 'dn-x500-unique-identifier', '2.5.4.45=client-1,O=Bank AG,C=DE', 'match'],
  ['a type as .NET writes it', 'dn-x500-unique-identifier', 'OID.2.5.4.45=client-1,O=Bank AG,C=DE', 'match'],
  ['a type by its name', 'dn-x500-unique-identifier', 'x500UniqueIdentifier=client-1,O=Bank AG,C=DE', 'match'],
  [
    'a type with a name that is like it',
    'dn-x500-unique-identifier',
    'uniqueIdentifier=client-1,O=Bank AG,C=DE',
    'other'
  ],
  ['an empty name registered', 'dn-empty', '', 'unusable']
])('dn, %s', (_title, id, value, expected) => {
  expect(compare(id, 'subject_dn', value)).toBe(expected)
})

test.each<[string, Partial<Record<SubjectField, unknown>>, boolean]>([
  ['none', {}, false],
  ['one', { tls_client_auth_san_dns: 'rp.example' }, true],
  ['one, and null for others', { tls_client_auth_san_dns: 'rp.example', tls_client_auth_san_ip: null }, true],
  ['two', { tls_client_auth_san_dns: 'rp.example', tls_client_auth_san_ip: '192.0.2.7' }, false],
  ['one, and an empty text for another', { tls_client_auth_san_dns: 'rp.example', tls_client_auth_san_uri: '' }, true]
])('of the five fields %s', (_title, record, usable) => {
  expect(typeof registeredSubject(record) !== 'string').toBe(usable)
})

test.each([
  [undefined, []],
  ['DNS:a.example, URI:urn:a', ['urn:a']],
  ['URI:"a\\u002c URI:b"', ['a, URI:b']],
  ['othername:UPN::"x, URI:y", URI:z', ['z']],
  ['URI:a, what is this', []],
  ['URI:"a', []]
])('urisIn(%j)', (text, expected) => {
  expect(urisIn(text)).toEqual(expected)
})

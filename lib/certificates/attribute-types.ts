/**
 * The attribute types of a distinguished name: object identifier, the name that OpenSSL prints (its case counts),
 * other names in use. RFC 4514 §3, RFC 4519 §2, PKCS #9, CA/Browser Forum EV Guidelines §7.1.4.2.
 */
const table: readonly (readonly [oid: string, name: string, ...aliases: string[]])[] = [
  ['2.5.4.3', 'CN', 'commonName'],
  ['2.5.4.4', 'SN', 'surname'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C', 'countryName'],
  ['2.5.4.7', 'L', 'localityName'],
  ['2.5.4.8', 'ST', 'S', 'stateOrProvinceName'],
  ['2.5.4.9', 'street', 'streetAddress'],
  ['2.5.4.10', 'O', 'organizationName'],
  ['2.5.4.11', 'OU', 'organizationalUnitName'],
  ['2.5.4.12', 'title', 'T'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.16', 'postalAddress'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.18', 'postOfficeBox'],
  ['2.5.4.20', 'telephoneNumber'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN', 'G', 'givenName'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier', 'generation'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.72', 'role'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'UID', 'userId'],
  ['0.9.2342.19200300.100.1.3', 'mail', 'rfc822Mailbox'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['1.2.840.113549.1.9.1', 'emailAddress', 'E', 'email'],
  ['1.2.840.113549.1.9.2', 'unstructuredName'],
  ['1.2.840.113549.1.9.8', 'unstructuredAddress'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL', 'jurisdictionLocalityName'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST', 'jurisdictionStateOrProvinceName'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC', 'jurisdictionCountryName']
]

const nameOf = new Map(table.map(([oid, name]) => [oid, name]))
const byPrinted = new Map(table.map(([oid, name]) => [name, oid]))
const byAnyName = new Map(
  table.flatMap(([oid, ...names]) => names.map((name): [string, string] => [name.toLowerCase(), oid]))
)

const dotted = /^(?:[01]\.(?:[0-9]|[1-3][0-9])|2\.(?:0|[1-9][0-9]*))(?:\.(?:0|[1-9][0-9]*))+$/
const dottedOf = (text: string): string | undefined => (dotted.test(text) ? text : undefined)

/** The object identifier behind a name that a person wrote, in any case (RFC 4514 §3), or behind `OID.2.5.4.3`. */
export const typeByName = (text: string): string | undefined =>
  byAnyName.get(text.toLowerCase()) ?? dottedOf(text.replace(/^oid\./i, ''))

/**
 * The object identifier behind a name that OpenSSL printed. In its exact case: OpenSSL's `uid` is uniqueIdentifier,
 * and reading it as RFC 4514's `UID`, userId, would let one type imitate the other.
 */
export const typeByPrintedName = (text: string): string | undefined => byPrinted.get(text) ?? dottedOf(text)

/** How to write a type: its name, or the dotted object identifier. */
export const typeName = (oid: string): string => nameOf.get(oid) ?? oid

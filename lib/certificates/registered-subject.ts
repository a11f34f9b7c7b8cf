import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { subjectOf } from './client-certificate'
import { isSameButForm, isSameName, parseDistinguishedName } from './distinguished-name'

/** The five ways to register the subject of a `tls_client_auth` client (RFC 8705 §2.1.2). */
export type SubjectField =
  | 'tls_client_auth_subject_dn'
  | 'tls_client_auth_san_dns'
  | 'tls_client_auth_san_uri'
  | 'tls_client_auth_san_ip'
  | 'tls_client_auth_san_email'

interface SubjectKind {
  readonly field: SubjectField
  /** What a usable value is, to finish the sentence "… must be …". */
  readonly must: string
  readonly isUsable: (value: string) => boolean
  readonly matches: (certificate: X509Certificate, value: string) => boolean
}

/** A host name, not a pattern and not an address. `checkHost` would take a leading dot for any subdomain. */
const isHost = (value: string): boolean =>
  value.length <= 253 &&
  isIP(value) === 0 &&
  value.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))

const isAddress = (value: string): boolean => isIP(value) !== 0 && !value.includes('%')

function isMailbox(value: string): boolean {
  const [, host] = /^[\x21-\x3f\x41-\x7e]{1,64}@(.+)$/.exec(value) ?? []
  return host !== undefined && isHost(host)
}

/** An entry of `subjectAltName`: `Type:value`, where whatever could be misread stands in a JSON string. */
const entryPattern = /([^:,"]+):((?:"(?:[^"\\]|\\.)*"|[^,"])*)(?:, |$)/y

/** The URIs in `X509Certificate.subjectAltName`, by Node's quoting (crypto, CVE-2021-44532). None if it is not grammar. */
export function urisIn(subjectAltName: string | undefined): string[] {
  const text = subjectAltName ?? ''
  const uris: string[] = []
  for (entryPattern.lastIndex = 0; entryPattern.lastIndex < text.length;) {
    const [whole, type, value = ''] = entryPattern.exec(text) ?? []
    if (whole === undefined) return []
    if (type === 'URI') uris.push(value.startsWith('"') ? (JSON.parse(value) as string) : value)
  }
  return uris
}

function hasUri({ subjectAltName }: X509Certificate, value: string): boolean {
  const uris = urisIn(subjectAltName)
  // SPIFFE X.509-SVID §2: exactly one URI, else it is no SVID.
  return uris.includes(value) && (uris.length === 1 || !/^spiffe:/i.test(value))
}

const kinds: readonly SubjectKind[] = [
  {
    field: 'tls_client_auth_subject_dn',
    must: 'a distinguished name as in RFC 4514, such as CN=client.example,O=Example,C=DE',
    isUsable: (value) => parseDistinguishedName(value) !== undefined,
    matches: (certificate, value) => compareNames(certificate, value, isSameName)
  },
  {
    field: 'tls_client_auth_san_dns',
    must: 'a host name, without wildcard and leading dot, and no address',
    isUsable: isHost,
    // The defaults would fall back to the CN, and take wildcards.
    matches: (certificate, value) =>
      certificate.checkHost(value, { subject: 'never', wildcards: false, partialWildcards: false }) !== undefined
  },
  {
    field: 'tls_client_auth_san_uri',
    must: 'an absolute URI in ASCII',
    isUsable: (value) => /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(value) && URL.canParse(value),
    matches: hasUri
  },
  {
    field: 'tls_client_auth_san_ip',
    must: 'one IPv4 or IPv6 address',
    isUsable: isAddress,
    matches: (certificate, value) => certificate.checkIP(value) !== undefined
  },
  {
    field: 'tls_client_auth_san_email',
    must: 'one address of mail, such as ops@client.example',
    isUsable: isMailbox,
    // The default would fall back to the subject.
    matches: (certificate, value) => certificate.checkEmail(value, { subject: 'never' }) !== undefined
  }
]

function compareNames(
  certificate: X509Certificate,
  registered: string,
  compare: (a: ReturnType<typeof subjectOf> & object, b: ReturnType<typeof subjectOf> & object) => boolean
): boolean {
  const [actual, expected] = [subjectOf(certificate), parseDistinguishedName(registered)]
  return actual !== undefined && expected !== undefined && compare(actual, expected)
}

/** What a client has registered: one field of the five, with a usable value. */
export interface RegisteredSubject {
  readonly kind: SubjectKind
  readonly value: string
}

type SubjectFields = Readonly<Partial<Record<SubjectField, unknown>>>

/** Those of the five that a record has at all. */
export const subjectFields = (record: SubjectFields): SubjectField[] =>
  kinds.map(({ field }) => field).filter((field) => record[field] !== undefined && record[field] !== null)

/** Why a record cannot be matched, in words for an operator; or the subject that is registered. */
export function registeredSubject(record: SubjectFields): RegisteredSubject | string {
  const [field, ...more] = subjectFields(record)
  const kind = kinds.find((one) => one.field === field)
  if (kind === undefined || more.length > 0)
    return `tls_client_auth needs exactly one of ${kinds.map((one) => one.field).join(', ')}.`
  const value = record[kind.field]
  return typeof value === 'string' && kind.isUsable(value) ? { kind, value } : `${kind.field} must be ${kind.must}.`
}

/** RFC 8705 §2.1: how a certificate compares with the registered subject. `form`: a name that differs only in form. */
export function compareSubject(certificate: X509Certificate, { kind, value }: RegisteredSubject) {
  if (kind.matches(certificate, value)) return 'match'
  const isName = kind.field === 'tls_client_auth_subject_dn'
  return isName && compareNames(certificate, value, isSameButForm) ? 'form' : 'other'
}

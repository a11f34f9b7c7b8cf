import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { isDnsName } from '../basics/dns-name'
import { given } from '../basics/given'
import type { OAuthClient } from '../types'
import type { ClientCertificate } from './client-certificate'
import { comparable, parseDistinguishedName } from './distinguished-name'

/** How a certificate compares with the registered subject. `form`: a name that differs only in form. */
type Outcome = 'match' | 'form' | 'other'

interface SubjectKind {
  readonly field: keyof OAuthClient
  /** What a usable value is, to finish the sentence "… must be …". */
  readonly must: string
  /** A usable value, whose outcome never counts. */
  readonly decoy: string
  /** How certificates compare with a value; `undefined` where it cannot be used. */
  readonly reader: (value: string) => ((certificate: ClientCertificate) => Outcome) | undefined
}

/** A host name, not a pattern and not an address. `checkHost` would take a leading dot for any subdomain. */
const isHost = (value: string): boolean => isDnsName(value) && isIP(value) === 0

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

function nameReader(value: string) {
  const registered = parseDistinguishedName(value)
  const expected = registered && comparable(registered)
  return (
    expected &&
    (({ name }: ClientCertificate): Outcome =>
      name?.exact === expected.exact ? 'match' : name?.folded === expected.folded ? 'form' : 'other')
  )
}

const altNameReader =
  (isUsable: (value: string) => boolean, isIn: (x509: X509Certificate, value: string) => boolean) => (value: string) =>
    isUsable(value) ? ({ x509 }: ClientCertificate): Outcome => (isIn(x509, value) ? 'match' : 'other') : undefined

/** The five ways to register the subject of a `tls_client_auth` client (RFC 8705 §2.1.2). */
const kinds = [
  {
    field: 'tls_client_auth_subject_dn',
    must: 'a distinguished name as in RFC 4514, such as CN=client.example,O=Example,C=DE',
    decoy: 'CN=nobody.example,O=Nobody AG,C=ZZ',
    reader: nameReader
  },
  {
    field: 'tls_client_auth_san_dns',
    must: 'a host name, without wildcard and leading dot, and no address',
    decoy: 'nobody.example',
    // The defaults would fall back to the CN, and take wildcards.
    reader: altNameReader(
      isHost,
      (x509, value) =>
        x509.checkHost(value, { subject: 'never', wildcards: false, partialWildcards: false }) !== undefined
    )
  },
  {
    field: 'tls_client_auth_san_uri',
    must: 'an absolute URI in ASCII',
    decoy: 'https://nobody.example/client',
    reader: altNameReader((value) => /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(value) && URL.canParse(value), hasUri)
  },
  {
    field: 'tls_client_auth_san_ip',
    must: 'one IPv4 or IPv6 address',
    decoy: '192.0.2.1',
    reader: altNameReader(isAddress, (x509, value) => x509.checkIP(value) !== undefined)
  },
  {
    field: 'tls_client_auth_san_email',
    must: 'one address of mail, such as ops@client.example',
    decoy: 'nobody@nobody.example',
    // The default would fall back to the subject.
    reader: altNameReader(isMailbox, (x509, value) => x509.checkEmail(value, { subject: 'never' }) !== undefined)
  }
] as const satisfies readonly SubjectKind[]

export type SubjectField = (typeof kinds)[number]['field']

type SubjectFields = Readonly<Partial<Record<SubjectField, unknown>>>

/** Which of the five subject fields a record has. */
export const subjectFields = (record: SubjectFields): SubjectField[] =>
  kinds.map(({ field }) => field).filter((field) => given(record[field]) !== undefined)

/** Why a record cannot be matched, in words for an operator; or the one field that is registered, and its value. */
export function registeredSubject(record: SubjectFields): { field: SubjectField; value: string } | string {
  const [field, ...more] = subjectFields(record)
  const kind = kinds.find((one) => one.field === field)
  if (kind === undefined || more.length > 0)
    return `tls_client_auth needs exactly one of ${kinds.map((one) => one.field).join(', ')}.`
  const value = record[kind.field]
  return typeof value === 'string' && kind.reader(value) !== undefined
    ? { field: kind.field, value }
    : `${kind.field} must be ${kind.must}.`
}

/**
 * RFC 8705 §2.1: how a certificate compares with the registered subject; `unusable` where there is not exactly one. All
 * five kinds are always compared, with decoys where a record lacks them: the time must not tell which one is registered,
 * or that none is.
 */
export function compareSubject(certificate: ClientCertificate, record: SubjectFields): Outcome | 'unusable' {
  let [count, outcome]: [number, Outcome | undefined] = [0, undefined]
  for (const { field, decoy, reader } of kinds) {
    const value = record[field]
    const found = reader(typeof value === 'string' && value !== '' ? value : decoy)?.(certificate)
    if (given(value) === undefined) continue
    count++
    outcome = typeof value === 'string' ? found : undefined
  }
  return count === 1 && outcome !== undefined ? outcome : 'unusable'
}

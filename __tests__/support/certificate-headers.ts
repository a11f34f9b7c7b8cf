import { certificate } from './client-certificates'

const escapedPem = (id: string): string => encodeURIComponent(certificate(id).pem)
const hash = (id: string): string => Buffer.from(certificate(id).thumbprint, 'base64url').toString('hex')
const base64 = (id: string): string => certificate(id).der.toString('base64')
const breaksAs = (id: string, text: string): string => certificate(id).pem.trimEnd().replaceAll('\n', text)

/** One pair of XFCC, as the cases name it. */
export type XfccPart = string | { hash: string } | { cert: string } | { subjectWithCert: string }

function xfccPart(part: XfccPart): string {
  if (typeof part === 'string') return part
  if ('hash' in part) return `Hash=${hash(part.hash)}`
  if ('cert' in part) return `Cert="${escapedPem(part.cert)}"`
  return `Subject="CN=x;Cert=\\"${escapedPem(part.subjectWithCert)}\\""`
}

/** How a case describes the value of a header. */
export interface EncodedCertificate {
  encode: string
  certificate?: string | string[]
  and?: string
  insert?: string
  prefix?: string
  suffix?: string
  parts?: XfccPart[]
}

const encoders: Record<string, (id: string) => string> = {
  'escaped-pem': escapedPem,
  'alb-pem': (id) => escapedPem(id).replace(/%2B/g, '+').replace(/%3D/g, '=').replace(/%2F/g, '/'),
  'pem-spaces': (id) => breaksAs(id, ' '),
  'pem-folded': (id) => breaksAs(id, '\t'),
  base64,
  rfc9440: (id) => `:${base64(id)}:`,
  xfcc: (id) => xfccPart({ cert: id })
}

/** The value of a header, in the form of one of the proxies. */
export function encoded(value: EncodedCertificate): string {
  const { encode, certificate: ids = [], and, insert = '', prefix = '', suffix = '', parts } = value
  const encoder = encode === 'list' ? base64 : encoders[encode]
  if (encoder === undefined) throw new Error(`there is no encoding ${encode}`)
  if (parts !== undefined) return parts.map(xfccPart).join(';')
  const all = [ids, and ?? []].flat().map(encoder)
  const text = all.join(encode === 'list' ? ',' : '')
  return `${prefix}${insert === '' ? text : `${text.slice(0, 40)}${insert}${text.slice(40)}`}${suffix}`
}

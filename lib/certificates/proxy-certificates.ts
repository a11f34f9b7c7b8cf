import { equalTexts } from '../basics/equal-texts'
import { parseRange, plainAddress } from '../basics/address-range'
import { checkOptions, isList, isWord, optionRule } from '../basics/option-checks'
import { countRaw, headerValues } from '../request/headers'
import type { ClientAuthRequest } from '../types'
import { isNone, readCertificateHeader } from './certificate-header'
import { CertificateSourceError, type ClientCertificates, HeaderCertificate } from './certificate-source'

/** A header with the value that it must have, to the letter. */
export interface ExactHeader {
  /** The name of the header, in any case. */
  header: string
  /** Its whole value; case counts. */
  value: string
}

/** Options of `createProxyCertificates`. */
export interface ProxyCertificatesOptions {
  /**
   * The header in which the proxy forwards the client's certificate: RFC 9440, PEM percent-encoded or with spaces for
   * line breaks, base64 of the DER, or Envoy's XFCC. The proxy must delete it from what clients send, on every route.
   */
  header: string
  /**
   * How the proxy says that it has validated the certificate: a header with this very value, or `true` for a proxy that
   * forwards no other. Default: it never says so, and only `self_signed_tls_client_auth` can be used.
   * With `true` on a proxy that forwards unverified certificates too, anybody can pass for any client.
   */
  verified?: ExactHeader | true | undefined
  /**
   * The addresses of the proxies, as CIDRs or single addresses, compared with the address of the connection and never
   * with `X-Forwarded-For`. This or `secret` is required; given both, both must hold. Whoever can connect from
   * within these ranges can pass for any client.
   */
  addresses?: readonly string[] | undefined
  /**
   * A header with a secret that only the proxy knows and sets: at least 32 printable characters. For proxies without
   * an address of their own, on a Unix socket or a serverless platform.
   */
  secret?: ExactHeader | undefined
}

const isName = (value: unknown): value is string => typeof value === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(value)

const isExact = (value: unknown, least: number): value is ExactHeader => {
  if (typeof value !== 'object' || value === null) return false
  const { header, value: text, ...more } = value as Record<string, unknown>
  const isText =
    typeof text === 'string' && text.length >= least && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)
  return isName(header) && isText && Object.keys(more).length === 0
}

/** Not a whole family of addresses, and IPv4 in its own form, in which it is compared. */
const isProxyRange = (value: unknown): boolean =>
  parseRange(value) !== undefined && !/\/0+$|^::ffff:/i.test(String(value))

const rules = {
  header: isWord('the name of a header', isName),
  verified: optionRule(
    'true, or { header, value } with the value that means "verified"',
    (value) => value === true || isExact(value, 1)
  ),
  addresses: isList(isProxyRange, 'CIDRs, such as 10.0.0.0/8, none with /0 or IPv4-mapped', 1),
  secret: optionRule('{ header, value } with a value of at least 32 printable ASCII characters', (value) =>
    isExact(value, 32)
  )
}

function checkTogether({ header, verified, addresses, secret }: ProxyCertificatesOptions): void {
  const fail = (words: string): never => {
    throw new TypeError(`createProxyCertificates: ${words}`)
  }
  if ((header as unknown) === undefined) fail('option "header" is required: where the proxy puts the certificate')
  if (addresses === undefined && secret === undefined)
    fail('one of the options "addresses" and "secret" is required: else anybody could send the header')
  const others = [verified === true ? undefined : verified, secret].filter((one) => one !== undefined)
  const names = [header, ...others.map((one) => one.header)].map((name) => name.toLowerCase())
  if (new Set(names).size < names.length) fail('certificate, verdict and secret need a header each')
}

/** Node leaves further headers out of its raw list: so many names and values. */
const mostRaw = 2000

/**
 * The values of a header as they stood on the wire: where Node has joined several, its raw list tells. A list that is full
 * may lack one, so the header counts as standing there twice.
 */
function fieldsOf({ headers, rawHeaders = [] }: ClientAuthRequest, name: string): string[] {
  const values = headerValues(headers, name).map(String)
  return countRaw(rawHeaders, name) > 1 || rawHeaders.length >= mostRaw ? [...values, ...values] : values
}

/** Whether a request has a header once, with the value that it must have. In time that does not depend on it. */
function hasExact(request: ClientAuthRequest, { header, value }: ExactHeader): boolean {
  const values = fieldsOf(request, header.toLowerCase())
  return values.length === 1 && equalTexts(values.join(), value)
}

/**
 * Client certificates that a reverse proxy forwards in a header, where TLS ends at the proxy. The header is believed
 * only on connections from `addresses`, with `secret`, or both. Throws a `TypeError` for options that cannot be meant.
 *
 * @example
 * // nginx with `ssl_verify_client optional`
 * const certificates = createProxyCertificates({
 *   header: 'X-SSL-Client-Cert',
 *   verified: { header: 'X-SSL-Client-Verify', value: 'SUCCESS' },
 *   addresses: ['10.0.0.0/8']
 * })
 */
export function createProxyCertificates(options: ProxyCertificatesOptions): ClientCertificates {
  checkOptions('createProxyCertificates', options, rules)
  checkTogether(options)
  const { header, verified, addresses, secret } = options
  const name = header.toLowerCase()
  const ranges = addresses?.map(parseRange).filter((range) => range !== undefined)

  /** Why the sender of the header is no proxy that we trust, for the log. */
  function distrust(request: ClientAuthRequest): string | undefined {
    if (secret !== undefined && !hasExact(request, secret)) return `without the right ${secret.header} header`
    const address = plainAddress(request.socket?.remoteAddress)
    if (ranges === undefined || (address !== undefined && ranges.some((includes) => includes(address))))
      return undefined
    return `from ${address ?? 'no address'}, which is not among "addresses"`
  }

  return {
    addresses,
    verifies: verified === undefined ? 'never' : verified === true ? 'always' : 'by certificate',
    get(request) {
      const values = fieldsOf(request, name)
      const [value, ...more] = values
      if (value === undefined || values.every(isNone)) return undefined
      const why = distrust(request)
      if (why !== undefined) throw new CertificateSourceError('proxy', `the certificate header came ${why}`)
      if (more.length > 0) throw new CertificateSourceError('header', 'the certificate header stands more than once')
      if (verified === undefined || verified === true)
        return new HeaderCertificate(value, readCertificateHeader, verified === true, undefined)
      const verdicts = fieldsOf(request, verified.header.toLowerCase())
      const verdict = verdicts.length > 0 ? verdicts.join(', ') : `no header ${verified.header}`
      return new HeaderCertificate(value, readCertificateHeader, hasExact(request, verified), verdict)
    }
  }
}

// fixtures/reports.json: requests, records, key sets and certificates rebuilt from public bug reports. Here stands what
// is right for each, as far as a program can tell: the outcome, and what must be said about it.
import { X509Certificate } from 'node:crypto'
import {
  createProxyCertificates,
  type ClientAuthOptions,
  type ClientCertificates,
  type ClientMetadataOptions,
  type OAuthClient
} from '../../lib'
import corpus from '../fixtures/reports.json'

export interface ReportCase {
  id: string
  what: string
  expected: string
  at?: string
  request?: {
    path?: string
    headers: Record<string, string>
    form?: Record<string, string>
    raw?: string
    client: OAuthClient
    options?: Record<string, unknown>
    certificate?: string
  }
  metadata?: Partial<OAuthClient>
  metadataOptions?: Record<string, unknown>
}

export const reportCases = corpus.cases as unknown as ReportCase[]

/** The outcome of a request: `accepted` or the reason; and what its refusal must say, in the facts or in `explain`. */
export interface Right {
  outcome: string
  says?: readonly RegExp[]
}

const accepted: Right = { outcome: 'accepted' }
const refused = (outcome: string, ...says: RegExp[]): Right => ({ outcome, says })

/** What is right for each request. */
export const rightOf: Readonly<Record<string, Right>> = {
  'rep-01': refused('signature_mismatch', /DER/, /\b64\b/),
  'rep-03': refused('assertion_subject', /iss[^"]* must be a string/i),
  'rep-04': refused('basic_malformed', /line break/),
  'rep-04c': refused('parameter_malformed', /line break/),
  'rep-05': refused('secret_mismatch', /line break/),
  'rep-06a': accepted,
  'rep-06c': accepted,
  'rep-06e': accepted,
  'rep-06f': refused('body_content_type', /urlencoded, application\//, /"reason":"body_content_type"/),
  'rep-06g': accepted,
  'rep-06h': accepted,
  'rep-08': refused('no_credentials', /query/),
  'rep-09': refused('no_credentials', /clientID/, /clientSecret/),
  'rep-11': refused('assertion_malformed', /=/, /base64\b/),
  'rep-12': refused('assertion_malformed', /white space|line break/),
  'rep-12c': refused('assertion_malformed', /\b1 parts?\b/),
  'rep-12d': refused('assertion_type', /urn%3Aietf/, /urn:ietf:params:oauth:client-assertion-type:jwt-bearer/),
  'rep-13': refused('method_not_registered', /"advice":"[^"]*client_assertion/),
  'rep-13c': refused('no_credentials', /\bgrant\b/, /client_assertion/),
  'rep-13e': refused('method_not_registered', /"advice":"[^"]*client_assertion/),
  'rep-14': accepted,
  'rep-14b': refused('assertion_audience', /oauth\/token/, /must be the issuer alone/),
  'rep-14c': refused('assertion_type'),
  'rep-16': accepted,
  'rep-16c': accepted,
  'rep-17': refused('assertion_audience', /as\.example\.com:443\/oauth\/token/),
  'rep-17b': refused('assertion_audience', /\bport\b|same URL/),
  'rep-17c': refused('assertion_audience', /Add aud/),
  'rep-18': accepted,
  'rep-18b': refused('no_matching_key', /209C873CB3E10C8262E1A5E985D6053D2B9BC60E/, /IJyHPLPhDIJi4aXphdYFPSubxg4/),
  'rep-19': refused('no_matching_key', /leading zeros/),
  'rep-19b': refused('no_matching_key', /base64url/),
  'rep-20': accepted,
  'rep-22': accepted,
  'rep-23': refused('signature_mismatch', /decod/),
  'rep-24': accepted,
  'rep-25': refused('assertion_crit', /openbanking\.org\.uk\/iat/),
  'rep-26': accepted,
  'rep-28': refused('assertion_lifetime', /300 s/),
  'rep-29': refused('no_credentials', /JSON/),
  'rep-31': accepted,
  'rep-32': refused('secret_not_form_encoded', /[Ff]orm-encode/),
  'rep-33': accepted,
  'rep-34': refused('assertion_replayed', /used before/),
  'rep-34b': accepted,
  'rep-35': refused('assertion_typ', /client-assertion\+jwt/),
  'rep-37': refused('parameter_repeated', /client_id/),
  'rep-38': refused('assertion_malformed', /kid must be a string/, /"advice":"[^"]*\bkid\b/),
  'rep-39': accepted,
  'rep-39b': refused('secret_not_form_encoded', /[Ff]orm-encode/),
  'rep-40': refused('multiple_mechanisms', /client_secret/),
  'rep-41': refused('assertion_subject', /sub of client_assertion must be/),
  'rep-41b': refused('assertion_subject', /differ/),
  'dn-r1': accepted,
  'dn-r2': accepted,
  'dn-r4': accepted,
  'dn-r5': refused('certificate_subject_form', /CN=00EXAMPLE00001,[^"]*C=GB/),
  'dn-r6': refused('certificate_subject_not_registered', /"advice":"[^"]*RFC 4514/),
  'dn-r7': refused('certificate_subject_form', /CN=00EXAMPLE00001,[^"]*C=GB/),
  'dn-r8-satmx167': accepted,
  'dn-r8-rus91': accepted,
  'dn-r8-lei98': accepted,
  'px-1': accepted,
  'px-3': refused('certificate_header', /base64 of (?:a )?PEM/i),
  'px-4': accepted,
  'px-6': accepted,
  'px-7': refused('certificate_header', /space/, /\+/),
  'px-9': refused('certificate_header', /white space|line break/, /BEGIN/),
  'px-10': accepted,
  'px-11': refused('certificate_header', /one element of X-Forwarded-Client-Cert/),
  'px-12': refused('certificate_header', /needs Cert/),
  'ss-1': accepted,
  'ss-3': refused(
    'certificate_not_registered',
    /Zz8Rk8_pR1FlbGcmBVm0Av7-jDU8YzmJz7RrtsA1KOQ="/,
    /"x5t#S256":"Zz8[^"=]*"/
  ),
  'ss-4': accepted,
  'md-3r': refused('certificate_subject', /api\.example/),
  'rec-2': accepted,
  'rec-4': accepted,
  'rec-6': refused('signature_mismatch', /line break/),
  'adv-2': refused('no_matching_key', /another kid/),
  'adv-3': refused('no_matching_key', /"advice":"[^"]*RS384/),
  'adv-5': refused('no_matching_key', /"advice":"[^"]*under the kid/),
  'adv-7': refused('no_matching_key', /"advice":"[^"]*(?:leave kid out|leave out kid|without kid|has no kid)/),
  'ver-5': accepted,
  'lti-1': accepted,
  'lti-2': refused('assertion_audience', /slash/),
  'lti-3': refused('assertion_subject', /tool\.example/),
  'ec-1': refused('no_matching_key', /x and y of 32 octets/),
  'num-1': refused('no_live_secret', /client_secret[^}]*number|number[^}]*client_secret/),
  'iat-1': accepted,
  'iat-2': refused('assertion_not_yet_valid', /iat of client_assertion lies in the future/)
}

/** What is right for metadata: accepted, or what the refusal says. */
export const rightMetadata: Readonly<Record<string, 'accepted' | RegExp>> = {
  'dcr-02': /^tls_client_auth_dn is not read: RFC 8705 calls it tls_client_auth_subject_dn\.$/,
  'dcr-03': /RFC 4514/,
  'dcr-04': 'accepted',
  'dcr-06': /^jwks/,
  'dcr-07': 'accepted',
  'dcr-08': /private/,
  'dcr-10': /tls_client_auth_subject_dn needs/,
  'rep-05': /line break/,
  'rep-19': /leading zeros/,
  'rep-22': 'accepted',
  'rec-4': 'accepted',
  'rec-6': /line break/
}

/** What a key server published in the cases by `jwks_uri`. `[set]` stands for the set with the right key. */
export const servedSets: Readonly<
  Record<string, { right: Right; type?: string | undefined; body?: (set: object) => string | Buffer; more?: string }>
> = {
  'ju-0': { right: accepted },
  'ju-1': { right: refused('jwks_unavailable', /text\/plain/), type: 'text/plain; charset=utf-8' },
  'ju-1b': { right: refused('jwks_unavailable', /octet-stream/), type: 'application/octet-stream' },
  'ju-1c': { right: refused('jwks_unavailable', /media type|content type/i), type: undefined },
  'ju-1d': { right: accepted, type: 'application/jwk-set+json' },
  'ju-3': {
    right: refused('jwks_unavailable', /UTF-8/),
    body: (set) => Buffer.from(`\ufeff${JSON.stringify(set)}`, 'utf16le')
  },
  'ju-4': { right: refused('jwks_unavailable', /301/), more: 'redirect' },
  'ju-5': { right: refused('jwks_unavailable', /certificate/), more: 'unknown authority' },
  'ju-6': { right: refused('jwks_unavailable', /gzip|encod/), more: 'gzip' },
  'ju-8': {
    right: refused('jwks_unavailable', /JWK Set/),
    body: (set) => JSON.stringify((set as { keys: object[] }).keys[0])
  },
  'ju-8b': {
    right: refused('jwks_unavailable', /JWK Set/),
    body: (set) => JSON.stringify((set as { keys: object[] }).keys)
  },
  'ju-8c': { right: refused('jwks_unavailable', /JWK Set/), body: (jwks) => JSON.stringify({ jwks }) },
  'ju-7a': { right: accepted },
  'ju-7b': { right: refused('signature_mismatch', /new kid/, /cache/i), more: 'another key under the same kid' },
  'ju-10': { right: accepted, more: 'no kid' },
  'ju-11': { right: accepted, more: 'other keys' },
  'ju-12': { right: refused('jwks_unavailable', /https/), more: 'http' }
}

/** Cases that are judged by a sequence of requests, or by a handshake: each has a test of its own. */
export const apart = ['rep-42', 'ver-2', 'ver-3', 'cli-2', 'cli-4', 'cli-6', 'cli-7'] as const

const shown = (pem: string): ClientCertificates => {
  const certificate = new X509Certificate(pem)
  return { get: () => ({ certificate, verified: true }) }
}

const proxied = (headers: Record<string, string>): ClientCertificates | undefined => {
  const header = Object.keys(headers).find((name) => /client-cert$/i.test(name))
  return header === undefined
    ? undefined
    : createProxyCertificates({ header, verified: true, addresses: ['127.0.0.0/8', '::1'] })
}

/** The options of a case; what stands there as `[… of the script]` is made. */
export function optionsFor({ request }: ReportCase): Partial<ClientAuthOptions> {
  const { options = {}, certificate, headers = {} } = request ?? {}
  const { clientCertificates, ...more } = options
  const given = Object.fromEntries(Object.entries(more).filter(([name]) => !['keySets', 'replayStore'].includes(name)))
  if (clientCertificates === undefined) return given
  const source = certificate === undefined ? proxied(headers) : shown(certificate)
  const { methods = [] } = given as { methods?: string[] }
  // A proxy that vouches for every certificate cannot forward self-signed ones.
  const kept = certificate === undefined ? methods.filter((name) => name !== 'self_signed_tls_client_auth') : methods
  return { ...given, methods: kept as never, clientCertificates: source }
}

/** Likewise for registration. */
export function metadataOptionsFor({ metadataOptions = {} }: ReportCase): ClientMetadataOptions {
  const { clientCertificates, ...given } = metadataOptions
  return clientCertificates === undefined ? given : { ...given, clientCertificates: { get: () => undefined } }
}

// Requests of clients with certificates: what explain says of them is what authenticate does, over real connections.
import express from 'express'
import {
  ClientAuthError,
  createClientAuthenticator,
  type Detail,
  type Explanation,
  type JwkSet,
  type OAuthClient
} from '../../lib'
import { assertionForm, issuer, jws, now } from '../support/assertions'
import { encoded } from '../support/certificate-headers'
import { certificate, publicJwk, x509 } from '../support/client-certificates'
import { serveKeys } from '../support/key-server'
import { profiles } from '../support/mutual-tls-cases'
import { listenHttp, listenTls, send, type Sending } from '../support/mutual-tls-server'

/** What the server found of one request. */
interface Outcome {
  explanation: Explanation
  /** What authenticate answered. */
  outcome: { reason?: string; detail?: Detail; method?: string; bound?: boolean; error?: string }
}

interface Row {
  name: string
  record: Partial<OAuthClient>
  /** The certificate that the client shows; none where it is left out. */
  shows?: string
  /** Default: TLS that ends in the server, which trusts two authorities. */
  profile?: string
  sending?: Partial<Sending>
  /** What a key server of our own serves at the jwks_uri of the record. */
  keySet?: JwkSet
  /** The method of an accepted request. Without it the request is refused with the following. */
  accepted?: string
  reason?: string
  /** The only checks that fail. */
  failed?: string[]
  expected?: unknown
  received?: unknown
  /** Words that only the advice for this cause has. */
  advice?: string
  /** Checks that must not be there: they are nothing to this client. */
  without?: string[]
}

const form = { grant_type: 'client_credentials', client_id: 'c' }
/** Sends one request to a server that explains it and then authenticates it. */
async function ask({ profile = 'tls', record, shows, sending = {}, keySet }: Row): Promise<Outcome> {
  const made = profiles[profile]!()
  const keys = keySet && (await serveKeys(() => ({ body: keySet })))
  const client = { client_id: 'c', ...record, ...(keys && { jwks_uri: keys.uri }) }
  const authenticate = createClientAuthenticator({
    issuer,
    getClient: (id) => (id === 'c' ? client : undefined),
    methods: made.methods,
    clientCertificates: made.source,
    ...(keys && { keySets: keys.fetcher() })
  })
  const app = express().post('/token', express.urlencoded({ extended: false }), async (req, res) => {
    const request = { headers: req.headers, rawHeaders: req.rawHeaders, socket: req.socket, body: req.body as object }
    const explanation = await authenticate.explain(request, { fetch: true })
    const outcome = await authenticate(request).then(
      ({ method, cnf }) => ({ method, bound: cnf !== undefined }),
      (error: unknown) =>
        error instanceof ClientAuthError ? { reason: error.reason, detail: error.detail } : { error: String(error) }
    )
    res.json({ explanation, outcome })
  })
  const listening = await (made.tls === undefined ? listenHttp(app) : listenTls(app, made))
  const tls = made.tls && (shows === undefined ? {} : { key: certificate(shows).key, cert: certificate(shows).pem })
  try {
    const answer = await send({ port: listening.port, form, ...(tls && { tls }), ...sending })
    return answer.body as unknown as Outcome
  } finally {
    await listening.close()
    await keys?.close()
  }
}

const registered = 'CN=bank.example,O=Bank AG,C=DE'
const byPki = { token_endpoint_auth_method: 'tls_client_auth' }
const pki = { ...byPki, tls_client_auth_subject_dn: registered }
const byItself = { token_endpoint_auth_method: 'self_signed_tls_client_auth' }
const x5c = (id: string) => ({ ...publicJwk(id), kid: id, x5c: [certificate(id).der.toString('base64')] })
const selfSigned = { ...byItself, jwks: { keys: [x5c('self-bank')] } }
const bound = { tls_client_certificate_bound_access_tokens: true }
const byKey = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicJwk('self-bank')] } }

const signed = (): Record<string, string> => {
  const claims = { iss: 'c', sub: 'c', aud: issuer, exp: now() + 60, jti: 'once' }
  return { ...form, ...assertionForm(jws({ alg: 'ES256' }, claims, 'ES256', certificate('self-bank').privateKey)) }
}
const certificateHeader = (verdict?: string): [string, string][] => [
  ['X-SSL-Client-Cert', encoded({ encode: 'base64', certificate: 'bank' })],
  ...(verdict === undefined ? [] : [['X-SSL-Client-Verify', verdict] as [string, string]])
]
const trusted = 'a certificate of an authority that the server or its proxy trusts'
const noneShown = { expected: expect.stringMatching(/^a client certificate/) as unknown, received: 'none' }
const subjectChecks = ['verified certificate', 'no authority', 'registered subject', 'form of the subject', 'subject']
const keyChecks = ['registered keys', 'key set', 'registered certificate']
const oneSubject = {
  reason: 'certificate_subject_not_registered',
  expected: expect.stringContaining('exactly one of tls_client_auth_subject_dn, ') as unknown,
  advice: 'Register exactly one tls_client_auth_ subject'
}
const dates = { reason: 'certificate_expired', failed: ['dates of the certificate'] }

const rows: Row[] = [
  { name: 'tls_client_auth', record: pki, shows: 'bank', accepted: 'tls_client_auth', without: keyChecks },
  {
    name: 'tls_client_auth with bound tokens',
    record: { ...pki, ...bound },
    shows: 'bank',
    accepted: 'tls_client_auth'
  },
  {
    name: 'self_signed_tls_client_auth',
    record: selfSigned,
    shows: 'self-bank',
    accepted: 'self_signed_tls_client_auth',
    without: subjectChecks
  },
  {
    name: 'self_signed_tls_client_auth by jwks_uri',
    record: byItself,
    keySet: selfSigned.jwks,
    shows: 'self-bank',
    accepted: 'self_signed_tls_client_auth',
    without: subjectChecks
  },
  {
    name: 'both methods registered, by the registered certificate',
    record: { ...selfSigned, ...pki, token_endpoint_auth_method: ['tls_client_auth', 'self_signed_tls_client_auth'] },
    shows: 'self-bank',
    accepted: 'self_signed_tls_client_auth',
    without: subjectChecks
  },
  {
    name: 'a public client without a certificate, where certificates are asked for',
    record: { token_endpoint_auth_method: ['tls_client_auth', 'none'], tls_client_auth_subject_dn: registered },
    profile: 'tls-public',
    accepted: 'none',
    without: [...subjectChecks, ...keyChecks]
  },
  {
    name: 'private_key_jwt with bound tokens and a certificate',
    record: { ...byKey, ...bound },
    shows: 'bank',
    sending: { form: signed() },
    accepted: 'private_key_jwt'
  },
  {
    name: 'an authority that nobody trusts',
    record: pki,
    shows: 'bank-evil',
    reason: 'certificate_unverified',
    failed: ['verified certificate'],
    expected: trusted,
    received: {
      subject: registered,
      issuer: 'CN=Partner CA,O=Authority,C=DE',
      verdict: 'CERT_SIGNATURE_FAILURE'
    },
    advice: 'let the operator add that authority',
    without: keyChecks
  },
  {
    name: 'a certificate for servers only',
    record: pki,
    shows: 'bank-server-only',
    reason: 'certificate_unverified',
    failed: ['verified certificate'],
    expected: trusted,
    received: { subject: registered, verdict: 'INVALID_PURPOSE' },
    advice: 'self_signed_tls_client_auth, which does not ask for it'
  },
  {
    name: 'a proxy that says that it is for servers only',
    record: pki,
    profile: 'nginx',
    sending: { headers: certificateHeader('FAILED:unsuitable certificate purpose') },
    reason: 'certificate_unverified',
    failed: ['verified certificate'],
    expected: trusted,
    received: { verdict: 'FAILED:unsuitable certificate purpose' },
    advice: 'extended key usage clientAuth'
  },
  {
    name: 'an authority that nobody trusts, and another subject: both are told',
    record: { ...pki, tls_client_auth_subject_dn: 'CN=other' },
    shows: 'bank-evil',
    reason: 'certificate_unverified',
    failed: ['verified certificate', 'subject'],
    expected: trusted,
    received: expect.objectContaining({ issuer: 'CN=Partner CA,O=Authority,C=DE' }),
    advice: 'let the operator add that authority'
  },
  {
    name: 'a proxy whose verdict is FAILED',
    record: pki,
    profile: 'nginx',
    sending: { headers: certificateHeader('FAILED') },
    reason: 'certificate_unverified',
    failed: ['verified certificate'],
    expected: trusted,
    received: { subject: registered, issuer: 'CN=Partner CA,O=Authority,C=DE', verdict: 'FAILED' },
    advice: 'Use a certificate of an authority that the server trusts'
  },
  {
    name: 'a proxy that does not set the header of its verdict',
    record: pki,
    profile: 'nginx',
    sending: { headers: certificateHeader() },
    reason: 'certificate_unverified',
    failed: ['verified certificate'],
    expected: trusted,
    received: expect.objectContaining({ verdict: 'no header X-SSL-Client-Verify' }),
    advice: 'The proxy must set the header of the option verified'
  },
  {
    name: 'the certificate of an authority',
    record: pki,
    shows: 'bank-authority',
    reason: 'certificate_unverified',
    failed: ['no authority'],
    expected: 'a certificate of a client',
    received: 'one of an authority (CA:TRUE)',
    advice: 'issued for this client'
  },
  {
    name: 'another subject',
    record: pki,
    shows: 'shop',
    reason: 'certificate_subject',
    failed: ['subject'],
    expected: `tls_client_auth_subject_dn: ${registered}`,
    received: { subject: 'CN=shop.example,O=Shop,C=DE', subjectAltName: 'DNS:shop.example' },
    advice: 'Present the certificate of the registered subject'
  },
  {
    name: 'another alternative name',
    record: { ...byPki, tls_client_auth_san_dns: 'bank.example' },
    shows: 'shop',
    reason: 'certificate_subject',
    failed: ['subject'],
    expected: 'tls_client_auth_san_dns: bank.example',
    received: { subject: 'CN=shop.example,O=Shop,C=DE', subjectAltName: 'DNS:shop.example' },
    advice: 'register the subject of this one'
  },
  {
    name: 'a subject with a type of attribute that has no name here',
    record: pki,
    shows: 'dn-unknown-type',
    reason: 'certificate_subject',
    failed: ['subject'],
    expected: `tls_client_auth_subject_dn: ${registered}`,
    received: { unknownTypes: ['subjectAltName'] },
    advice: 'Present the certificate of the registered subject'
  },
  {
    name: 'a subject that differs in case only',
    record: pki,
    shows: 'dn-upper',
    reason: 'certificate_subject_form',
    failed: ['form of the subject'],
    expected: `tls_client_auth_subject_dn: ${registered}`,
    received: { subject: 'CN=BANK.EXAMPLE,O=BANK AG,C=DE' },
    advice: 'Register the subject exactly'
  },
  {
    name: 'a subject in the reverse order',
    record: pki,
    shows: 'dn-reversed',
    reason: 'certificate_subject_form',
    failed: ['form of the subject'],
    expected: `tls_client_auth_subject_dn: ${registered}`,
    received: { subject: 'C=DE,O=Bank AG,CN=bank.example' },
    advice: 'Register the subject exactly'
  },
  {
    name: 'no subject registered',
    record: byPki,
    shows: 'bank',
    failed: ['registered subject'],
    received: 'none of them',
    ...oneSubject
  },
  {
    name: 'two subjects registered',
    record: { ...pki, tls_client_auth_san_dns: 'bank.example' },
    shows: 'bank',
    failed: ['registered subject'],
    received: { tls_client_auth_subject_dn: registered, tls_client_auth_san_dns: 'bank.example' },
    ...oneSubject
  },
  {
    name: 'a certificate that is not registered',
    record: selfSigned,
    shows: 'self-attacker',
    reason: 'certificate_not_registered',
    failed: ['registered certificate'],
    expected: [{ kid: 'self-bank', kty: 'EC', 'x5t#S256': certificate('self-bank').thumbprint }],
    received: { kty: 'EC', 'x5t#S256': certificate('self-attacker').thumbprint },
    advice: 'in the x5c member of a key',
    without: subjectChecks
  },
  {
    name: 'a certificate that is not in the set at the jwks_uri',
    record: byItself,
    keySet: { keys: [publicJwk('self-bank')] },
    shows: 'self-bank-new-key',
    reason: 'certificate_not_registered',
    failed: ['registered certificate'],
    expected: [{ kty: 'EC', 'x5t#S256': 'any certificate of this key' }],
    received: { kty: 'EC', 'x5t#S256': certificate('self-bank-new-key').thumbprint },
    advice: 'Publish the certificate'
  },
  {
    name: 'a jwks_uri that may not be fetched',
    record: { ...byItself, jwks_uri: 'https://localhost/jwks' },
    shows: 'self-bank',
    reason: 'jwks_unavailable',
    failed: ['key set'],
    expected: 'a JWK Set of public keys',
    received: expect.stringContaining('the host localhost has no dot'),
    advice: 'Register a jwks_uri on a public https server'
  },
  {
    name: 'a registered set that is none',
    record: { ...byItself, jwks: [publicJwk('self-bank')] as unknown as JwkSet },
    shows: 'self-bank',
    reason: 'jwks_invalid',
    failed: ['key set'],
    expected: 'a JWK Set of public keys',
    received: 'an array',
    advice: 'Wrap the keys in an object'
  },
  {
    name: 'no keys registered',
    record: byItself,
    shows: 'self-bank',
    reason: 'keys_not_registered',
    failed: ['registered keys'],
    expected: 'jwks or jwks_uri',
    received: 'neither',
    advice: 'Register the public keys'
  },
  {
    // The handshake refuses it too, which says nothing of its authority.
    name: 'an expired certificate of a trusted authority',
    record: pki,
    shows: 'bank-expired',
    expected: 'a certificate that is valid now',
    received: { validFrom: 'Jan  1 00:00:00 2020 GMT', validTo: 'Jan  1 00:00:00 2021 GMT' },
    advice: 'Renew the client certificate',
    ...dates
  },
  {
    name: 'an expired certificate that is registered',
    record: { ...byItself, jwks: { keys: [x5c('self-bank-expired')] } },
    shows: 'self-bank-expired',
    expected: 'a certificate that is valid now',
    received: { validFrom: 'Jan  1 00:00:00 2020 GMT', validTo: 'Jan  1 00:00:00 2021 GMT' },
    advice: 'Renew the client certificate',
    ...dates
  },
  {
    name: 'a certificate that is not valid yet',
    record: pki,
    shows: 'bank-future',
    expected: 'a certificate that is valid now',
    received: { validFrom: 'Jan  1 00:00:00 2048 GMT', validTo: 'Jan  1 00:00:00 2049 GMT' },
    advice: 'valid already',
    ...dates
  },
  {
    name: 'a key that is too short',
    record: pki,
    shows: 'bank-rsa1024',
    reason: 'certificate_weak',
    failed: ['key of the certificate'],
    expected: expect.stringMatching(/^RSA of 2048 to 8192 bits/),
    received: 'the key has 1024 bits, not 2048 to 8192',
    advice: 'Make a new certificate'
  },
  ...[pki, selfSigned].map((record): Row => ({
    name: `no certificate, with ${record.token_endpoint_auth_method}`,
    record,
    reason: 'certificate_missing',
    failed: ['certificate'],
    advice: 'Present the client certificate in the TLS handshake',
    ...noneShown
  })),
  {
    name: 'no certificate, where public clients are let in',
    record: pki,
    profile: 'tls-public',
    reason: 'certificate_missing',
    failed: ['certificate of this client'],
    advice: 'Present the client certificate in the TLS handshake',
    ...noneShown
  },
  {
    name: 'a header from an address that is no proxy',
    record: pki,
    profile: 'nginx',
    sending: { localAddress: '127.0.0.2', headers: certificateHeader('SUCCESS') },
    reason: 'certificate_proxy',
    failed: ['certificate, proxy'],
    expected: 'the certificate header from a trusted proxy only',
    received: 'the certificate header came from 127.0.0.2, which is not among "addresses"',
    advice: 'Name the addresses of the proxy'
  },
  {
    name: 'a header without the secret of the proxy',
    record: pki,
    profile: 'both',
    sending: { headers: certificateHeader('SUCCESS') },
    reason: 'certificate_proxy',
    failed: ['certificate, proxy'],
    expected: 'the certificate header from a trusted proxy only',
    received: 'the certificate header came without the right X-Proxy-Secret header',
    advice: 'find out who else sends the header'
  },
  {
    name: 'a header that holds no certificate',
    record: pki,
    profile: 'nginx',
    sending: { headers: [['X-SSL-Client-Cert', 'x']] },
    reason: 'certificate_header',
    failed: ['certificate, header'],
    expected: 'exactly one certificate in the header',
    received: 'the value is not one certificate in DER and base64',
    advice: 'Let the proxy write one certificate'
  },
  {
    name: 'bound tokens wanted, and no certificate',
    record: { ...byKey, ...bound },
    sending: { form: signed() },
    reason: 'certificate_required',
    failed: ['certificate for bound tokens'],
    advice: 'register the client without bound tokens',
    ...noneShown
  },
  {
    name: 'another method registered',
    record: { ...pki, token_endpoint_auth_method: 'private_key_jwt' },
    shows: 'bank',
    reason: 'method_not_registered',
    failed: ['registered method'],
    expected: 'private_key_jwt',
    received: 'tls_client_auth or self_signed_tls_client_auth',
    advice: 'Let the client use its registered method'
  },
  {
    name: 'a client that nobody knows',
    record: pki,
    shows: 'bank',
    sending: { form: { ...form, client_id: 'nobody' } },
    reason: 'unknown_client',
    failed: ['client'],
    received: 'nobody',
    advice: 'Send the client_id as it is registered'
  }
]

/** Facts hold the second at which they were judged, and the two judge one after the other. */
const withoutTime = (detail: Detail | undefined) =>
  detail && { ...detail, ...('now' in detail && { now: typeof detail['now'] }) }

const checksOf = ({ findings }: Explanation, result: string) =>
  findings.filter((one) => one.result === result).map(({ check }) => check)

test.each(rows.filter(({ accepted }) => accepted !== undefined))(
  '$name: accepted by both, and every check is passed',
  async ({ accepted, without = [], ...row }) => {
    const { explanation, outcome } = await ask(row)
    expect(outcome).toMatchObject({ method: accepted })
    expect(explanation).toMatchObject({ accepted: true, method: accepted, clientId: 'c' })
    expect([...checksOf(explanation, 'failed'), ...checksOf(explanation, 'not_checked')]).toEqual([])
    const checks = checksOf(explanation, 'passed')
    expect(checks.filter((check) => without.includes(check))).toEqual([])
  }
)

test.each(rows.filter(({ accepted }) => accepted === undefined))(
  '$name: refused by both, and told with expected, received and advice',
  async ({ reason, failed, expected, received, advice, without = [], ...row }) => {
    const { explanation, outcome } = await ask(row)
    expect(outcome.reason).toBe(reason)
    expect(explanation).toMatchObject({ accepted: false, reason })
    expect(checksOf(explanation, 'failed')).toEqual(failed)
    const first = explanation.findings.find(({ result }) => result === 'failed')
    expect(first).toMatchObject({ reason, received, advice: expect.stringContaining(advice!) as unknown })
    expect(first?.expected).toEqual(expected)
    expect(withoutTime(first?.detail)).toEqual(withoutTime(outcome.detail))
    const checks = explanation.findings.map(({ check }) => check)
    expect(checks.filter((check) => without.includes(check))).toEqual([])
    // Nothing thrown ends up in what a person reads
    expect(JSON.stringify(explanation)).not.toMatch(/\bat .*:\d+:\d+|TypeError|Error:|\[object/)
  }
)

test('without fetch the key set of a self-signed client is not checked, and it is told how', async () => {
  const made = profiles['tls']!()
  const { explain } = createClientAuthenticator({
    issuer,
    getClient: () => ({ client_id: 'c', ...byItself, jwks_uri: 'https://keys.partner.example/jwks' }),
    methods: made.methods,
    clientCertificates: { get: () => ({ certificate: x509('self-bank'), verified: false }) }
  })
  const explanation = await explain({ headers: {}, body: form })
  expect(explanation).toMatchObject({ accepted: false, clientId: 'c', method: 'self_signed_tls_client_auth' })
  expect(explanation.reason).toBeUndefined()
  const open = explanation.findings.filter(({ result }) => result === 'not_checked')
  expect(open.map(({ check }) => check)).toEqual(keyChecks)
  expect(open[0]?.advice).toBe('The key set is not in the cache: ask with fetch.')
})

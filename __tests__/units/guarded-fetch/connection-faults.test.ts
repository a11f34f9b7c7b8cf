import { connectionFault } from '../../../lib/guarded-fetch/connection-faults'

const certificate = {
  subject: 'keys.client-app.net',
  issuer: 'Corporate CA',
  names: 'DNS:keys.client-app.net',
  validFrom: 'Nov 25 15:00:00 2026 GMT',
  validTo: 'Nov 26 15:00:00 2026 GMT'
}
const fault = (code: string, facts?: typeof certificate) =>
  connectionFault(Object.assign(new Error('as Node words it'), { code }), facts)

test.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /^has a self-signed certificate, .* option "hosts", "ca"\) \(\w+\)$/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /^has a certificate by "Corporate CA", of an authority that is not trusted here/],
  ['UNABLE_TO_GET_ISSUER_CERT', /^has a certificate by "Corporate CA", of an authority that is not trusted here/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /^has a certificate by "Corporate CA", of an authority that is not trusted/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /or does not send its intermediate certificates/],
  ['CERT_SIGNATURE_FAILURE', /^has a certificate whose signature is wrong/],
  ['CERT_HAS_EXPIRED', /\(valid until Nov 26 15:00:00 2026 GMT\)/],
  ['CERT_NOT_YET_VALID', /\(valid from Nov 25 15:00:00 2026 GMT\): is a clock wrong\?/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /^has a certificate for other names \(DNS:keys\.client-app\.net\)/],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', /^shares no TLS settings with this server/],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', /^shares no TLS settings with this server/],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /^shares no TLS settings with this server/],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', /^shares no TLS settings with this server/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /^does not speak TLS at this port/],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', /^does not speak TLS at this port/],
  ['ECONNREFUSED', /^refused the connection/],
  ['ECONNRESET', /^broke the connection/],
  ['ETIMEDOUT', /^did not accept a connection/],
  ['EHOSTUNREACH', /^cannot be reached from here/],
  ['ENETUNREACH', /^cannot be reached from here \(no route to its network\)/],
  ['HPE_HEADER_OVERFLOW', /^sent more than 8 KiB of headers/],
  ['HPE_INVALID_CONSTANT', /^sent an answer that is not HTTP\/1\.1/],
  ['ESOMETHING', /^failed/]
])('%s is said in words, with its code', (code, words) => {
  expect(fault(code, certificate)).toMatch(words)
  expect(fault(code, certificate).endsWith(` (${code})`)).toBe(true)
})

test.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', /^has a certificate of an authority that is not trusted here/],
  ['CERT_HAS_EXPIRED', /^has a certificate that has expired, itself or one above it \(\w+\)$/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /^has a certificate for other names \(it names none\)/]
])('%s of a certificate that could not be read is said without its facts', (code, words) => {
  expect(fault(code)).toMatch(words)
})

test.each([
  ['CERT_HAS_EXPIRED', 'has a certificate that has expired, itself or one above it (CERT_HAS_EXPIRED)'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'has a certificate for other names (it names none) (ERR_TLS_CERT_ALTNAME_INVALID)']
])('%s without a certificate in hand', (code, words) => {
  expect(fault(code)).toBe(words)
})

test('an error without a code is told as unknown, and never by its own message', () => {
  expect(connectionFault(new Error('what was received'))).toBe('failed (unknown)')
})

import type { CertificateFacts } from './steps'

const untrusted =
  'of an authority that is not trusted here (for an authority of your own: option "proxy", "ca" or option "hosts", "ca")'
const noCommonTls =
  'shares no TLS settings with this server: TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20, on X25519, P-256, P-384 or, from Node 22.20 on, X25519MLKEM768'

/** What Node's and OpenSSL's codes mean, in words that follow the host. */
const words: Readonly<Record<string, (certificate: CertificateFacts | undefined) => string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: () => `has a self-signed certificate, ${untrusted}`,
  SELF_SIGNED_CERT_IN_CHAIN: (certificate) => `has a certificate${by(certificate)} ${untrusted}`,
  UNABLE_TO_GET_ISSUER_CERT: (certificate) => `has a certificate${by(certificate)} ${untrusted}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: (certificate) => `has a certificate${by(certificate)} ${untrusted}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: (certificate) =>
    `has a certificate${by(certificate)} ${untrusted}, or does not send its intermediate certificates`,
  CERT_SIGNATURE_FAILURE: () => 'has a certificate whose signature is wrong',
  CERT_HAS_EXPIRED: (certificate) =>
    `has a certificate that has expired, itself or one above it${dated('valid until', certificate?.validTo)}`,
  CERT_NOT_YET_VALID: (certificate) =>
    `has a certificate that is not valid yet${dated('valid from', certificate?.validFrom)}: is a clock wrong?`,
  ERR_TLS_CERT_ALTNAME_INVALID: (certificate) =>
    `has a certificate for other names (${certificate === undefined || certificate.names === '' ? 'it names none' : certificate.names})`,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: () => noCommonTls,
  // The same since OpenSSL 3.2
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': () => noCommonTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: () => noCommonTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: () => noCommonTls,
  ERR_SSL_WRONG_VERSION_NUMBER: () => 'does not speak TLS at this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: () => 'does not speak TLS at this port',
  ECONNREFUSED: () => 'refused the connection',
  ECONNRESET: () => 'broke the connection',
  ETIMEDOUT: () => 'did not accept a connection',
  EHOSTUNREACH: () => 'cannot be reached from here',
  ENETUNREACH: () => 'cannot be reached from here (no route to its network)',
  HPE_HEADER_OVERFLOW: () => 'sent more than 8 KiB of headers'
}

const dated = (label: string, date: string | undefined): string => (date === undefined ? '' : ` (${label} ${date})`)
const by = (certificate: CertificateFacts | undefined): string =>
  certificate === undefined ? '' : ` by "${certificate.issuer}",`

/** The error of a connection in words that follow the host, with its code for those who look it up. */
export function connectionFault(error: NodeJS.ErrnoException, certificate?: CertificateFacts): string {
  const code = error.code ?? 'unknown'
  const meaning =
    words[code]?.(certificate) ?? (code.startsWith('HPE_') ? 'sent an answer that is not HTTP/1.1' : 'failed')
  return `${meaning} (${code})`
}

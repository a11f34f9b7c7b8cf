import { constants } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { FetchError } from '../basics/fetch-error'
import { printable } from '../basics/printable'
import { connectionFault } from './connection-faults'
import type { HostRules } from './guard'
import type { CertificateFacts, Observe } from './steps'

/**
 * What a server may send before its certificate is judged, in octets. Chains in use have up to some 8 KiB. OpenSSL
 * verifies the whole chain on the event loop, trusted or not, and a chain can be made so that each KiB costs 20 ms.
 */
export const maxHandshakeOctets = 16_384

/** Explicit, because flags of Node and the environment can change the defaults. */
const tlsOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  // No finite-field Diffie-Hellman: OpenSSL computes it on the event loop before the certificate is looked at, and
  // with a large group that takes over a second
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20',
  ecdhCurve: 'X25519:P-256:P-384',
  // A renegotiation would repeat the cost of the handshake
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  rejectUnauthorized: true,
  ALPNProtocols: ['http/1.1']
} as const

function factsOf(certificate: Partial<PeerCertificate>): CertificateFacts {
  const { subject, issuer, subjectaltname, valid_from, valid_to } = certificate
  return {
    subject: printable(String(subject?.CN ?? subject?.O ?? '')),
    issuer: printable(String(issuer?.CN ?? issuer?.O ?? '')),
    names: printable(subjectaltname ?? ''),
    validFrom: printable(valid_from ?? ''),
    validTo: printable(valid_to ?? '')
  }
}

/** Speaks TLS over `stream`, and accepts no certificate but one for `host`. Never resumes a session. */
export function handshake(host: string, stream: Duplex, ca: HostRules['ca'], observe: Observe): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let facts: CertificateFacts | undefined
    const fail = (message: string): void => {
      reject(new FetchError('tls', `${host} ${message}`))
    }
    // An operator may name an intermediate authority
    const trust = ca === undefined ? {} : { ca, allowPartialTrustChain: true }
    const socket = connect({ socket: stream, servername: host, ...tlsOptions, ...trust })
    // Before Node judges the certificate: afterwards a refused one can no longer be read
    socket.prependListener('secure', () => {
      facts = factsOf(socket.getPeerCertificate())
      observe({ step: 'certificate', ...facts })
    })
    socket.on('secureConnect', () => {
      observe({ step: 'tls', version: String(socket.getProtocol()), cipher: socket.getCipher().name })
      resolve(socket)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      fail(connectionFault(error, facts))
    })
    socket.on('close', () => {
      fail('closed the connection during the TLS handshake')
    })
  })
}

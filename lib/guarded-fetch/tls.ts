import { constants } from 'node:crypto'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, createSecureContext, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls'
import { attempt } from '../basics/attempt'
import { FetchError } from '../basics/fetch-error'
import { printable } from '../basics/printable'
import { connectionFault } from './connection-faults'
import type { CertificateFacts, Observe } from './steps'

/**
 * What a server may send before its certificate is judged, in octets. Chains in use have up to some 8 KiB. OpenSSL
 * decodes and verifies the whole chain, trusted or not, and a chain can be made so that each KiB costs half a second.
 */
export const maxHandshakeOctets = 16_384

/** Explicit, because flags of Node and the environment can change the defaults. */
const contextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  // No finite-field Diffie-Hellman: OpenSSL computes it before the certificate is looked at, and with a large group that
  // takes over a second
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20',
  // A renegotiation would repeat the cost of the handshake
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION
} as const

const classicGroups = 'X25519:P-256:P-384'
/** `*`: a key share is sent for both, so that a host without the hybrid group costs no round trip more. */
const hybridGroups = `*X25519MLKEM768:*${classicGroups}`
let groups: string | undefined

/** The hybrid group is known to OpenSSL 3.5 (Node 22.20 and later). Others throw on its name. */
const knownGroups = (): string =>
  (groups ??=
    attempt(() => createSecureContext({ ecdhCurve: hybridGroups })) === undefined ? classicGroups : hybridGroups)

/** By the list itself: to read all authorities of a system takes OpenSSL some 100 ms. */
const contexts = new WeakMap<readonly string[], SecureContext>()

function contextWith(ca: readonly string[] | undefined, isOfOperator: boolean): SecureContext {
  const known = ca && contexts.get(ca)
  if (known !== undefined) return known
  // An operator may name an intermediate authority
  const trust = ca === undefined ? {} : { ca: [...ca], allowPartialTrustChain: isOfOperator }
  const context = createSecureContext({ ...contextOptions, ecdhCurve: knownGroups(), ...trust })
  if (ca !== undefined) contexts.set(ca, context)
  return context
}

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

interface Handshake {
  readonly host: string
  /** What the host is called in messages. Default: its name. */
  readonly called?: string
  /** The only authorities that are trusted, in PEM. */
  readonly ca?: readonly string[] | undefined
  /** What this server trusts, where `ca` is absent and Node does not know it by itself. */
  readonly authorities?: readonly string[] | undefined
  readonly observe: Observe
}

/** Speaks TLS over `stream`, and accepts no certificate but one for `host`. Never resumes a session. */
export function handshake(
  { host, called = host, ca, authorities, observe }: Handshake,
  stream: Duplex
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let facts: CertificateFacts | undefined
    const fail = (message: string): void => reject(new FetchError('tls', `${called} ${message}`))
    const socket = connect({
      socket: stream,
      host,
      servername: isIP(host) === 0 ? host : '',
      secureContext: contextWith(ca ?? authorities, ca !== undefined),
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1']
    })
    // Before Node judges the certificate: afterwards a refused one can no longer be read
    socket.prependListener('secure', () => {
      facts = factsOf(socket.getPeerCertificate())
      observe({ step: 'certificate', ...facts })
    })
    socket.on('secureConnect', () => {
      observe({ step: 'tls', version: String(socket.getProtocol()), cipher: socket.getCipher().name })
      resolve(socket)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => fail(connectionFault(error, facts)))
    socket.on('close', () => fail('closed the connection during the TLS handshake'))
  })
}

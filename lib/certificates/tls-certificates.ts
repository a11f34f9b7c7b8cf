import { constants, X509Certificate } from 'node:crypto'
import type { SecureContext, SecureContextOptions, Server, TLSSocket } from 'node:tls'
import { checkOptions, optionRule } from '../basics/option-checks'
import type { ClientCertificates, PresentedCertificate } from './certificate-source'

/** Certificates or revocation lists in PEM: one text, or a list of them. */
export type Pem = string | Buffer | readonly (string | Buffer)[]

/** Options of `createTlsCertificates`. */
export interface TlsCertificatesOptions {
  /**
   * The authorities that vouch for clients, in PEM; required for `tls_client_auth`. Each may issue a certificate with
   * any name (RFC 8705 §7.4), so name no public one. Default: none, and every certificate is unverified.
   */
  ca?: Pem | undefined
  /**
   * Revocation lists of these authorities, in PEM. With them, each certificate needs a list of its issuer that has not
   * ended; else it is unverified. Default: revocation is not looked at.
   */
  crl?: Pem | undefined
}

/** What `serverOptions` sets; spread it into the options of `https.createServer` or `http2.createSecureServer`. */
export interface TlsServerOptions {
  /** Asks every client for a certificate. */
  requestCert: true
  /** Lets the handshake of a client without one, or with an unverified one, succeed: the method decides. */
  rejectUnauthorized: false
  /** Session tickets and renegotiation off. Further `SSL_OP_` flags must be joined to it by `|`. */
  secureOptions: number
  /** The authorities of the option `ca`; empty without it. */
  ca: (string | Buffer)[]
  /** The revocation lists of the option `crl`. */
  crl?: (string | Buffer)[]
}

/** The source for a server where TLS ends in this process. */
export interface TlsCertificates extends ClientCertificates {
  /**
   * Asks clients for a certificate and takes connections without one; trusts `ca` and nobody else, where Node would
   * take its built-in authorities; switches session tickets and renegotiation off.
   */
  readonly serverOptions: TlsServerOptions
  /**
   * Reads certificate and verdict of each connection of this server, once, after the handshake. A connection of a
   * server that is not watched has no certificate. Wraps the server's `setSecureContext` and `addContext`, so that a
   * new server certificate keeps `serverOptions`; contexts of an `SNICallback` must be made with them.
   * Throws a `TypeError` for a server that was made without `serverOptions`.
   */
  watch(server: Server): void
}

/**
 * A resumed session skips the certificate, and after a renegotiation the verdict is that of the old one
 * (nodejs/node#35317, CVE-2025-23419).
 */
const SWITCHES = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

const listOf = (pem: Pem | undefined): (string | Buffer)[] => (pem === undefined ? [] : [pem].flat())

const isPemOf =
  (label: string, isReadable: (text: string) => boolean) =>
  (value: unknown): boolean => {
    if (typeof value !== 'string' && !Buffer.isBuffer(value)) return false
    const blocks = value.toString().match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? []
    return blocks.length > 0 && blocks.every(isReadable)
  }

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

const pemRule = (what: string, isPem: (value: unknown) => boolean) =>
  optionRule(
    `${what} in PEM (its content, not its path) as string or Buffer, or a non-empty array of them`,
    (value) => [value].flat().length > 0 && [value].flat().every(isPem)
  )

const rules = {
  ca: pemRule('certificates of authorities', isPemOf('CERTIFICATE', isCertificate)),
  crl: pemRule(
    'revocation lists',
    isPemOf('X509 CRL', () => true)
  )
}

/** Node trusts the authorities in a pfx for clients as well. */
function checkPfx(pfx: unknown): void {
  if (pfx === undefined || pfx === null) return
  throw new TypeError(
    'a server that is watched takes key and cert, not pfx: Node would trust its authorities for clients'
  )
}

/** Properties under which node:tls keeps what a server was made with. */
type ServerState = Server & { ca?: unknown; pfx?: unknown; requestCert?: unknown; secureOptions?: number }

function checkServer({ ca, pfx, requestCert, secureOptions = 0 }: ServerState, serverOptions: TlsServerOptions): void {
  if (ca !== serverOptions.ca || requestCert !== true || (secureOptions & SWITCHES) !== SWITCHES) {
    throw new TypeError(
      'watch: the server must be made with serverOptions, behind options of its own: { key, cert, ...serverOptions }'
    )
  }
  checkPfx(pfx)
}

/** The options of a further context, completed: a list passed on purpose replaces ours, the switches stay. */
function withDefaults(
  options: SecureContextOptions | SecureContext,
  { ca, crl }: TlsServerOptions
): SecureContextOptions {
  // A SecureContext does not show whom it trusts.
  if ('context' in options) throw new TypeError('addContext: a watched server takes options, not a ready SecureContext')
  checkPfx(options.pfx)
  return {
    ...options,
    ca: options.ca ?? ca,
    crl: options.crl ?? crl,
    secureOptions: (options.secureOptions ?? 0) | SWITCHES
  }
}

/**
 * Client certificates of a server where TLS ends in this process (`node:https`, `node:http2`). The path is validated by
 * the handshake, against `ca` and `crl`. Throws a `TypeError` for options that cannot be meant.
 *
 * @example
 * const certificates = createTlsCertificates({ ca: readFileSync('partners.pem') })
 * const server = https.createServer({ key, cert, ...certificates.serverOptions }, app)
 * certificates.watch(server)
 * clientAuth({ issuer, getClient, methods: ['tls_client_auth'], clientCertificates: certificates })
 */
export function createTlsCertificates(options: TlsCertificatesOptions = {}): TlsCertificates {
  checkOptions('createTlsCertificates', options, rules)
  const { ca, crl } = options
  if (crl !== undefined && ca === undefined) throw new TypeError('createTlsCertificates: option "crl" needs "ca"')
  const serverOptions: TlsServerOptions = {
    requestCert: true,
    rejectUnauthorized: false,
    secureOptions: SWITCHES,
    ca: listOf(ca), // an empty list: without one, Node takes its own authorities
    ...(crl === undefined ? {} : { crl: listOf(crl) })
  }
  // On the socket, not in a map of sockets: node:http2 gives each request a proxy of its socket.
  const presented = Symbol('oauth-client-auth: client certificate')

  function read(socket: TLSSocket): void {
    socket.disableRenegotiation()
    // RFC 8446 §2.2: the certificate of a resumed session was shown in another handshake, to other lists.
    const certificate = socket.isSessionReused() ? undefined : socket.getPeerX509Certificate()
    if (certificate === undefined) return
    const value: PresentedCertificate = Object.freeze({ certificate, verified: ca !== undefined && socket.authorized })
    Object.defineProperty(socket, presented, { value })
  }

  return {
    serverOptions,
    verifies: ca === undefined ? 'never' : 'by certificate',
    get: ({ socket }) => (socket as { [presented]?: PresentedCertificate } | null | undefined)?.[presented],
    watch(server) {
      checkServer(server, serverOptions)
      const setSecureContext = server.setSecureContext.bind(server)
      const addContext = server.addContext.bind(server)
      server.setSecureContext = (context) => {
        setSecureContext(withDefaults(context, serverOptions))
      }
      server.addContext = (hostname, context) => {
        addContext(hostname, withDefaults(context, serverOptions))
      }
      server.prependListener('secureConnection', read) // before any request of the connection is read
    }
  }
}

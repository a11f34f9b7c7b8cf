import { constants, X509Certificate } from 'node:crypto'
import type { SecureContext, SecureContextOptions, Server, TLSSocket } from 'node:tls'
import { attempt } from '../basics/attempt'
import { checkOptions, isBoolean, optionRule } from '../basics/option-checks'
import { type Warning, warnOnce } from '../basics/warn-once'
import type { ClientCertificates, PresentedCertificate } from './certificate-source'
import { isIssuedBy, thumbprintOf } from './client-certificate'

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
  /**
   * Says that the process ends TLS for these clients and does nothing else. OpenSSL decodes what a client sends before
   * any code of this package runs, and a client can make that take seconds, in which every other request waits. Nothing
   * changes but that the warning at start-up is not given. Default false.
   */
  dedicated?: boolean | undefined
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
   * new server certificate keeps `serverOptions`; contexts of an `SNICallback` must be made with them. Nobody but `ca`
   * ever vouches for a client, whatever else a context trusts.
   * Throws a `TypeError` for a server that was made without `serverOptions`, has further contexts already, or is
   * watched already.
   */
  watch(server: Server): void
}

/**
 * Session tickets and renegotiation, both off: in a resumed session no certificate is sent, and after a renegotiation
 * Node's verdict is still that of the first certificate (nodejs/node#35317, CVE-2025-23419).
 */
const SWITCHES = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

const listOf = (pem: Pem | undefined): (string | Buffer)[] => (pem === undefined ? [] : [pem].flat())

/** The blocks of a PEM text. */
const blocksOf = (label: string, pem: unknown): string[] =>
  typeof pem === 'string' || Buffer.isBuffer(pem)
    ? (pem.toString().match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [])
    : []

const certificateIn = (block: string): X509Certificate | undefined => attempt(() => new X509Certificate(block))
const certificatesIn = (pem: Pem | undefined): X509Certificate[] =>
  listOf(pem)
    .flatMap((one) => blocksOf('CERTIFICATE', one))
    .map(certificateIn)
    .filter((one) => one !== undefined)

const pemRule = (what: string, label: string, isReadable: (block: string) => boolean) =>
  optionRule(
    `${what} in PEM (its content, not its path) as string or Buffer, or a non-empty array of them`,
    (value) => {
      const blocks = [value].flat().map((one) => blocksOf(label, one))
      return blocks.length > 0 && blocks.every((some) => some.length > 0 && some.every(isReadable))
    }
  )

const pemRules = {
  ca: pemRule('certificates of authorities', 'CERTIFICATE', (block) => certificateIn(block) !== undefined),
  crl: pemRule('revocation lists', 'X509 CRL', () => true)
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

function checkServer(server: ServerState, serverOptions: TlsServerOptions): void {
  const { ca, pfx, requestCert, secureOptions = 0 } = server
  if (ca !== serverOptions.ca || requestCert !== true || (secureOptions & SWITCHES) !== SWITCHES) {
    throw new TypeError(
      'watch: the server must be made with serverOptions, behind options of its own: { key, cert, ...serverOptions }'
    )
  }
  checkPfx(pfx)
  if (contextsOf(server).length > 0)
    throw new TypeError('watch: call it before addContext, so that each context gets the authorities of serverOptions')
}

/**
 * The options of the context of one host name, completed. `ca` and `crl` given for it replace those of `serverOptions`. A
 * `ca` that is not in the option `ca` is refused: a request may name another host than the handshake did, so what it
 * vouches for would count for all of them.
 */
function completed(
  caller: string,
  options: SecureContextOptions | SecureContext,
  { ca, crl }: TlsServerOptions,
  authorities: ReadonlySet<string>
): SecureContextOptions {
  // A SecureContext does not show whom it trusts.
  if ('context' in options) throw new TypeError(`${caller}: a watched server takes options, not a ready SecureContext`)
  checkPfx(options.pfx)
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => name in pemRules))
  checkOptions(caller, given, pemRules)
  const list = given.ca === undefined ? undefined : certificatesIn(given.ca as Pem)
  const known = list?.filter((one) => authorities.has(thumbprintOf(one)))
  if (list?.length !== known?.length)
    process.emitWarning(
      `${caller}: an authority that is not in "ca" of createTlsCertificates vouches for nobody`,
      'OAuthClientAuthWarning'
    )
  return {
    ...options,
    ca: known?.map(String) ?? ca,
    crl: options.crl ?? crl,
    secureOptions: (options.secureOptions ?? 0) | SWITCHES
  }
}

/** The contexts of further host names, and the one that a connection used, as node:tls keeps them. */
const contextsOf = (server: Server): unknown[] =>
  (server as Server & { _contexts?: [name: RegExp, context: unknown][] })._contexts?.map(([, context]) => context) ?? []
const contextOf = (socket: TLSSocket): unknown =>
  (socket as TLSSocket & { _handle?: { sni_context?: unknown } | null })._handle?.sni_context

const maxSent = 10

/**
 * Whether the chain of a validated certificate reaches one of the authorities. Each link is checked by its signature,
 * since a client may write any issuer's name into what it sends beside its certificate.
 */
function leadsTo(authorities: readonly X509Certificate[], leaf: X509Certificate): boolean {
  const sent: X509Certificate[] = []
  for (let one = leaf.issuerCertificate; one !== undefined && sent.length < maxSent; one = one.issuerCertificate)
    sent.push(one)
  let last: X509Certificate | undefined = leaf
  for (let step = 0; step <= sent.length && last !== undefined; step++) {
    const issued: X509Certificate = last
    if (authorities.some((authority) => isIssuedBy(issued, authority))) return true
    last = sent.find((one) => one.ca && isIssuedBy(issued, one))
  }
  return false
}

/** That handshakes run in this process. Figures: docs/mutual-tls.md. */
const sharedProcess: Warning = {
  code: 'OAUTH_CLIENT_AUTH_SHARED_PROCESS',
  message:
    'createTlsCertificates: with one handshake any client can hold the event loop of this process for seconds (docs/mutual-tls.md, "What one handshake can cost"). End TLS at a proxy, or in a process that does nothing else, and then say dedicated: true'
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
  checkOptions('createTlsCertificates', options, { ...pemRules, dedicated: isBoolean })
  const { ca, crl, dedicated = false } = options
  if (crl !== undefined && ca === undefined) throw new TypeError('createTlsCertificates: option "crl" needs "ca"')
  if (!dedicated) warnOnce(sharedProcess)
  const serverOptions: TlsServerOptions = {
    requestCert: true,
    rejectUnauthorized: false,
    secureOptions: SWITCHES,
    ca: listOf(ca), // an empty list: without one, Node takes its own authorities
    ...(crl === undefined ? {} : { crl: listOf(crl) })
  }
  const authorities = certificatesIn(ca)
  const thumbprints = new Set(authorities.map(thumbprintOf))
  // On the socket, not in a map of sockets: node:http2 gives each request a proxy of its socket.
  const presented = Symbol('oauth-client-auth: client certificate')

  /** What the handshake says of a certificate: `undefined` where it is verified. */
  function objectionTo(certificate: X509Certificate, socket: TLSSocket, server: Server): string | undefined {
    if (authorities.length === 0) return 'no authorities: option "ca" is not given'
    if (!socket.authorized) return String(socket.authorizationError)
    // Only a context of an SNICallback may trust others than ours.
    const context = contextOf(socket)
    if (context === undefined || contextsOf(server).includes(context)) return undefined
    return leadsTo(authorities, certificate) ? undefined : 'it leads to no authority in option "ca"'
  }

  function read(socket: TLSSocket, server: Server): void {
    socket.disableRenegotiation()
    // RFC 8446 §2.2: the certificate of a resumed session was shown in another handshake, to other lists.
    const certificate = socket.isSessionReused() ? undefined : socket.getPeerX509Certificate()
    if (certificate === undefined) return
    const verdict = objectionTo(certificate, socket, server)
    const value: PresentedCertificate = Object.freeze({ certificate, verified: verdict === undefined, verdict })
    Object.defineProperty(socket, presented, { value })
  }

  const watched = new WeakSet<Server>()

  return {
    serverOptions,
    verifies: ca === undefined ? 'never' : 'by certificate',
    get: ({ socket }) => (socket as { [presented]?: PresentedCertificate } | null | undefined)?.[presented],
    watch(server) {
      checkServer(server, serverOptions)
      if (watched.has(server)) throw new TypeError('watch: this server is watched already; call it once')
      watched.add(server)
      const setSecureContext = server.setSecureContext.bind(server)
      const addContext = server.addContext.bind(server)
      server.setSecureContext = (context) =>
        setSecureContext(completed('setSecureContext', context, serverOptions, thumbprints))
      server.addContext = (hostname, context) =>
        addContext(hostname, completed('addContext', context, serverOptions, thumbprints))
      // Before any request of the connection is read
      server.prependListener('secureConnection', (socket) => read(socket, server))
    }
  }
}

import { X509Certificate } from 'node:crypto'
import type { ClientAuthRequest } from '../types'
import { thumbprintOf } from './client-certificate'

/** The certificate of a client, and whether somebody vouches for it. */
export interface PresentedCertificate {
  /** The leaf: the certificate whose private key the client has proven to hold. */
  certificate: X509Certificate
  /**
   * Whether the path from the certificate to a trusted authority was validated, with revocation lists where there
   * are any. `tls_client_auth` refuses a certificate where this is false; `self_signed_tls_client_auth` does not ask.
   */
  verified: boolean
  /**
   * What whoever validated it said in words of its own, such as OpenSSL's `INVALID_PURPOSE`. For the log of a certificate
   * that is not verified. Default: nothing.
   */
  verdict?: string | undefined
}

/**
 * Where the certificate of a request comes from: `createTlsCertificates()`, `createProxyCertificates()`, or an object
 * of your own. One server has one source.
 *
 * @example
 * // A runtime that has done the handshake itself
 * const certificates: ClientCertificates = {
 *   get: (request) => {
 *     const { pem, verified } = handshakeOf(request)
 *     return pem === undefined ? undefined : { certificate: new X509Certificate(pem), verified }
 *   }
 * }
 */
export interface ClientCertificates {
  /**
   * The certificate that came with this request, `undefined` for none. Synchronous, and asked for every request, so keep
   * it quick. What it throws is a server error, and so is a return value of another shape. What it returns is believed.
   */
  get(request: ClientAuthRequest): PresentedCertificate | undefined
  /**
   * Whether this source ever says `verified`. `never` makes `tls_client_auth` a mistake at start-up, `always` (it hands
   * out nothing that was not validated) does so for `self_signed_tls_client_auth`. Default `by certificate`.
   */
  readonly verifies?: 'never' | 'always' | 'by certificate' | undefined
  /**
   * The addresses that a header with the certificate is believed from, where it comes in one. The command judges a
   * pasted request, which has no connection, as if it came from the first of them.
   */
  readonly addresses?: readonly string[] | undefined
}

/**
 * Why a request has no certificate to go by: `header`, the value is not exactly one certificate; `key`, its key must not
 * be decoded; `proxy`, it came from an address or without a secret that we trust. Refused by us, unlike what an
 * application's own source throws.
 */
export class CertificateSourceError extends Error {
  override readonly name = 'CertificateSourceError'
  constructor(
    readonly why: 'header' | 'key' | 'proxy',
    message: string
  ) {
    super(message)
  }
}

/** A certificate in a header, which is decoded when it is asked for: most requests authenticate by something else. */
export class HeaderCertificate implements PresentedCertificate {
  constructor(
    readonly value: string,
    private readonly decode: (value: string) => X509Certificate,
    readonly verified: boolean,
    readonly verdict: string | undefined
  ) {}

  get certificate(): X509Certificate {
    return this.decode(this.value)
  }
}

/** What was found: a certificate, none, or something that must not be taken for one. */
type FoundCertificate =
  | { readonly kind: 'none' }
  /** Of a request that was pasted, which has no connection. Never where a request is authenticated. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unusable'; readonly error: CertificateSourceError }
  | ({ readonly kind: 'shown' } & Readonly<PresentedCertificate>)

/** What `act` finds. What is refused by us is unusable; all else that is thrown is a server error. */
function find(act: () => PresentedCertificate | undefined): FoundCertificate {
  try {
    const shown = act()
    if (shown === undefined) return { kind: 'none' }
    const { certificate, verified, verdict } = shown
    return { kind: 'shown', certificate, verified, verdict }
  } catch (error) {
    if (error instanceof CertificateSourceError) return { kind: 'unusable', error }
    throw error
  }
}

/** What a request has of a certificate. */
export class RequestCertificate {
  constructor(
    private readonly presented: PresentedCertificate | undefined,
    private known?: FoundCertificate
  ) {}

  /** Whether there may be one. */
  get isPresented(): boolean {
    return this.presented !== undefined
  }

  /** A header is decoded when this is first asked. */
  get found(): FoundCertificate {
    return (this.known ??= find(() => this.presented))
  }

  /** Whether another request presents the very same. */
  isSame({ presented }: RequestCertificate): boolean {
    const own = this.presented
    if (own === undefined || presented === undefined) return own === presented
    if (own.verified !== presented.verified) return false
    if (own instanceof HeaderCertificate) return presented instanceof HeaderCertificate && own.value === presented.value
    return thumbprintOf(own.certificate) === thumbprintOf(presented.certificate)
  }
}

const nothing = new RequestCertificate(undefined)

/** Asks the source. What an application's own source throws, or returns in another shape, is a server error. */
export function certificateOfRequest(
  source: ClientCertificates | undefined,
  request: ClientAuthRequest
): RequestCertificate {
  if (source === undefined) return nothing
  try {
    const presented = source.get(request) as Partial<PresentedCertificate> | null | undefined
    if (presented === undefined || presented === null) return nothing
    if (presented instanceof HeaderCertificate) return new RequestCertificate(presented)
    const { certificate, verified } = presented
    if (certificate instanceof X509Certificate && typeof verified === 'boolean')
      return new RequestCertificate(presented as PresentedCertificate)
  } catch (error) {
    if (error instanceof CertificateSourceError) return new RequestCertificate(undefined, { kind: 'unusable', error })
    throw error
  }
  throw new TypeError(
    'clientCertificates.get must return { certificate: X509Certificate, verified: boolean }, or undefined'
  )
}

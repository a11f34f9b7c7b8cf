import { X509Certificate } from 'node:crypto'
import type { ClientAuthRequest } from '../types'

/** The certificate of a client, and whether somebody vouches for it. */
export interface PresentedCertificate {
  /** The leaf: the certificate whose private key the client has proven to hold. */
  certificate: X509Certificate
  /**
   * Whether the path from the certificate to a trusted authority was validated, with revocation lists where there
   * are any. `tls_client_auth` refuses a certificate where this is false; `self_signed_tls_client_auth` does not ask.
   */
  verified: boolean
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
 *     return pem && { certificate: new X509Certificate(pem), verified }
 *   }
 * }
 */
export interface ClientCertificates {
  /**
   * The certificate that came with this request, `undefined` for none. Synchronous. What it throws is a server error,
   * and so is a return value of another shape. Whatever it returns is believed.
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
 * Why a request has no certificate to go by: `header`, the value is not exactly one certificate; `proxy`, it came from
 * an address or without a secret that we trust. Refused by us, unlike what an application's own source throws.
 */
export class CertificateSourceError extends Error {
  override readonly name = 'CertificateSourceError'
  constructor(
    readonly why: 'header' | 'proxy',
    message: string
  ) {
    super(message)
  }
}

/** What a request has of a certificate: one, none, or something that must not be taken for one. */
export type RequestCertificate =
  | { readonly kind: 'none' }
  /** Of a request that was pasted, which has no connection. Never where a request is authenticated. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unusable'; readonly error: CertificateSourceError }
  | ({ readonly kind: 'shown' } & Readonly<PresentedCertificate>)

const none: RequestCertificate = { kind: 'none' }

/** Asks the source. What an application's own source throws, or returns in another shape, is a server error. */
export function certificateOfRequest(
  source: ClientCertificates | undefined,
  request: ClientAuthRequest
): RequestCertificate {
  try {
    const found = source?.get(request) as Partial<PresentedCertificate> | null | undefined
    if (found === undefined || found === null) return none
    const { certificate, verified } = found
    if (certificate instanceof X509Certificate && typeof verified === 'boolean')
      return { kind: 'shown', certificate, verified }
  } catch (error) {
    if (error instanceof CertificateSourceError) return { kind: 'unusable', error }
    throw error
  }
  throw new TypeError(
    'clientCertificates.get must return { certificate: X509Certificate, verified: boolean }, or undefined'
  )
}

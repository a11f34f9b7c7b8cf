import type { IncomingHttpHeaders } from 'node:http'

/** The facts of a server's certificate, cut to 256 printable ASCII characters each: a stranger wrote them. */
export interface CertificateFacts {
  readonly subject: string
  readonly issuer: string
  readonly names: string
  /** As OpenSSL prints them: `Nov 25 15:00:00 2026 GMT`. */
  readonly validFrom: string
  readonly validTo: string
}

/** One step of a guarded fetch that has been taken, with its facts. */
export type FetchStep =
  | { readonly step: 'url'; readonly host: string; readonly port: number }
  | {
      readonly step: 'dns'
      /** `fault` says why an address must not be connected to; one such address refuses the fetch. */
      readonly addresses: readonly { readonly address: string; readonly fault: string | undefined }[]
    }
  /** The proxy is asked for the connection. */
  | { readonly step: 'proxy'; readonly host: string; readonly port: number }
  /** `address` is a name where the proxy has resolved it. */
  | { readonly step: 'connected'; readonly address: string; readonly port: number }
  /** The handshake is done; the certificate has not been judged yet. */
  | ({ readonly step: 'certificate' } & CertificateFacts)
  /** The certificate is accepted. */
  | { readonly step: 'tls'; readonly version: string; readonly cipher: string }
  | { readonly step: 'head'; readonly status: number; readonly headers: IncomingHttpHeaders }
  /** `title`: of a page of HTML that came in place of the document. */
  | { readonly step: 'body'; readonly octets: number; readonly title?: string }
  /** The socket is closed, whatever came of the fetch. `busyMs`: how long TLS and HTTP held the process. */
  | { readonly step: 'closed'; readonly octets: number; readonly busyMs: number }

/** Is told of each step as it is taken. Must not throw. */
export type Observe = (step: FetchStep) => void

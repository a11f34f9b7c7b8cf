import { X509Certificate } from 'node:crypto'
import { attempt, type ClientCertificates, certificateOfRequest, RequestCertificate } from '../lib/explain/for-cli'
import { readFile } from './files'
import type { Input } from './pasted-request'
import { UsageError } from './usage'

/** What the command is told of the connection that a pasted request does not have. */
export interface Connection {
  /** The address that the request came from. */
  readonly from?: string | undefined
  /** The certificate of the client, in a file. */
  readonly cert?: string | undefined
}

/** The certificate to judge by, and what the reader must know of it. */
interface Shown {
  readonly certificate?: RequestCertificate
  readonly note?: string
}

function certificateIn(file: string): X509Certificate {
  const pem = readFile('--cert', file)
  const certificate = attempt(() => new X509Certificate(pem))
  if (certificate !== undefined) return certificate
  throw new UsageError(`--cert ${file} must hold one certificate in PEM.`)
}

/** The certificate of a pasted request: that of `--cert`, or what stands in its headers, believed as from the proxy. */
export function certificateOf(source: ClientCertificates | undefined, input: Input, { from, cert }: Connection): Shown {
  if (cert !== undefined) {
    const certificate = new RequestCertificate({ certificate: certificateIn(cert), verified: true })
    return { certificate, note: 'The certificate of --cert is judged as if the handshake had verified it.' }
  }
  if (source === undefined) return {}
  const [range] = source.addresses ?? []
  const remoteAddress = from ?? range?.replace(/\/.*/, '')
  const certificate = certificateOfRequest(source, { ...input, socket: { remoteAddress } })
  const { found } = certificate
  const isHere = found.kind === 'shown' || (found.kind === 'unusable' && found.error.why !== 'proxy')
  if (isHere || (from !== undefined && 'addresses' in source)) {
    if (from !== undefined || range === undefined) return { certificate }
    const note = `Judged as if a trusted proxy (${range}) had sent it: --from ADDRESS names another sender.`
    return { certificate, note }
  }
  return {
    certificate: new RequestCertificate(undefined, { kind: 'unknown' }),
    note: 'A pasted request has no connection, so certificates are not checked: --cert FILE shows that of the client, and --from ADDRESS names the sender of a header.'
  }
}

import type { IncomingHttpHeaders } from 'node:http'
import type { Measure } from './bounded-socket'
import type { Observe } from './steps'

/** A forward proxy, as the process that fetches is told of it. */
export interface Proxy {
  readonly host: string
  readonly port: number
  /** Whether the proxy itself is spoken to by TLS. */
  readonly isTls: boolean
  /** `Proxy-Authorization`. Never in an error, event or step. */
  readonly authorization?: string | undefined
  /** The only authorities that are trusted for the proxy itself, in PEM. */
  readonly ca?: readonly string[] | undefined
}

/** One GET, with all that has been judged before: nothing but this is told to the process that fetches. */
export interface Exchange {
  readonly host: string
  readonly port: number
  /** Path and query. */
  readonly path: string
  /** The addresses of the host, vetted. None where the proxy finds them. */
  readonly addresses: readonly string[]
  readonly proxy?: Proxy | undefined
  /** The only authorities that are trusted for the host, in PEM. Absent: those that this server trusts. */
  readonly ca?: readonly string[] | undefined
  readonly maxBytes: number
  /** The `Accept` header. */
  readonly accept: string
  /** What must be readable by everybody, in words: `a key set`. */
  readonly noun: string
  readonly etag?: string | undefined
  /** Whether the title of a page that comes in its place is told: for those who look, never for a server. */
  readonly tellsTitle?: boolean | undefined
}

export interface Answer {
  readonly notModified: boolean
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Where an exchange runs: in this process or in one of its own. */
export interface Surroundings {
  /** Ends the exchange. */
  readonly signal: AbortSignal
  readonly observe: Observe
  readonly measure: Measure
  /** What this server trusts, where Node does not know it by itself. */
  readonly authorities?: readonly string[] | undefined
}

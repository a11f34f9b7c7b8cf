import type { FetchFault } from '../basics/fetch-error'
import type { Answer, Exchange } from './exchange'
import type { FetchStep } from './steps'

/** What the server tells the process that fetches. All messages are JSON. */
export type ToChild =
  | { readonly id: number; readonly exchange: Exchange }
  | { readonly cancel: number }
  /** What the server trusts; `null`: what Node trusts by itself. */
  | { readonly authorities: readonly string[] | null }

/** What the process that fetches answers. Each fetch ends with one `answer` or `error`. */
export type FromChild =
  | { readonly ready: true }
  | { readonly id: number; readonly step: FetchStep }
  | { readonly id: number; readonly answer: Omit<Answer, 'body'> & { readonly body: string } }
  | {
      readonly id: number
      readonly error: { readonly why: FetchFault; readonly message: string; readonly retryAfter?: string }
    }

/** The last words of a process that ends itself, on its standard output: which fetch worked too long (0: none). */
export interface Killed {
  readonly fetch: number
  readonly cpuMs: number
}

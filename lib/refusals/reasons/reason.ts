/** The OAuth error codes that this package answers with (RFC 6749 §5.2, §4.1.2.1, RFC 7591 §3.2.2). */
export type ClientAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'temporarily_unavailable'

/** Facts behind a failure: what was `expected`, what was `received`, and whatever else explains it. */
export type Detail = Readonly<Record<string, unknown>>

/** One of several causes of a reason, which the facts tell apart. */
interface AdviceCase {
  /** The cause, as docs/troubleshooting.md names it. */
  readonly when: string
  /** Whether the facts show it. Must stand any facts, an error of the application's own making among them. */
  readonly applies: (detail: Detail) => boolean
  readonly advice: string
}

/** All that is said of one reason: on the wire, to the operator, to the sender. Both documents are written from it. */
export interface Reason {
  /** The OAuth `error`. */
  readonly code: ClientAuthErrorCode
  /** The HTTP status. */
  readonly status: number
  /**
   * The `error_description`, unless the rule has `words` of its own. Where it depends on what is registered, it is that
   * of {@link unproven}.
   */
  readonly message: string
  /** When it happens. */
  readonly meaning: string
  /** What usually causes it. */
  readonly cause: string
  /**
   * What the sender or the operator has to change, in one sentence; where no case applies. What follows a semicolon is for
   * the operator alone: advice that is not for the sender at all needs `forSender`.
   */
  readonly advice: string
  /** Narrower advice. The first one that applies counts. */
  readonly cases?: readonly AdviceCase[]
  /** The sender's part of the advice, where the advice also tells the operator what to do, or what is registered. */
  readonly forSender?: string
  /** Which facts the sender may see: of some reasons what was expected is part of the record. Default: by the table. */
  readonly factsForSender?: 'all' | 'received'
}

/** Rows by reason. The reasons remain a union of their names, and the sentences stay out of the declarations. */
export const table = <R extends string>(rows: Readonly<Record<R, Reason>>): Readonly<Record<R, Reason>> => rows

export const badRequest = (message: string, status = 400) => ({ code: 'invalid_request', status, message }) as const
export const badClient = (message: string) => ({ code: 'invalid_client', status: 401, message }) as const
/** One answer for all that depends on what is registered, so that nothing can be probed. */
export const unproven = badClient('Client authentication failed.')
export const unavailable = {
  code: 'temporarily_unavailable',
  status: 503,
  message: 'Client authentication is temporarily unavailable.'
} as const

/** A member of a fact, if it has members. */
export const member = (value: unknown, name: string): unknown => (Object(value) as Record<string, unknown>)[name]

/** Whether the assertion is the token of another issuer: then the client that sends it cannot change what is in it. */
export const isOfIssuer = ({ issuer }: Detail): boolean => issuer !== undefined

/** Whether the stable `why` of a fetch is one of these. */
export const whyIs =
  (...whys: readonly string[]) =>
  ({ why }: Detail): boolean =>
    whys.includes(textOf(why))

/** A fact as text, or the empty text. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

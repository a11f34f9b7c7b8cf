import type { Detail } from '../errors'

/** One of several causes of a reason, which the facts tell apart. */
export interface AdviceCase {
  /** The cause, as docs/troubleshooting.md names it. */
  readonly when: string
  /** Whether the facts show it. Must stand any facts, an error of the application's own making among them. */
  readonly applies: (detail: Detail) => boolean
  readonly advice: string
}

/** What can be said to people about one reason. docs/troubleshooting.md has the same sentences. */
export interface ReasonAdvice {
  /** What it means. */
  readonly meaning: string
  /** What usually causes it. */
  readonly cause: string
  /** What the sender or the operator has to change, in one sentence; where no case applies. */
  readonly advice: string
  /** Narrower advice. The first one that applies counts. */
  readonly cases?: readonly AdviceCase[]
}

/** A member of a fact, if it has members. */
export const member = (value: unknown, name: string): unknown => (Object(value) as Record<string, unknown>)[name]

/** A fact as text, or the empty text. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

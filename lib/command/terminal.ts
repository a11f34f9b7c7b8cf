/** Where a command prints, and whether in colour. */
export interface Terminal {
  readonly write: (text: string) => void
  readonly colors: boolean
}

/** The command was called in a way that it does not know. The message is one sentence with the fix. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

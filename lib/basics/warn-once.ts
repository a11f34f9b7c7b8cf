const warned = new Set<string>()

/** A process warning: what it says, and what to do. Its code lets it be switched off (`--disable-warning=CODE`). */
export interface Warning {
  readonly code: string
  readonly message: string
  readonly detail?: string
  readonly type?: 'SecurityWarning' | 'OAuthClientAuthWarning'
}

/** Emits a process warning, each of them once in a process. */
export function warnOnce({ code, message, type = 'OAuthClientAuthWarning', detail = '' }: Warning): void {
  if (warned.has(code)) return
  warned.add(code)
  process.emitWarning(message, { type, code, detail })
}

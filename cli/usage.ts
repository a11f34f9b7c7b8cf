import { parseArgs } from 'node:util'

/** The command was called wrongly: the message is one sentence that says how to put it right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Where a command reads and writes. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly stderr: { write(text: string): unknown }
  readonly env: NodeJS.ProcessEnv
}

/** One command of the program. */
export interface Command {
  /** What it does, in one line of `--help`. */
  readonly summary: string
  /** The text of its own `--help`. */
  readonly help: string
  /** @returns the exit code: 0 for yes, 1 for no. Throws a {@link UsageError} where the arguments cannot be meant. */
  readonly run: (args: readonly string[], io: Io) => Promise<number>
}

/** The options of a command, as parseArgs takes them. */
type OptionTypes = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly multiple?: true }>>

type ValueOf<T> = T extends { multiple: true } ? string[] : T extends { type: 'string' } ? string : boolean

/** What was given, by the names of the options. */
export interface Arguments<T extends OptionTypes> {
  readonly values: { readonly [Name in keyof T]?: ValueOf<T[Name]> }
  readonly positionals: readonly string[]
}

/** What the errors of parseArgs say, in our words. They may quote an argument, which may be an assertion. */
function usageError(thrown: unknown, known: OptionTypes): unknown {
  const { code, message } = thrown as NodeJS.ErrnoException
  const [option = 'an option'] = /--?[a-z-]{1,20}(?=[^a-z-])/i.exec(message) ?? []
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const names = Object.keys(known).map((name) => `--${name}`)
    return new UsageError(`Unknown option ${option}: known are ${names.join(', ')}.`)
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const takesValue = known[option.replace(/^-+/, '')]?.type === 'string'
    return new UsageError(takesValue ? `Option ${option} needs a value after it.` : `Option ${option} takes no value.`)
  }
  return thrown
}

/** Parses the arguments of a command; throws a {@link UsageError} for those that it does not know. */
export function parseArguments<T extends OptionTypes>(args: readonly string[], options: T): Arguments<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (thrown) {
    throw usageError(thrown, options)
  }
}

import { readFileSync } from 'node:fs'
import { document } from './document/command'
import { explain } from './explain'
import { jwks } from './jwks/command'
import { page } from './page/command'
import { safeMessage, wrapped } from './text'
import { type Command, type Io, UsageError } from './usage'

/** The commands, by name. */
const commands: ReadonlyMap<string, Command> = new Map(Object.entries({ explain, jwks, document, page }))

const width = 10
const overview = (): string =>
  [
    'Usage: oauth-client-auth COMMAND [ARGUMENTS]',
    '',
    ...[...commands].map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`),
    `  ${'--help'.padEnd(width)}this text; after a command, how it is used`,
    `  ${'--version'.padEnd(width)}the version of this package`,
    ''
  ].join('\n')

function version(): string {
  const file = require.resolve('oauth-client-auth/package.json') // by our own name, since dist/ lies deeper than cli/
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return `${version}\n`
}

/** Fits 80 columns: what an option does hangs below itself. */
const helpText = ({ help }: Command): string =>
  help
    .split('\n')
    .flatMap((line) => wrapped(line, /^(?:Usage: | {2}.*? {2,})?/.exec(line)?.[0].length ?? 0))
    .join('\n')

const isHelp = (arg: string | undefined): boolean => arg === '--help' || arg === '-h' || arg === 'help'

async function dispatch([name, ...args]: readonly string[], io: Io): Promise<number> {
  const print = (text: string): number => {
    io.stdout.write(text)
    return 0
  }
  if (isHelp(name)) return print(overview())
  if (name === '--version') return print(version())
  const command = commands.get(name ?? '')
  if (command === undefined) {
    const known = [...commands.keys()].join(', ')
    throw new UsageError(`Name a command: ${known}; --help tells what each does.`)
  }
  return args.includes('--help') ? print(helpText(command)) : command.run(args, io)
}

/**
 * Runs the program.
 *
 * @param args - the arguments after the program's name
 * @returns the exit code: what the command says, or 2 where it was called wrongly
 */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(args, io)
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown
    io.stderr.write(`oauth-client-auth: ${safeMessage(thrown.message)}\n`)
    return 2
  }
}

#!/usr/bin/env node
import { runProgram } from './dispatcher'
import { safeMessage } from './text'

/** Ends the process, once all is written: a configuration may have opened connections that would keep it alive. */
const end = (code: number): void => {
  process.stdout.write('', () => process.exit(code))
}

void runProgram(process.argv.slice(2), process).then(end, (thrown: unknown) => {
  // A fault in this package or in the modules of --config. No stack: it helps nobody who uses a command.
  process.stderr.write(`oauth-client-auth: ${safeMessage(thrown instanceof Error ? thrown.message : String(thrown))}\n`)
  end(2)
})

import { Readable } from 'node:stream'
import { runProgram } from '../../cli/dispatcher'

/** Runs the program within this process: its exit code, and what it printed, also with each run of white space as one. */
export async function runCommand(args: readonly string[], stdin: string | Buffer = '') {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text) })
  const io = { stdin: Readable.from([Buffer.from(stdin)]), stdout: stream('stdout'), stderr: stream('stderr'), env: {} }
  const code = await runProgram(args, io)
  return { code, ...written, text: written.stdout.replace(/\s+/g, ' ').trim() }
}

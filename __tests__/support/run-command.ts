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

/** The lines that were broken to fit 80 columns, joined again. */
export const unfolded = (text: string): string => text.replace(/\n {4,}(?=\S)/g, ' ')

/** The lines of more than 80 columns that could be broken: one long word may stick out. */
export const tooWide = (text: string): string[] =>
  text.split('\n').filter((line) => line.length > 80 && line.trim().includes(' '))

import { once } from 'node:events'
import { loadServer } from '../files'
import { type Command, type Io, parseArguments, UsageError } from '../usage'
import { explainPasted } from './pasted'
import { servePage, type RunningPage } from './server'

const help = `Usage: oauth-client-auth page [--port N] [--config FILE]

Serves a page on this machine: paste a request and a client record, and it says why the request is accepted or\
 refused, and what to change.

  --port N        listens at this port; else at any that is free
  --config FILE   a module that exports the options of the server: export default { issuer, getClient, … }

Only this machine can open it, by the address that is printed. Nothing pasted is stored or logged. Ctrl-C ends it.
Exit code: 0 ended, 2 called wrongly.
`

const options = { port: { type: 'string' }, config: { type: 'string' } } as const

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError('--port needs a number from 0 to 65535.')
}

/** Starts the page. @throws UsageError where the arguments or the port cannot be used */
export async function startPage(args: readonly string[]): Promise<RunningPage> {
  const { values, positionals } = parseArguments(args, options)
  if (positionals.length > 0) throw new UsageError('page takes no argument: paste the request into the page.')
  const port = portOf(values.port ?? '0')
  const server = values.config === undefined ? undefined : await loadServer({ config: values.config })
  const answers = {
    settings: () => (server === undefined ? {} : { issuer: server.options.issuer }),
    explain: (pasted: unknown) => explainPasted(pasted, server)
  }
  return servePage(port, answers).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (!['EADDRINUSE', 'EACCES'].includes(String(code))) throw error
    throw new UsageError(`--port ${port} cannot be used (${String(code)}): leave it out for any that is free.`)
  })
}

/** Ctrl-C, or the supervisor of a process. The listeners are gone afterwards: a second Ctrl-C ends it at once. */
const asked = (): Promise<unknown> => Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])

async function run(args: readonly string[], io: Io): Promise<number> {
  const { url, close } = await startPage(args)
  io.stdout.write(`Open ${url}\nOnly this machine can, and only by this very address. Ctrl-C ends it.\n`)
  await asked()
  await close()
  return 0
}

/** `oauth-client-auth page`. */
export const page: Command = {
  summary: 'a page on this machine that explains what is pasted into it',
  help,
  run
}

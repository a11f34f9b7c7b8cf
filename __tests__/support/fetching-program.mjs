// A program that fetches: told in JSON which library to load and what to ask for. It writes a line of JSON for each
// answer, with the process that fetches, and one for each line that it reads. Its fetchers are never closed, unless it
// is told to end so.
import cluster from 'node:cluster'
import { subscribe } from 'node:diagnostics_channel'
import { createInterface } from 'node:readline'

const {
  library,
  keySets = [],
  documents = [],
  hosts,
  inProcess,
  stays,
  tellsFlags,
  workers,
  timeout = 20
} = JSON.parse(process.argv[2])

let child
subscribe('child_process', ({ process: started }) => (child = started))
let killed = 0
subscribe('oauth-client-auth:fetching', ({ event }) => (killed += event === 'killed' ? 1 : 0))
const tell = (told) =>
  console.log(JSON.stringify({ ...told, pid: child?.pid, ...(tellsFlags && { flags: child?.spawnargs.slice(1, -1) }) }))
const tellOf = (work) =>
  work.then(
    () => tell({ outcome: 'fetched' }),
    ({ why, cause, message }) => tell({ outcome: why ?? cause?.why, message: cause?.message ?? message })
  )

async function fetchAll() {
  const { createJwksFetcher, createClientDocuments } = await import(library)
  const options = {
    hosts,
    inProcess,
    timeout,
    resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
  }
  const sets = createJwksFetcher(options)
  const records = createClientDocuments({ ...options, allow: 'anyone' })
  const ends = {
    close: () => sets.close(),
    exit: () => process.exit()
  }
  const lines = createInterface(process.stdin)
  lines.on('line', (end) => {
    process.on('exit', () => tell({ outcome: 'ended', killed }))
    lines.close()
    ends[end]()
  })
  process.stdin.unref?.()
  for (const uri of keySets) await tellOf(sets.get(uri))
  for (const uri of documents) await tellOf(records.get(uri))
  if (stays) setInterval(() => undefined, 1000)
}

if (workers && cluster.isPrimary) for (let i = 0; i < workers; i++) cluster.fork()
else await fetchAll()

// A program that fetches: told in JSON which library to load and what to ask for. It writes a line of JSON for each
// answer, with the process that fetches. Its fetchers are never closed.
import { subscribe } from 'node:diagnostics_channel'

const { library, keySets = [], documents = [], hosts, inProcess, stays } = JSON.parse(process.argv[2])
const { createJwksFetcher, createClientDocuments } = await import(library)

let child
subscribe('child_process', ({ process: started }) => (child = started))
const options = {
  hosts,
  inProcess,
  timeout: 20,
  resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
}
const tell = (told) => console.log(JSON.stringify({ ...told, pid: child?.pid }))
const tellOf = (work) =>
  work.then(
    () => tell({ outcome: 'fetched' }),
    ({ why, cause, message }) => tell({ outcome: why ?? cause?.why, message: cause?.message ?? message })
  )

const sets = createJwksFetcher(options)
for (const uri of keySets) await tellOf(sets.get(uri))
const records = createClientDocuments({ ...options, allow: 'anyone' })
for (const uri of documents) await tellOf(records.get(uri))
if (stays) setInterval(() => undefined, 1000)

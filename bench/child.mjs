// What the process that fetches costs a server. Linux. Build first.
//
//   node bench/child.mjs [--runs 20] [--before path to the index.js of another build]
//
// 1. A process that loads the package and makes a middleware, and never fetches: start and memory; with --before beside
//    a build from before there was such a process.
// 2. The first fetch of a server, the next one, and the memory of the process that fetches.
// A cached key set is measured by jwks.mjs.
import { fork } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { generate } from 'selfsigned'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    before: { type: 'string' },
    dist: { type: 'string', default: new URL('../dist/lib/index.js', import.meta.url).pathname },
    serve: { type: 'string' }
  }
})
const host = 'keys.partner.net'

/** Memory of a process in MB: resident, and the share that is its own (Pss). */
function memoryOf(pid) {
  const read = (file, name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'latin1'))?.[1]) / 1024
  return { resident: read('status', 'VmRSS'), own: read('smaps_rollup', 'Pss') }
}

/** In a process of its own: loads, tells, and fetches where there is something to fetch. */
async function serve({ dist, uri, port, ca }) {
  const loaded = performance.now()
  const { clientAuth, createJwksFetcher } = await import(pathToFileURL(dist))
  clientAuth({ issuer: 'https://as.example.com', getClient: () => undefined })
  const told = { loadMs: performance.now() - loaded, startMs: performance.now(), memory: memoryOf('self') }
  if (uri !== undefined) {
    let child
    subscribe('child_process', ({ process: started }) => (child = started))
    const resolver = () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
    const fetcher = createJwksFetcher({ hosts: { [host]: { addresses: ['127.0.0.1'], ports: [port], ca } }, resolver })
    told.fetchMs = []
    for (const path of ['first', 'next', 'third']) {
      const started = performance.now()
      await fetcher.get(uri + path)
      told.fetchMs.push(performance.now() - started)
    }
    if (child) told.child = memoryOf(child.pid)
    told.memoryAfter = memoryOf('self')
  }
  process.send(told)
  process.disconnect()
}

const runOnce = (task) =>
  new Promise((done, fail) => {
    const child = fork(new URL(import.meta.url), ['--serve', JSON.stringify(task)])
    child.once('message', done).once('exit', () => fail(new Error('the process told nothing')))
  })

const spread = (numbers, unit) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (q) => sorted[Math.floor((sorted.length - 1) * q)].toFixed(1)
  return `${at(0.5)} ${unit} (${at(0.25)} to ${at(0.75)})`
}

async function measure() {
  const made = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }]
  })
  const server = https.createServer({ key: made.private, cert: made.cert }, (_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"keys":[]}')
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  const uri = `https://${host}:${port}/`

  const builds = { ...(values.before && { before: values.before }), now: values.dist }
  const idle = Object.fromEntries(Object.keys(builds).map((name) => [name, []]))
  const fetching = []
  // Side by side, so that what else happens on the machine falls on all alike
  for (let i = 0; i < Number(values.runs); i++) {
    for (const [name, dist] of Object.entries(builds)) idle[name].push(await runOnce({ dist }))
    fetching.push(await runOnce({ dist: values.dist, uri, port, ca: made.cert }))
  }
  server.close()

  const row = (name, value) => console.log(`${name.padEnd(52)}${value}`)
  console.log(`Node ${process.version}; median (quartiles) of ${values.runs}`)
  for (const [name, all] of Object.entries(idle)) {
    console.log(`\nA process that never fetches, ${name}`)
    row(
      'to load the package and make a middleware',
      spread(
        all.map(({ loadMs }) => loadMs),
        'ms'
      )
    )
    row(
      'from the start of Node',
      spread(
        all.map(({ startMs }) => startMs),
        'ms'
      )
    )
    row(
      'memory, resident',
      spread(
        all.map(({ memory }) => memory.resident),
        'MB'
      )
    )
  }
  console.log('\nA process that fetches')
  for (const [i, name] of ['first fetch', 'next fetch', 'third fetch'].entries())
    row(
      name,
      spread(
        fetching.map(({ fetchMs }) => fetchMs[i]),
        'ms'
      )
    )
  row(
    'the server itself grows by',
    spread(
      fetching.map(({ memory, memoryAfter }) => memoryAfter.resident - memory.resident),
      'MB'
    )
  )
  row(
    'the process that fetches, resident',
    spread(
      fetching.map(({ child }) => child.resident),
      'MB'
    )
  )
  row(
    'its own share of that',
    spread(
      fetching.map(({ child }) => child.own),
      'MB'
    )
  )
}

if (values.serve === undefined) await measure()
else await serve(JSON.parse(values.serve))

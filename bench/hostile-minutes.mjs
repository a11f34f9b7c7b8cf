// Hostile jwks_uri hosts asked in turn for minutes, and who is served meanwhile. Linux. Build first.
//
//   node bench/hostile-minutes.mjs [--minutes 10] [--urls 44] [--kind NAME] [--busy] [--dist path]
//
// Each hostile host has an address of its own, so that no address rests. One of them shares its address with an innocent
// host, behind a proxy that tells them apart by SNI. --busy keeps every core busy beside it: no honest host may be
// blamed then. --kind is a row of hostile-tls.mjs.
import { Worker } from 'node:worker_threads'
import { connect, createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { askSigned, goodClient, ms, quantile, spread, startApp, startHosts } from './hostile-load.mjs'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    urls: { type: 'string', default: '44' },
    kind: { type: 'string', default: '32 certificates with explicit curves' },
    busy: { type: 'boolean', default: false },
    dist: { type: 'string', default: new URL('../dist', import.meta.url).pathname }
  }
})
const count = Number(values.urls)
const good = 'good.partner.net'
const innocent = 'innocent.partner.net'
const hostile = Array.from({ length: count }, (_, i) => `h${i}.attacker.net`)
const shared = '127.0.1.1'

const hosts = await startHosts([good, innocent])
const hostilePort = hosts.ports[values.kind]
if (hostilePort === undefined) throw new Error(`--kind is one of: ${Object.keys(hosts.ports).join(', ')}`)

/** Leads to the innocent host who asks for it by name, and everybody else to the hostile one. */
const bySni = createServer((client) => {
  client
    .on('error', () => {})
    .once('data', (hello) => {
      const behind = connect(hello.includes(innocent) ? hosts.honestPort : hostilePort, '127.0.0.1')
      behind.on('error', () => client.destroy()).write(hello)
      client.pipe(behind).pipe(client)
    })
})
await new Promise((done) => bySni.listen(0, shared, done))
const sharedPort = bySni.address().port

const events = { started: 0, killed: 0, rested: 0, busy: 0 }
const blamed = new Set()
const failures = new Set()
const app = await startApp(
  values.dist,
  {
    [good]: { address: '127.0.2.1', port: hosts.honestPort, ca: hosts.ca },
    [innocent]: { address: shared, port: sharedPort, ca: hosts.ca },
    ...Object.fromEntries(
      hostile.map((name, i) => [name, { address: `127.0.1.${i + 1}`, port: i === 0 ? sharedPort : hostilePort }])
    )
  },
  ({ event, host, failed, message }) => {
    if (failed === good || failed === innocent) failures.add(message)
    if (event === undefined) return
    events[event]++
    if (event === 'killed' && !hostile.includes(host)) blamed.add(host ?? 'nobody')
  }
)

const quietEnd = performance.now() + 5000
const quiet = await goodClient(app.port, () => performance.now() > quietEnd)

const source = 'for (;;);'
const busy = values.busy ? Array.from({ length: availableParallelism() }, () => new Worker(source, { eval: true })) : []

const end = performance.now() + Number(values.minutes) * 60_000
const isOver = () => performance.now() > end

/** Every hostile URL in turn, each as soon as the one before is answered. */
async function attack() {
  let asked = 0
  for (; !isOver(); asked++) {
    await askSigned(app.port, `${hostile[asked % count]}/0`)
    await wait(100)
  }
  return asked
}

/** A client whose key set was never fetched, again and again. */
async function firstLoads(host) {
  const times = []
  let refused = 0
  for (let i = 0; !isOver(); i++) {
    const { status, ms } = await askSigned(app.port, `${host}/${i}`, hosts.privateKey)
    if (status === 200) times.push(ms)
    else refused++
    await wait(2000)
  }
  return { times, refused }
}

const before = await app.cpu()
const [asked, goodLoads, innocentLoads, attacked] = await Promise.all([
  attack(),
  firstLoads(good),
  firstLoads(innocent),
  goodClient(app.port, isOver)
])
const cpu = (await app.cpu()) - before

console.log(
  `Node ${process.version}, ${values.minutes} min, ${count} hostile URLs: ${values.kind}${values.busy ? ', all cores busy' : ''}`
)
const row = (name, value) => console.log(`${name.padEnd(48)}${value}`)
row('hostile URLs asked, without a pause', asked)
row('processes started, killed', `${events.started}, ${events.killed}`)
row('fetches refused as busy, addresses that rest', `${events.busy}, ${events.rested}`)
row('honest hosts blamed', blamed.size === 0 ? 'none' : [...blamed].join(', '))
row(
  'CPU of the processes that fetch',
  `${(cpu / 1000).toFixed(1)} s, ${(cpu / 600 / Number(values.minutes)).toFixed(1)} % of a core`
)
const loads = ({ times, refused }) =>
  `${times.length} of ${times.length + refused}, median${ms(quantile(times, 0.5))}, longest${ms(Math.max(...times))}`
row('good first loads that succeeded', loads(goodLoads))
row('those of the innocent host at a hostile address', loads(innocentLoads))
for (const message of failures) row('  failed', message)
console.log(`\nA good Basic client, 20 requests a second: 50th, 90th, 99th percentile, longest`)
row('quiet', spread(quiet))
row('attacked', spread(attacked))

for (const worker of busy) await worker.terminate()
app.stop()
hosts.stop()
bySni.close()

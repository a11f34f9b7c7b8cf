// What hostile jwks_uri hosts cost the event loop by TLS alone, before any certificate is trusted. Linux. Build first.
//
//   node bench/hostile-tls.mjs [--seconds 60] [--fetches 5] [--dist path]
//
// 1. The longest block of the event loop during one fetch: by https.get with Node's defaults, and by createJwksFetcher.
// 2. A good Basic client, and clients whose key sets are fetched for the first time, beside 24 registered hosts of each
//    of the worst kinds, asked for 0.76 times a second. Each host has an address of its own, so that no address rests.
// --dist measures another build (an older one, for "before").
import https from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { askSigned, goodClient, ms, quantile, spread, startApp, startHosts } from './hostile-load.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    fetches: { type: 'string', default: '5' },
    dist: { type: 'string', default: new URL('../dist', import.meta.url).pathname }
  }
})
const { createJwksFetcher } = await import(pathToFileURL(`${values.dist}/lib/index.js`))
const host = 'host.attacker.net'
const good = 'good.partner.net'
const hostNames = Array.from({ length: 24 }, (_, i) => `h${i}.attacker.net`)
const seconds = Number(values.seconds)

const resolver = () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel() {} })
const fetcherFor = (port, ca) =>
  createJwksFetcher({ hosts: { [host]: { addresses: ['127.0.0.1'], ports: [port], ca } }, resolver })

/** The longest time between two turns of the event loop while `work` is under way. */
async function longestBlock(work) {
  let longest = 0
  let last = performance.now()
  let isOver = false
  const turn = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work().catch(() => undefined)
  await wait(20) // the block itself may end the work
  isOver = true
  return longest
}

function bareGet(port, ca, path = '/0') {
  const lookup = (_host, { all }, callback) =>
    setImmediate(callback, null, all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4)
  return new Promise((resolve, reject) => {
    https
      .get(`https://${host}:${port}${path}`, { agent: false, lookup, ca }, (response) =>
        response.resume().on('close', resolve)
      )
      .on('error', reject)
  })
}

const paths = (count) => Array.from({ length: count }, (_, i) => `/${i}`)
const allOf = (count, get) => Promise.allSettled(paths(count).map(get)).then(() => undefined)

async function blocks({ ports, ca }) {
  const count = Number(values.fetches)
  const measure = async (work) => {
    const all = []
    for (let i = 0; i < count; i++) all.push(await longestBlock(work))
    return `${ms(quantile(all, 0.5))}${ms(Math.max(...all))}`
  }
  console.log(`\nLongest block of the event loop during one fetch, median and worst of ${count}`)
  console.log(`${''.padEnd(48)}${"Node's defaults".padStart(20)}${'createJwksFetcher'.padStart(20)}`)
  const row = (name, byNode, bySets) => console.log(`${name.padEnd(48)}${byNode}${bySets}`)
  const honest = ports['an honest server']
  await bareGet(honest, ca) // loads the root certificates
  const first = await measure(async () => {
    const fetcher = fetcherFor(honest, ca)
    await fetcher.get(`https://${host}:${honest}/`).catch(() => undefined)
    fetcher.close?.()
  })
  row('a first fetch, which starts the process', ''.padEnd(20), first)
  await fetcherFor(honest, ca)
    .get(`https://${host}:${honest}/`)
    .catch(() => undefined) // from here on it runs
  const worst = '32 certificates with explicit curves'
  const cases = Object.entries(ports).map(([name, port]) => [name, port, 1])
  for (const [name, port, urls] of [...cases, [`${worst}, three URLs at once`, ports[worst], 3]]) {
    if (port === undefined) continue
    const byNode = await measure(() => allOf(urls, (path) => bareGet(port, ca, path)))
    const bySets = await measure(() => {
      const fetcher = fetcherFor(port, ca)
      return allOf(urls, (path) => fetcher.get(`https://${host}:${port}${path}`))
    })
    row(name, byNode, bySets)
  }
}

/** A client whose key set was never fetched, once a second: how long each took, and how many were refused. */
async function firstLoads(port, privateKey, isOver) {
  const all = []
  for (let i = 0; !isOver(); i++) {
    all.push(askSigned(port, `${good}/${i}`, privateKey))
    await wait(1000)
  }
  const done = await Promise.all(all)
  const times = done.filter(({ status }) => status === 200).map(({ ms }) => ms)
  return { times, refused: done.length - times.length }
}

async function beside(name, hosts) {
  const port = hosts.ports[name]
  const app = await startApp(values.dist, {
    [good]: { address: '127.0.2.1', port: hosts.honestPort, ca: hosts.ca },
    ...Object.fromEntries(hostNames.map((each, i) => [each, { address: `127.0.1.${i + 1}`, port }]))
  })
  const during = async (seconds) => {
    const end = performance.now() + seconds * 1000
    const isOver = () => performance.now() > end
    return Promise.all([goodClient(app.port, isOver), firstLoads(app.port, hosts.privateKey, isOver)])
  }
  await during(3)
  const [quiet] = await during(seconds)
  let isOver = false
  const attack = (async () => {
    for (let i = 0; !isOver; i++) {
      askSigned(app.port, `${hostNames[i % 24]}/0`).catch(() => undefined)
      await wait(1000 / 0.76)
    }
  })()
  const [attacked, loads] = await during(seconds)
  isOver = true
  await attack
  app.stop()
  console.log(`${name.padEnd(48)}quiet       ${spread(quiet)}`)
  console.log(`${''.padEnd(48)}attacked    ${spread(attacked)}`)
  console.log(`${''.padEnd(48)}first loads ${spread(loads.times)}, ${loads.refused} refused`)
}

const hosts = await startHosts([host, good])
console.log(`Node ${process.version}, OpenSSL ${process.versions.openssl}, ${values.dist}`)
await blocks(hosts)
console.log(`\nA good Basic client, 20 requests a second: 50th, 90th, 99th percentile, longest`)
for (const name of [
  'TLS 1.2, DHE of 10,000 bits',
  '10 certificates of RSA-3072, e of 3,071 bits',
  '8 certificates of DSA-10000',
  '32 certificates with explicit curves'
])
  await beside(name, hosts)
hosts.stop()

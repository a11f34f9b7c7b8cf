// What the key set cache costs: a cached hit beside a bare lru-cache get, and a cold fetch, with its DNS answer, its
// vetting and its key checks, beside a bare https.get to the same server. Build first: npm run build.
import https from 'node:https'
import { LRUCache } from 'lru-cache'
import { fetcherFor, startKeyServer } from './key-server.mjs'

const keyServer = await startKeyServer()
const { server, cert, uri } = keyServer
const fetcher = fetcherFor(keyServer)
const lru = new LRUCache({ max: 1000, ttl: 600_000, ttlResolution: 0 })
lru.set(uri(), await fetcher.get(uri()))

function bareGet(index) {
  const lookup = (_host, { all }, callback) =>
    setImmediate(callback, null, all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4)
  return new Promise((resolve, reject) => {
    const options = { agent: false, ca: cert, lookup }
    https
      .get(uri(index), options, async (response) => resolve(JSON.parse((await response.toArray()).join(''))))
      .on('error', reject)
  })
}

/** Seconds per call: the median of several rounds, so that one disturbance does not decide. */
async function cost(calls, rounds, work) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    for (let i = 0; i < calls; i++) await work(`${round}-${i}`)
    times.push((performance.now() - started) / 1000 / calls)
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]
}

const microseconds = (seconds) => `${(seconds * 1e6).toFixed(seconds < 1e-4 ? 2 : 0)} µs`
const rows = [
  ['cached hit', await cost(200_000, 7, () => fetcher.get(uri()))],
  ['lru-cache get, awaited', await cost(200_000, 7, () => lru.get(uri()))],
  ['cold fetch', await cost(100, 7, (index) => fetcher.get(uri(index)))],
  ['bare https.get', await cost(100, 7, (index) => bareGet(index))]
]
console.log(`Node ${process.version}`)
for (const [name, seconds] of rows) console.log(`${name.padEnd(24)}${microseconds(seconds).padStart(12)}`)
server.close()

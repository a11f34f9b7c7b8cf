// The assertions and refusals of one version of Node. `npm run bench` uses it, and starts it with the others.
import { pathToFileURL } from 'node:url'
import { measureAssertions } from './assertions.mjs'
import { mainAlgorithms, newerAlgorithms } from './clients.mjs'
import { of, perRound } from './measure.mjs'
import { measureRefusals } from './refusals.mjs'

const warmup = 6000
const over = (what, a, b) => perRound((x, y) => x / y, [a, b], what).median

/** The measured rows of the assertions, and a summary of all that can be handed on as JSON. */
export async function measureVersion() {
  const algorithms = [...mainAlgorithms, ...newerAlgorithms]
  const rows = await measureAssertions(algorithms, { rounds: 60, count: 250, pool: 2500, warmup })
  const refusals = await measureRefusals({ rounds: 24, count: 500, warmup })
  const summary = {
    node: process.version,
    openssl: process.versions.openssl,
    ratios: rows.map(({ alg, inFlight, ours, jose, crypto, least }) => ({
      alg,
      inFlight,
      cpuOverJose: over('cpu', ours, jose),
      mainOverJose: over('main', ours, jose),
      cpuOverCrypto: over('cpu', ours, crypto),
      leastOverJose: over('cpu', least, jose)
    })),
    refusals: refusals.map((row) => ({ name: row.name, rate: of(row, 'rate').median, cpu: of(row, 'cpu').median }))
  }
  return { rows, summary }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { summary } = await measureVersion()
  console.log(JSON.stringify(summary))
}

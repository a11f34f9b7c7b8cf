// The ratios of one version of Node, as JSON: started by bench.mjs with each. RATIOS=no leaves the assertions out.
import { measureAssertions } from './assertions.mjs'
import { mainAlgorithms } from './clients.mjs'
import { of, perRound } from './measure.mjs'
import { measureRefusals } from './refusals.mjs'

const warmup = 6000
const over = (what, a, b) => perRound((x, y) => x / y, [a, b], what).median
const rows =
  process.env.RATIOS === 'no'
    ? []
    : await measureAssertions(mainAlgorithms, { rounds: 24, count: 250, pool: 2500, warmup })
const refusals = await measureRefusals({ rounds: 12, count: 500, warmup })
console.log(
  JSON.stringify({
    node: process.version,
    openssl: process.versions.openssl,
    ratios: rows.map(({ alg, inFlight, ours, jose, crypto }) => ({
      alg,
      inFlight,
      cpuOverJose: over('cpu', ours, jose),
      mainOverJose: over('main', ours, jose),
      cpuOverCrypto: over('cpu', ours, crypto)
    })),
    refusals: refusals.map((row) => ({ name: row.name, rate: of(row, 'rate').median, cpu: of(row, 'cpu').median }))
  })
)

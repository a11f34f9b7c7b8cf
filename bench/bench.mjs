// npm run bench: measures everything side by side and writes RESULTS.md.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { mainAlgorithms, otherAlgorithms } from './clients.mjs'
import { measureGrowth, measureMemory } from './growth.mjs'
import { measureHttp } from './http.mjs'
import { measureAssertions } from './assertions.mjs'
import { of } from './measure.mjs'
import * as report from './report.mjs'
import { measureSecrets } from './secrets.mjs'
import { measureStart } from './start.mjs'
import { measureVersion } from './version.mjs'

setFlagsFromString('--expose-gc')
globalThis.gc = runInNewContext('gc')

const started = Date.now()
const step = (name, measure, ...how) => {
  process.stderr.write(`${Math.round((Date.now() - started) / 1000)} s: ${name}\n`)
  return measure(...how)
}
const warmup = 6000

/** version.mjs on another version of Node, from the npm package `node`. */
function onNode(name) {
  const program = fileURLToPath(new URL(`./node_modules/${name}/bin/node`, import.meta.url))
  const script = fileURLToPath(new URL('./version.mjs', import.meta.url))
  return JSON.parse(execFileSync(program, ['--expose-gc', script], { encoding: 'utf8' }))
}

const { rows: main, summary } = await step('assertions and refusals', measureVersion)
const others = await step('other algorithms', measureAssertions, otherAlgorithms, {
  rounds: 6,
  count: 100,
  pool: 400,
  warmup: 600
})
const secrets = await step('secrets', measureSecrets, { rounds: 24, count: 3000 })
const http = await step('HTTP', measureHttp, { rounds: 40, count: 250, inFlight: 8, warmup })
const growth = await step('growth', measureGrowth, { rounds: 15, count: 500 })
const memory = await step('memory', measureMemory, { step: 5000, steps: 6 })
const start = await step('start', measureStart, { rounds: 20 })
const versions = [summary, ...['node22', 'node24', 'node26'].map((name) => step(name, onNode, name))]

const ratiosOf = (alg, inFlight) => versions[0].ratios.find((row) => row.alg === alg && row.inFlight === inFlight)
/** What a trial reached, from the issue that asked for it. */
const limits = {
  HS256: { cpu: 0.4, main: 0.55, crypto: 3.5, provider: 0.2 },
  RS256: { cpu: 1, main: 0.95, crypto: 1.5, provider: 0.55 },
  PS256: { cpu: 1, main: 0.95, crypto: 1.5, provider: 0.55 },
  ES256: { cpu: 0.97, main: 0.85, crypto: 1.25, provider: 0.65 },
  EdDSA: { cpu: 1, main: 0.95, crypto: 1.2, provider: 0.85 }
}
const cpuOf = (name) =>
  of(
    secrets.find((row) => row.name === name && row.inFlight === 1),
    'cpu'
  ).median
const remembered = cpuOf('rememberSecrets(bcrypt (2^10)), known')
const flat = ({ heap }) => heap.at(-1) / heap[2]

const targets = [
  ...mainAlgorithms.flatMap((alg) => {
    const { cpuOverJose, mainOverJose, cpuOverCrypto } = ratiosOf(alg, 16)
    const { cpu, main, crypto } = limits[alg]
    return [
      { what: `CPU of authenticate() ÷ jose.jwtVerify, ${alg}, 16 in flight`, limit: cpu, value: cpuOverJose },
      { what: `the same, of the main thread, ${alg}`, limit: main, value: mainOverJose },
      { what: `CPU of authenticate() ÷ bare node:crypto, ${alg}`, limit: crypto, value: cpuOverCrypto }
    ]
  }),
  {
    what: 'CPU of authenticate() ÷ jose.jwtVerify, HS256, one in flight',
    limit: 0.15,
    value: ratiosOf('HS256', 1).cpuOverJose
  },
  ...versions.flatMap(({ node, ratios }) =>
    ratios
      .filter(({ alg, inFlight }) => alg === 'ML-DSA-65' && inFlight === 16)
      .map(({ cpuOverCrypto }) => ({
        what: `CPU of authenticate() ÷ bare node:crypto, ML-DSA-65, Node ${node}`,
        limit: 1.15,
        value: cpuOverCrypto
      }))
  ),
  ...http.methods.map((method) => ({
    what: `CPU that authentication adds to a request on node:http ÷ what oidc-provider's adds, ${method}`,
    limit: limits[method]?.provider ?? 1,
    value: report.addedRatio(http, 'node:http', method)
  })),
  ...['client_secret_basic', 'client_secret_post'].map((name) => ({
    what: `CPU of authenticate(), ${name}`,
    limit: 12,
    unit: 'µs',
    value: cpuOf(name)
  })),
  {
    what: 'CPU of authenticate() with rememberSecrets(bcrypt), known secret ÷ client_secret_basic',
    limit: 2,
    value: remembered / cpuOf('client_secret_basic')
  },
  ...['inline jwks', 'jwks_uri', 'client_secret_jwt'].map((kind) => ({
    what: `1 million clients ÷ 10 clients, ${kind}`,
    limit: 1.2,
    value: report.growthRatio(growth, kind, 1_000_000).median
  })),
  ...memory.map((row) => ({
    what: `heap after 30,000 ever new clients ÷ after 10,000, ${row.kind}`,
    limit: 1.1,
    value: flat(row)
  }))
]

const text = `# Benchmark

Written by \`npm run bench\`. ${report.machine()}.

Each figure is the median over many rounds, with the quartiles in parentheses; a round takes a batch of every row of
its table, in alternating order, and ratios are taken round by round. CPU is that of all threads of the process, the
thread pool and the garbage collector included. "Main" is that of the main thread alone. Everything has run 6,000 times before it is measured. Assertions are
signed beforehand, each with its own \`jti\`; a replay store never sees one twice. One process makes the load and another
serves it where HTTP is measured, and only the server's CPU counts.

## Targets

${report.targetTable(targets)}

## Assertions: \`authenticate()\` beside bare \`jose.jwtVerify\` and \`node:crypto\`

jose has an imported key and the policy of one client. node:crypto has decoded bytes and works in the same mode: a MAC
at once, a signature on the thread pool. It is what no verification can go below. The least work of an authentication
is to decode the assertion, to parse its header and its claims and to verify it with node:crypto: no rule, no client and
no replay store.

${report.assertionTable([...main, ...others])}

The same ratios on other versions of Node:

${report.versionTable(versions)}

## Refusals a second

16 in flight, and the CPU of all threads for each. An unknown client's assertion is verified with a decoy key.

${report.refusalTable(versions)}

## Secrets

${report.secretTable(secrets)}

## Over HTTP: what authentication adds to a request

For ours: the same server with \`clientAuth\` and with nothing but the form parser. For oidc-provider: its token endpoint
for the method and for a client with the method \`none\`. Bare jose is the floor for whoever verifies with it: the form
parsed on node:http, and one \`jwtVerify\` with an imported key. 8 requests in flight. A difference whose lower quartile
is not above zero is lost in the noise of the machine.

${report.httpTable(http)}

### The servers themselves

${report.serverTable(http)}

## Growth

ES256 keys, or HMAC secrets; 16 in flight. Records are made anew for every look-up, as a database does. The active
clients fit the caches.

${report.growthTable(growth)}

Heap that is in use after so many ever new clients, each with its own keys (imported keys take 25 MB at most, and there
are 1,000 fetched sets here):

${report.memoryTable(memory)}

## Start

What a new process takes to load modules, beside one that loads nothing: CPU of all threads, and resident memory.

${report.startTable(start)}
`
const page = fileURLToPath(new URL('./RESULTS.md', import.meta.url))
writeFileSync(page, text)
execFileSync('npx', ['oxfmt', page])
console.log(text)
process.stderr.write(`${Math.round((Date.now() - started) / 1000)} s\n`)

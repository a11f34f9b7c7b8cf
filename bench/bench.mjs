// npm run bench: measures everything side by side and writes RESULTS.md.
import { writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { format } from 'prettier'
import { mainAlgorithms, otherAlgorithms } from './clients.mjs'
import { measureGrowth, measureMemory } from './growth.mjs'
import { measureHttp } from './http.mjs'
import { measureAssertions, measureSecrets } from './in-process.mjs'
import { of } from './measure.mjs'
import * as report from './report.mjs'

setFlagsFromString('--expose-gc')
globalThis.gc = runInNewContext('gc')

const started = Date.now()
const step = (name, measure, ...how) => {
  process.stderr.write(`${Math.round((Date.now() - started) / 1000)} s: ${name}\n`)
  return measure(...how)
}
const main = await step('assertions', measureAssertions, mainAlgorithms, { rounds: 24, count: 250, pool: 2500 })
const others = await step('other algorithms', measureAssertions, otherAlgorithms, { rounds: 6, count: 100, pool: 400 })
const secrets = await step('secrets', measureSecrets, { rounds: 24, count: 3000 })
const http = await step('HTTP', measureHttp, { rounds: 60, count: 50, inFlight: 8 })
const growth = await step('growth', measureGrowth, { rounds: 15, count: 500 })
const memory = await step('memory', measureMemory, { step: 5000, steps: 6 })

const rowOf = (alg) => main.find((row) => row.alg === alg && row.inFlight === 1)
const cpuOf = (name) =>
  of(
    secrets.find((row) => row.name === name && row.inFlight === 1),
    'cpu'
  ).median
const remembered = cpuOf('rememberSecrets(bcrypt (2^10)), known')
const flat = ({ heap }) => heap.at(-1) / heap[2]

const targets = [
  ...mainAlgorithms.map((alg) => ({
    what: `CPU of authenticate() ÷ jose.jwtVerify, ${alg}`,
    limit: alg === 'HS256' ? 1.25 : 1.1,
    value: report.over(rowOf(alg).ours, rowOf(alg).jose).median
  })),
  ...http.methods.map((method) => ({
    what: `CPU that authentication adds to a request ÷ what oidc-provider's adds, ${method}`,
    limit: { HS256: 0.25, RS256: 0.4, PS256: 0.4, ES256: 0.6, EdDSA: 0.6 }[method] ?? 1,
    value: report.addedRatio(http, 'express', method)
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
thread pool and the garbage collector included. "On the loop" is the time that the event loop was busy. Assertions are
signed beforehand, each with its own \`jti\`; a replay store never sees one twice. One process makes the load and another
serves it where HTTP is measured, and only the server's CPU counts.

## Targets

${report.targetTable(targets)}

## Assertions: \`authenticate()\` beside bare \`jose.jwtVerify\` and \`node:crypto\`

jose has an imported key and the policy of one client; node:crypto has decoded bytes, verifies on the main thread, and
is what nothing can go below.

${report.assertionTable([...main, ...others])}

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

Heap that is in use after so many ever new clients, each with its own keys (the caches hold 5,000 inline sets or secrets,
and here 1,000 fetched sets):

${report.memoryTable(memory)}
`
writeFileSync(new URL('./RESULTS.md', import.meta.url), await format(text, { parser: 'markdown', printWidth: 120 }))
console.log(text)
process.stderr.write(`${Math.round((Date.now() - started) / 1000)} s\n`)

// Runs every example and tells whether each host accepted and refused as it must.
//   npm run examples              a table; exit 0 only if every row of every example came out right
//   npm run examples -- --write   writes docs/hosts.md from the same results
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { format } from 'prettier'
import { table } from './support/demonstrate.mjs'

const hosts = {
  express5: 'express',
  express4: 'express4',
  oauth2orize: 'oauth2orize',
  'node-oauth': '@node-oauth/oauth2-server',
  jmondi: '@jmondi/oauth2-server',
  koa: 'koa',
  fastify: 'fastify',
  'node-http': undefined
}
const others = {
  'quick-start': 'the four methods and four refusals, keys by `jwks_uri`',
  registration: 'a partner registers, renews its key and is revoked alone (RFC 7591)',
  migration: 'a partner moves from a secret to a key, and from the older audience to the issuer',
  fapi2: 'the FAPI 2 profile: all but short private_key_jwt assertions refused',
  audit: 'an audit log, counters, and a limit on guessing'
}

const run = promisify(execFile)
const path = (file) => new URL(file, import.meta.url).pathname

/** The rows of one example, or one row that tells why it gave none. */
async function rowsOf(example) {
  const { stdout, error } = await run(process.execPath, [path(`./${example}.mjs`), '--once', '--json'], {
    timeout: 60_000
  }).catch((error) => ({ stdout: error.stdout, error }))
  try {
    const { rows } = JSON.parse(stdout)
    return error && rows.every(({ ok }) => ok) ? [...rows, { what: error.message, ok: false }] : rows
  } catch {
    return [{ what: String(error ?? 'no rows').slice(0, 500), ok: false }]
  }
}

const versionOf = (dependency) =>
  dependency && JSON.parse(readFileSync(path(`../node_modules/${dependency}/package.json`), 'utf8')).version
const cell = ({ ok, status }) => (ok ? String(status) : `WRONG ${status ?? ''}`)
const counted = (rows) => `${rows.filter(({ ok }) => ok).length} of ${rows.length}`

const results = {}
for (const example of [...Object.keys(hosts), ...Object.keys(others)]) results[example] = await rowsOf(example)

const methods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt']
const wrongs = [
  ['wrong secret by basic', ...['client_secret_basic', 'wrong secret']],
  ['by post', ...['client_secret_post', 'wrong secret']],
  ['by secret_jwt', ...['client_secret_jwt', 'wrong secret']],
  ['wrong key', ...['private_key_jwt', 'wrong key']],
  ['sent twice', ...['private_key_jwt', 'sent twice']],
  ['secret for key', ...['client_secret_post', 'a secret instead']],
  ['other id', ...['client_secret_basic', 'names another client']]
]
const find = (rows, method, what) => rows.find((row) => row.method === method && row.what === what) ?? { ok: false }

const hostTable = [
  ['host', 'version', ...methods, ...wrongs.map(([title]) => title), 'all rows'],
  ...Object.entries(hosts).map(([example, dependency]) => {
    const rows = results[example]
    const right = methods.map((method) => cell(find(rows, method, 'right')))
    const wrong = wrongs.map(([, method, what]) => cell(find(rows, method, what)))
    return [example, versionOf(dependency) ?? 'of Node', ...right, ...wrong, counted(rows)]
  })
]
const otherTable = [
  ['example', 'shows', 'all rows'],
  ...Object.entries(others).map(([example, shows]) => [example, shows, counted(results[example])])
]

const markdown = (rows) => {
  const [head, ...body] = rows.map((row) => `| ${row.join(' | ')} |`)
  return [head, `|${' --- |'.repeat(rows[0].length)}`, ...body].join('\n')
}
const linked = ([head, ...body]) => [
  head,
  ...body.map(([name, ...rest]) => [`[${name}](../examples/${name}.mjs)`, ...rest])
]
const document = `# Hosts

Written by \`npm run examples -- --write\` from what happened; a test holds it to that. Each number is the
HTTP status: first what the right client got by each method, then what wrong ones got. Every request of the
hosts was sent by openid-client over loopback HTTP, and every token was checked to belong to its client.

${markdown(linked(hostTable))}

More examples:

${markdown(linked(otherTable))}
`

const formatted = () => format(document, { parser: 'markdown' })
if (process.argv.includes('--markdown')) process.stdout.write(await formatted())
else console.log(`${table(hostTable)}\n\n${table(otherTable)}`)
if (process.argv.includes('--write')) writeFileSync(path('../docs/hosts.md'), await formatted())

for (const [example, rows] of Object.entries(results)) {
  for (const row of rows.filter(({ ok }) => !ok)) {
    process.exitCode = 1
    console.error(`${example}: ${JSON.stringify(row)}`)
  }
}

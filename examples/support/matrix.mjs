// Runs examples and makes tables of what came back, for the terminal and for docs/hosts.md.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { format } from 'prettier'
import { table } from './demonstrate.mjs'

const run = promisify(execFile)
const path = (file) => new URL(`../${file}`, import.meta.url).pathname
const page = path('../docs/hosts.md')

/** The version of an installed package; `modules` is its node_modules, seen from examples/. */
export const versionOf = (name, modules = '../node_modules') =>
  JSON.parse(readFileSync(path(`${modules}/${name}/package.json`), 'utf8')).version

/** The rows of one example, run as `program [flags] file [args]`, or one row that tells why it gave none. */
async function rowsOf({ file, program = process.execPath, flags = [], args = [], timeout = 60_000 }) {
  const command = [...flags, path(file), ...args, '--once', '--json']
  const { stdout, error } = await run(program, command, { timeout, cwd: path('..') }).catch((error) => ({
    stdout: error.stdout,
    error
  }))
  try {
    const { rows } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{"name"') + 1)) // hosts print lines of their own
    return error && rows.every(({ ok }) => ok) ? [...rows, { what: error.message, ok: false }] : rows
  } catch {
    return [{ what: String(error ?? 'no rows').slice(0, 2000), ok: false }]
  }
}

/** Every example with its rows; two run at a time. */
export async function runAll(examples) {
  const results = []
  const queue = examples.entries()
  const work = async () => {
    for (const [index, example] of queue) results[index] = { ...example, rows: await rowsOf(example) }
  }
  await Promise.all([work(), work()])
  return results
}

const rights = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt']
const wrongs = [
  ['wrong secret by basic', 'client_secret_basic', 'wrong secret'],
  ['by post', 'client_secret_post', 'wrong secret'],
  ['by secret_jwt', 'client_secret_jwt', 'wrong secret'],
  ['wrong key', 'private_key_jwt', 'wrong key'],
  ['sent twice', 'private_key_jwt', 'sent twice'],
  ['secret for key', 'client_secret_post', 'a secret instead'],
  ['other id', 'client_secret_basic', 'names another client'],
  ['a parameter twice', 'client_secret_post', 'a parameter twice']
]
const columns = [...rights.map((method) => [method, method, 'right']), ...wrongs]
const counted = (rows) => `${rows.filter(({ ok }) => ok).length} of ${rows.length}`

function cell(rows, method, what) {
  const { ok, status } = rows.find((row) => row.method === method && row.what === what) ?? { ok: false }
  return ok ? String(status) : `WRONG ${status ?? ''}`
}

/** One line for each host: what the right clients got, then what the wrong ones got. */
export const hostTable = (results) => [
  ['host', 'version', ...columns.map(([title]) => title), 'all rows'],
  ...results.map(({ name, version, rows }) => [
    name,
    version,
    ...columns.map(([, method, what]) => cell(rows, method, what)),
    counted(rows)
  ])
]

/** One line for each other example. */
export const exampleTable = (results) => [
  ['example', 'shows', 'all rows'],
  ...results.map(({ name, shows, rows }) => [name, shows, counted(rows)])
]

const linked = ([head, ...body], results) => [
  head,
  ...body.map(([name, ...rest], index) => [`[${name}](../examples/${results[index].file})`, ...rest])
]

function markdown(rows) {
  const [head, ...body] = rows.map((row) => `| ${row.join(' | ')} |`)
  return [head, `|${' --- |'.repeat(rows[0].length)}`, ...body].join('\n')
}

/** docs/hosts.md with these tables between their marks: `<!-- name -->` and `<!-- end of name -->`. */
function pageWith(blocks) {
  let text = readFileSync(page, 'utf8')
  for (const [name, rows, results] of blocks) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
    const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)]
    if (from < start.length || to < from) throw new Error(`docs/hosts.md has no place for ${name}`)
    text = `${text.slice(0, from)}\n\n${markdown(linked(rows, results))}\n\n${text.slice(to)}`
  }
  return format(text, { parser: 'markdown' })
}

/**
 * Prints the tables, or with `--markdown` the page that they make; `--write` writes the page. The exit
 * status is 0 only if every row of every example came out right.
 */
export async function publish(blocks) {
  const text = await pageWith(blocks)
  if (process.argv.includes('--markdown')) process.stdout.write(text)
  else console.log(blocks.map(([, rows]) => table(rows)).join('\n\n'))
  if (process.argv.includes('--write')) writeFileSync(page, text)
  if (process.argv.includes('--check') && text !== readFileSync(page, 'utf8')) {
    process.exitCode = 1
    console.error('docs/hosts.md says something else: run this again with --write and see what changed')
  }
  for (const { name, rows } of blocks.flatMap(([, , results]) => results)) {
    for (const row of rows.filter(({ ok }) => !ok)) {
      process.exitCode = 1
      console.error(`${name}: ${JSON.stringify(row)}`)
    }
  }
}

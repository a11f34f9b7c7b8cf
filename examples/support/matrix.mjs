// Runs examples and makes tables of what came back, for the terminal and for docs/hosts.md.
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { table } from './demonstrate.mjs'

const run = promisify(execFile)
const path = (file) => new URL(`../${file}`, import.meta.url).pathname

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
  ['a parameter twice', 'client_secret_post', 'a parameter twice'],
  ['the header twice', 'client_secret_basic', 'the header twice']
]
const columns = [...rights.map((method) => [method, method, 'right']), ...wrongs]
const linkTo = (file, name) => `[${name}](../examples/${file})`
const counted = (rows) => `${rows.filter(({ ok }) => ok).length} of ${rows.length}`

function cell(rows, method, what) {
  const { ok, status } = rows.find((row) => row.method === method && row.what === what) ?? { ok: false }
  return ok ? String(status) : `WRONG ${status ?? ''}`
}

/** One line for each host: what the right clients got, then what the wrong ones got. */
export const hostTable = (results) => [
  ['host', 'version', ...columns.map(([title]) => title), 'all rows'],
  ...results.map(({ name, file, version, rows }) => [
    linkTo(file, name),
    version,
    ...columns.map(([, method, what]) => cell(rows, method, what)),
    counted(rows)
  ])
]

/** One line for each other example. */
export const exampleTable = (results) => [
  ['example', 'shows', 'all rows'],
  ...results.map(({ name, file, shows, rows }) => [linkTo(file, name), shows, counted(rows)])
]

/** What each request of a comparison was answered before and after the move. */
export const comparisonTable = ({ rows }) => [
  ['request', 'before', 'after'],
  ...rows
    .filter(({ before }) => before !== undefined)
    .map(({ what, before, after, ok }) => [
      what,
      before,
      ok ? (before === after ? 'the same' : after) : `WRONG ${after}`
    ])
]

function markdown(rows) {
  const [head, ...body] = rows.map((row) => `| ${row.join(' | ')} |`)
  return [head, `|${' --- |'.repeat(rows[0].length)}`, ...body].join('\n')
}

/** A page of docs/ with these tables between their marks: `<!-- name -->` and `<!-- end of name -->`. */
function pageWith(file, blocks) {
  let text = readFileSync(path(file), 'utf8')
  for (const { name, rows } of blocks) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
    const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)]
    if (from < start.length || to < from) throw new Error(`${file} has no place for ${name}`)
    text = `${text.slice(0, from)}\n\n${markdown(rows)}\n\n${text.slice(to)}`
  }
  const args = [path('../node_modules/oxfmt/bin/oxfmt'), '--stdin-filepath', path(file)]
  return execFileSync(process.execPath, args, { cwd: path('..'), input: text, encoding: 'utf8' })
}

/**
 * Prints the tables; `--write` puts them into the pages of docs/, `--check` asks that they stand there. The
 * exit status is 0 only if every row of every example came out right. A block is `{ file, name, rows }`.
 */
export function publish(blocks, results) {
  console.log(blocks.map(({ rows }) => table(rows)).join('\n\n'))
  for (const file of new Set(blocks.map((block) => block.file))) {
    const ours = blocks.filter((block) => block.file === file)
    const text = pageWith(file, ours)
    if (process.argv.includes('--write')) writeFileSync(path(file), text)
    if (process.argv.includes('--check') && text !== readFileSync(path(file), 'utf8'))
      fail(`${file.slice(3)} says something else: run this again with --write and see what changed`)
  }
  for (const { name, rows } of results) {
    for (const row of rows.filter(({ ok }) => !ok)) fail(`${name}: ${JSON.stringify(row)}`)
  }
}

function fail(message) {
  process.exitCode = 1
  console.error(message)
}

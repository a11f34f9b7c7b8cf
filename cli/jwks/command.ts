import type { JwksFetcherOptions, JwksHost } from '../../lib/explain/for-cli'
import { stylesFor } from '../explain'
import { loadModule } from '../files'
import type { Styles } from '../format'
import { wrapped } from '../text'
import { type Command, type Io, parseArguments, UsageError } from '../usage'
import type { StepLine } from './fetch-report'
import type { KeyRow } from './key-table'
import { reportOfFile, reportOfUrl, type JwksReport } from './report'

const help = `Usage: oauth-client-auth jwks URL|FILE [--host NAME[:PORT]=CIDR] [--json]

Shows how the server fetches a key set, step by step, and which of its keys it can use.

  URL                       a jwks_uri: fetched once, through the guard of createJwksFetcher
  FILE                      a key set as JSON
  --host NAME=CIDR          allows a host of your own network, and its addresses: keys.corp=10.1.0.0/16
  --host NAME:PORT=CIDR     the same at another port than 443; may be given more than once
  --config FILE             a module that exports the options of createJwksFetcher: export default { hosts, … }
  --warn-days N             warns of certificates (of the server, and x5c) that end within N days; default 0
  --json                    prints JSON
  --no-color                prints no colours, as does NO_COLOR=1

An authority of your own is trusted where NODE_EXTRA_CA_CERTS names its file.
Exit code: 0 there is a usable key, 1 there is none, 2 called wrongly, 3 usable but about to break (lines with !),\
 4 it failed on our side (DNS, proxy, network).
For cron: oauth-client-auth jwks URL --warn-days 30 >out || mail ops <out
`

const options = {
  host: { type: 'string', multiple: true },
  config: { type: 'string' },
  'warn-days': { type: 'string' },
  json: { type: 'boolean' },
  'no-color': { type: 'boolean' }
} as const

/** The exceptions of the option `hosts`, from `keys.corp=10.1.0.0/16` and `keys.corp:8443=10.1.0.0/16`. */
export function hostsOf(entries: readonly string[], ca: JwksHost['ca']): Record<string, JwksHost> {
  const hosts = new Map<string, { addresses: string[]; ports: number[] }>()
  for (const entry of entries) {
    const [, name, port = '443', range] = /^([^=:]+)(?::(\d{1,5}))?=(.+)$/.exec(entry) ?? []
    if (name === undefined || range === undefined)
      throw new UsageError('--host needs NAME=CIDR or NAME:PORT=CIDR, such as keys.corp=10.1.0.0/16')
    const host = hosts.get(name) ?? { addresses: [], ports: [] }
    hosts.set(name, { addresses: [...host.addresses, range], ports: [...host.ports, Number(port)] })
  }
  return Object.fromEntries([...hosts].map(([name, host]) => [name, { ...host, ca }]))
}

const head = ['kid', 'kty', 'size', 'alg', 'use', '']
const cellsOf = ({ kid, kty, size, alg, use, fault }: KeyRow): string[] =>
  [kid || '(none)', kty, size, alg, use].concat(fault === undefined ? 'usable' : `not usable: ${fault}`)

/** The keys in columns. Long texts make their column no wider than 40. */
function tableLines(rows: readonly KeyRow[]): string[] {
  const cells = [head, ...rows.map(cellsOf)]
  const widthOf = (column: number) => Math.min(40, Math.max(...cells.map((row) => String(row[column]).length)))
  return cells.flatMap((row) => wrapped(`  ${row.map((cell, at) => cell.padEnd(widthOf(at))).join('  ')}`, 4))
}

function linesOf({ result, name, text }: StepLine, { good, bad }: Styles): string[] {
  const mark = result === 'passed' ? good('✓') : bad('✗')
  return wrapped(`  ${mark} ${name.padEnd(12)} ${text}`, 17)
}

export function textOf({ lines, table, advice, warnings }: JwksReport, styles: Styles): string {
  const parts = [
    lines.flatMap((one) => linesOf(one, styles)),
    table === undefined || table.rows.length === 0 ? [] : tableLines(table.rows),
    warnings.flatMap((one) => wrapped(`  ${styles.open('!')} ${one}`, 4)),
    advice === undefined ? [] : wrapped(`  advice  ${advice}`, 10)
  ]
  const told = parts.filter((part) => part.length > 0).map((part) => part.join('\n'))
  return `${told.join('\n\n')}\n`
}

/** How DNS is asked, and whom named hosts are trusted by. */
export type Guard = Pick<JwksFetcherOptions, 'resolver'> & Pick<JwksHost, 'ca'>

const isUrl = (source: string): boolean => /^[a-z][a-z\d+.-]*:\/\//i.test(source)

/**
 * `oauth-client-auth jwks`.
 *
 * @param guard - how DNS is asked, and the authorities that the named hosts are trusted by, where not Node's
 *
 * @returns the exit code: 0 there is a usable key, 1 there is none, 3 it is about to break, 4 it failed on our side
 * @throws UsageError where it is called wrongly
 */
export async function runJwks(args: readonly string[], io: Io, { resolver, ca }: Guard = {}): Promise<number> {
  const { values, positionals } = parseArguments(args, options)
  const [source, ...more] = positionals
  if (source === undefined || more.length > 0)
    throw new UsageError('Give one URL or file: jwks https://…, or jwks FILE.')
  const days = daysOf(values['warn-days'])
  const configured = values.config === undefined ? {} : ((await loadModule(values.config)) as JwksFetcherOptions)
  const hosts = { ...configured.hosts, ...hostsOf(values.host ?? [], ca) }
  const settings = { ...configured, ...(resolver === undefined ? {} : { resolver }), hosts }
  const report = isUrl(source) ? await reportOfUrl(source, settings, days) : await reportOfFile(source, days)
  const isUsable = report.lines.every(({ result }) => result === 'passed')
  const text = textOf(report, stylesFor(io, values['no-color']))
  io.stdout.write(values.json === true ? `${JSON.stringify({ usable: isUsable, ...report }, null, 2)}\n` : text)
  if (!isUsable) return report.isOurs === true ? 4 : 1
  return report.warnings.length > 0 ? 3 : 0
}

function daysOf(text = '0'): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new UsageError('--warn-days needs a number of days, such as 30.')
}

/** `oauth-client-auth jwks`. */
export const jwks: Command = {
  summary: 'shows how a key set is fetched, and which of its keys can be used',
  help,
  run: (args, io) => runJwks(args, io)
}

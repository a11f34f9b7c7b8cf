import { parseArgs, stripVTControlCharacters, styleText } from 'node:util'
import type { JwksFetcherOptions, JwksHost } from '../../jwks-uri/options'
import { UsageError, type Terminal } from '../terminal'
import type { StepLine } from './fetch-report'
import type { KeyRow } from './key-table'
import { reportOfFile, reportOfUrl, type JwksReport } from './report'

/** How the command is called. */
export const jwksUsage = 'oauth-client-auth jwks URL|FILE [--host NAME[:PORT]=CIDR] [--json]'

/** The exceptions of the option `hosts`, from `keys.corp=10.1.0.0/16` and `keys.corp:8443=10.1.0.0/16`. */
function hostsOf(entries: readonly string[]): Record<string, JwksHost> {
  const hosts = new Map<string, { addresses: string[]; ports: number[] }>()
  for (const entry of entries) {
    const [, name, port = '443', range] = /^([^=:]+)(?::(\d{1,5}))?=(.+)$/.exec(entry) ?? []
    if (name === undefined || range === undefined)
      throw new UsageError('--host needs NAME=CIDR or NAME:PORT=CIDR, such as keys.corp=10.1.0.0/16')
    const host = hosts.get(name) ?? { addresses: [], ports: [] }
    hosts.set(name, { addresses: [...host.addresses, range], ports: [...host.ports, Number(port)] })
  }
  return Object.fromEntries(hosts)
}

const head = ['kid', 'kty', 'size', 'alg', 'use', '']
const cellsOf = ({ kid, kty, size, alg, use, fault }: KeyRow): string[] =>
  [kid || '(none)', kty, size, alg, use].concat(fault === undefined ? 'usable' : `not usable: ${fault}`)

/** The keys in columns. Long texts make their column no wider than 40. */
function tableText(rows: readonly KeyRow[]): string {
  const cells = [head, ...rows.map(cellsOf)]
  const widths = head.map((_, column) => Math.min(40, Math.max(...cells.map((row) => (row[column] ?? '').length))))
  return cells
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n')
}

function lineText({ result, name, text }: StepLine): string {
  const mark = result === 'passed' ? styleText('green', '✓') : styleText('red', '✗')
  return `${mark} ${name.padEnd(12)} ${text}`
}

function textOf({ lines, table, advice }: JwksReport): string {
  const parts = [
    lines.map(lineText).join('\n'),
    ...(table === undefined || table.rows.length === 0 ? [] : [tableText(table.rows)]),
    ...(advice === undefined ? [] : [`${styleText('bold', 'What to do:')} ${advice}`])
  ]
  return `${parts.join('\n\n')}\n`
}

const isUrl = (source: string): boolean => /^[a-z][a-z\d+.-]*:\/\//i.test(source)

/**
 * Shows how a key set is fetched and what its keys are good for.
 *
 * @param options - for the guard, beside what `--host` names
 * @returns the exit code: 0 where there is a usable key, else 1
 * @throws UsageError where it is called wrongly
 */
export async function jwks(
  args: readonly string[],
  terminal: Terminal,
  options: JwksFetcherOptions = {}
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { host: { type: 'string', multiple: true }, json: { type: 'boolean' } }
  })
  const [source, ...more] = positionals
  if (source === undefined || more.length > 0) throw new UsageError(`jwks needs one URL or file: ${jwksUsage}`)
  const hosts = hostsOf(values.host ?? [])
  const report = isUrl(source) ? await reportOfUrl(source, { ...options, hosts }) : await reportOfFile(source)
  const isUsable = report.lines.every(({ result }) => result === 'passed')
  if (values.json) terminal.write(`${JSON.stringify({ usable: isUsable, ...report }, null, 2)}\n`)
  else terminal.write(terminal.colors ? textOf(report) : stripVTControlCharacters(textOf(report)))
  return isUsable ? 0 : 1
}

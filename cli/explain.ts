import { isIP } from 'node:net'
import { styleText } from 'node:util'
import { loadServer, readSource } from './files'
import { formatReport, type Styles } from './format'
import { partnerSentence } from './partner'
import { safe } from './text'
import { readInput } from './input'
import { type Report, reportOn } from './report'
import { type Command, type Io, parseArguments, UsageError } from './usage'

const help = `Usage: oauth-client-auth explain [INPUT] --issuer URL [--client FILE]
       oauth-client-auth explain [INPUT] --config FILE

Says why a request to a token endpoint is accepted or refused, and what to change.

  INPUT           a file, an argument, or - for standard input (the default): a JWT, a form body, a whole HTTP\
 request or a header, a curl command, HAR, fetch(…), a URL, a line of the log
  --issuer URL    the issuer identifier of the server
  --client FILE   the record of the client as JSON, or a list of records
  --config FILE   a module that exports the options of the server: export default { issuer, getClient, … }
  --client-id ID  the client_id that was sent beside a bare JWT of another issuer
  --at TIME       judges as of then: 2026-01-31T12:00:00Z, or seconds since the epoch
  --from ADDRESS  the address that the request came from, for a certificate in a header of a proxy
  --cert FILE     the certificate of the client, in PEM
  --fetch         fetches the client's jwks_uri; else only keys in the record are used
  --all           lists the checks that passed as well
  --partner       prints only what to send the partner, in one line
  --json          prints JSON
  --no-color      prints no colours, as does NO_COLOR=1

Without --client and --config only that is checked which the request alone decides.
Uses nothing up: a good assertion can still be used afterwards. It does not check whether one was used before.
An assertion that has ended is judged as of when it was made, unless --at says otherwise; the exit code is 1.
Exit code: 0 accepted, 1 refused now, 5 not everything could be checked, 2 called wrongly.
`

const options = {
  issuer: { type: 'string' },
  client: { type: 'string' },
  config: { type: 'string' },
  'client-id': { type: 'string' },
  at: { type: 'string' },
  from: { type: 'string' },
  cert: { type: 'string' },
  all: { type: 'boolean' },
  partner: { type: 'boolean' },
  fetch: { type: 'boolean' },
  json: { type: 'boolean' },
  'no-color': { type: 'boolean' }
} as const

/** A time as `--at` takes it. */
export function parseTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const isDate = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)
  const date = new Date(/^\d{1,11}$/.test(text) ? Number(text) * 1000 : isDate ? text : NaN)
  if (!Number.isNaN(date.getTime())) return date
  throw new UsageError('--at needs a time such as 2026-01-31T12:00:00Z, or seconds since the epoch.')
}

const plain = (text: string): string => text

/** Colours on a terminal only, and not where NO_COLOR asks for none (https://no-color.org). */
export function stylesFor({ stdout, env }: Io, noColor = false): Styles {
  if (noColor || stdout.isTTY !== true || (env.NO_COLOR ?? '') !== '')
    return { good: plain, bad: plain, faint: plain, open: plain }
  // Decided above: styleText would ask the real stdout again.
  const paint = (colour: 'green' | 'red' | 'dim' | 'yellow') => (text: string) =>
    styleText(colour, text, { validateStream: false })
  return { good: paint('green'), bad: paint('red'), faint: paint('dim'), open: paint('yellow') }
}

function asJson(report: Report, issuer: string): string {
  const { explanation, now, late, notes, assertion } = report
  const { header, claims } = assertion ?? {}
  const partner = partnerSentence(report, issuer)
  const all = { ...explanation, at: new Date(now * 1000), late, notes, partner, header, claims }
  return JSON.stringify(all, null, 2).replace(/[^\n]+/g, safe)
}

async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArguments(args, options)
  const [source, ...more] = positionals
  if (more.length > 0)
    throw new UsageError('Give one INPUT: put a request with spaces or line breaks in quotes or in a file.')
  const { fetch, from, cert, all, json, partner, 'client-id': clientId } = values
  const at = parseTime(values.at)
  if (from !== undefined && isIP(from) === 0)
    throw new UsageError('--from needs the IP address of the sender, such as 192.0.2.7.')
  const server = await loadServer(values)
  const { issuer } = server.options
  const input = readInput(await readSource(source, io))
  if (clientId !== undefined && input.body instanceof URLSearchParams) input.body.set('client_id', clientId)
  const report = await reportOn(input, server, { at, fetch, from, cert })
  const lines = () => formatReport(report, stylesFor(io, values['no-color']), { all, issuer }).join('\n')
  const text = json === true ? asJson(report, issuer) : partner === true ? partnerSentence(report, issuer) : lines()
  io.stdout.write(`${text}\n`)
  const { accepted, reason = report.late } = report.explanation
  return reason !== undefined ? 1 : accepted ? 0 : 5
}

/** `oauth-client-auth explain`. */
export const explain: Command = {
  summary: 'says why a request is accepted or refused, and what to change',
  help,
  run
}

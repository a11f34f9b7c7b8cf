import {
  adviceFor,
  type ClientAuthMethod,
  type DocumentInspection,
  inspectClientDocument,
  printable,
  refusalOf
} from '../../lib/explain/for-cli'
import { stylesFor } from '../explain'
import { type Guard, hostsOf, textOf } from '../jwks/command'
import { fetchLines, line, type StepLine } from '../jwks/fetch-report'
import { reportOfSet, reportOfUrl, type JwksReport } from '../jwks/report'
import { type Command, type Io, parseArguments, UsageError } from '../usage'

const help = `Usage: oauth-client-auth document URL [--allow ENTRY] [--host NAME[:PORT]=CIDR] [--method METHOD] [--json]

Shows how the server fetches a client metadata document, and each rule that it keeps or breaks.
Then the record that is made of it, and the key set that it names.

  URL                       a client_id: fetched once, through the guard of createClientDocuments
  --allow ENTRY             an entry of the option allow: a host, *.name, a URL or a prefix; may be repeated; default anyone
  --host NAME=CIDR          allows a host of your own network, and its addresses: keys.corp=10.1.0.0/16
  --host NAME:PORT=CIDR     the same at another port than 443; may be given more than once
  --method METHOD           a method that the server accepts; may be repeated; default private_key_jwt and none
  --json                    prints JSON
  --no-color                prints no colours, as does NO_COLOR=1

Exit code: 0 the client could come, 1 it could not, 2 called wrongly.
`

const options = {
  allow: { type: 'string', multiple: true },
  host: { type: 'string', multiple: true },
  method: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  'no-color': { type: 'boolean' }
} as const

/** Each rule in a line; the demand where it is broken. The fault of a fetch has no rule, and stands at the end. */
function linesOf({ steps, checks, error, freshSeconds }: DocumentInspection): StepLine[] {
  const rules = (subject: 'url' | 'document') =>
    checks
      .filter((one) => one.of === subject)
      .map(({ check, isKept, demand }) => line('Rule', isKept ? check : `${check}: ${demand}`, isKept))
  const lines = [...rules('url'), ...fetchLines(steps), ...rules('document')]
  if (freshSeconds !== undefined) lines.push(line('Freshness', `used for ${freshSeconds} s without another fetch`))
  const isTold = error === undefined || checks.some(({ isKept, demand }) => !isKept && demand === error.message)
  return isTold ? lines : [...lines, line('Document', error.message, false)]
}

/** The record as lines of JSON: a stranger wrote its texts, so nothing but printable ASCII is shown. */
const recordText = (record: unknown): string =>
  JSON.stringify(record, null, 2).replace(/.+/g, (text) => `  ${printable(text)}`)

/** `oauth-client-auth document`. Returns the exit code. `guard`: how DNS is asked, and whom named hosts are trusted by. */
export async function runDocument(args: readonly string[], io: Io, { resolver, ca }: Guard = {}): Promise<number> {
  const { values, positionals } = parseArguments(args, options)
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0 || !id.includes(':'))
    throw new UsageError('Give one URL, not a file: document https://…')
  const fetching = { resolver, hosts: hostsOf(values.host ?? [], ca) }
  const allow = values.allow ?? 'anyone'
  const methods = values.method as ClientAuthMethod[] | undefined
  const inspection = await inspectClientDocument(id, { ...fetching, allow, methods }).catch((error: unknown) => {
    throw error instanceof TypeError ? new UsageError(error.message) : error
  })
  const { record, error } = inspection
  const { jwks, jwks_uri: uri } = record ?? {}
  const none: JwksReport = { lines: [], warnings: [] }
  const keys = uri ? await reportOfUrl(uri, fetching, 0) : jwks ? reportOfSet(jwks) : none
  const refusal = error && refusalOf(error)
  const document: JwksReport = {
    lines: linesOf(inspection),
    warnings: [],
    // Behind the semicolon, the advice is to run this command
    ...(refusal && { advice: adviceFor(refusal.reason, refusal.detail).replace(/; oauth-client-auth .*/, '.') })
  }
  const isWelcome = record !== undefined && keys.lines.every(({ result }) => result === 'passed')
  if (values.json === true) {
    const report = { welcome: isWelcome, reason: refusal?.reason, why: error?.why, document, record, keys }
    io.stdout.write(`${JSON.stringify(report, null, 2).replace(/[^\x20-\x7e\n]/g, '?')}\n`)
    return isWelcome ? 0 : 1
  }
  const styles = stylesFor(io, values['no-color'])
  const parts = [textOf(document, styles), ...(record === undefined ? [] : [`${recordText(record)}\n`])]
  if (keys.lines.length > 0) parts.push(textOf(keys, styles))
  io.stdout.write(parts.join('\n'))
  return isWelcome ? 0 : 1
}

/** `oauth-client-auth document`. */
export const document: Command = {
  summary: 'shows how a client metadata document is fetched, and every rule that it breaks',
  help,
  run: (args, io) => runDocument(args, io)
}

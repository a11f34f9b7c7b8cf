import type { RealClient } from './client-list'

/** What became of one case: `ok`, or the reason of the refusal. */
export interface Verdict {
  verdict: string
  /** What the client was told. */
  description?: string
  aud?: string
}

/** A client id or secret holding what clients encode differently. */
export interface Trait {
  title: string
  id?: string
  secret?: string
  /** A second token through the same client object. */
  again?: true
}

export const traits: Trait[] = [
  { title: 'ordinary' },
  ...[':', '%', '+', ' ', '-._~'].map((id) => ({ title: `id \`${id}\``, id })),
  ...[':', '%', '%41', '+', ' ', 'é', '-._~'].map((secret) => ({ title: `secret \`${secret}\``, secret })),
  { title: 'again', again: true as const }
].map((trait) => ({ ...trait, title: trait.title.replace('` `', 'space') }))

export interface Row {
  client: RealClient
  method: string
  /** By the titles of the traits. */
  verdicts: Map<string, Verdict>
}

const titles = traits.map(({ title }) => title)
const line = (cells: string[]) => `| ${cells.join(' | ')} |`

/** Numbers the reasons in the order in which they first appear. */
function numbered(rows: Row[]): Map<string, number> {
  const found = rows.flatMap(({ verdicts }) => titles.map((title) => verdicts.get(title)?.verdict))
  const refusals = new Set(found.filter((verdict) => verdict !== undefined && verdict !== 'ok'))
  return new Map([...refusals].map((reason, index) => [reason ?? '', index + 1]))
}

/** The cells of one row, each in words: `ok`, a reason, or `-` where the case does not exist. */
export const cellsOf = ({ verdicts }: Row): string[] => titles.map((title) => verdicts.get(title)?.verdict ?? '-')

const reasonNotes: Record<string, string> = {
  basic_malformed:
    'The client does not form-encode its Basic credentials (RFC 6749 §2.3.1), and what it sends cannot be decoded.',
  client_id_conflict:
    'The client sends the id unencoded in the header and correctly in the body, so the server reads two different ids.',
  secret_not_form_encoded:
    'The client does not form-encode its Basic credentials. The server notices that the secret matches as it was sent, and tells its log.',
  unknown_client: 'The client does not form-encode its Basic credentials, so the server reads another id.',
  assertion_replayed:
    'The client uses one assertion until it expires (10 minutes). Give it a secret, or make a new client object for each token.',
  'refused by the client': 'The library itself refuses the value and sends nothing.'
}

export function markdown(rows: Row[], versions: Map<string, string>): string {
  const numbers = numbered(rows)
  const cell = (text: string) => (text === 'ok' ? '✓' : text === '-' ? '' : `✗ ${numbers.get(text) ?? text}`)
  const audiences = (row: Row) =>
    [...new Set([...row.verdicts.values()].flatMap(({ aud }) => (aud === undefined ? [] : [aud])))].join(', ')
  const description = (reason: string) =>
    rows.flatMap(({ verdicts }) => [...verdicts.values()]).find(({ verdict }) => verdict === reason)?.description
  const note = (reason: string) => {
    const words = reasonNotes[reason]
    if (words === undefined) throw new Error(`docs/clients.md needs words for the refusal ${reason}`)
    return words
  }
  const told = (reason: string) => {
    const words = description(reason)
    return words === undefined ? '' : ` The client gets: "${words}"`
  }

  return `# Clients

Written by \`UPDATE=1 npm run test:clients\` by running each client library over loopback, by every method that it has,
with ids and secrets that hold characters which clients encode differently. \`npm run test:clients\` fails if this page is
out of date. Advice: make ids and secrets of letters, digits, \`-\` and \`_\`. Every client sends those correctly.

\`✓\`: a token was issued to the right client. \`again\`: a second token was requested through the same client object.
\`aud\`: what the client names as audience. Anything but the issuer needs [\`legacyAudiences\`](options.md#legacyaudiences).

${line(['client', 'method', ...titles, 'aud'])}
${line(['client', 'method', ...titles, 'aud'].map(() => '---'))}
${rows.map((row) => line([row.client.name, row.method, ...cellsOf(row).map(cell), audiences(row)])).join('\n')}

${[...numbers].map(([reason, number]) => `- ✗ ${number} \`${reason}\`: ${note(reason)}${told(reason)}`).join('\n')}

## Versions

${line(['client', 'from', 'version'])}
${line(['---', '---', '---'])}
${[...new Set(rows.map(({ client }) => client))].map((client) => line([client.name, client.npm === undefined ? `Debian: ${client.debian ?? ''}` : 'npm', versions.get(client.name) ?? ''])).join('\n')}
`
}

/** The rows of the committed page as `client | method | cells…`, without padding and with reasons in words. */
export function rowsOf(page: string): Map<string, string[]> {
  const reasons = new Map(
    [...page.matchAll(/^- ✗ (\d+) `([^`]+)`/gm)].map(([, number, reason]) => [number, reason ?? ''])
  )
  const word = (cell: string) => (cell === '✓' ? 'ok' : cell === '' ? '-' : (reasons.get(cell.slice(2)) ?? cell))
  const [table = ''] = page.split('## Versions')
  const rows = table.split('\n').filter((text) => text.startsWith('|'))
  return new Map(
    rows.slice(2).map((text) => {
      const [, client = '', method = '', ...cells] = text.split('|').map((cell) => cell.trim())
      return [`${client} ${method}`, cells.slice(0, titles.length).map(word)]
    })
  )
}

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
  client_id_conflict: 'An id that decodes to another: the client sends it raw in the header and right in the body.',
  secret_not_form_encoded:
    'The client does not form-encode; the server sees that the secret matches as it stands, and says so to its operator.',
  unknown_client: 'The client does not form-encode: the id that arrives is another one.',
  assertion_replayed:
    'The client sends one assertion again until it expires (10 minutes): give it a secret, or a new client object for each token.',
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
    return words === undefined ? '' : ` It is told: "${words}"`
  }

  return `# Clients

Written by \`UPDATE=1 npm run test:clients\` from what happened; the same command holds this page to it. Each
client library was run for real, over loopback, by every method that it has, with ids and secrets that hold what
clients encode differently. Advice: make ids and secrets of letters, digits, \`-\` and \`_\`, and every client works.

\`✓\` a token was issued to the right client. \`again\`: a second token through the same client object. \`aud\`: what the
client names as audience; whatever is not the issuer needs \`legacyAudiences\`.

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

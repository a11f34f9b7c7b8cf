import { decodeJws, JWT_BEARER, JWT_SPIFFE, maxAssertion } from '../lib/explain/for-cli'
import { readCurl, readVerboseCurl } from './curl'
import { readJson } from './json-input'
import { isLog, readLog } from './log-line'
import { type Input, requestOf } from './pasted-request'
import { UsageError } from './usage'

const requestLine = /^[A-Z]{3,10} (\S+) HTTP\/\d(\.\d)?$/
const headerLine = /^([\w!#$%&'*+.^`|~-]+):(.*)$/s

/** A form of which nobody knows the headers. */
const formOf = (text: string): Input => ({ headers: {}, body: new URLSearchParams(text) })

function readHttp(lines: readonly string[]): Input {
  const [first = ''] = lines
  const url = requestLine.exec(first)?.[1]
  const start = url === undefined ? 0 : 1
  const blank = lines.indexOf('', start)
  const end = blank < 0 ? lines.length : blank
  const headers = lines.slice(start, end).map((line) => {
    const [, name = '', value = ''] = headerLine.exec(line) ?? []
    if (name === '')
      throw new UsageError('INPUT begins like an HTTP request, but one of its headers is no "Name: value".')
    return [name, value] as const
  })
  const body = lines.slice(end + 1)
  return requestOf(headers, body.join('\n').trim(), url)
}

/** The lines of a table of parameters, as browsers show a payload: the name, a colon or tab, the value. */
const tableLine = /^\s*([\w.-]+)(?::\s*|\t+)(.*)$/
function readTable(lines: readonly string[]): Input {
  const pairs = lines.map((line): [string, string] => {
    const [, name = '', value = ''] = tableLine.exec(line) ?? []
    return [name, value.trim().replace(/^"(.*)"$/, '$1')]
  })
  return { headers: {}, body: new URLSearchParams(pairs) }
}
const isTable = (lines: readonly string[]): boolean =>
  lines.every((line) => tableLine.test(line)) && lines.some((line) => /^\s*(grant_type|client_\w+)[:\t]/.test(line))

/** The dots tell a JWT; mail programs break it into lines. One of other than three parts is left to the rules. */
const isJwt = (joined: string): boolean => /^[\w-]+(\.[\w-]*){2}$/.test(joined) || /^eyJ[\w.-]*$/.test(joined)
function readJwt(joined: string): Input {
  const decoded = joined.length > maxAssertion ? undefined : decodeJws(joined)
  const isSvid = String(decoded?.sub).startsWith('spiffe://')
  const client_assertion_type = isSvid ? JWT_SPIFFE : JWT_BEARER
  return { headers: {}, body: new URLSearchParams({ client_assertion_type, client_assertion: joined }) }
}

/** What a paste is, by its look, and what is read of it. */
interface Reader {
  readonly looks: (text: string, lines: readonly string[]) => boolean
  readonly read: (text: string, lines: readonly string[]) => Input
}

/** What looks like something else, which holds no request: named, and refused. */
const refused = (look: RegExp, what: string): Reader => ({
  looks: (text) => look.test(text),
  read: () => {
    throw new UsageError(`INPUT looks like ${what}: give the request that was sent, or its JWT.`)
  }
})

const noBlanks = (text: string): string => text.replace(/\s+/g, '')

/** The first that fits counts. */
const readers: readonly Reader[] = [
  { looks: (text) => isJwt(noBlanks(text)), read: (text) => readJwt(noBlanks(text)) },
  { looks: (text) => /^(\$ )?curl(\.exe)?\s/.test(text), read: readCurl },
  {
    looks: (_, lines) => lines.some((line) => /^(> [A-Z]{3,10} \S+ HTTP\/|=> Send header)/.test(line)),
    read: readVerboseCurl
  },
  refused(/^HTTP\/\d/, 'an answer of a server'),
  refused(/^\{\s*"error"/, 'an answer of a server'),
  refused(/-----BEGIN [A-Z ]+-----/, 'a key or a certificate (--cert FILE takes that of the client)'),
  refused(/^[\d.:a-f]+ \S+ \S+ \[[^\]]+\] "/, 'a line of an access log, which holds no credentials'),
  refused(/^(import|from|const|var|let|require|\$\w+ ?=|public|func|using|Invoke-)\b/, 'the code of a program'),
  { looks: isLog, read: readLog },
  { looks: (text) => /^(await )?fetch\(|^[{[]/.test(text), read: readJson },
  { looks: (text) => /^https?:\/\/\S+$/.test(text), read: (text) => ({ headers: {}, body: undefined, url: text }) },
  { looks: (_, [first = '']) => requestLine.test(first), read: (_, lines) => readHttp(lines) },
  { looks: (text) => /^Basic [\w+/=-]+$/i.test(text), read: (text) => requestOf([['Authorization', text]], '') },
  { looks: (_, lines) => isTable(lines), read: (_, lines) => readTable(lines) },
  { looks: (_, [first = '']) => headerLine.test(first), read: (_, lines) => readHttp(lines) },
  { looks: (text) => /^[\w.~%+-]+=/.test(text), read: (_, lines) => formOf(lines.map((line) => line.trim()).join('')) }
]

/** Without what mail programs and chats put around a text: quotes before each line, fences, entities of HTML. */
function unwrapped(text: string): string {
  const lines = text
    .replace(/\u00a0/g, ' ')
    .trim()
    .split(/\r?\n/)
    .filter((line) => !/^```\w*$/.test(line))
  // curl -v begins the lines of a request so, and those alone
  const isCurl = lines.some((line) => /^[*<] /.test(line))
  const depth = isCurl ? /^$/ : /^(> ?)+/
  const plain =
    lines.every((line) => line === '' || line.startsWith('>')) || !isCurl
      ? lines.map((line) => line.replace(depth, ''))
      : lines
  const joined = plain.join('\n').trim()
  return /&amp;client_|&amp;grant_/.test(joined) ? joined.replaceAll('&amp;', '&') : joined
}

/**
 * Reads a request however it was pasted: a bare JWT, a form body, a whole HTTP request or a single header, a curl
 * command or what `curl -v` prints, HAR, a table of parameters, `fetch(…)`, a URL, or a line of the log. Which of them it
 * is, its look tells.
 *
 * @throws {@link UsageError} for a text that looks like none of them; it names what the text looks like
 */
export function readInput(text: string): Input {
  const plain = unwrapped(text)
  const lines = plain.split('\n')
  const reader = readers.find(({ looks }) => looks(plain, lines))
  if (reader !== undefined) return reader.read(plain, lines)
  throw new UsageError(
    'INPUT is neither a file nor a request: give a JWT, a form body such as "client_id=…&client_secret=…", a whole HTTP request, or the curl command.'
  )
}

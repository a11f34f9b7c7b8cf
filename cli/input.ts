import { UsageError } from './usage'

/** A request as text, read for `explain`. */
export interface Input {
  readonly headers: NodeJS.Dict<string[]>
  /** The form; the text itself where its `Content-Type` says that it is none; `undefined` where there is no body. */
  readonly body: URLSearchParams | string | undefined
  /** The text of the body below headers, as it was sent: explain judges by them whether it is a form. */
  readonly text?: string
}

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

const requestLine = /^[A-Z]{3,10} \S+ HTTP\/\d(\.\d)?$/
const headerLine = /^([\w!#$%&'*+.^`|~-]+):(.*)$/s

/** The dots tell a JWT; mail programs break it into lines. One of other than three parts is left to the rules. */
const asJwt = (text: string): string | undefined => {
  const joined = text.replace(/\s+/g, '')
  return /^[\w-]+(\.[\w-]*){2}$/.test(joined) || /^eyJ[\w.-]*$/.test(joined) ? joined : undefined
}

function readHeaders(lines: readonly string[]): NodeJS.Dict<string[]> {
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const [, name = '', value = ''] = headerLine.exec(line) ?? []
    if (name === '')
      throw new UsageError('INPUT begins like an HTTP request, but one of its headers is no "Name: value".')
    const values = headers.get(name.toLowerCase()) ?? []
    values.push(value.trim())
    headers.set(name.toLowerCase(), values)
  }
  return Object.fromEntries(headers)
}

/** A text has one line at least. */
type Lines = readonly [string, ...string[]]

function readHttp(lines: Lines): Input {
  const start = requestLine.test(lines[0]) ? 1 : 0
  const blank = lines.indexOf('', start)
  const end = blank < 0 ? lines.length : blank
  const headers = readHeaders(lines.slice(start, end))
  const text = lines
    .slice(end + 1)
    .join('\n')
    .trim()
  // Without a body explain judges whether the headers announce one.
  if (text === '') return { headers, body: undefined }
  const [type = 'application/x-www-form-urlencoded'] = headers['content-type'] ?? []
  const isForm = /^application\/x-www-form-urlencoded *(;|$)/i.test(type)
  return { headers, body: isForm ? new URLSearchParams(text) : text, text }
}

/**
 * Reads a bare JWT, a form body or a whole HTTP request; which of them it is, its look tells. Headers without a request
 * line, such as a single `Authorization: Basic …`, are read as well. The `> ` that curl -v prints before each line is
 * dropped.
 *
 * @throws {@link UsageError} for a text that looks like none of them
 */
export function readInput(text: string): Input {
  const jwt = asJwt(text)
  if (jwt !== undefined) {
    return { headers: {}, body: new URLSearchParams({ client_assertion_type: JWT_BEARER, client_assertion: jwt }) }
  }
  const lines = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.replace(/^> ?/, '')) as readonly string[] as Lines
  const [first] = lines
  if (requestLine.test(first) || headerLine.test(first)) return readHttp(lines)
  const form = lines.map((line) => line.trim()).join('')
  if (/^[\w.~%+-]+=/.test(form)) return { headers: {}, body: new URLSearchParams(form) }
  throw new UsageError(
    'INPUT is neither a file nor a request: give a JWT, a form body such as "client_id=…&client_secret=…", or a whole HTTP request.'
  )
}

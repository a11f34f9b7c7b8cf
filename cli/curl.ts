import { type Input, requestOf } from './pasted-request'
import { UsageError } from './usage'

/** The words of a command line: quoted as shells quote, with `$'…'` of bash and the carets of cmd. */
function words(command: string): string[] {
  const isCmd = /\^["\r\n]/.test(command)
  const plain = isCmd ? command.replace(/\^\n\s*/g, ' ').replace(/\^(.)/g, '$1') : command.replace(/\\\n/g, ' ')
  const word = /(?:\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+))(\s*)/gsy
  const found: string[] = []
  let open = ''
  for (let match = word.exec(plain.trimStart()); match !== null; match = word.exec(plain.trimStart())) {
    const [, ansi, single, double, escaped, bare, blank] = match
    const unescaped = ansi?.replace(/\\u(\w{4})|\\x(\w\w)/g, (_, u: string, x: string) =>
      String.fromCharCode(parseInt(u || x, 16))
    )
    const inAnsi = unescaped?.replace(/\\(.)/gs, (_, one: string) => ({ n: '\n', r: '\r', t: '\t' })[one] ?? one)
    const inDouble = double?.replace(/\\(["\\$`])/g, '$1')
    open += inAnsi ?? single ?? inDouble ?? escaped ?? bare ?? ''
    if (blank === '') continue
    found.push(open)
    open = ''
  }
  return open === '' ? found : [...found, open]
}

/** Options of curl that take a value and say nothing of the request. */
const skipped =
  /^(-[oAemwx]|--(output|user-agent|referer|max-time|write-out|proxy|cacert|cert|key|connect-timeout|resolve|retry|cookie))$|^-b$/

const encoded = (text: string): string => {
  const at = text.indexOf('=')
  return at < 0 ? encodeURIComponent(text) : `${text.slice(0, at + 1)}${encodeURIComponent(text.slice(at + 1))}`
}

/** What curl would send. @throws UsageError where a part of the body stands in a file */
export function readCurl(command: string): Input {
  const [, ...args] = words(command.replace(/^\$ /, ''))
  const headers: [string, string][] = []
  const data: string[] = []
  let url: string | undefined
  let type: string | undefined
  for (let index = 0; index < args.length; index++) {
    // -dX and --data=X hold their value
    const [, short, glued] = /^(-[Hdu])(.+)$/s.exec(args[index] ?? '') ?? []
    const option = short ?? args[index] ?? ''
    const value = () => glued ?? args[++index] ?? ''
    if (/^(-d|--data(-ascii|-binary|-raw|-urlencode)?|--json)$/.test(option)) {
      const text = value()
      if (/^@|^[\w.-]+@\S*$/.test(text) && option !== '--data-raw')
        throw new UsageError('INPUT is a curl command that reads its body from a file: put the content in its place.')
      type ??= option === '--json' ? 'application/json' : 'application/x-www-form-urlencoded'
      data.push(option === '--data-urlencode' ? encoded(text) : text)
    } else if (/^(-F|--form|--form-string)$/.test(option)) {
      type = 'multipart/form-data'
      data.push(value())
    } else if (option === '-H' || option === '--header') {
      const [, name = '', content = ''] = /^([^:]+):(.*)$/s.exec(value()) ?? []
      if (name !== '') headers.push([name, content])
    } else if (option === '-u' || option === '--user') {
      headers.push(['Authorization', `Basic ${Buffer.from(value()).toString('base64')}`])
    } else if (option === '--oauth2-bearer') headers.push(['Authorization', `Bearer ${value()}`])
    else if (option === '-X' || option === '--request' || skipped.test(option)) value()
    else if (!option.startsWith('-')) url ??= option
    else if (option === '--url') url = value()
  }
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type')
  if (type !== undefined && !hasType) headers.push(['Content-Type', type])
  const isGet = args.includes('-G') || args.includes('--get')
  if (isGet) return requestOf(headers, '', `${url ?? ''}?${data.join('&')}`)
  return requestOf(headers, data.join('&'), url)
}

const headersOf = (lines: readonly string[]) =>
  lines.flatMap((line): [string, string][] => {
    const [, name, value = ''] = /^([^:\s]+):(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, value]]
  })

/** The request in what `curl -v` or `curl --trace-ascii -` prints. @throws UsageError where `curl -v` left the body out */
export function readVerboseCurl(_text: string, lines: readonly string[]): Input {
  const isTrace = lines.some((line) => line.startsWith('=> Send header'))
  let direction = ''
  const sent: string[] = []
  for (const line of lines) {
    if (/^(=>|<=|==) ?/.test(line)) direction = line
    else if (/^=> Send (header|data)/.test(direction)) sent.push(line.replace(/^[\da-f]{4,}: ?/, ''))
    else if (!isTrace && /^>( |$)/.test(line)) sent.push(line.replace(/^> ?/, ''))
  }
  const [first = '', ...rest] = sent
  const blank = rest.indexOf('')
  const head = blank < 0 ? rest : rest.slice(0, blank)
  const body = blank < 0 ? [] : rest.slice(blank + 1)
  const text = body.join(isTrace ? '' : '\n').trim()
  // A length without its body: the body is not lost, it is not shown. Credentials in a header can be judged all the same.
  const has = (header: RegExp) => head.some((line) => header.test(line))
  if (text === '' && has(/^content-length: *[1-9]/i) && !has(/^authorization:/i))
    throw new UsageError(
      'INPUT is what curl -v prints, which leaves the body out: give the curl command itself, or what curl --trace-ascii - prints.'
    )
  const headers = headersOf(head).filter(([name]) => text !== '' || !/^content-(length|type)$/i.test(name))
  return requestOf(headers, text, first.split(' ')[1])
}

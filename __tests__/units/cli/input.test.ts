import { readInput } from '../../../cli/input'
import { assertionForm, keyAssertion, keyFor } from '../../support/assertions'

const token = keyAssertion(keyFor('ES256'), { clientId: 'bank' })
const form = assertionForm(token)
const crlf = (...lines: string[]) => lines.join('\r\n')

test.each([
  ['a bare JWT', token],
  [
    'a JWT broken into lines by a mail program',
    `${token.slice(0, 60)}\n  ${token.slice(60, 120)}\n${token.slice(120)}\n`
  ],
  ['a form body', new URLSearchParams(form).toString()],
  ['a form body in several lines', new URLSearchParams(form).toString().replace('&', '&\n')],
  [
    'a whole HTTP request',
    crlf(
      'POST /token HTTP/1.1',
      'Host: as.example.com',
      'Content-Type: application/x-www-form-urlencoded',
      '',
      new URLSearchParams(form).toString()
    )
  ],
  ['a request of HTTP/2', `POST /token HTTP/2\nHost: as.example.com\n\n${new URLSearchParams(form).toString()}\n`]
])('%s', (_name, text) => {
  const { body } = readInput(text)
  expect(Object.fromEntries(body as URLSearchParams)).toEqual(form)
})

test.each([
  ['a request line before it', 'POST /token HTTP/1.1\nAuthorization: Basic YTpi\n\ngrant_type=client_credentials'],
  ['no request line', 'Authorization: Basic YTpi\n\ngrant_type=client_credentials'],
  ['what curl -v prints', '> POST /token HTTP/1.1\n> Authorization: Basic YTpi\n>\ngrant_type=client_credentials']
])('an Authorization header with %s', (_name, text) => {
  const { headers, body } = readInput(text)
  expect(headers['authorization']).toEqual(['Basic YTpi'])
  expect(Object.fromEntries(body as URLSearchParams)).toEqual({ grant_type: 'client_credentials' })
})

test('a header alone has no body', () => {
  expect(readInput('Authorization: Basic YTpi')).toEqual({
    headers: { authorization: ['Basic YTpi'] },
    body: undefined
  })
})

test('a header that stands there twice is read twice', () => {
  const { headers } = readInput('POST / HTTP/1.1\nAuthorization: Basic YTpi\nAUTHORIZATION: Basic YTpj\n\n')
  expect(headers['authorization']).toEqual(['Basic YTpi', 'Basic YTpj'])
})

test('a body that says that it is no form is left as text', () => {
  const { body } = readInput('POST / HTTP/1.1\nContent-Type: application/json\n\n{"client_id":"bank"}')
  expect(body).toBe('{"client_id":"bank"}')
})

test('a parameter that stands there twice stays so', () => {
  expect((readInput('a=1&a=2').body as URLSearchParams).getAll('a')).toEqual(['1', '2'])
})

test('a header named __proto__ changes nothing', () => {
  const { headers } = readInput('POST / HTTP/1.1\n__proto__: x\n\n')
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
})

test('a JWT of other than three parts is left to the rules', () => {
  expect((readInput('eyJhbGciOiJub25lIn0.e30').body as URLSearchParams).get('client_assertion')).toBe(
    'eyJhbGciOiJub25lIn0.e30'
  )
})

test.each([
  ['a name of a file that is not there', 'request.txt2', 'INPUT is neither a file nor a request'],
  ['prose', 'please help me with this', 'INPUT is neither a file nor a request'],
  ['nothing', '', 'INPUT is neither a file nor a request'],
  ['a header without a colon', 'POST / HTTP/1.1\nfoo bar\n\n', 'one of its headers is no "Name: value"']
])('%s is told in a sentence', (_name, text, words) => {
  expect(() => readInput(text)).toThrow(words)
})

test('the sentence does not quote the input', () => {
  expect(() => readInput('my secret is hunter2')).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.not.stringContaining('hunter2') as string })
  )
})

test('a header of many spaces and a line separator is read, and costs no more than its length', () => {
  const { headers } = readInput(`GET / HTTP/1.1\nA:${' '.repeat(20_000)}x\u2028y`)
  expect(headers['a']).toEqual(['x\u2028y'])
})

// However a request is pasted, it is read; what cannot be read is named.
import { readInput } from '../../../cli/input'
import { assertionForm, keyAssertion, keyFor } from '../../support/assertions'

const token = keyAssertion(keyFor('ES256'), { clientId: 'bank' })
const fields = { grant_type: 'client_credentials', ...assertionForm(token) }
const form = new URLSearchParams(fields).toString()
const type = 'application/x-www-form-urlencoded'
const url = 'https://as.example.com/token'
const basic = 'Basic c2hvcDpzZWNyZXQ='
const post = ['POST /token HTTP/1.1', 'Host: as.example.com', `Content-Type: ${type}`, `Content-Length: ${form.length}`]
const http = [...post, '', form].join('\r\n')
const har = (postData: object, headers = [{ name: 'Content-Type', value: type }]) =>
  JSON.stringify({
    log: {
      entries: [
        { request: { method: 'GET', url: `${url}/other`, headers: [] } },
        { request: { method: 'POST', url, headers, postData } },
        { request: { method: 'GET', url: `${url}/favicon.ico`, headers: [] } }
      ]
    }
  })
const fetched = (await_ = '') =>
  `${await_}fetch("${url}", ${JSON.stringify({ headers: { 'content-type': type }, body: form, method: 'POST', mode: 'cors' })});`
const trace = [
  '== Info: Connected to as.example.com',
  '=> Send header, 100 bytes (0x64)',
  '0000: POST /token HTTP/1.1',
  '0016: Host: as.example.com',
  `0030: Content-Type: ${type}`,
  '0061: ',
  `=> Send data, ${form.length} bytes (0x1f)`,
  `0000: ${form.slice(0, 64)}`,
  `0040: ${form.slice(64)}`,
  '<= Recv header, 12 bytes (0xc)',
  '0000: HTTP/1.1 401'
].join('\n')
const split = form.split('&')

describe('a form', () => {
  test.each<[string, string]>([
    ['a bare JWT', token],
    ['a form body', form],
    ['a form with entities of HTML', form.replaceAll('&', '&amp;')],
    ['a whole request', http],
    ['a request that a mail program quotes', http.replaceAll('\r', '').replace(/^/gm, '> ')],
    ['a request that was quoted twice', http.replaceAll('\r', '').replace(/^/gm, '> > ')],
    ['a request in a fence of Markdown', `\`\`\`http\n${http}\n\`\`\``],
    ['a request with a BOM before it', `\ufeff${http}`],
    [
      'curl as docs write it',
      `curl -X POST ${url} \\\n  -H "Content-Type: ${type}" \\\n  -d '${split[0]}' \\\n  -d '${split.slice(1).join('&')}'`
    ],
    ['curl with a prompt', `$ curl -s ${url} -d "${form}"`],
    [
      'curl with --data-urlencode',
      `curl ${url} ${Object.entries(fields)
        .map(([name, value]) => `--data-urlencode '${name}=${value}'`)
        .join(' ')}`
    ],
    ['curl with a glued -d', `curl ${url} -d'${form}'`],
    [
      'curl as browsers copy it (bash)',
      `curl '${url}' \\\n  -H 'content-type: ${type}' \\\n  --data-raw $'${form.replaceAll('%3A', '\\u0025\\x33A')}' \\\n  --compressed`
    ],
    [
      'curl as browsers copy it (cmd)',
      `curl ^"${url}^" ^\n  -H ^"content-type: ${type}^" ^\n  --data-raw ^"${form.replace(/[%&]/g, '^$&')}^"`
    ],
    ['what curl --trace-ascii prints', trace],
    ['HAR with the text', har({ mimeType: type, text: form })],
    [
      'HAR with parameters',
      har(
        {
          mimeType: type,
          params: Object.entries(fields).map(([name, value]) => ({ name, value: encodeURIComponent(value) }))
        },
        []
      )
    ],
    [
      'one request of HAR',
      JSON.stringify({ request: { url, headers: [{ name: 'Content-Type', value: type }], postData: { text: form } } })
    ],
    ['fetch as browsers copy it', fetched()],
    ['fetch with await', fetched('await ')],
    ['an object of headers and body', JSON.stringify({ headers: { 'content-type': type }, body: fields })],
    [
      'a table of Chrome',
      Object.entries(fields)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n')
    ],
    [
      'a table of Firefox',
      Object.entries(fields)
        .map(([name, value]) => `${name}\t"${value}"`)
        .join('\n')
    ]
  ])('%s', (_name, text) => {
    const { body } = readInput(text)
    const read = Object.fromEntries(body as URLSearchParams)
    expect({ grant_type: 'client_credentials', ...read }).toEqual(fields)
  })
})

describe('headers', () => {
  test.each<[string, string]>([
    ['curl -u', `curl -u shop:secret ${url} -d grant_type=client_credentials`],
    [
      'what curl -v prints',
      `*   Trying 127.0.0.1:443...\n> POST /token HTTP/1.1\n> Host: as.example.com\n> Authorization: ${basic}\n> Content-Length: 29\n> Content-Type: ${type}\n> \n* upload completely sent off\n< HTTP/1.1 401 Unauthorized\n< \n{"error":"invalid_client"}`
    ],
    ['a single header', `Authorization: ${basic}`],
    ['the value of one', basic]
  ])('%s', (_name, text) => {
    const { headers } = readInput(text)
    expect(headers['authorization']).toEqual([basic])
    // A length without the body that it counts would be told as a body that was lost
    expect(headers['content-length']).toBeUndefined()
  })

  test('of curl the type that it sends by itself', () => {
    expect(readInput(`curl ${url} -d a=b`).headers['content-type']).toEqual([type])
    expect(readInput(`curl ${url} --json '{"a":1}'`)).toMatchObject({
      headers: { 'content-type': ['application/json'] },
      text: '{"a":1}'
    })
    expect(readInput(`curl ${url} -F client_id=x`).headers['content-type']).toEqual(['multipart/form-data'])
    expect(readInput(`curl ${url} -H 'Content-Type: text/plain' -d a=b`).headers['content-type']).toEqual([
      'text/plain'
    ])
  })
})

test.each([
  ['a URL', `${url}?client_id=shop&client_secret=x`],
  ['curl -G', `curl -G ${url} -d client_id=shop -d client_secret=x`],
  ['a request', 'GET /token?client_id=shop&client_secret=x HTTP/1.1\nHost: as.example.com']
])('%s with a query: its parameters are not taken for a body', (_name, text) => {
  const { url: read, body } = readInput(text)
  expect(body).toBeUndefined()
  expect(read).toMatch(/\/token\?client_id=shop&client_secret=x$/)
})

test('parameters as JSON stay the JSON text that they are', () => {
  expect(readInput('{"client_id":"shop"}')).toMatchObject({
    headers: { 'content-type': ['application/json'] },
    text: '{"client_id":"shop"}'
  })
})

test('a line of the log', () => {
  const line =
    '{"reason":"assertion_expired","detail":{"secondsLate":90},"clientId":"bank","method":"private_key_jwt","ms":2}'
  expect(readInput(line).log).toEqual({ reason: 'assertion_expired', detail: { secondsLate: 90 }, clientId: 'bank' })
})

test.each([
  ['an answer', 'HTTP/1.1 401 Unauthorized\n\n{}', 'an answer of a server'],
  ['the body of an answer', '{"error":"invalid_client","error_description":"…"}', 'an answer of a server'],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', '--cert FILE'],
  ['a line of an access log', '10.0.0.7 - - [29/Nov/2026:10:00:00 +0000] "POST /token HTTP/1.1" 401 59', 'access log'],
  ['code', 'import requests\nrequests.post(url, data=hunter2)', 'the code of a program'],
  ['curl that reads a file', `curl ${url} -d @hunter2.txt`, 'from a file'],
  ['broken JSON', '{"log": hunter2', 'looks like JSON'],
  [
    'fetch with code in it',
    `fetch("${url}", { body: new URLSearchParams({ client_secret: hunter2 }) })`,
    'looks like fetch(…)'
  ],
  ['a decoded JWT', '{"alg":"ES256"}', 'a decoded JWT']
])('%s is named, refused and not quoted', (_name, text, words) => {
  const read = () => readInput(text)
  expect(read).toThrow(words)
  expect(read).not.toThrow('hunter2')
})

// However a request is pasted, the command reads it; what it cannot read is named.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readInput } from '../../../cli/input'
import { assertionForm, issuer, keyAssertion, keyFor } from '../../support/assertions'
import { runCommand } from '../../support/run-command'

const key = keyFor('ES256')
const token = keyAssertion(key, { clientId: 'bank' })
const folder = mkdtempSync(path.join(tmpdir(), 'pasted-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})
const clients = path.join(folder, 'clients.json')
writeFileSync(
  clients,
  JSON.stringify([
    { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } },
    { client_id: 'shop', client_secret: 'secret' }
  ])
)
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
// Over TLS curl shows what it encrypts as well, between the lines of the request
const tlsTrace = trace
  .replace('grant_type=client_credentials&', '')
  .replace(
    '\n',
    '\n=> Send SSL data, 5 bytes (0x5)\n0000: .....\n== Info: TLSv1.3 (OUT), TLS handshake, Finished (20):\n'
  )
  .replace('=> Send data', '=> Send SSL data, 1 bytes (0x1)\n0000: .\n=> Send data')
const split = form.split('&')
const verbose = (...lines: string[]) =>
  [
    '* Connected',
    '> POST /token HTTP/1.1',
    '> Host: as.example.com',
    ...lines,
    '> ',
    '} [29 bytes data]',
    '< HTTP/1.1 401'
  ].join('\n')

const forms: readonly [string, string][] = [
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
  ['what it prints over TLS', tlsTrace],
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
]
const headers: readonly [string, string][] = [
  ['curl -u', `curl -u shop:secret ${url} -d grant_type=client_credentials`],
  [
    'what curl -v prints',
    `*   Trying 127.0.0.1:443...\n> POST /token HTTP/1.1\n> Host: as.example.com\n> Authorization: ${basic}\n> Content-Length: 29\n> Content-Type: ${type}\n> \n* upload completely sent off\n< HTTP/1.1 401 Unauthorized\n< \n{"error":"invalid_client"}`
  ],
  ['a single header', `Authorization: ${basic}`],
  ['the value of one', basic]
]
const queries: readonly [string, string][] = [
  ['a URL', `${url}?client_id=shop&client_secret=x`],
  ['curl -G', `curl -G ${url} -d client_id=shop -d client_secret=x`],
  ['a request', 'GET /token?client_id=shop&client_secret=x HTTP/1.1\nHost: as.example.com']
]
const nothings: readonly [string, string, string][] = [
  ['an answer', 'HTTP/1.1 401 Unauthorized\n\n{}', 'an answer of a server'],
  ['the body of an answer', '{"error":"invalid_client","error_description":"…"}', 'an answer of a server'],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', '--cert FILE'],
  ['a line of an access log', '10.0.0.7 - - [29/Nov/2026:10:00:00 +0000] "POST /token HTTP/1.1" 401 59', 'access log'],
  ['code', 'import requests\nrequests.post(url, data=hunter2)', 'the code of a program'],
  ['curl that reads a file', `curl ${url} -d @hunter2.txt`, 'from a file'],
  [
    'curl -v without the body',
    verbose('> content-length: 29', `> Content-Type: ${type}`),
    'curl -v prints, which leaves the body out'
  ],
  ['broken JSON', '{"log": hunter2', 'looks like JSON'],
  [
    'fetch with code in it',
    `fetch("${url}", { body: new URLSearchParams({ client_secret: hunter2 }) })`,
    'looks like fetch(…)'
  ],
  ['a decoded JWT', '{"alg":"ES256"}', 'a decoded JWT']
]

/** What the command makes of a paste: the exit code and words. `hunter2` stands for a secret, which is never quoted. */
type Told = readonly [code: number, words: RegExp]
const accepted: Told = [0, /verdict accepted/]
const inQuery: Told = [1, /refused: no_credentials.*advice Send client_id, client_secret in the body: the query/]
const named = (words: string): Told => [2, new RegExp(`INPUT.*${words.replace(/[()\u2026]/g, '.')}`)]

const table: readonly (readonly [name: string, paste: string | Buffer, told: Told])[] = [
  ...forms.map(([name, paste]) => [name, paste, accepted] as const),
  ...headers.map(([name, paste]) => [name, paste, accepted] as const),
  ...queries.map(([name, paste]) => [name, paste, inQuery] as const),
  ...nothings.map(([name, paste, words]) => [name, paste, named(words)] as const),
  ['parameters as JSON', '{"client_id":"shop"}', [1, /refused: body_content_type/]],
  [
    'a line of the documented logger',
    '{"level":"info","reason":"assertion_expired","detail":{"secondsLate":90},"clientId":"bank","ms":2}',
    [1, /client bank .*refused: assertion_expired.*late 1 min 30 s/]
  ],
  ['curl -v of a request without a body', verbose('> Content-Length: 0'), [1, /refused: no_credentials/]],
  ['a line of a logger that is not ours', '{"reason":"something"}', named('no reason')],
  ['UTF-16 with a mark, as PowerShell writes it', Buffer.from(`\ufeff${http}`, 'utf16le'), accepted],
  ['UTF-16 without one', Buffer.from(form, 'utf16le'), accepted],
  ['UTF-16, the other order', Buffer.from(`\ufeff${form}`, 'utf16le').swap16(), accepted],
  ['UTF-8 with a mark', Buffer.from(`\ufeff${form}`), accepted]
]

test('at least twenty ways', () => {
  expect(table.length).toBeGreaterThan(40)
})

test.each(table)('%s', async (_name, paste, [code, words]) => {
  const told = await runCommand(['explain', '-', '--issuer', issuer, '--client', clients], paste)
  expect(`${told.text}${told.stderr}`).toMatch(words)
  expect(`${told.text}${told.stderr}`).not.toContain('hunter2')
  expect(told.code).toBe(code)
})

test('of curl the type that it sends by itself', () => {
  expect(readInput(`curl ${url} -d a=b`).headers['content-type']).toEqual([type])
  expect(readInput(`curl ${url} --json '{"a":1}'`)).toMatchObject({
    headers: { 'content-type': ['application/json'] },
    text: '{"a":1}'
  })
  expect(readInput(`curl ${url} -F client_id=x`).headers['content-type']).toEqual(['multipart/form-data'])
  expect(readInput(`curl ${url} -H 'Content-Type: text/plain' -d a=b`).headers['content-type']).toEqual(['text/plain'])
})

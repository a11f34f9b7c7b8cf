// What the page is answered, over its own HTTP: the texts that the browser only has to lay out.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startPage } from '../../../cli/page/command'
import type { RunningPage } from '../../../cli/page/server'
import { issuer, keyAssertion, keyFor, now, tokenEndpoint } from '../../support/assertions'
import { acceptedAssertion, asHttp, record, refusedAssertion } from '../../support/page-in-chromium'

const folder = mkdtempSync(path.join(tmpdir(), 'page-explains-'))
const started: RunningPage[] = []
afterAll(async () => {
  await Promise.all(started.map((page) => page.close()))
  rmSync(folder, { recursive: true, force: true })
})

async function start(...args: string[]): Promise<RunningPage> {
  const page = await startPage(args)
  started.push(page)
  return page
}

/** A page with the options that a module exports. It is CommonJS, since Jest loads no other by its path. */
function startWith(options: string): Promise<RunningPage> {
  const file = path.join(folder, `${started.length}.cjs`)
  writeFileSync(file, `module.exports = { issuer: ${JSON.stringify(issuer)}, ${options} }`)
  return start('--config', file)
}

async function post({ url }: RunningPage, body: string) {
  const headers = { origin: new URL(url).origin, 'content-type': 'application/json' }
  const response = await fetch(`${url}explain`, { method: 'POST', headers, body })
  return { status: response.status, view: await response.json() }
}

const byUri = { ...record, jwks: undefined, jwks_uri: 'https://localhost/jwks' }
const fields = (input: string, more: object = {}, client: unknown = record) =>
  JSON.stringify({ input, record: JSON.stringify(client), issuer, ...more })
const matching = (words: RegExp | string) => expect.stringMatching(words) as string
const containing = (...items: unknown[]) => expect.arrayContaining(items) as unknown
const lastWeek = now() - 7 * 86_400
const claimsOf = (claims: object) => keyAssertion(keyFor('ES256'), { clientId: 'bank', claims: { ...claims } })

let page: RunningPage
beforeAll(async () => {
  page = await start()
})

test.each<[string, string, object]>([
  [
    'an assertion that is accepted: its verdict, keys, times and the text for its sender',
    fields(acceptedAssertion()),
    {
      state: 'accepted',
      headline: 'Accepted: every check is passed.',
      method: 'private_key_jwt',
      client: 'bank',
      keys: { table: { usable: 1 } },
      times: { leeway: 30, list: containing({ name: 'now', date: matching(/ UTC$/), words: '' }) },
      partner: matching(/\(client bank, private_key_jwt\).*passes every check/)
    }
  ],
  [
    'an assertion that ended minutes ago: good as of when it was made, and that the server refuses it now',
    fields(claimsOf({ iat: now() - 363, exp: now() - 303 })),
    {
      state: 'open',
      headline: matching(/^Good when it was made; now it is 5 min \d+ s too old: the server refuses it as expired\.$/),
      partner: matching(/: good when it was made; now it is 5 min \d+ s too old: .* as expired\. Make a new assertion/)
    }
  ],
  [
    'one that ended minutes ago, without the record: no less',
    fields(claimsOf({ iat: now() - 363, exp: now() - 303 }), { record: '' }),
    { state: 'open', headline: matching(/^Not refused when it was made; now it is 5 min \d+ s too old: /) }
  ],
  [
    'a line of the log with a number that is no time: it is told as the number',
    fields(JSON.stringify({ reason: 'client_id_conflict', detail: { length: 39 } })),
    { findings: [expect.objectContaining({ check: 'refusal', facts: [['length', '39']] })] }
  ],
  [
    'an assertion that is refused for four reasons: how many checks failed',
    fields(asHttp(refusedAssertion()), { at: String(now()) }),
    { state: 'refused', small: [matching(/^Refused: assertion_typ\. 4 of \d+ checks failed\.$/)] }
  ],
  [
    'an audience that is refused: the accepted ones as one text',
    fields(claimsOf({ aud: tokenEndpoint })),
    {
      findings: containing(
        expect.objectContaining({
          reason: 'assertion_audience',
          facts: containing(['expected', issuer], ['received', tokenEndpoint])
        })
      )
    }
  ],
  [
    'an assertion that is late: the date beside the seconds, and the name of the fact in words',
    fields(claimsOf({ exp: lastWeek })),
    {
      findings: containing(
        expect.objectContaining({
          reason: 'assertion_expired',
          facts: containing(
            ['received', matching(`^${lastWeek} \\(.* UTC\\)$`)],
            ['seconds late', matching(/^6048\d\d$/)]
          )
        })
      ),
      partner: matching(`Received: ${lastWeek} \\(\\d{4}-.* UTC\\)\n   What to change: `)
    }
  ],
  [
    'a jti that is empty: it is told as such',
    fields(claimsOf({ jti: '' })),
    {
      findings: containing(
        expect.objectContaining({ reason: 'assertion_jti', facts: containing(['received', '(empty)']) })
      )
    }
  ],
  [
    'an assertion of last week, judged as of last week: accepted',
    fields(claimsOf({ exp: lastWeek + 60 }), { at: String(lastWeek) }),
    { state: 'accepted', asOf: matching(/ UTC$/) }
  ],
  [
    'an assertion without times: nothing is drawn',
    fields(claimsOf({ exp: undefined })),
    { small: containing(matching(/^Refused: /)), assertion: { claims: containing(`"iss": "bank"`) } }
  ],
  [
    'a jwks_uri that is not to be fetched: neither refused nor accepted, and no keys',
    fields(acceptedAssertion(), {}, byUri),
    {
      state: 'open',
      headline: 'Not refused, but not everything could be checked.',
      partner: matching(/breaks no rule that could be checked\.$/)
    }
  ],
  [
    'a jwks_uri that is to be fetched and that the guard refuses: the step that failed, and what to do',
    fields(acceptedAssertion(), { fetch: true }, byUri),
    {
      small: containing(matching(/^Refused: jwks_unavailable\./)),
      keys: {
        lines: [{ result: 'failed', name: 'URL', text: matching(/localhost has no dot/) }],
        advice: matching('.')
      }
    }
  ],
  [
    'a request that names no client: no client and no method',
    fields('grant_type=client_credentials'),
    {
      client: 'none named',
      method: 'unknown',
      partner: matching(`^A request to ${issuer}, judged as of .*, is refused:`)
    }
  ],
  [
    'a request whose body is not there: a paragraph without expected and received',
    fields('POST /token HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 29'),
    {
      small: containing(matching(/^Refused: body_unreadable/)),
      partner: matching(/1\. body \(RFC 6749 §3\.2\)\n {3}What to/)
    }
  ],
  [
    'no client record: only what the request decides',
    fields(acceptedAssertion(), { record: '' }),
    {
      state: 'open',
      headline: 'Not refused, but not everything could be checked.',
      small: containing('Give the client record to check the rest.')
    }
  ]
])('%s', async (_, body, expected) => {
  const { status, view } = await post(page, body)
  expect(status).toBe(200)
  expect(view).toMatchObject(expected)
  expect(JSON.stringify(view)).toMatch(/^[\x20-\x7e§]+$/)
})

test.each([
  ['an assertion without times', 'times', fields(claimsOf({ exp: undefined }))],
  ['a secret', 'assertion', fields('client_id=bank&client_secret=x')],
  ['a jwks_uri that is not to be fetched', 'keys', fields(acceptedAssertion(), {}, byUri)],
  ['a client without a record', 'keys', fields(acceptedAssertion(), { record: '' })]
])('%s has no %s to show', async (_, part, body) => {
  const { view } = await post(page, body)
  expect(view).toHaveProperty('headline')
  expect(view).not.toHaveProperty(part)
})

test.each<[string, string, object]>([
  [
    'a text that is no request',
    fields('hello'),
    { field: 'input', message: matching(/^This is no request: give a JWT/) }
  ],
  [
    'a certificate in place of the request',
    fields('-----BEGIN CERTIFICATE-----'),
    { field: 'input', message: matching(/^This looks like a key or a certificate: give the request/) }
  ],
  ['nothing at all', '{}', { field: 'input' }],
  ['texts that are none', '{"input":5,"record":{}}', { field: 'input' }],
  ['a record that is no JSON', fields('a=b', { record: '{' }), { field: 'record', message: matching(/is not JSON/) }],
  ['an issuer that is not given', fields('a=b', { issuer: ' ' }), { field: 'issuer', message: 'Give the issuer.' }],
  [
    'an issuer that is no https URL',
    fields('a=b', { issuer: 'as.example.com' }),
    { field: 'issuer', message: matching(/^The issuer must be/) }
  ],
  ['a time that is none', fields('a=b', { at: 'yesterday' }), { field: 'at', message: matching(/^This needs a time/) }]
])('%s is told by its field, in a sentence of the page', async (_, body, problem) => {
  const { status, view } = await post(page, body)
  expect(status).toBe(200)
  expect(view).toEqual({ problem: expect.objectContaining(problem) as unknown })
})

test('what is no JSON is refused', async () => {
  expect(await post(page, '{')).toMatchObject({ status: 413, view: { message: matching(/at most 512 KiB/) } })
})

describe('with the options of a module', () => {
  const inline = `getClient: () => (${JSON.stringify(record)})`
  const withUri = (keySets: string) => `getClient: () => (${JSON.stringify(byUri)}), keySets: ${keySets}`
  const settings = async ({ url }: RunningPage): Promise<unknown> => (await fetch(`${url}settings`)).json()

  test('the page knows the issuer, and takes no other from its fields', async () => {
    const configured = await startWith(inline)
    expect(await settings(configured)).toEqual({ issuer })
    expect(await settings(page)).toEqual({})
    const { view } = await post(configured, fields(acceptedAssertion(), { issuer: 'https://evil.example' }, {}))
    expect(view).toMatchObject({ state: 'accepted' })
  })

  test.each([
    ['are shown where they are in its cache', JSON.stringify(record.jwks), { table: { usable: 1 } }],
    ['are not shown where they are not', 'undefined', undefined]
  ])('the keys of its own key sets %s', async (_, cached, expected) => {
    const get = '() => Promise.reject(new Error("not to be asked"))'
    const configured = await startWith(withUri(`{ get: ${get}, cached: () => (${cached}) }`))
    const { view } = await post(configured, fields(acceptedAssertion()))
    const { keys } = view as { keys?: unknown }
    if (expected === undefined) expect(keys).toBeUndefined()
    else expect(keys).toMatchObject(expected)
  })

  test('what its getClient throws is told, and the page goes on', async () => {
    const configured = await startWith('getClient: () => { throw new Error("no database") }')
    const failed = await post(configured, fields(acceptedAssertion()))
    expect(failed).toMatchObject({ status: 500, view: { message: 'Error: no database' } })
    expect(await settings(configured)).toEqual({ issuer })
  })

  test('a wrong option in the module is no problem of a field', async () => {
    const configured = await startWith(`${inline}, isuer: 1`)
    expect(await post(configured, fields(acceptedAssertion()))).toMatchObject({
      status: 500,
      view: { message: matching(/unknown option "isuer"/) }
    })
  })
})

// Credentials in the wrong place: none of them reaches an error, an event, an explanation, a record or the text for a partner.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import express from 'express'
import { clientAuth, recordRefusals, type OAuthClient, type RejectedEvent } from '../../lib'
import { runProgram } from '../../cli/dispatcher'
import { assertionForm, basic, issuer, JWT_BEARER, keyAssertion } from '../support/assertions'
import { byKey, key, only } from '../support/three-clients'
import { post } from '../support/token-server'

const secret = 'Kp7-example-secret-of-40-characters-abcd'
const shop: OAuthClient = { client_id: 'web-shop', client_secret: secret }
const other = 'Zq9-example-secret-of-40-characters-wxyz'
/** One that no look of it tells. */
const plain = 'shop.example:pass'
const both: OAuthClient = { ...byKey, client_id: 'both', client_secret: plain }
const jwt = keyAssertion(key, { clientId: 'key' })
const folder = mkdtempSync(join(tmpdir(), 'secrets-'))
const record = join(folder, 'client.json')
writeFileSync(record, JSON.stringify(shop))
afterAll(() => {
  rmSync(folder, { recursive: true })
})
const raw = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })

/** All that this server tells of one refused request, apart from the answer and the request itself. */
async function toldOf(form: Record<string, string>, headers: Record<string, string>): Promise<string> {
  const told: unknown[] = []
  const note = (event: unknown) => {
    const { error } = event as RejectedEvent
    told.push(
      { ...(event as RejectedEvent), request: undefined },
      error.message,
      error.detail,
      error.cause,
      error.stack,
      error,
      JSON.stringify(error)
    )
  }
  const app = express()
  const authenticate = clientAuth({
    issuer,
    ...only(shop, byKey, both),
    onError: async (error, req, res) => {
      told.push(await authenticate.explain(req), await authenticate.explain(req, { nearMisses: false }))
      res.statusCode = error.status
      res.end(JSON.stringify(error))
    }
  })
  app.post('/token', authenticate, (_req, res) => {
    res.json({ let: 'in' })
  })
  subscribe('oauth-client-auth:rejected', note)
  let log: () => void = () => undefined
  const recorded = new Promise<void>((resolve) => (log = resolve))
  const stop = recordRefusals({
    explain: authenticate.explain,
    nearMisses: true,
    log: (refusal) => {
      told.push(refusal)
      log()
    }
  })
  const { status, text } = await post(app, form, headers)
  await recorded
  stop()
  unsubscribe('oauth-client-auth:rejected', note)
  expect([400, 401]).toContain(status)
  return [
    text,
    ...told.map((one) => (typeof one === 'string' ? one : inspect(one, { depth: 20, maxStringLength: null })))
  ].join('\n')
}

/** What the command prints for the operator, and for the partner. */
async function printedOf(form: Record<string, string>, headers: Record<string, string>): Promise<string> {
  const written: string[] = []
  const stream = { write: (text: string) => written.push(text) }
  const lines = ['POST /token HTTP/1.1', 'Host: as', 'Content-Type: application/x-www-form-urlencoded']
  const head = [...lines, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\r\n')
  const pasted = `${head}\r\n\r\n${new URLSearchParams(form).toString()}`
  for (const more of [['--all'], ['--partner']])
    await runProgram(['explain', pasted, '--issuer', issuer, '--client', record, ...more], {
      stdin: new PassThrough(),
      stdout: stream,
      stderr: stream,
      env: {}
    })
  return written.join('')
}

const part = (text: string) => Buffer.from(text).toString('base64url')
/** A header with white space in it begins otherwise. */
const spaced = (header: string) => [part(header), part('{ "iss": "key", "sub": "key" }'), jwt.split('.')[2]].join('.')
const hex = '3f7a'.repeat(16)

const misplaced: [string, Record<string, string>, Record<string, string>, string[]][] = [
  [
    'a JWT as the type of an assertion, and the type as the assertion',
    { client_assertion: JWT_BEARER, client_assertion_type: jwt },
    {},
    [jwt]
  ],
  ...['{ "alg": "ES256" }', '{\n  "alg": "ES256"\n}', '{\t"alg": "ES256"}'].map(
    (header): (typeof misplaced)[number] => [
      `a JWT as client_id whose header is ${JSON.stringify(header)}`,
      { client_id: spaced(header), client_secret: secret },
      {},
      [spaced(header), secret]
    ]
  ),
  ['a secret in hex as client_id', { client_id: hex, client_secret: 'web-shop' }, {}, [hex]],
  [
    'a secret with a telling word in it as the type of an assertion',
    { client_id: 'web-shop', client_assertion: jwt, client_assertion_type: `${other}jwt` },
    {},
    [jwt, other]
  ],
  ['a secret in the name of a parameter', { 'client_secret:4711081547110815': '' }, {}, ['4711081547110815']],
  ['a JWT as client_id', { client_id: jwt, client_secret: secret }, {}, [jwt, secret]],
  ['a JWT as client_secret', { client_id: 'web-shop', client_secret: jwt }, {}, [jwt]],
  ['a JWT as the id of Basic', {}, raw(`${jwt}:${secret}`), [jwt, secret]],
  ['a JWT as the secret of Basic', {}, raw(`web-shop:${jwt}`), [jwt]],
  ['a JWT as the whole of Basic', {}, { Authorization: `Basic ${jwt}` }, [jwt]],
  ['a JWT as a bearer token', {}, { Authorization: `Bearer ${jwt}` }, [jwt]],
  ['a JWT in `assertion`', { assertion: jwt, grant_type: 'client_credentials' }, {}, [jwt]],
  ['a JWT as grant_type', { grant_type: jwt, client_assertion: 'x' }, {}, [jwt]],
  ['a JWT with a wrong type', { client_assertion: jwt, client_assertion_type: 'jwt' }, {}, [jwt]],
  ['a JWT without its type', { client_assertion: jwt }, {}, [jwt]],
  ['a JWT of another audience', assertionForm(keyAssertion(key, { clientId: 'key', claims: { aud: jwt } })), {}, [jwt]],
  ['a JWT as kid', assertionForm(keyAssertion(key, { clientId: 'key', header: { kid: jwt } })), {}, [jwt]],
  [
    'the secret as the type of an assertion',
    { client_id: 'web-shop', client_assertion: jwt, client_assertion_type: secret },
    {},
    [jwt, secret]
  ],
  [
    'the secret as the assertion',
    { client_id: 'web-shop', client_assertion: secret, client_assertion_type: JWT_BEARER },
    {},
    [secret]
  ],
  ['the secret as client_id', { client_id: secret, client_secret: 'web-shop' }, {}, [secret]],
  ['the secret as client_id, alone', { client_id: secret }, {}, [secret]],
  ['id and secret of Basic swapped', {}, { Authorization: basic(secret, 'web-shop') }, [secret]],
  ['another secret as client_id', { client_id: other, client_secret: 'web-shop' }, {}, [other]],
  [
    'the secret in both places',
    { client_id: 'web-shop', client_secret: secret },
    { Authorization: basic('web-shop', secret) },
    [secret]
  ],
  [
    'a secret where the scheme should be',
    {},
    { Authorization: 'Zx81kd93jfQQpP72mmabCdEf web-shop' },
    ['Zx81kd93jfQQpP72mmabCdEf']
  ],
  ['the secret with a line break', { client_id: 'web-shop', client_secret: `${secret}\n` }, {}, [secret]],
  [
    'the secret of Basic as client_id of the form',
    { client_id: plain },
    { Authorization: basic('web-shop', plain) },
    [plain]
  ],
  ['the secret as sub', assertionForm(keyAssertion(key, { clientId: secret })), {}, []],
  [
    'the secret as iss',
    { ...assertionForm(keyAssertion(key, { clientId: 'key', claims: { iss: secret } })), client_id: 'web-shop' },
    {},
    []
  ]
]

// Threat 38: a live assertion or a secret in logs, events, explanations, or the text for the partner
test.each(misplaced)('%s', async (_name, form, headers, hidden) => {
  const told = await toldOf(form, headers)
  const printed = await printedOf(form, headers)
  for (const value of hidden.flatMap((one) => [
    one,
    one.split('.')[2] ?? one,
    Buffer.from(one).toString('base64').replace(/=+$/, '')
  ])) {
    expect(told).not.toContain(value)
    expect(printed).not.toContain(value)
  }
  expect(told.length).toBeGreaterThan(500)
  expect(printed.length).toBeGreaterThan(100)
})

test('the registered secret of the client as kid', async () => {
  const told = await toldOf(assertionForm(keyAssertion(key, { clientId: 'both', header: { kid: plain } })), {})
  expect(told).toContain('no_matching_key')
  expect(told).not.toContain(plain)
})

// No secret and no usable assertion is shown, wherever a client puts it: in the answer, in events, in the log of the
// recorder, by the command in each of its forms, on the page, or in the text for the partner.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { inspect } from 'node:util'
import express from 'express'
import { explainPasted } from '../../cli/page/pasted'
import { clientAuth, recordRefusals } from '../../lib'
import { assertionForm, issuer, JWT_BEARER, keyAssertion, keyFor } from '../support/assertions'
import { runCommand } from '../support/run-command'
import { clientsOf } from '../support/token-server'

const key = keyFor('ES256')
const shopSecret = 'Vd8n2TqL0yR5sXzK7mWbH4cJ'
const postSecret = 'x/Kq8+secret:of%41 the "post"=='
const hexSecret = '5f1c9a0b7e3d4826a1b2c3d4e5f60718'
const records = [
  { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } },
  { client_id: 'shop', client_secret: shopSecret },
  { client_id: 'post', client_secret: postSecret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'hex', client_secret: [hexSecret, 'another secret of this client'] }
]
const folder = mkdtempSync(path.join(tmpdir(), 'explain-secrets-'))
const client = path.join(folder, 'clients.json')
writeFileSync(client, JSON.stringify(records))

/** What must not be seen, and the client whose it is. */
const hidden = {
  'a registered secret': { owner: 'shop', value: () => shopSecret },
  'a registered secret of all kinds of characters': { owner: 'post', value: () => postSecret },
  'a registered secret in hexadecimal': { owner: 'hex', value: () => hexSecret },
  'a live assertion': { owner: 'bank', value: () => keyAssertion(key, { clientId: 'bank' }) },
  'a live assertion that is refused': {
    owner: 'bank',
    value: () => keyAssertion(key, { clientId: 'bank', claims: { aud: `${issuer}/token` } })
  }
} as const

interface Sent {
  headers?: Record<string, string>
  /** Parameters, or the text of the body. */
  body?: Record<string, string> | string
  query?: string
}
const base64 = (value: string) => Buffer.from(value).toString('base64')
const line = (value: string) => value.replace(/[^\x20-\x7e]/g, '')
/** An assertion of the owner of a secret, who could have put it there. */
const assertion = (clientId: string, claims: object, header: object = {}): Sent => ({
  body: assertionForm(keyAssertion(key, { clientId, claims: { ...claims }, header: { ...header } }))
})
const parameters = [
  ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type', 'grant_type', 'assertion'],
  ...['scope', 'code', 'refresh_token', 'resource', 'clientSecret', 'x']
]

/** Where a client may put it. */
const places: Record<string, (value: string, owner: string) => Sent> = {
  ...Object.fromEntries(
    parameters.flatMap((name) => [
      [`${name} alone`, (value: string) => ({ body: { [name]: value } })],
      [`${name} beside client_id`, (value: string, owner: string) => ({ body: { client_id: owner, [name]: value } })],
      [
        `${name} beside the type of an assertion`,
        (value: string) => ({ body: { client_assertion_type: JWT_BEARER, [name]: value } })
      ]
    ])
  ),
  'client_id and client_secret swapped': (value, owner) => ({ body: { client_id: value, client_secret: owner } }),
  'client_assertion and its type swapped': (value) => ({
    body: { client_assertion: JWT_BEARER, client_assertion_type: value }
  }),
  'client_secret twice': (value, owner) => ({
    body: `client_id=${owner}&client_secret=${encodeURIComponent(value)}&client_secret=${encodeURIComponent(value)}`
  }),
  'client_secret and a line break': (value, owner) => ({ body: { client_id: owner, client_secret: `${value}\n` } }),
  'client_secret and more': (value, owner) => ({ body: { client_id: owner, client_secret: `"${value}" ` } }),
  'client_secret, encoded twice': (value, owner) => ({
    body: { client_id: owner, client_secret: encodeURIComponent(value) }
  }),
  'the name of a parameter': (value) => ({ body: { [value]: '1' } }),
  'the whole body': (value) => ({ body: value }),
  JSON: (value, owner) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: owner, client_secret: value })
  }),
  'JSON under the type of a form': (value, owner) => ({
    body: JSON.stringify({ client_id: owner, client_secret: value })
  }),
  ...Object.fromEntries(
    ['content-type', 'content-encoding'].map((name) => [
      `${name}, beside Basic`,
      (value: string, owner: string) => ({
        headers: { [name]: line(value), authorization: `Basic ${base64(`${owner}:${encodeURIComponent(value)}`)}` },
        body: 'a=b'
      })
    ])
  ),
  charset: (value) => ({
    headers: { 'content-type': `application/x-www-form-urlencoded; charset=${line(value)}` },
    body: 'a=b'
  }),
  'the query': (value, owner) => ({
    query: `client_id=${owner}&client_secret=${encodeURIComponent(value)}`,
    body: 'grant_type=client_credentials'
  }),
  'Basic: the secret': (value, owner) => ({ headers: { authorization: `Basic ${base64(`${owner}:${value}`)}` } }),
  'Basic: the secret, for another client': (value) => ({
    headers: { authorization: `Basic ${base64(`bank:${value}`)}` }
  }),
  'Basic: the secret, for nobody': (value) => ({ headers: { authorization: `Basic ${base64(`nobody:${value}`)}` } }),
  'Basic: the id': (value) => ({ headers: { authorization: `Basic ${base64(`${value}:x`)}` } }),
  'Basic: swapped': (value, owner) => ({ headers: { authorization: `Basic ${base64(`${value}:${owner}`)}` } }),
  'Basic: encoded, swapped': (value, owner) => ({
    headers: { authorization: `Basic ${base64(`${encodeURIComponent(value)}:${owner}`)}` }
  }),
  'Basic: the secret alone': (value) => ({ headers: { authorization: `Basic ${base64(value)}` } }),
  'Basic: in the clear': (value, owner) => ({ headers: { authorization: `Basic ${owner}:${line(value)}` } }),
  'Basic: a line break': (value, owner) => ({ headers: { authorization: `Basic ${base64(`${owner}:${value}\n`)}` } }),
  'Basic, and the body': (value, owner) => ({
    headers: { authorization: `Basic ${base64(`${owner}:${value}`)}` },
    body: { client_id: owner, client_secret: value }
  }),
  Bearer: (value) => ({ headers: { authorization: `Bearer ${line(value)}` } }),
  'the scheme': (value) => ({ headers: { authorization: line(value) } }),
  'kid of an assertion': (value, owner) => assertion(owner, {}, { kid: value }),
  'typ of an assertion': (value, owner) => assertion(owner, {}, { typ: value }),
  'alg of an assertion': (value, owner) => assertion(owner, {}, { alg: value }),
  'crit of an assertion': (value, owner) => assertion(owner, {}, { crit: [value] }),
  'iss of an assertion': (value, owner) => assertion(owner, { iss: value }),
  'sub of an assertion': (value, owner) => assertion(owner, { sub: value }),
  'iss and sub of an assertion': (value, owner) => assertion(owner, { iss: value, sub: value }),
  'client_id, the secret behind it': (value, owner) => ({ body: { client_id: `${owner}:${value}` } }),
  'aud of an assertion': (value, owner) => assertion(owner, { aud: value }),
  'aud, a list': (value, owner) => assertion(owner, { aud: [issuer, value] }),
  'jti of an assertion': (value, owner) => assertion(owner, { jti: value, exp: 1 }),
  'exp of an assertion': (value, owner) => assertion(owner, { exp: value })
}

/**
 * Whether what is told can know that it is a secret. An id or a type that nobody knows must be told, or its owner could
 * not find the mistake, unless it looks made by a generator. Most claims are judged before anybody is looked up. The command and the page know all records that they are given.
 */
const canKnow = (place: string, kind: string, from: string): boolean => {
  const hasRecords = /^(command.*--client|page)/.test(from)
  const isLive = kind.startsWith('a live')
  // The command prints the claims that it is given.
  if (/^(iss|sub) /.test(place))
    return hasRecords || (!from.startsWith('command') && (isLive || kind === 'a registered secret'))
  if (isLive) return true
  if (/ of an assertion$|^aud/.test(place))
    return hasRecords || (place.startsWith('kid') && !from.startsWith('command'))
  return hasRecords || kind === 'a registered secret' || !/^client_id( alone| beside|,)|^content-/.test(place)
}

const told: string[] = []
const tell = (from: string, what: unknown): void =>
  void told.push(`${from}: ${typeof what === 'string' ? what : inspect(what, { depth: 12 })}`)
const authenticate = clientAuth({
  issuer,
  getClient: clientsOf(...records).getClient,
  reference: true,
  onError: (error, _req, res) => {
    tell('error', error)
    tell('error as JSON', JSON.stringify([error, error.detail, error.message]))
    res.statusCode = error.statusCode
    res.end(JSON.stringify(error))
  }
})
const channels = ['rejected', 'authenticated', 'failed'].map((name) => `oauth-client-auth:${name}`)
const hear = (event: unknown) => {
  // The request itself is handed to subscribers as it came
  const shown = { ...(event as Record<string, unknown>), request: undefined, client: undefined }
  tell('event', shown)
  tell('event as JSON', JSON.stringify(shown))
}
const server = express()
  .post('/token', authenticate, (_req, res) => res.json({}))
  .listen(0, '127.0.0.1')
beforeAll(async () => {
  await once(server, 'listening')
  for (const channel of channels) subscribe(channel, hear)
})
afterAll(() => {
  for (const channel of channels) unsubscribe(channel, hear)
  server.close()
  rmSync(folder, { recursive: true })
})

async function send({ headers = {}, body, query }: Sent): Promise<string> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const content = typeof body === 'object' ? new URLSearchParams(body).toString() : body
  const target = query === undefined ? '/token' : `/token?${query}`
  const all = { ...(content === undefined ? {} : type), ...headers }
  const { port } = server.address() as AddressInfo
  const sent = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: target, headers: all })
  sent.end(content)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  tell('answer', `${JSON.stringify(answer.headers)} ${await textOf(answer)}`)
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`POST ${target} HTTP/1.1`, 'host: as.example.com', ...lines, '', content ?? ''].join('\n')
}

async function command(...args: string[]): Promise<void> {
  const [input = '', ...more] = args
  const { stdout, stderr } = await runCommand(['explain', '-', '--issuer', issuer, ...more], input)
  tell(`command ${more.join(' ')}`, stdout + stderr)
}

/** Each form in which a value could be read. Of an assertion the signature is what makes it usable. */
function formsOf(value: string): string[] {
  const [, , signature] = value.split('.')
  const secret = value.startsWith('eyJ') ? String(signature) : value
  // Within a longer text base64 has one of three forms
  const inBase64 = [0, 1, 2].map((offset) =>
    base64(`${'\0'.repeat(offset)}${secret}`)
      .replace(/=+$/, '')
      .slice(offset === 0 ? 0 : 4, -1)
  )
  return [
    ...[secret, encodeURIComponent(secret), encodeURIComponent(encodeURIComponent(secret))],
    ...[new URLSearchParams({ a: secret }).toString().slice(2), JSON.stringify(secret).slice(1, -1)],
    ...inBase64.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')])
  ].filter((form) => form.length >= 8)
}

const settled = () => new Promise((done) => setTimeout(done, 5))

describe.each(Object.entries(hidden))('%s', (kind, { owner, value: make }) => {
  test.each(Object.entries(places))('in %s is shown nowhere', async (place, put) => {
    told.length = 0
    const value = make()
    const { explain } = authenticate
    // New ones each time, since each records only a few refusals of a kind in a minute
    const stops = [false, true].map((nearMisses) =>
      recordRefusals({
        explain,
        nearMisses,
        log: (refusal) => {
          tell('recorder', JSON.stringify(refusal))
        }
      })
    )
    const text = await send(put(value, owner))
    await settled()
    for (const stop of stops) stop()
    for (const more of [[], ['--all'], ['--json'], ['--partner']]) await command(text, ...more, '--client', client)
    await command(text)
    const view = await explainPasted({ input: text, record: JSON.stringify(records), issuer }, undefined)
    tell('page', JSON.stringify(view))
    const seen = told.filter((one) => formsOf(value).some((form) => one.includes(form)))
    expect(told.length).toBeGreaterThan(6)
    expect(seen.filter((from) => canKnow(place, kind, from))).toEqual([])
  })
})

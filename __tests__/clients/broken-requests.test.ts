// Requests, broken as partners break them: do the log, the command and the page lead to the cause, the fix, and a
// sentence to send? Each is made by the program that partners use, sent over HTTP, pasted as it was sent, and scored.
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import express from 'express'
import { explainPasted } from '../../cli/page/pasted'
import { clientAuth, type OAuthClient, type RecordedRefusal, recordRefusals } from '../../lib'
import { makeKey } from '../support/assertions'
import { scoreOf, type Said } from '../support/explain-score'
import { runCommand } from '../support/run-command'
import { clientsOf } from '../support/token-server'
import { makeAuthority, makeCertificate } from '../support/tls-certificates'
import { type BrokenRequest, brokenRequests, type World } from './broken-requests'
import { realClients, versionOf } from './client-list'

const page = join(__dirname, 'broken-requests.md')
const updating = process.env.UPDATE === '1'
const secret = 'x/Kq8+secret:of the shop 41%24Tz='
const macSecret = Buffer.from('the octets of a secret for a MAC').toString('base64')

const keys = {
  EC_PEM: makeKey('ES256', 'ec-1'),
  OTHER_EC_PEM: makeKey('ES256', 'ec-1'),
  RSA_PEM: makeKey('RS256', 'rsa-1'),
  PSS_PEM: makeKey('PS256', 'pss-1'),
  OTHER_PEM: makeKey('RS256', 'rsa-1'),
  NEIGHBOUR_PEM: makeKey('RS256', 'rsa-1')
}
const enc = makeKey('ES256', 'enc-1')
const set = { keys: [keys.EC_PEM.jwk, keys.RSA_PEM.jwk, keys.PSS_PEM.jwk, { ...enc.jwk, use: 'enc' }] }
const records: OAuthClient[] = [
  { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: set },
  { client_id: 'shop', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'mac', client_secret: macSecret, token_endpoint_auth_method: 'client_secret_jwt' },
  {
    client_id: 'rotated',
    client_secret: [secret, { value: 'the secret of the year before', expires_at: 1_700_000_000 }],
    token_endpoint_auth_method: 'client_secret_post'
  },
  {
    client_id: 'neighbour',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [keys.NEIGHBOUR_PEM.jwk] }
  }
]

const folder = mkdtempSync(join(tmpdir(), 'broken-requests-'))
const inFolder = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const clients = inFolder('clients.json', JSON.stringify(records))
const servers: Server[] = []
let issuer: string
let plain: string
let env: NodeJS.ProcessEnv
/** Each request as it came, and what the log says of it. */
let pasted: string[] = []
let logged: RecordedRefusal[] = []
let record: () => () => void

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

/** The text of a request, as a proxy or a debugger shows it. */
function keep({ method, url, rawHeaders }: IncomingMessage, chunks: readonly Buffer[]): void {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []))
  pasted.push([`${method} ${url} HTTP/1.1`, ...lines, '', Buffer.concat(chunks).toString('latin1')].join('\n'))
}

beforeAll(async () => {
  const authority = await makeAuthority()
  const certificate = await makeCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] })
  const [http, https] = [createServer(), createHttpsServer(certificate)]
  plain = `http://127.0.0.1:${await listen(http)}`
  issuer = `https://localhost:${await listen(https)}`
  const authenticate = clientAuth({ issuer, getClient: clientsOf(...records).getClient })
  // A new one each time, since each records only a few refusals of a kind in a minute
  record = () => recordRefusals({ explain: authenticate.explain, log: (refusal) => logged.push(refusal) })
  const app = express()
  app.post('*path', authenticate, (_req, res) => res.json({ access_token: 'x', token_type: 'Bearer', expires_in: 60 }))
  app.get('*path', (_req, res) => {
    res.json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` })
  })
  for (const server of [http, https])
    server.on('request', (req: IncomingMessage, res) => {
      const chunks: Buffer[] = []
      if (req.method === 'POST') req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        if (req.method === 'POST') keep(req, chunks)
      })
      app(req, res)
    })
  const files = Object.entries(keys).map(([name, { privateKey }]) => {
    return [name, inFolder(name, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())]
  })
  env = {
    ...{ PATH: process.env.PATH, HOME: folder, NO_PROXY: '*', GO111MODULE: 'off', GOPATH: '/usr/share/gocode' },
    ...{ ISSUER: issuer, TOKEN_ENDPOINT: `${plain}/token`, SECRET: secret, MAC_SECRET: macSecret },
    ...{ PYTHONDONTWRITEBYTECODE: '1', REQUESTS_CA_BUNDLE: inFolder('ca.pem', authority.cert) },
    ...Object.fromEntries(files)
  }
})
afterAll(() => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  rmSync(folder, { recursive: true, force: true })
})

const program = (file: string): string => join(__dirname, 'programs/broken', file)
const programs: Readonly<Record<string, readonly string[]>> = {
  PyJWT: ['/usr/bin/python3', program('pyjwt.py')],
  'msal (Python)': ['/usr/bin/python3', program('msal_python.py')],
  'openid-client': [process.execPath, program('openid-client.mjs')],
  'golang.org/x/oauth2': [join(folder, 'oauth2')],
  curl: ['sh', '-c'],
  'openssl, curl': ['sh', '-c']
}
const isThere = (name: string): boolean =>
  name === 'openid-client' ||
  name === 'hand' ||
  realClients.some((one) => one.name.startsWith(name.replace('openssl, ', '')) && versionOf(one) !== undefined)

/** Makes the request, and waits until the server has told of it. */
async function send({ by, argument = '', raw }: BrokenRequest): Promise<void> {
  if (raw === undefined) {
    const [file = '', ...args] = programs[by] ?? []
    await promisify(execFile)(file, [...args, argument], { env })
  } else {
    const world: World = { issuer, secret, ec: keys.EC_PEM, enc }
    const { form, headers = {} } = raw(world)
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const sent = httpRequest(`${plain}/token`, { method: 'POST', headers: { ...type, ...headers } })
    sent.end(new URLSearchParams(form).toString())
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    await once(answer.resume(), 'end')
  }
  await new Promise((done) => setTimeout(done, 20)) // the recorder speaks after the answer
}

const told = (text: string): string => text.replace(/\s+/g, ' ').trim()
/** Without what changes from run to run. */
const steady = (text: string): string =>
  text.replace(/localhost:\d+/g, 'as.example').replace(/\b\d+ octets of DER/, '71 octets of DER')

function ofLog(refusal: RecordedRefusal | undefined): Said {
  const [first] = refusal?.findings ?? []
  return {
    reason: refusal?.reason,
    text: told(JSON.stringify(first)),
    partner: String(first?.forSender),
    advice: first?.advice
  }
}

async function ofCommand(text: string): Promise<Said> {
  const { stdout: output } = await runCommand(['explain', '-', '--issuer', issuer, '--client', clients], text)
  const [, first = '', partner = ''] = /(✗[^✗]*?)\n(?=\n| {2}[✗·]).*?\n {2}partner(.*?)(?:\n\n|$)/s.exec(output) ?? []
  const [, reason] = /verdict {2}refused: (\w+)/.exec(output) ?? []
  return {
    reason,
    text: told(first || output),
    partner: told(partner),
    advice: /advice (.*?)(?= partner|$)/.exec(told(first))?.[1]
  }
}

async function ofPage(text: string): Promise<Said> {
  const view = await explainPasted({ input: text, record: JSON.stringify(records), issuer }, undefined)
  if ('problem' in view) return { reason: undefined, text: view.problem.message, partner: '', advice: undefined }
  const first = view.findings.find(({ result }) => result === 'failed')
  return {
    reason: first?.reason,
    text: `${view.headline} ${view.small.join(' ')} ${JSON.stringify(first)}`,
    partner: view.partner,
    advice: view.headline
  }
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

function markdown(): string {
  const alone = [0, 1, 2].map((at) => mean(all.map(({ scores }) => scores[at] ?? 0)).toFixed(2)).join(', ')
  const rows = all.map(({ request: { by, wrong, reason }, scores, score, first }) =>
    [by, wrong, `\`${reason}\``, first, scores.join(', '), String(score)].map((cell) => cell.replaceAll('|', '\\|'))
  )
  const head = [
    'Made by',
    'What is wrong',
    'Reason in the log',
    'What the command and the page say first',
    'Log, command, page',
    'Score'
  ]
  return [
    '# Requests, broken as partners break them',
    '',
    'Written by `broken-requests.test.ts`, which makes each request by the program named, sends it, and compares what is said',
    'with words that were written down before (`broken-requests.ts`). 0: another reason, or words that lead elsewhere. 1: the',
    'right reason. 2: the cause and the fix. 3: a sentence to send the partner as well. The log looks for no near misses that',
    'cost something, as is its default. The score is the best of the three, and 0 where one of them leads elsewhere.',
    '',
    `${all.length} requests, mean ${mean(all.map(({ score }) => score)).toFixed(2)}; of the log, the command and the page alone ${alone}.`,
    '',
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    ''
  ].join('\n')
}

interface Scored {
  request: BrokenRequest
  /** Of the log, the command and the page, and what they come to: the best of them, if none leads elsewhere. */
  scores: number[]
  score: number
  first: string
}
const all: Scored[] = []

if (isThere('golang.org/x/oauth2'))
  beforeAll(() => {
    const go = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(folder, 'go') }
    execFileSync('go', ['build', '-o', join(folder, 'oauth2'), program('oauth2.go')], { env: go })
  }, 300_000)

for (const request of brokenRequests) {
  const name = `${request.by}: ${request.wrong}`
  if (!isThere(request.by)) {
    test(`${name} is MISSING and was not run: install ${request.by}`, () => {
      expect(process.env.REQUIRE_CLIENTS === '1' || updating).toBe(false)
    })
    continue
  }
  test(
    name,
    async () => {
      ;[pasted, logged] = [[], []]
      const stop = record()
      await send(request)
      stop()
      const [text = ''] = pasted
      const said = [ofLog(logged[0]), await ofCommand(text), await ofPage(text)]
      const scores = said.map((one) => scoreOf(one, request))
      const [, command, ofThePage] = said
      // Each tells the same first
      if (command?.reason !== undefined) expect(ofThePage?.advice).toBe(command.advice)
      const { length: words } = scores.filter((score) => score === 0)
      all.push({
        request,
        scores,
        score: words > 0 ? 0 : Math.max(...scores),
        first: steady(command?.advice ?? 'accepted, with a note')
      })
      expect(logged[0]?.reason).toBe(request.reason)
    },
    60_000
  )
}

test('the mean is 2.8, none leads elsewhere, and the table says so', () => {
  expect(all.filter(({ score }) => score === 0).map(({ request }) => request.wrong)).toEqual([])
  expect(mean(all.map(({ score }) => score))).toBeGreaterThanOrEqual(2.8)
  if (all.length < brokenRequests.length) return // told above
  const table = execFileSync('npx', ['oxfmt', '--stdin-filepath', page], { input: markdown(), encoding: 'utf8' })
  if (updating) writeFileSync(page, table)
  expect(readFileSync(page, 'utf8')).toBe(table)
})

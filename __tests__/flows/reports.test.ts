// What people really send, register and publish: the cases of fixtures/reports.json, over HTTP.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { gzipSync } from 'node:zlib'
import express from 'express'
import request from 'supertest'
import {
  clientAuth,
  type ClientAuthOptions,
  createJwksFetcher,
  createTlsCertificates,
  type Explanation,
  type OAuthClient,
  validateClientMetadata
} from '../../lib'
import { runProgram } from '../../cli/dispatcher'
import { partnerSentence } from '../../cli/partner'
import { scoreOf, type Said } from '../support/explain-score'
import { rightWords } from '../support/report-scores'
import { assertionForm, issuer, keyAssertion, makeKey } from '../support/assertions'
import { certificate } from '../support/client-certificates'
import { send, serverCertificate } from '../support/mutual-tls-server'
import {
  apart,
  metadataOptionsFor,
  optionsFor,
  reportCases,
  rightMetadata,
  rightOf,
  servedSets,
  type ReportCase,
  type Right
} from '../support/report-cases'
import { makeCertificate } from '../support/tls-certificates'
import { serveHttps } from '../support/tls-server'

interface Told {
  outcome: string
  /** All that the log and `explain` say. */
  text: string
}

/** An app that tells, in place of tokens, what came of the authentication. */
function tellingApp(record: OAuthClient, options: Partial<ClientAuthOptions>, explainAt?: Date): express.Express {
  const app = express()
  const authenticate = clientAuth({
    issuer,
    getClient: (id) => (id === record.client_id ? record : undefined),
    onError: async (error, req, res) => {
      const at = {
        ...(explainAt === undefined ? {} : { at: explainAt }),
        // A body that was refused unread is not there any more
        ...(error.reason.startsWith('body_') ? { refusal: error } : {})
      }
      const explanation = await authenticate.explain(req, at)
      const fetching = await authenticate.explain(req, { ...at, fetch: true })
      agreed.push([error.reason, fetching.reason])
      said.push(saidOf(explanation.reason === undefined ? fetching : explanation))
      const { message, detail, cause, statusCode } = error
      res.statusCode = statusCode
      const told = { message, detail, cause: (cause as Error | undefined)?.message, explanation }
      res.end(JSON.stringify({ outcome: error.reason, text: JSON.stringify(told) }))
    },
    ...options
  })
  app.post('*path', authenticate, async (req, res) => {
    // With a time, since the assertion has been used by now
    const { accepted, reason } = await authenticate.explain(req, { at: explainAt ?? new Date(), fetch: true })
    agreed.push(['accepted', accepted ? 'accepted' : reason])
    res.json({ outcome: 'accepted', text: '' })
  })
  return app
}

/** What a reader of explain is told first. */
const said: Said[] = []
function saidOf(explanation: Explanation): Said {
  const first = explanation.findings.find(({ result }) => result === 'failed')
  const now = Date.now() / 1000
  const partner = partnerSentence({ explanation, isClientKnown: true, now, notes: [] }, issuer)
  return { reason: explanation.reason, text: JSON.stringify(first), partner, advice: first?.advice }
}
const scores = new Map<string, number>()
/** Scores what the last refusal has told. */
function score(id: string): void {
  const right = rightWords(id)
  const last = said.splice(0).at(-1)
  if (right !== undefined && last !== undefined) scores.set(id, scoreOf(last, right))
}

/** The outcome of each request, and what explain says of it. */
const agreed: (readonly [outcome: string, explained: string | undefined])[] = []
afterEach(() => {
  for (const [outcome, explained] of agreed.splice(0)) expect(explained).toBe(outcome)
})

async function told(app: express.Express, { path = '/token', headers, form, raw }: NonNullable<ReportCase['request']>) {
  const sent = request(app).post(path).set(headers).buffer(true)
  const body = raw ?? (form && new URLSearchParams(form).toString())
  const { status, text } = await (body === undefined ? sent : sent.send(body))
  return { status, ...(JSON.parse(text) as Told) }
}

function expectRight({ outcome, text }: Told, { outcome: right, says = [] }: Right): void {
  expect(outcome).toBe(right)
  for (const words of says) expect(text).toMatch(words)
}

const realTimers = [
  ...(['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'] as const),
  ...(['nextTick', 'queueMicrotask', 'hrtime', 'performance'] as const)
]
afterEach(() => jest.useRealTimers())

describe('requests', () => {
  for (const one of reportCases) {
    const right = rightOf[one.id]
    if (right === undefined || one.request === undefined) continue
    const sent = one.request
    test(`${one.id}: ${one.what}`, async () => {
      const at = new Date(String(one.at))
      jest.useFakeTimers({ now: at, doNotFake: realTimers })
      const store = { consume: () => true }
      const options = { ...optionsFor(one), ...(one.id === 'rep-34b' ? { replayStore: store } : {}) }
      const app = tellingApp(sent.client, options, one.id === 'rep-34' ? undefined : at)
      if (['rep-34', 'rep-34b'].includes(one.id)) expect((await told(app, sent)).outcome).toBe('accepted')
      const answer = await told(app, sent)
      expectRight(answer, right)
      score(one.id)
      if (one.id === 'rep-14c') expect(answer.status).toBe(400)
    })
  }
})

describe('registration', () => {
  for (const one of reportCases) {
    const right = rightMetadata[one.id]
    if (right === undefined) continue
    test(`${one.id}: ${one.what}`, () => {
      const register = () => {
        validateClientMetadata(one.metadata ?? one.request?.client ?? {}, metadataOptionsFor(one))
      }
      if (right === 'accepted') expect(register).not.toThrow()
      else
        expect(register).toThrow(
          expect.objectContaining({ code: 'invalid_client_metadata', message: expect.stringMatching(right) })
        )
    })
  }
})

describe('key sets at a jwks_uri', () => {
  const host = 'keys.partner.example'
  const old = makeKey('RS384', 'k')
  const next = makeKey('RS384', 'k')
  const nameless = { ...old.jwk, kid: undefined }
  const others = [
    { ...makeKey('RS256', 't').jwk, use: 'tls', 'x5t#S256': 'Zz8Rk8_pR1FlbGcmBVm0Av7-jDU8YzmJz7RrtsA1KOQ=' },
    { ...makeKey('RS256', 'e').jwk, use: 'enc', alg: 'RSA-OAEP-256' }
  ]

  for (const { id, what } of reportCases) {
    const served = servedSets[id]
    if (served === undefined) continue
    test(`${id}: ${what}`, async () => {
      const { right, more, type, body = JSON.stringify } = served
      const set = { keys: more === 'no kid' ? [nameless] : more === 'other keys' ? [...others, old.jwk] : [old.jwk] }
      let published: object = set
      const tls = await makeCertificate(undefined, { names: [host] })
      const server = await serveHttps(tls, (_req, res) => {
        if (more === 'redirect') return void res.writeHead(301, { location: `https://${host}/other` }).end()
        const content = 'type' in served ? (type === undefined ? {} : { 'content-type': type }) : json
        const text = body(published)
        if (more !== 'gzip') return void res.writeHead(200, content).end(text)
        res.writeHead(200, { ...content, 'content-encoding': 'gzip' }).end(gzipSync(text))
      })
      try {
        const trusted = more === 'unknown authority' ? {} : { ca: tls.cert }
        const keySets = createJwksFetcher({
          hosts: { [host]: { addresses: ['127.0.0.0/8'], ports: [server.port], ...trusted } },
          resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel: () => undefined })
        })
        const uri =
          more === 'http' ? 'http://host.docker.internal:3000/jwks.json' : `https://${host}:${server.port}/jwks`
        const record = { client_id: 'partner', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: uri }
        const app = tellingApp(record, { keySets }) // explained as of now
        const ask = (key: typeof old) => {
          const header = more === 'no kid' ? { kid: undefined } : {}
          const form = assertionForm(keyAssertion(key, { clientId: 'partner', header }))
          return told(app, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, form, client: record })
        }
        if (more === 'another key under the same kid') {
          expect((await ask(old)).outcome).toBe('accepted')
          published = { keys: [next.jwk] }
          expectRight(await ask(next), right)
        } else expectRight(await ask(old), right)
        score(id)
      } finally {
        await server.close()
      }
    })
  }
})

const json = { 'content-type': 'application/json' }

test('rep-42: curl --anyauth asks without credentials, sees the challenge, and asks again with them', async () => {
  const record = { client_id: 'c', client_secret: 'Kp7-example-secret-of-40-characters-abcd' }
  const app = express().post('/token', clientAuth({ issuer, getClient: () => record }), (_req, res) => {
    res.end()
  })
  const form = 'grant_type=client_credentials'
  const first = await request(app).post('/token').send(form)
  expect([first.status, first.headers['www-authenticate']]).toEqual([401, expect.stringMatching(/^Basic realm="/)])
  const second = await request(app).post('/token').auth(record.client_id, record.client_secret).send(form)
  expect(second.status).toBe(200)
})

describe('certificates of an intermediate authority', () => {
  async function answerTo(cert: string): Promise<Told> {
    const source = createTlsCertificates({ ca: certificate('ca').pem })
    const record = {
      client_id: 'tpp',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=bank.example,O=Bank AG,C=DE'
    }
    const app = tellingApp(record, { methods: ['tls_client_auth'], clientCertificates: source })
    const server = createHttps({ ...serverCertificate(), ...source.serverOptions }, app)
    source.watch(server)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const form = { grant_type: 'client_credentials', client_id: 'tpp' }
    const { body } = await send({ port, form, tls: { cert, key: certificate('bank-intermediate').key } })
    await new Promise((done) => server.close(done))
    return body as unknown as Told
  }

  test('ver-2: the client does not send its intermediate', async () => {
    expectRight(await answerTo(certificate('bank-intermediate').pem), {
      outcome: 'certificate_unverified',
      says: [/UNABLE_TO_VERIFY_LEAF_SIGNATURE/, /"advice":"[^"]*intermediate/]
    })
  })

  test('ver-3: control: with the intermediate', async () => {
    const chain = certificate('bank-intermediate').pem + certificate('ca-intermediate').pem
    expectRight(await answerTo(chain), { outcome: 'accepted' })
  })
})

describe('the command', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reports-'))
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(path.join(folder, name), content)
    return path.join(folder, name)
  }
  const secret = 'Kp7-example-secret-of-40-characters-abcd'
  const record = { client_id: 'c', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' }
  const client = file('client.json', JSON.stringify(record))

  async function run(...args: string[]): Promise<string> {
    const written: string[] = []
    const stream = { write: (text: string) => written.push(text) }
    await runProgram(args, { stdin: new PassThrough(), stdout: stream, stderr: stream, env: {} })
    return written.join('')
  }

  const post = (type: string, body: string) =>
    `POST /token HTTP/1.1\r\nHost: as.example.com\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`

  test('cli-2: explain of a captured multipart or JSON request', async () => {
    const part = '--x\r\nContent-Disposition: form-data; name="client_id"\r\n\r\nc\r\n--x--\r\n'
    for (const captured of [
      post('multipart/form-data; boundary=x', part),
      post('application/json', JSON.stringify({ client_id: 'c', client_secret: secret }))
    ]) {
      const output = await run('explain', captured, '--issuer', issuer, '--client', client)
      expect(output).toContain('body_content_type')
      expect(output).toMatch(/multipart\/form-data|application\/json/)
    }
  })

  test('cli-4: explain of a curl command', async () => {
    const command = `curl -X POST ${issuer}/token -d client_id=c -d client_secret=${secret}`
    const output = await run('explain', command, '--issuer', issuer, '--client', client)
    expect(output).toMatch(/accepted|--trace-ascii/)
    expect(output).not.toContain(secret)
  })

  test('cli-6: --client FILE with a byte order mark', async () => {
    const marked = file('marked.json', `\ufeff${JSON.stringify(record)}`)
    const form = `client_id=c&client_secret=${secret}`
    expect(await run('explain', form, '--issuer', issuer, '--client', marked)).toContain('accepted')
  })

  test('cli-7: jwks FILE with PEM', async () => {
    expect(await run('jwks', file('key.pem', certificate('bank').pem))).toMatch(/PEM/)
  })
})

test('of the refused requests explain tells cause, fix and a sentence to send: mean 2.8, none leads elsewhere', () => {
  const refused = [...Object.keys(rightOf), ...Object.keys(servedSets)].filter((id) => rightWords(id) !== undefined)
  expect([...scores.keys()].sort()).toEqual(refused.sort())
  const low = [...scores].filter(([, one]) => one < 3)
  expect(low.filter(([, one]) => one === 0)).toEqual([])
  expect([...scores.values()].reduce((sum, one) => sum + one, 0) / scores.size).toBeGreaterThanOrEqual(2.8)
})

test('every case has a test', () => {
  const known = new Set([...Object.keys(rightOf), ...Object.keys(rightMetadata), ...Object.keys(servedSets), ...apart])
  expect(reportCases).toHaveLength(121)
  expect(reportCases.map(({ id }) => id).filter((id) => !known.has(id))).toEqual([])
})

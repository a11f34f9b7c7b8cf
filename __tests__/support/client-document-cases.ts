// The cases of client-documents.json, with what they leave to the test: keys, padding, nesting.
import { runInThisContext } from 'node:vm'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { randomBytes } from 'node:crypto'
import supertest from 'supertest'
import {
  clientAuth,
  type ClientAuthMethod,
  ClientAuthError,
  createClientDocuments,
  createJwksFetcher,
  type ClientDocumentsOptions
} from '../../lib'
import corpus from '../fixtures/client-documents.json'
import { assertionForm, issuer, keyAssertion, makeKey, now } from './assertions'
import type { HostAnswer, serveDocuments } from './document-host'
import { tokenServer } from './token-server'

interface Expected {
  outcome?: 'accept' | 'undefined' | 'refuse' | 'throws'
  record?: Record<string, unknown>
  reason?: string
  why?: string
  status?: number
  error?: string
  method?: string
  sameAnswerAs?: HostAnswer
  untold?: string | string[]
  headers?: string[]
}

interface Counts {
  fetches?: number
  maxFetches?: number
  minFetches?: number
  sent?: Record<string, string>
  event?: Record<string, unknown>
}

interface Step extends Counts {
  at: number
  answer?: HostAnswer
  parallel?: number
  distinct?: number
  hosts?: number
  meanwhile?: { keySetWithin: number }
  expect?: Expected
}

export interface DocumentCase extends Counts {
  id: string
  group: string
  name: string
  kind: string
  client_id: string
  options?: Record<string, unknown>
  dns?: string[] | { sequence: string[][] } | { error: string }
  tls?: { certificate: string }
  answer?: HostAnswer
  steps?: Step[]
  jwks?: object
  database?: object
  endpoint?: string
  request?: { form?: Record<string, string>; assertion?: Record<string, unknown> }
  expect?: Expected
}

export const documentCases = corpus.cases as unknown as DocumentCase[]

const k1 = makeKey('RS256', 'k1')
const k2 = makeKey('ES256', 'k2')
const weak = makeKey('RS256', 'weak', 1024)
const values: Record<string, unknown> = {
  $RSA_2048_N: k1.jwk['n'],
  $RSA_1024_N: weak.jwk['n'],
  $P256_X: k2.jwk['x'],
  $P256_Y: k2.jwk['y'],
  $D: randomBytes(32).toString('base64url'),
  $K: randomBytes(32).toString('base64url'),
  $ISSUER: issuer
}

const nested = (levels: number): unknown => (levels <= 1 ? [] : [nested(levels - 1)])

function filled(value: unknown): unknown {
  if (typeof value === 'string') {
    const levels = /^\$NEST_(\d+)$/.exec(value)?.[1]
    return levels === undefined ? (values[value] ?? value) : nested(Number(levels) - 1)
  }
  if (Array.isArray(value)) return value.map(filled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member)]))
}

/** A body, padded where it asks for it. */
function padded(answer: HostAnswer): HostAnswer {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
  const [mark, size] = /\$PAD_TO_(\d+)/.exec(text) ?? []
  if (mark === undefined) return answer
  return { ...answer, body: text.replace(mark, 'x'.repeat(Number(size) - Buffer.byteLength(text) + mark.length)) }
}

type World = Awaited<ReturnType<typeof serveDocuments>>

/** Where a case is run: which options lead to the hosts, and how URLs of the case are written there. */
export interface Place {
  world: World
  options: (documentCase: DocumentCase) => Partial<ClientDocumentsOptions>
  /** Puts the port of the world into the URLs of a case. */
  write: (text: string) => string
}

/** The function that a case holds as text. */
const functionOf = (text: string): unknown => runInThisContext(`(${text})`)

function optionsOf({ options = {} }: DocumentCase): Partial<ClientDocumentsOptions> {
  const { allow = 'anyone', ...others } = options as { serverMethods?: unknown; allow?: unknown }
  delete others.serverMethods // those of the server, not of the documents
  const isFunction = typeof allow === 'object' && !Array.isArray(allow)
  return {
    ...others,
    allow: (isFunction
      ? functionOf((allow as { function: string }).function)
      : allow) as ClientDocumentsOptions['allow']
  }
}

type Documents = ReturnType<typeof createClientDocuments>
type Outcome = { record: unknown } | { thrown: unknown }

const ask = (documents: Documents, id: string): Promise<Outcome> =>
  documents.get(id).then(
    (record) => ({ record }),
    (thrown: unknown) => ({ thrown })
  )

function check(outcome: Outcome, { outcome: wanted, record = {}, reason, why }: Expected, before: unknown): void {
  if (wanted === 'throws') {
    expect(outcome).toHaveProperty('thrown')
    expect((outcome as { thrown: unknown }).thrown).not.toBeInstanceOf(ClientAuthError)
    return
  }
  if (wanted === 'refuse') {
    expect(outcome).toMatchObject({ thrown: { name: 'ClientAuthError', reason, cause: { why } } })
    return
  }
  if ('thrown' in outcome) throw outcome.thrown as Error
  if (wanted === 'undefined') {
    expect(outcome.record).toBeUndefined()
    return
  }
  const got = outcome.record as Record<string, unknown>
  expect(got).toBeInstanceOf(Object)
  for (const [name, member] of Object.entries(record)) {
    if (name === 'same') expect(got === before).toBe(member)
    else if (name === 'jwks')
      expect((got[name] as { keys: unknown[] }).keys).toHaveLength((member as { keys: number }).keys)
    else if (member === null) expect(got[name]).toBeUndefined()
    else expect(got[name]).toEqual(member)
  }
}

function checkCounts(
  world: World,
  { fetches, minFetches = 0, maxFetches = Infinity, sent = {}, event }: Counts,
  events: unknown[]
): void {
  const count = world.requests.length
  if (fetches !== undefined) expect(count).toBe(fetches)
  expect(count).toBeGreaterThanOrEqual(minFetches)
  expect(count).toBeLessThanOrEqual(maxFetches)
  expect(world.requests.at(-1)?.headers ?? {}).toMatchObject(sent)
  if (event !== undefined) expect(events).toContainEqual(expect.objectContaining(event))
}

async function runSteps(
  documents: Documents,
  documentCase: DocumentCase,
  { world }: Place,
  events: unknown[]
): Promise<void> {
  const { client_id: id, steps = [] } = documentCase
  const origin = new URL(id).origin
  let before: unknown
  let at = 0
  for (const step of steps) {
    jest.advanceTimersByTime((step.at - at) * 1000)
    at = step.at
    if (step.answer !== undefined) world.answers.set(id, padded(step.answer))
    if (step.distinct !== undefined) {
      const port = new URL(id).port
      const hosts =
        step.hosts === undefined
          ? [origin]
          : Array.from({ length: step.hosts }, (_, i) => `https://h${i}.flood.example.net${port && `:${port}`}`)
      for (const host of hosts) world.answers.set(host, step.answer ?? {})
      const ids = Array.from({ length: step.distinct }, (_, i) => `${String(hosts[i % hosts.length])}/${i}.json`)
      // The process that fetches key sets runs already, as in a server that has been up for a while
      if (step.meanwhile !== undefined) await keySetOf(world, id)()
      const all = Promise.all(ids.map((one) => ask(documents, one)))
      if (step.meanwhile !== undefined) await keySetMeanwhile(world, id, step.meanwhile.keySetWithin, all)
      for (const outcome of await all)
        expect(outcome).toMatchObject({
          thrown: { reason: expect.stringMatching(/^client_document_(?:invalid|unavailable)$/) }
        })
    } else {
      const outcomes = await Promise.all(Array.from({ length: step.parallel ?? 1 }, () => ask(documents, id)))
      for (const outcome of outcomes) check(outcome, step.expect ?? {}, before)
      before = (outcomes[0] as { record?: unknown }).record ?? before
    }
    checkCounts(world, step, events)
  }
}

/** Has a key set fetched that another host publishes, by a fetcher with an empty cache. */
function keySetOf(world: World, id: string) {
  const { port } = new URL(id)
  const uri = `https://keys.example.org${port && `:${port}`}/jwks`
  world.answers.set(uri, { body: { keys: [k2.jwk] } })
  return async () => {
    const set = await createJwksFetcher(world.options()).get(uri)
    world.requests.splice(
      world.requests.findIndex(({ url }) => url === uri),
      1
    )
    return set
  }
}

/** A key set of another host is had before the flood of documents is over, and within the time on a quiet machine. */
async function keySetMeanwhile(world: World, id: string, seconds: number, flood: Promise<unknown>): Promise<void> {
  const start = process.hrtime.bigint()
  const first = await Promise.race([keySetOf(world, id)().then(() => 'keys'), flood.then(() => 'flood')])
  expect(first).toBe('keys')
  if (process.env.TEST_AUTHORITY !== undefined)
    expect(Number(process.hrtime.bigint() - start) / 1e9).toBeLessThan(seconds)
}

async function runFlow(documents: Documents, documentCase: DocumentCase, { world }: Place): Promise<void> {
  const { client_id: id, request: sent = {}, database, jwks, expect: expected = {} } = documentCase
  const { serverMethods = ['private_key_jwt', 'none'] } = (documentCase.options ?? {}) as {
    serverMethods?: ClientAuthMethod[]
  }
  const record = documentCase.answer?.body as { jwks_uri?: string } | undefined
  if (jwks !== undefined) world.answers.set(String(record?.jwks_uri), { body: jwks })
  const reasons: unknown[] = []
  const listen = (message: unknown) => reasons.push((message as { reason: unknown }).reason)
  subscribe('oauth-client-auth:rejected', listen)
  const options = {
    methods: serverMethods,
    getClient: async (asked: string) =>
      database !== undefined && asked === id ? (database as { client_id: string }) : documents.get(asked)
  }
  const app = tokenServer(options)
  const post = () => {
    const { key, exp, ...claims } = (sent.assertion ?? {}) as { key?: string; exp?: number }
    const header = claims as { header?: Record<string, unknown> }
    const form = {
      ...sent.form,
      ...(sent.assertion === undefined
        ? {}
        : assertionForm(
            keyAssertion(key === 'k2' ? k2 : k1, {
              clientId: id,
              claims: { ...claims, header: undefined, exp: now() + (exp ?? 60) },
              header: header.header ?? {}
            })
          ))
    }
    const { explain } = clientAuth({ issuer, ...options })
    const judge = () =>
      explain({ headers: {}, body: new URLSearchParams(form as Record<string, string>) }, { fetch: true })
    return { sent: supertest(app).post('/token').type('form').send(form), judge }
  }
  const { sent: asked, judge } = post()
  const response = await asked
  unsubscribe('oauth-client-auth:rejected', listen)
  expect(response.status).toBe(expected.status)
  if (expected.error !== undefined) expect(response.body.error).toBe(expected.error)
  if (expected.method !== undefined) expect(response.body.method).toBe(expected.method)
  if (expected.reason !== undefined) expect(reasons).toEqual([expected.reason])
  for (const name of expected.headers ?? []) expect(response.headers).toHaveProperty(name)
  for (const text of [expected.untold ?? []].flat())
    expect(JSON.stringify([response.headers, response.text])).not.toContain(text)
  checkCounts(world, documentCase, [])
  // After the count, since explain looks the client up where the server refuses earlier
  const { accepted, reason } = await judge()
  expect(accepted ? undefined : reason).toBe(reasons[0])
  if (expected.sameAnswerAs === undefined) return
  // Another server, whose host answers so
  world.answers.set(id, expected.sameAnswerAs)
  const other = await runOther(documentCase, { world, form: sent.form ?? {} })
  const parts = ({ status, headers, text }: supertest.Response) => [status, { ...headers, date: undefined }, text]
  expect(parts(other)).toEqual(parts(response))
}

async function runOther({ client_id: id }: DocumentCase, { world, form }: { world: World; form: object }) {
  const documents = createClientDocuments({ allow: 'anyone', ...world.options() })
  const app = tokenServer({ methods: ['private_key_jwt', 'none'], getClient: (asked) => documents.get(asked) })
  expect(id).toMatch(/^https:/)
  return supertest(app).post('/token').type('form').send(form)
}

/** Runs one case, and holds it to what it expects. */
export async function runCase(raw: DocumentCase, place: Place): Promise<void> {
  const documentCase = filled(JSON.parse(place.write(JSON.stringify(raw)))) as DocumentCase
  const { world } = place
  const events: unknown[] = []
  const listen = (message: unknown) => events.push(message)
  subscribe('oauth-client-auth:documents', listen)
  world.requests.length = 0
  world.answers.clear()
  const { client_id: id, answer, expect: expected } = documentCase
  if (answer !== undefined) world.answers.set(id, padded(answer))
  const documents = createClientDocuments({
    ...optionsOf(documentCase),
    ...place.options(documentCase)
  } as ClientDocumentsOptions)
  try {
    if (documentCase.group === 'flow') await runFlow(documents, documentCase, place)
    else if (documentCase.steps !== undefined) await runSteps(documents, documentCase, place, events)
    else {
      check(await ask(documents, id), expected ?? {}, undefined)
      checkCounts(world, documentCase, events)
    }
  } finally {
    unsubscribe('oauth-client-auth:documents', listen)
  }
}

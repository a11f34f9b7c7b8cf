// The cases of fixtures/federated.json: from the tests of Keycloak, from the drafts, and our own. Real keys, real TLS.
import { clientAuth, createClientAuthenticator, type OAuthClient, validateClientMetadata } from '../../lib'
import {
  cases,
  type CaseServer,
  type Case,
  clientsOf,
  form,
  issuer,
  methods,
  serveCases,
  token,
  trustedIssuersOf,
  webOf
} from '../support/federated-cases'
import { post, tokenServer } from '../support/token-server'

let web: CaseServer
beforeAll(async () => {
  web = await serveCases()
})
afterAll(() => web.close())
beforeEach(() => {
  web.forget()
})
afterEach(() => {
  jest.useRealTimers()
})

/** Both clocks are moved by hand; sockets and their timeouts are real. */
const realTimers = [
  ...(['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'] as const),
  ...(['nextTick', 'queueMicrotask', 'hrtime'] as const)
]

const of = (...outcomes: string[]) =>
  cases
    .filter(({ expect: { outcome } }) => outcomes.includes(outcome))
    .map((one) => [`${one.id}: ${one.what}`, one] as const)

const optionsOf = ({ given: { server = '', options = {} } }: Case) => ({
  issuer,
  methods,
  keySets: web.keySets(),
  trustedIssuers: web.placed(trustedIssuersOf(server)),
  ...options
})

describe('requests', () => {
  test.each(of('accept', 'reject'))('%s', async (_name, one) => {
    const { given, expect: expected } = one
    jest.useFakeTimers({ now: Date.now(), doNotFake: realTimers })
    web.publish({ ...webOf(given.server ?? ''), ...given.web })
    const clients = web.placed(clientsOf(one))
    const app = tokenServer(optionsOf(one), ...clients)
    // Apart from the app, since explain fills the cache as well.
    const { explain } = createClientAuthenticator({
      ...optionsOf(one),
      getClient: (id) => clients.find(({ client_id }) => client_id === id)
    })
    let sent = form(one, token(one, web))
    let explanation = await explain({ headers: {}, body: sent }, { fetch: true })
    web.fetched.length = 0
    let answer = await post(app, sent)
    for (const step of given.then ?? []) {
      expect(answer.status).toBe(200)
      jest.advanceTimersByTime(Number(step.clock ?? 0) * 1000)
      web.publish(step.web ?? {})
      if (step.assertion !== undefined) sent = form(one, token(one, web, step.assertion))
      explanation = await explain({ headers: {}, body: sent }, { fetch: true })
      answer = await post(app, sent)
    }
    if (expected.connections !== undefined) expect(expected.connections).toEqual(expect.arrayContaining(web.fetched))
    if (expected.outcome === 'accept') {
      expect([answer.status, answer.body.method]).toEqual([200, expected.method])
      expect(explanation).toMatchObject({ accepted: true, method: expected.method })
      return
    }
    expect(answer.body.error).toBe(expected.error)
    expect(answer.status).toBe(expected.status)
    expect(answer.body.error_description === 'Client authentication failed.').toBe(expected.wire === 'unproven')
    // A replay is known to the store of the app alone.
    if (expected.reason !== undefined && expected.reason !== 'assertion_replayed')
      expect(explanation).toMatchObject({ accepted: false, reason: expected.reason })
  })
})

test.each(of('metadata_ok', 'metadata_invalid'))('registration %s', (_name, one) => {
  const validate = () => {
    validateClientMetadata(web.placed(one.given.client) as Partial<OAuthClient>, optionsOf(one))
  }
  if (one.expect.outcome === 'metadata_ok') expect(validate).not.toThrow()
  else expect(validate).toThrow(expect.objectContaining({ code: 'invalid_client_metadata', status: 400 }))
})

test.each(of('type_error'))('start-up %s', (_name, { given: { options } }) => {
  const start = () => clientAuth({ issuer, methods, getClient: () => null, ...options })
  expect(start).toThrow(TypeError)
  expect(start).toThrow(/option "trustedIssuers" has "/)
})

test('every case is run', () => {
  const run = [...of('accept', 'reject'), ...of('metadata_ok', 'metadata_invalid'), ...of('type_error')]
  expect(run).toHaveLength(cases.length)
})

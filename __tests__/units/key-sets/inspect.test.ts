import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspectFetch } from '../../../lib/key-sets/inspect'
import type { JwksFetcherOptions } from '../../../lib/key-sets/options'
import { answer, goodBody, goodKey } from '../../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { type Play, serveRaw, type TestServer } from '../../support/tls-server'

const host = 'keys.client-app.net'
let authority: Certificate
let server: TestServer
let play: Play

beforeAll(async () => {
  authority = await makeAuthority()
  const certificate = await makeCertificate(authority, { names: [host] })
  server = await serveRaw(certificate, () => (socket, request) => {
    play(socket, request)
  })
})
afterAll(() => server.close())
beforeEach(() => {
  play = answer(goodBody, { 'cache-control': 'max-age=120' })
})

const resolverOf = (...addresses: string[]) => ({
  resolver: () => ({
    resolve4: () => Promise.resolve(addresses),
    resolve6: () => Promise.resolve([]),
    cancel: () => undefined
  })
})

const inspect = (options: JwksFetcherOptions = {}, port = server.port) =>
  inspectFetch(`https://${host}:${port}/jwks`, {
    hosts: { [host]: { addresses: ['127.0.0.1'], ports: [port], ca: authority.cert } },
    ...resolverOf('127.0.0.1'),
    timeout: 30, // the first fetch starts the process, on a busy machine as well
    ...options
  })
const stepsOf = ({ steps }: { steps: readonly { step: string }[] }) => steps.map(({ step }) => step)

describe('inspectFetch', () => {
  test('tells each step of a fetch that succeeds', async () => {
    const inspection = await inspect()
    expect(inspection).toMatchObject({
      freshSeconds: 120,
      json: { keys: [goodKey] },
      value: { keys: [{ kid: 'k1' }] }
    })
    expect(inspection.error).toBeUndefined()
    expect(inspection.steps).toMatchObject([
      { step: 'url', host, port: server.port },
      { step: 'dns', addresses: [{ address: '127.0.0.1', fault: undefined }] },
      { step: 'connected', address: '127.0.0.1', port: server.port },
      {
        step: 'certificate',
        subject: 'server',
        issuer: 'Test authority',
        names: `DNS:${host}`,
        validFrom: expect.stringMatching(/ GMT$/) as string,
        validTo: expect.stringMatching(/ GMT$/) as string
      },
      { step: 'tls', version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) as string },
      { step: 'head', status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'max-age=120' } },
      { step: 'body', octets: goodBody.length },
      { step: 'closed', octets: expect.any(Number) as number, busyMs: expect.any(Number) as number }
    ])
  })

  test('ends at the URL where the URL is refused', async () => {
    const { steps, error } = await inspectFetch('https://localhost/jwks')
    expect([steps, error?.why]).toEqual([[], 'host'])
  })

  test('says of each address whether it is allowed, and connects to none', async () => {
    const before = server.connections
    const inspection = await inspect(resolverOf('127.0.0.1', '10.0.0.1'))
    expect(stepsOf(inspection)).toEqual(['url', 'dns'])
    expect(inspection.steps[1]).toEqual({
      step: 'dns',
      addresses: [
        { address: '127.0.0.1', fault: undefined },
        { address: '10.0.0.1', fault: 'is outside of the addresses that "hosts" names for it' }
      ]
    })
    expect(inspection.error?.why).toBe('address')
    expect(server.connections).toBe(before)
  })

  test('shows a certificate that is refused', async () => {
    const certificate = await makeCertificate(authority, { names: [host], expired: true })
    const expired = await serveRaw(certificate, () => answer())
    const inspection = await inspect({}, expired.port)
    await expired.close()
    expect(stepsOf(inspection)).toEqual(['url', 'dns', 'connected', 'certificate', 'closed'])
    expect(inspection.error).toMatchObject({
      why: 'tls',
      message: expect.stringContaining('(CERT_HAS_EXPIRED)') as string
    })
  })

  test('shows the head of an answer that is refused by it', async () => {
    play = answer('', { 'content-type': 'text/html' }, 403)
    const inspection = await inspect()
    expect(inspection.steps).toContainEqual(expect.objectContaining({ step: 'head', status: 403 }))
    expect([inspection.error?.why, inspection.json]).toEqual(['status', undefined])
  })

  test('shows the title of a page, and never searches long for it', async () => {
    const html = { 'content-type': 'text/html' }
    const titleIn = async (page: string) => {
      play = answer(page, html, 200)
      const { steps } = await inspect({ maxBytes: 1_048_576 })
      return steps.find((step) => step.step === 'body')?.title
    }
    expect(await titleIn('<html><TITLE lang="en"> Sign in to continue </TITLE>')).toBe('Sign in to continue')
    // A search that looks for the end of each anew would take minutes
    expect(await titleIn('<title'.repeat(170_000))).toBe('')
  })

  test('shows the JSON of a set that is refused', async () => {
    play = answer('{"keys":5}')
    const { json, value, error } = await inspect()
    expect([json, value, error?.why]).toEqual([{ keys: 5 }, undefined, 'keys'])
    play = answer('{"keys":')
    expect(await inspect()).toMatchObject({ json: undefined, error: { why: 'json' } })
  })

  test('says what a server that hangs was waited for', async () => {
    play = () => undefined
    const inspection = await inspect({ timeout: 5 })
    expect(inspection.error).toMatchObject({ why: 'timeout', message: `${host} did not answer within 5 s` })
    const hanging = () => ({
      resolve4: () => new Promise<string[]>(() => undefined),
      resolve6: () => new Promise<string[]>(() => undefined),
      cancel: () => undefined
    })
    const { error } = await inspect({ timeout: 0.1, resolver: hanging })
    expect(error).toMatchObject({ why: 'timeout', message: `${host} was not found by DNS within 0.1 s` })
  })

  test('publishes no event, and throws for impossible options', async () => {
    const seen: unknown[] = []
    const listener = (message: unknown) => seen.push(message)
    subscribe('oauth-client-auth:jwks', listener)
    await inspect()
    unsubscribe('oauth-client-auth:jwks', listener)
    expect(seen).toEqual([])
    await expect(inspectFetch('https://a.example/', { ttl: 5 } as JwksFetcherOptions)).rejects.toThrow(TypeError)
  })
})

// The same guard where the server fetches by itself: `inProcess`, and wherever there can be no process that fetches.
import { setTimeout as sleep } from 'node:timers/promises'
import { createJwksFetcher } from '../../../lib'
import { watchNetwork } from '../../support/jwks-uri-cases'
import { answer, goodPlays, hostilePlays } from '../../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { type Play, serveRaw, type TestServer } from '../../support/tls-server'

// Handshakes, on machines that have other work too
jest.setTimeout(60_000)

const host = 'keys.client-app.net'
let authority: Certificate
let server: TestServer
let play: Play
const network = watchNetwork()

beforeAll(async () => {
  authority = await makeAuthority()
  server = await serveRaw(await makeCertificate(authority, { names: [host, ...manyNames] }), () => play)
})
afterAll(async () => {
  network.stop()
  await server.close()
})
afterEach(async () => {
  // What has been opened is closed again
  while (server.open > 0) await sleep(10)
  expect(network.seen.processes).toBe(0)
})

/** A handshake of several pieces. */
const manyNames = Array.from({ length: 100 }, (_, i) => `a-rather-long-name-${i}.client-app.net`)

function get(timeout: number, addresses = ['127.0.0.1'], ca = authority.cert) {
  const fetcher = createJwksFetcher({
    hosts: { [host]: { addresses: ['127.0.0.0/8'], ports: [server.port], ca } },
    resolver: () => ({
      resolve4: () => Promise.resolve(addresses),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    }),
    timeout,
    inProcess: true
  })
  return fetcher.get(`https://${host}:${server.port}/jwks`)
}

test.each(Object.entries(hostilePlays))('a server that %s is refused', async (_name, [made, why]) => {
  play = made
  // Long enough for a handshake on a busy machine, where the deadline is not what is tried
  await expect(get(why === 'timeout' ? 0.5 : 30)).rejects.toMatchObject({ name: 'KeySetError', why })
})

test.each(Object.entries(goodPlays))('a server that %s is understood', async (_name, made) => {
  play = made
  expect((await get(30)).keys).toHaveLength(1)
})

test('one vetted address after another is tried, and none but these', async () => {
  play = answer()
  expect((await get(30, ['127.0.0.3', '127.0.0.1'])).keys).toHaveLength(1)
  await expect(get(30, ['127.0.0.3'])).rejects.toMatchObject({ why: 'connection' })
})

test('an authority that is not trusted is refused', async () => {
  const { cert } = await makeAuthority('ec', 'Another authority')
  await expect(get(30, undefined, cert)).rejects.toMatchObject({ why: 'tls' })
})

import { spawn } from 'node:child_process'
import { createServer, connect, type AddressInfo } from 'node:net'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createJwksFetcher } from '../../../lib/key-sets/fetcher'
import { ClientAuthError, createClientAuthenticator } from '../../../lib'
import { assertionForm, issuer, keyAssertion, keyFor } from '../../support/assertions'
import { nameOf, optionsOf, uriCases, watchNetwork } from '../../support/jwks-uri-cases'

/** What must be refused before a connection; the rest needs public addresses: see the namespace suite. */
const refusedEarly = uriCases.filter(
  ({ expect, stage, fetches }) =>
    expect === 'blocked' && fetches === undefined && stage !== 'response' && stage !== 'tls'
)

test('the watch on the network sees connections and look-ups', async () => {
  const network = watchNetwork()
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await once(connect((server.address() as AddressInfo).port, '127.0.0.1').resume(), 'close')
  await lookup('localhost')
  spawn(process.execPath, ['--version'])
  network.stop()
  server.close()
  expect(network.seen).toEqual({ connects: 1, lookups: 1, processes: 1 })
})

// Threat 6: hosts in every spelling, numeric, full-width, bracketed (CVE-2026-1180)
// Threat 6: mixed answers, some public
describe('a hostile jwks_uri is refused without a single connection', () => {
  test('all that apply are here', () => {
    expect(refusedEarly.length).toBe(245)
  })

  test.each(refusedEarly.map((uriCase) => [nameOf(uriCase), uriCase] as const))('%s', async (_name, uriCase) => {
    const fetcher = createJwksFetcher({ ...optionsOf(uriCase), timeout: 0.2 })
    const network = watchNetwork()
    try {
      const refused = uriCase.stage === 'url' ? ['url', 'host'] : ['url', 'host', 'dns', 'address', 'timeout']
      await expect(fetcher.get(uriCase.url)).rejects.toMatchObject({
        why: expect.stringMatching(`^(?:${refused.join('|')})$`) as string
      })
      if (uriCase.stage === 'url')
        expect(() => {
          fetcher.check(uriCase.url)
        }).toThrow()
    } finally {
      network.stop()
    }
    expect(network.seen).toEqual({ connects: 0, lookups: 0, processes: 0 })
  })
})

describe('explain, allowed to fetch, gives the reason of authenticate', () => {
  const key = keyFor('ES256')
  test.each(refusedEarly.map((uriCase) => [nameOf(uriCase), uriCase] as const))('%s', async (_name, uriCase) => {
    const record = { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: uriCase.url }
    const make = () =>
      createClientAuthenticator({
        issuer,
        getClient: () => record,
        keySets: createJwksFetcher({ ...optionsOf(uriCase), timeout: 0.2 })
      })
    const sent = { headers: {}, body: assertionForm(keyAssertion(key, { clientId: 'bank' })) }
    const explanation = await make().explain(sent, { fetch: true })
    const refusal: unknown = await make()(sent).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ClientAuthError)
    const { reason, detail } = refusal as ClientAuthError
    expect(explanation).toMatchObject({ accepted: false, reason })
    const failed = explanation.findings.find(({ result }) => result === 'failed')
    expect(failed?.detail).toEqual(detail)
    expect(failed?.advice).toMatch(/\.$/)
  })
})

// clientAuth() called within each request: each value has a replay store of its own.
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { assertionForm, issuer, keyAssertion } from '../../support/assertions'
import { byKey, key, only } from '../../support/three-clients'

/** The package as a process has it that has just started: each warning comes once in a process. */
async function inFreshProcess(act: (lib: typeof import('../../../lib/index.js')) => Promise<void> | void) {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  await jest.isolateModulesAsync(async () =>
    act(jest.requireActual<typeof import('../../../lib/index.js')>('../../../lib'))
  )
  const codes = warn.mock.calls.map(([, options]) => (options as unknown as { code: string }).code)
  warn.mockRestore()
  return codes
}
const options = { issuer, ...only(byKey) }

test('made within each request: one assertion passes each time, and the hundredth warns, once', async () => {
  const codes = await inFreshProcess(async ({ clientAuth }) => {
    const listener: RequestListener = (req, res) => {
      clientAuth(options)(req, res, () => res.end())
    }
    const server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const body = new URLSearchParams(assertionForm(keyAssertion(key, { clientId: 'key' })))
    const statuses = new Set<number>()
    for (let request = 0; request < 210; request++)
      statuses.add((await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body })).status)
    expect([...statuses]).toEqual([200])
    server.close()
  })
  expect(codes).toEqual(['OAUTH_CLIENT_AUTH_MADE_ANEW'])
})

test.each<[string, (lib: typeof import('../../../lib/index.js')) => void]>([
  [
    'ninety-nine',
    ({ clientAuth }) => {
      for (let count = 0; count < 99; count++) clientAuth(options)
    }
  ],
  [
    'one for each of many issuers',
    ({ clientAuth }) => {
      for (let count = 0; count < 300; count++) clientAuth({ ...options, issuer: `${issuer}/${count}` })
    }
  ],
  [
    'many with one store',
    ({ clientAuth, createMemoryReplayStore }) => {
      const replayStore = createMemoryReplayStore()
      for (let count = 0; count < 300; count++) clientAuth({ ...options, replayStore })
    }
  ]
])('%s: no warning', async (_name, act) => {
  expect(await inFreshProcess(act)).toEqual([])
})

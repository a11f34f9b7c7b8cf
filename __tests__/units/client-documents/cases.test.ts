// The shared cases, over real TLS by named hosts. Those that need a public address or port 443 run in the namespace.
import { type DocumentCase, documentCases, runCase } from '../../support/client-document-cases'
import { fakeClocks, serveDocuments } from '../../support/document-host'

const names = [
  ...['app.example.com', 'a.app.example.com', 'new.example.org', 'chat.example.com', 'ai.example.com'],
  ...['connect.example.net', 'hub.example.com', 'agent.example.net', 'keys.example.net', 'keys.example.org']
]
const floods = Array.from({ length: 500 }, (_, i) => `h${i}.flood.example.net`)
let world: Awaited<ReturnType<typeof serveDocuments>>

beforeAll(async () => {
  world = await serveDocuments([...names, '*.flood.example.net'])
})
afterAll(() => world.close())
beforeEach(fakeClocks)
afterEach(() => {
  jest.useRealTimers()
})

/** A prefix in `allow` has no port, the longest id has no room for one, and a public address cannot be served here. */
const isLocal = ({ client_id: id, dns, options = {}, tls }: DocumentCase): boolean =>
  id.length < 250 && dns === undefined && tls === undefined && !JSON.stringify(options).includes('https://')
const local = documentCases.filter(isLocal)

test('most cases are here', () => {
  expect([documentCases.length, local.length]).toEqual([85, 73])
})

test.each(local.map((one) => [`${one.id} ${one.name}`, one] as const))('%s', async (_name, documentCase) => {
  await runCase(documentCase, {
    world,
    // A loaded machine may be slow to ask: the time is the business of other cases
    options: ({ group }) => ({ ...world.options(floods), ...(group === 'cache' ? { timeout: 25 } : {}) }),
    write: (text) =>
      names.reduce((written, name) => written.replaceAll(`https://${name}/`, `https://${name}:${world.port}/`), text)
  })
})

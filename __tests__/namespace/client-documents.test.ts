// All shared cases of client documents, with the default options: real addresses, real port, real certificates.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createClientDocuments, type JwksFetcherOptions } from '../../lib'
import { type DocumentCase, documentCases, runCase } from '../support/client-document-cases'
import { fakeClocks, serveDocuments } from '../support/document-host'

const directory = process.env.TEST_AUTHORITY
if (directory === undefined) throw new Error('run this suite by: npm run test:namespace')
const read = (name: string) => readFileSync(path.join(directory, name), 'utf8')
const authority = { cert: read('ca.pem'), key: read('ca.key') }

const names = [
  ...['app.example.com', 'a.app.example.com', 'new.example.org', 'chat.example.com', 'ai.example.com'],
  ...['connect.example.net', 'hub.example.com', 'agent.example.net', 'keys.example.net', 'keys.example.org'],
  ...['keys.corp', '*.flood.example.net']
]

beforeEach(fakeClocks)
afterEach(() => {
  jest.useRealTimers()
})

/** The n-th question gets the n-th answer; otherwise one public address for every host. */
function resolverOf({ dns = ['93.184.216.34'] }: DocumentCase): NonNullable<JwksFetcherOptions['resolver']> {
  let round = 0
  const answers = () => {
    if ('error' in dns) throw Object.assign(new Error('query failed'), { code: dns.error })
    return 'sequence' in dns ? (dns.sequence[round] ?? dns.sequence.at(-1) ?? []) : dns
  }
  const resolve = async (isWanted: (address: string) => boolean) => answers().filter(isWanted)
  const isV6 = (address: string) => address.includes(':')
  return () => ({
    resolve4: () => resolve((address) => !isV6(address)),
    resolve6: () => resolve(isV6),
    cancel: () => {
      round++
    }
  })
}

test.each(documentCases.map((one) => [`${one.id} ${one.name}`, one] as const))('%s', async (_name, documentCase) => {
  const port = Number(new RegExp(':(\\d+)/').exec(documentCase.client_id)?.[1] ?? 443)
  const world = await serveDocuments(names, { host: '::', port, authority })
  try {
    const here = { ...world, options: () => ({ resolver: resolverOf({ ...documentCase, dns: ['93.184.216.34'] }) }) }
    await runCase(documentCase, {
      world: here as unknown as typeof world,
      // A loaded machine may be slow to ask: the time is the business of other cases
      options: (one) => ({ resolver: resolverOf(one), ...(one.group === 'cache' ? { timeout: 25 } : {}) }),
      write: (text) => text
    })
  } finally {
    await world.close()
  }
})

test('made-up ids at a host that is named take nothing from a client whose URL is named', async () => {
  const world = await serveDocuments(names, { host: '::', port: 443, authority })
  const [id, other] = ['https://app.example.com/client.json', 'https://app.example.com/other.json']
  for (const one of [id, other])
    world.answers.set(one, { body: { client_id: one, token_endpoint_auth_method: 'none' } })
  const documents = createClientDocuments({
    allow: ['app.example.com', id],
    maxFirstLoadsPerHost: 3,
    resolver: resolverOf({} as DocumentCase)
  })
  const asked = (one: string) =>
    documents.get(one).then(
      () => 'had',
      (error: { cause: { why: string } }) => error.cause.why
    )
  try {
    for (let i = 0; i < 3; i++) expect(await asked(`https://app.example.com/made-up-${i}`)).toBe('withdrawn')
    expect([await asked(other), await asked(id)]).toEqual(['busy', 'had'])
  } finally {
    documents.close()
    await world.close()
  }
})

// The command `document`: a client document, rule by rule.
import { Readable } from 'node:stream'
import { runProgram } from '../../../cli/dispatcher'
import { runDocument } from '../../../cli/document/command'
import { keyFor } from '../../support/assertions'
import { tooWide, unfolded } from '../../support/run-command'
import { serveDocuments } from '../../support/document-host'

const hosts = ['chat.example.com', 'ai.example.com', 'connect.example.net']
const { jwk } = keyFor('RS256')
let world: Awaited<ReturnType<typeof serveDocuments>>

beforeAll(async () => {
  world = await serveDocuments(hosts)
})
afterAll(() => world.close())
beforeEach(() => {
  world.answers.clear()
})

async function run(args: string[], program = false) {
  const printed: string[] = []
  const io = {
    stdin: Readable.from([]),
    stdout: { write: (text: string) => printed.push(text) },
    stderr: { write: (text: string) => printed.push(text) },
    env: {}
  }
  const { resolver } = world.options()
  const named = hosts.flatMap((host) => ['--host', `${host}:${world.port}=127.0.0.1`])
  const code = program
    ? await runProgram(['document', ...args], io)
    : await runDocument([...args, ...named], io, { resolver, ca: world.authority.cert })
  return { code, text: unfolded(printed.join('')), wide: tooWide(printed.join('')) }
}

const publish = (host: string, path: string, members: object) => {
  const id = world.url(host, path)
  world.answers.set(id, { body: { client_id: id, ...members } })
  return id
}

/** The forms that were published in 2026, rebuilt. */
const forms: [name: string, publish: () => string, method: string][] = [
  [
    'a chat service that prefers its key',
    () => {
      const jwks_uri = world.url('chat.example.com', '/oauth/jwks.json')
      world.answers.set(jwks_uri, { body: { keys: [jwk] } })
      return publish('chat.example.com', '/oauth/a1B2/client.json', {
        redirect_uris: ['https://chat.example.com/connector/oauth/a1B2'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        token_endpoint_auth_signing_alg: 'RS256',
        client_name: 'Chat',
        jwks_uri
      })
    },
    '"private_key_jwt"'
  ],
  [
    'a command line',
    () =>
      publish('ai.example.com', '/oauth/cli-client-metadata', {
        client_name: 'Command Line',
        redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
        token_endpoint_auth_method: 'none'
      }),
    '"none"'
  ],
  [
    'a connector without any method',
    () =>
      publish('connect.example.net', '/.well-known/oauth-client', {
        client_name: 'Connect',
        logo_uri: 'https://example.net/logo.png',
        redirect_uris: ['https://connect.example.net/oauth/callback']
      }),
    '"none"'
  ]
]

test.each(forms)('%s: each step, each rule, the record', async (_name, form, method) => {
  const { code, text, wide } = await run([form()])
  expect(wide).toEqual([])
  expect(text).not.toContain('✗')
  for (const words of ['✓ URL', '✓ TLS', '✓ Size', '✓ Rule         client_id', '✓ Rule         keys', '✓ Freshness'])
    expect(text).toContain(words)
  expect(text).toContain(`"token_endpoint_auth_method": ${method}`)
  expect(text.includes('1 key, usable: 1')).toBe(method === '"private_key_jwt"')
  expect(code).toBe(0)
  if (process.env.SHOW === '1') process.stdout.write(`\n${text}\n`)
})

test('every broken rule is listed, with what it demands, and no value of the document', async () => {
  const id = publish('ai.example.com', '/c', {
    client_secret: 'hunter2',
    redirect_uris: ['javascript:alert(1)'],
    client_name: 7
  })
  const { code, text, wide } = await run([id])
  expect(wide).toEqual([])
  expect(code).toBe(1)
  expect(text.match(/✗/g)).toHaveLength(3)
  for (const words of [
    'no secret: The client metadata document must have no client_secret',
    '✗ Rule         redirect_uris',
    '✗ Rule         texts'
  ])
    expect(text).toContain(words)
  expect(text).toContain('advice  Correct the document')
  expect(text).not.toContain('hunter2')
})

const faults: [name: string, args: () => string[], words: string][] = [
  [
    'a URL of another scheme',
    () => ['http://ai.example.com/'],
    '✗ Rule         scheme: The client_id URL must start with https://.\n  ✓ Rule         length\n  ✓ Rule         spelling\n  ✓ Rule         parts\n  ✓ Rule         path\n'
  ],
  [
    'a URL that is none',
    () => ['https://ai.example.com/a/../c'],
    '✗ Rule         spelling: The client_id URL must be written'
  ],
  [
    'a host that is not allowed',
    () => [world.url('ai.example.com', '/c'), '--allow', 'other.example.com'],
    'does not accept clients from this host'
  ],
  ['nothing there', () => [world.url('ai.example.com', '/none')], '✗ Document     ai.example.com answered 404'],
  [
    'no JSON',
    () => (world.answers.set(world.url('ai.example.com', '/x'), { body: 'x' }), [world.url('ai.example.com', '/x')]),
    '✗ Document     the body is not JSON'
  ],
  [
    'a method that the server lacks',
    () => [publish('ai.example.com', '/n', { token_endpoint_auth_method: 'none' }), '--method', 'private_key_jwt'],
    '✗ Rule         method'
  ],
  [
    'a key set that cannot be had',
    () => [
      publish('ai.example.com', '/k', {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: world.url('ai.example.com', '/gone')
      })
    ],
    '✗ Answer       ai.example.com answered 404'
  ]
]
test.each(faults)('%s', async (_name, args, words) => {
  const { code, text } = await run(args())
  expect(text).toContain(words)
  expect(text).not.toContain('oauth-client-auth document') // the command that was just called
  expect(code).toBe(1)
})

test('--json: the same for programs, printable', async () => {
  const id = publish('ai.example.com', '/j', { client_name: 'B\u00fccher' })
  const { code, text } = await run([id, '--json'])
  expect(code).toBe(0)
  expect(text).toMatch(/^[\x20-\x7e\n]+$/)
  expect(JSON.parse(text)).toMatchObject({
    welcome: true,
    record: { client_id: id, token_endpoint_auth_method: 'none' }
  })
})

test.each([
  [[], 'Give one URL'],
  [['doc.json'], 'Give one URL, not a file'],
  [['https://a.example/c', '--host', 'x'], '--host needs NAME=CIDR'],
  [['https://a.example/c', '--allow', '*'], 'option "allow" must be'],
  [['https://a.example/c', '--method', 'client_secret_basic'], 'option "methods" must have one of']
])('called wrongly: %j', async (args, words) => {
  const { code, text } = await run(args, true)
  expect(text).toContain(words)
  expect(code).toBe(2)
})

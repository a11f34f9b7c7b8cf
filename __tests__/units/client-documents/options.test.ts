// createClientDocuments: options that cannot be meant, and who may come.
import { ClientAuthError, createClientDocuments, type ClientDocumentsOptions } from '../../../lib'

const make = (options: unknown) => () => createClientDocuments(options as ClientDocumentsOptions)

const wrong: [name: string, options: unknown, words: string][] = [
  ['no options', undefined, 'options must be an object'],
  ['no allow', {}, 'option "allow" is required: it must be '],
  ['an empty list', { allow: [] }, 'not an empty one'],
  ['a text that is not anyone', { allow: 'claude.ai' }, 'option "allow" must be '],
  ['true', { allow: true }, 'option "allow" must be '],
  ['upper case', { allow: ['chatgpt.com', 'Claude.ai'] }, 'not one with "Claude.ai"'],
  ['a star', { allow: ['*'] }, 'not one with "*"'],
  ['a star of one label', { allow: ['*.com'] }, 'not one with "*.com"'],
  ['a star inside', { allow: ['a.*.example.com'] }, 'not one with "a.*.example.com"'],
  ['a star of part of a label', { allow: ['*partner.example'] }, 'not one with'],
  ['an address', { allow: ['192.0.2.1'] }, 'not one with "192.0.2.1"'],
  ['an IPv6 address', { allow: ['[2001:db8::1]'] }, 'not one with'],
  ['a URL of an address', { allow: ['https://192.0.2.1/'] }, 'not one with'],
  ['http', { allow: ['http://claude.ai/'] }, 'not one with'],
  ['a port', { allow: ['claude.ai:8443'] }, 'not one with'],
  ['a URL with a port', { allow: ['https://claude.ai:8443/'] }, 'not one with'],
  ['a URL with a query', { allow: ['https://claude.ai/?a'] }, 'not one with'],
  ['a URL with a user name', { allow: ['https://me@claude.ai/'] }, 'not one with'],
  ['a URL without a path', { allow: ['https://claude.ai'] }, 'not one with "https://claude.ai"'],
  ['a URL in upper case', { allow: ['https://Claude.ai/'] }, 'not one with'],
  ['a dot at the end', { allow: ['claude.ai.'] }, 'not one with "claude.ai."'],
  ['a number', { allow: [1] }, 'not one with 1'],
  [
    'none of the three methods',
    { allow: 'anyone', methods: ['client_secret_basic'] },
    'option "methods" must have one of private_key_jwt'
  ],
  ['a misspelt algorithm', { allow: 'anyone', algorithms: ['ES265'] }, 'not one with "ES265"'],
  ['no algorithm for keys', { allow: 'anyone', algorithms: ['HS256'] }, 'must have one that signs with a private key'],
  ['a misspelt option', { alow: ['claude.ai'] }, 'did you mean "allow"?'],
  ['no budget', { allow: 'anyone', maxFirstLoads: 0 }, 'option "maxFirstLoads" must be a number of documents a minute'],
  ['limits that contradict each other', { allow: 'anyone', minTtl: 10, maxTtl: 5 }, '"minTtl" must not exceed "maxTtl"']
]

test.each(wrong)('a TypeError that names the fix: %s', (_name, options, words) => {
  expect(make(options)).toThrow(TypeError)
  expect(make(options)).toThrow(words)
})

/** Let in, a request goes as far as DNS, which has nothing here. */
async function verdict(allow: unknown, id: string): Promise<unknown> {
  let asked = false
  const resolver = () => ({
    resolve4: () => ((asked = true), Promise.resolve([])),
    resolve6: () => Promise.resolve([]),
    cancel: () => undefined
  })
  const documents = createClientDocuments({ allow, resolver } as ClientDocumentsOptions)
  const error: unknown = await documents.get(id).catch((thrown: unknown) => thrown)
  if (!(error instanceof ClientAuthError)) return error
  expect(asked).toBe(error.reason === 'client_document_unavailable')
  return (error.cause as { why: string }).why
}

const policies: [allow: unknown, id: string, why: string][] = [
  [['claude.ai'], 'https://claude.ai/c.json', 'dns'],
  [['claude.ai'], 'https://www.claude.ai/c.json', 'policy'],
  [['claude.ai'], 'https://evilclaude.ai/c.json', 'policy'],
  [['claude.ai'], 'https://claude.ai.evil.example/c.json', 'policy'],
  [['*.partner.example'], 'https://a.partner.example/c', 'dns'],
  [['*.partner.example'], 'https://a.b.partner.example/c', 'dns'],
  [['*.partner.example'], 'https://partner.example/c', 'policy'],
  [['*.partner.example'], 'https://evilpartner.example/c', 'policy'],
  [['https://hub.example.com/us/'], 'https://hub.example.com/us/c.json', 'dns'],
  [['https://hub.example.com/us/'], 'https://hub.example.com/us', 'policy'],
  [['https://hub.example.com/us/'], 'https://hub.example.com/them/c.json', 'policy'],
  [['https://hub.example.com/us/'], 'https://hub.example.com/us/../them/c.json', 'url'],
  [['https://hub.example.com/us/'], 'https://hub.example.com/us/%2e%2e%2fthem/c.json', 'url'],
  [['https://hub.example.com/c.json'], 'https://hub.example.com/c.json', 'dns'],
  [['https://hub.example.com/c.json'], 'https://hub.example.com/c.json/more', 'policy'],
  [['https://hub.example.com/'], 'https://hub.example.com/any', 'dns'],
  [['claude.ai', 'anyone'], 'https://new.example.org/c', 'dns'],
  ['anyone', 'https://new.example.org/c', 'dns'],
  [() => true, 'https://new.example.org/c', 'dns'],
  [() => Promise.resolve(true), 'https://new.example.org/c', 'dns'],
  [() => false, 'https://new.example.org/c', 'policy'],
  [() => undefined, 'https://new.example.org/c', 'policy'],
  [() => 1, 'https://new.example.org/c', 'policy'],
  [() => 'yes', 'https://new.example.org/c', 'policy'],
  [({ hostname }: URL) => hostname === 'new.example.org', 'https://new.example.org/c', 'dns']
]

// Threat 53: a suffix match of domains, or another user's file on a shared host (keycloak#50531)
test.each(policies)('allow %p and %s: %s', async (allow, id, why) => {
  expect(await verdict(allow, id)).toBe(why)
})

test('what the function throws is the operator’s error, and no refusal', async () => {
  const fault = new Error('the database is down')
  expect(await verdict(() => Promise.reject(fault), 'https://new.example.org/c')).toBe(fault)
})

test('a function gets a URL of its own: to change it leads nowhere else', async () => {
  const allow = (url: URL) => {
    url.hostname = 'other.example.org'
    return true
  }
  expect(await verdict(allow, 'https://new.example.org/c')).toBe('dns')
})

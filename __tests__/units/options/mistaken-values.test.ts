// Values that look right to whoever writes them. The error of start-up shows what to write instead.
import {
  clientAuth,
  createJwksFetcher,
  createMemoryReplayStore,
  createRedisReplayStore,
  createSqliteReplayStore,
  createTlsCertificates,
  rememberSecrets,
  type ClientAuthOptions
} from '../../../lib'
import { issuer } from '../../support/assertions'

const make = (options: unknown) => () => clientAuth(options as ClientAuthOptions)
const withOption = (option: object) => make({ issuer, getClient: () => null, ...option })
const nodeRedis = { sendCommand: () => Promise.resolve('OK'), connect: () => undefined }
const handle = { exec: () => undefined, prepare: () => ({ run: () => ({ changes: 1 }) }) }

test.each<[name: string, make: () => unknown, fix: string]>([
  ['issuer a URL object', withOption({ issuer: new URL(issuer) }), `not a URL object (write it as text, "${issuer}")`],
  [
    'issuer a URL object with a path',
    withOption({ issuer: new URL('/tenant/', issuer) }),
    `(write it as text, "${issuer}/tenant/")`
  ],
  ['getClient a Map', withOption({ getClient: new Map() }), 'not a Map (write (id) => map.get(id))'],
  [
    'getClient a promise',
    withOption({ getClient: Promise.resolve(null) }),
    'not a promise (give the function itself, not what it returns)'
  ],
  ['methods in camel case', withOption({ methods: ['privateKeyJwt'] }), '(did you mean "private_key_jwt"?)'],
  ['methods a text', withOption({ methods: 'private_key_jwt' }), '(write ["private_key_jwt"])'],
  ['algorithms in lower case', withOption({ algorithms: ['ES256', 'es384'] }), '(did you mean "ES384"?)'],
  ['legacyAudiences a text', withOption({ legacyAudiences: issuer }), '(put it into an array)'],
  [
    'clockTolerance in milliseconds',
    withOption({ clockTolerance: 30_000 }),
    '(30000 looks like milliseconds: write 30)'
  ],
  ['replayStore not called', withOption({ replayStore: createMemoryReplayStore }), '(write createMemoryReplayStore())'],
  [
    'replayStore a client of Redis',
    withOption({ replayStore: nodeRedis }),
    '(write createRedisReplayStore({ sendCommand:'
  ],
  ['replayStore a URL', withOption({ replayStore: 'redis://localhost' }), 'for Redis write createRedisReplayStore({'],
  ['replayStore a handle', withOption({ replayStore: handle }), '(write createSqliteReplayStore({ database }))'],
  ['replayStore a promise', withOption({ replayStore: Promise.resolve() }), 'not a promise (await it first)'],
  ['keySets not called', withOption({ keySets: createJwksFetcher }), '(write createJwksFetcher())'],
  ['keySets a URL', withOption({ keySets: `${issuer}/jwks` }), '(write createJwksFetcher())'],
  [
    'clientCertificates not called',
    withOption({ clientCertificates: createTlsCertificates }),
    '(write createTlsCertificates({ ca }))'
  ],
  ['options a promise', make(Promise.resolve({})), 'not a promise (await it first)'],
  ['options a function', make(() => ({})), '(write clientAuth({ … }))'],
  [
    'a URL of Redis',
    () => createRedisReplayStore('redis://localhost' as never),
    '(write createRedisReplayStore({ sendCommand: (args) => client.sendCommand(args) }))'
  ],
  [
    'a URL of Redis as sendCommand',
    () => createRedisReplayStore({ sendCommand: 'redis://localhost' as never }),
    '(connect a client and write (args) => client.sendCommand(args))'
  ],
  [
    'a path of SQLite',
    () => createSqliteReplayStore('replay.db' as never),
    '(write createSqliteReplayStore({ database: new DatabaseSync(file) }))'
  ],
  [
    'a path of SQLite as database',
    () => createSqliteReplayStore({ database: 'replay.db' as never }),
    '(write database: new DatabaseSync(file))'
  ],
  [
    'a handle of SQLite in place of the options',
    () => createSqliteReplayStore(handle as never),
    'createSqliteReplayStore({ database })'
  ],
  [
    'ttl in milliseconds',
    () => rememberSecrets(() => true, { ttl: 600_000 }),
    '(600000 looks like milliseconds: write 600)'
  ],
  [
    'a range in place of the rules of a host',
    () => createJwksFetcher({ hosts: { 'keys.corp': '10.0.0.0/8' as never } }),
    "(write { addresses: ['10.0.0.0/8'] })"
  ],
  [
    'a URL in place of a trusted issuer',
    withOption({ methods: ['federated_jwt'], trustedIssuers: { 'https://ci.example': 'https://ci.example/jwks' } }),
    '(write { jwks_uri })'
  ],
  ['a module in place of its function', () => rememberSecrets({} as never), 'bcrypt.compare(presented, stored)'],
  [
    'timeout of the fetcher in milliseconds',
    () => createJwksFetcher({ timeout: 5000 }),
    '(5000 looks like milliseconds: write 5)'
  ]
])('%s', (_name, act, fix) => {
  expect(act).toThrow(TypeError)
  expect(act).toThrow(fix)
})

test('no value is quoted where a secret could stand', () => {
  for (const option of ['verifySecret', 'replayStore', 'keySets', 'onError', 'getClient']) {
    let message = ''
    try {
      withOption({ [option]: 'hush-hush' })()
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain(`option "${option}"`)
    expect(message).not.toContain('hush')
  }
})

const inHours = (option: string) =>
  `${option} counts seconds, and 60000 of them are 16.7 hours: if milliseconds are meant, write 60`
test.each<[name: string, make: (lib: typeof import('../../../lib')) => unknown, warnings: string[]]>([
  [
    'maxAssertionLifetime in milliseconds',
    (lib) => lib.clientAuth({ issuer, getClient: () => null, maxAssertionLifetime: 60_000 }),
    [inHours('clientAuth: option "maxAssertionLifetime"')]
  ],
  [
    'minTtl in milliseconds',
    (lib) => lib.createJwksFetcher({ minTtl: 60_000 }),
    [inHours('createJwksFetcher: option "minTtl"')]
  ],
  ['an hour', (lib) => lib.createJwksFetcher({ minTtl: 3600 }), []],
  ['ten hours', (lib) => lib.createJwksFetcher({ minTtl: 36_000 }), []],
  ['a day', (lib) => lib.createJwksFetcher({ minTtl: 86_400 }), []]
])('%s: a process warning, or none', (_name, makeBy, warnings) => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  jest.resetModules() // each warning is given once in a process
  makeBy(jest.requireActual('../../../lib'))
  const told = warn.mock.calls.map(([text]) => text)
  warn.mockRestore()
  expect(told).toEqual(warnings)
})

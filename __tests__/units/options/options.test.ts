// Mistakes in options fail at start-up, with a TypeError that names the option and the fix.
import express from 'express'
import request from 'supertest'
import {
  clientAuth,
  createClientAuthenticator,
  createJwksFetcher,
  createMemoryReplayStore,
  fapi2,
  rememberSecrets,
  type ClientAuthOptions
} from '../../../lib'
import { issuer } from '../../support/assertions'

const good = { issuer, getClient: () => null }
const make = (options: unknown) => () => clientAuth(options as ClientAuthOptions)

test.each<[name: string, options: object, words: string]>([
  ['no issuer', { issuer: undefined }, 'option "issuer" is required: it must be the issuer: an https URL'],
  ['no getClient', { getClient: undefined }, 'option "getClient" is required: it must be a function'],
  ['issuer no URL', { issuer: 'as' }, '"issuer" must be the issuer: an https URL without query and fragment'],
  ['issuer by http', { issuer: 'http://as.example.com' }, '"issuer"'],
  ['issuer with a query', { issuer: `${issuer}?x` }, '"issuer"'],
  ['issuer with an empty fragment', { issuer: `${issuer}#` }, '"issuer"'],
  ['issuer with an empty query', { issuer: `${issuer}?` }, '"issuer"'],
  ['issuer with a space', { issuer: `${issuer}/a b` }, '"issuer"'],
  [
    'issuer a URL object',
    { issuer: new URL(issuer) },
    '"issuer" must be the issuer: an https URL without query and fragment, not a URL object'
  ],
  ['issuer with a space behind it', { issuer: `${issuer} ` }, `not "${issuer} " (remove the space)`],
  ['getClient no function', { getClient: {} }, '"getClient" must be a function, not a value of type object'],
  ['a misspelt option', { isuer: issuer }, 'unknown option "isuer"; did you mean "issuer"?'],
  ['an option in other case', { clocktolerance: 1 }, 'unknown option "clocktolerance"; did you mean "clockTolerance"?'],
  ['an option in snake case', { legacy_audiences: [] }, 'did you mean "legacyAudiences"?'],
  ['an unknown option', { elephants: 1 }, 'unknown option "elephants"; known are issuer, getClient'],
  ['an option of the prototype', { constructor: 1 }, 'unknown option "constructor"'],
  ['methods a string', { methods: 'private_key_jwt' }, '"methods" must be a non-empty array of client_secret_basic'],
  [
    'methods misspelt',
    { methods: ['client_secret_post', 'private_key_jwtt'] },
    'private_key_jwt, tls_client_auth, self_signed_tls_client_auth, federated_jwt, spiffe_jwt, none, not one with "private_key_jwtt"'
  ],
  ['methods with a number', { methods: [1] }, 'not one with 1'],
  ['an empty list', { algorithms: [] }, 'not an empty one'],
  ['issuer quoted', { issuer: 'as.example.com' }, 'not "as.example.com"'],
  [
    'hashed secrets with client_secret_jwt alone',
    { methods: ['client_secret_jwt'], verifySecret: () => true },
    '"verifySecret" rules out client_secret_jwt, the only one in "methods"'
  ],
  ['methods empty', { methods: [] }, '"methods" must be a non-empty array'],
  ['methods unknown', { methods: ['tls_client_auth'] }, '"methods"'],
  ['algorithms none', { algorithms: ['none'] }, '"algorithms" must be a non-empty array of RS256'],
  ['algorithms empty', { algorithms: [] }, '"algorithms"'],
  ['algorithms unknown', { algorithms: ['ES256K'] }, '"algorithms"'],
  [
    'a JWT method without an algorithm',
    { methods: ['private_key_jwt'], algorithms: ['HS256'] },
    '"methods" has private_key_jwt, but option "algorithms" has none for it'
  ],
  [
    'client_secret_jwt without an algorithm',
    { methods: ['client_secret_jwt'], algorithms: ['ES256'] },
    '"methods" has client_secret_jwt'
  ],
  [
    'legacyAudiences a string',
    { legacyAudiences: `${issuer}/token` },
    '"legacyAudiences" must be an array of audience strings, or a function'
  ],
  ['legacyAudiences with an empty string', { legacyAudiences: [''] }, 'returns one, not one with ""'],
  ['legacyAudiences with a URL object', { legacyAudiences: [issuer, new URL(issuer)] }, 'not one with a URL object'],
  ['legacyAudiences with nothing', { legacyAudiences: [undefined] }, 'not one with a value of type undefined'],
  ['fapi2 that is not spread', { fapi2 }, 'write clientAuth({ ...fapi2, issuer, getClient })'],
  [
    'clockTolerance a string',
    { clockTolerance: '30' },
    '"clockTolerance" must be seconds from 0 to 300, not a value of type string'
  ],
  ['clockTolerance negative', { clockTolerance: -1 }, 'not -1'],
  ['clockTolerance NaN', { clockTolerance: NaN }, 'not NaN'],
  ['clockTolerance in milliseconds', { clockTolerance: 30_000 }, 'seconds from 0 to 300, not 30000'],
  [
    'maxAssertionLifetime 0',
    { maxAssertionLifetime: 0 },
    '"maxAssertionLifetime" must be seconds from 1 to 86400, not 0'
  ],
  ['maxAssertionLifetime Infinity', { maxAssertionLifetime: Infinity }, 'not Infinity'],
  ['requireJti a string', { requireJti: 'yes' }, '"requireJti" must be true or false'],
  ['stringAudience null', { stringAudience: null }, '"stringAudience" must be true or false, not null'],
  ['verifySecret no function', { verifySecret: true }, '"verifySecret" must be a function, not true'],
  [
    'keySets without get',
    { keySets: {} },
    '"keySets" must be an object with a method get, such as createJwksFetcher()'
  ],
  ['keySets a function', { keySets: createMemoryReplayStore }, '"keySets" must be an object'],
  ['replayStore without consume', { replayStore: new Map() }, '"replayStore" must be an object with a method consume'],
  ['replayStore null', { replayStore: null }, '"replayStore"'],
  [
    'bodyLimit no size',
    { bodyLimit: '64 kilobytes' },
    `"bodyLimit" must be a number of bytes or a size such as '64kb'`
  ],
  ['bodyLimit a fraction', { bodyLimit: 1.5 }, '"bodyLimit"'],
  ['bodyLimit 0', { bodyLimit: 0 }, '"bodyLimit"'],
  ['property taken: headers', { property: 'headers' }, '"property" must be the name of a new request property'],
  ['property taken: body', { property: 'body' }, '"property"'],
  ['property taken: ip, a getter of Express', { property: 'ip' }, '"property"'],
  ['property taken: originalUrl', { property: 'originalUrl' }, '"property"'],
  ['property taken: __proto__', { property: '__proto__' }, '"property"'],
  ['property empty', { property: '' }, '"property"'],
  ['stripCredentials a number', { stripCredentials: 1 }, '"stripCredentials" must be true or false, not 1'],
  ['onError no function', { onError: 'log' }, '"onError" must be a function']
])('%s', (_name, options, words) => {
  let thrown: unknown
  try {
    make({ ...good, ...options })()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(TypeError)
  expect((thrown as Error).message).toContain('clientAuth: ')
  expect((thrown as Error).message).toContain(words)
})

class Settings {
  issuer = issuer
  getClient = () => undefined
}
test.each<[name: string, options: Settings, words: string]>([
  [
    'a field',
    new (class extends Settings {
      clocktolerance = 1
    })(),
    'unknown option "clocktolerance"; did you mean "clockTolerance"?'
  ],
  [
    'a method',
    new (class extends Settings {
      verifysecret() {
        return false
      }
    })(),
    'unknown option "verifysecret"; did you mean "verifySecret"?'
  ],
  [
    'a getter',
    new (class extends Settings {
      get clockTolerance() {
        return String(30)
      }
    })(),
    '"clockTolerance" must be seconds from 0 to 300'
  ]
])('%s of a class is checked like any option', (_name, options, words) => {
  expect(() => clientAuth(options as ClientAuthOptions)).toThrow(words)
  expect(() => clientAuth(new Settings())).not.toThrow()
})

test('options behind a prototype without Object’s, and those of a key set fetcher, are checked too', () => {
  const root = Object.create(null) as object
  const options = Object.assign(Object.create(root) as object, { ...good, stripCredential: true })
  expect(make(options)).toThrow('unknown option "stripCredential"')
  class Limits {
    readonly #hour = 3600
    get minTtl() {
      return this.#hour
    }
    get maxTtl() {
      return this.#hour - 1
    }
  }
  expect(() => createJwksFetcher(new Limits())).toThrow('option "minTtl" must not exceed "maxTtl"')
})

test.each([
  [undefined, 'undefined'],
  [null, 'null'],
  ['x', 'string'],
  [[], 'an array']
])('options that are %p', (options, kind) => {
  expect(make(options)).toThrow(/options must be an object/)
  expect(make(options)).toThrow(kind)
})

test.each<[string, object]>([
  ['undefined means absent', { methods: undefined, clockTolerance: undefined, replayStore: undefined }],
  ['a loopback issuer by http, for development', { issuer: 'http://localhost:3000' }],
  ['an issuer with a path', { issuer: `${issuer}/tenant/1` }],
  ['an issuer on loopback by address', { issuer: 'http://127.0.0.1:3000' }],
  ['algorithms of one family with the default methods', { algorithms: ['ES256'] }],
  ['none as a method', { methods: ['none'] }],
  ['the FAPI 2 profile', fapi2],
  ['the FAPI 2 profile, widened', { ...fapi2, methods: ['private_key_jwt', 'client_secret_basic'] }],
  ['a body limit in bytes', { bodyLimit: 1024 }]
])('taken: %s', (_name, options) => {
  expect(make({ ...good, ...options })).not.toThrow()
})

test('the authenticator checks likewise, under its own name', () => {
  expect(() => createClientAuthenticator({ ...good, isuer: 'x' } as never)).toThrow(
    'createClientAuthenticator: unknown option "isuer"'
  )
})

test('the authenticator used as a middleware is recognised and explained', async () => {
  const authenticate = createClientAuthenticator(good) as (...args: unknown[]) => Promise<unknown>
  await expect(authenticate({ headers: {} }, {}, () => undefined)).rejects.toThrow('mount clientAuth({ … })')
})

test.each<[string, (options: never, ...more: never[]) => unknown]>([
  ['clientAuth', clientAuth],
  ['createClientAuthenticator', createClientAuthenticator]
])('%s: a second argument is not ignored', (name, create) => {
  expect(() => create(good as never, { methods: ['private_key_jwt'] } as never)).toThrow(
    new TypeError(`${name} takes one object: write ${name}({ ...options, ...more })`)
  )
  expect([good as never].map(create as typeof clientAuth)).toHaveLength(1)
})

test.each(Object.getOwnPropertyNames(express.request))('property: %s of Express is taken', (property) => {
  expect(make({ ...good, property })).toThrow('"property" must be the name of a new request property')
})

test('a message never quotes a value that may be a secret', () => {
  expect(make({ ...good, clockTolerance: 'hunter2' })).toThrow(/^(?!.*hunter2)/)
})

test('options changed after start-up change nothing', async () => {
  const legacyAudiences: string[] = []
  const options = { ...good, legacyAudiences, methods: ['client_secret_basic' as const] }
  const middleware = clientAuth(options)
  options.methods.push('client_secret_basic')
  expect(middleware.metadata().token_endpoint_auth_methods_supported).toEqual(['client_secret_basic'])
  await Promise.resolve()
})

test('clientAuth used without being called is recognised and explained', async () => {
  const app = express()
  app.use(clientAuth as unknown as express.RequestHandler)
  app.use((error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) =>
    res.status(500).json(error.message)
  )
  const answer = await request(app).post('/')
  expect(answer.body).toContain('write app.use(clientAuth({ … }))')
})

test.each<[string, () => unknown, string]>([
  ['no function', () => rememberSecrets(undefined as never), 'rememberSecrets: the first argument must be a function'],
  [
    'ttl in milliseconds',
    () => rememberSecrets(() => true, { ttl: 600_000 }),
    '"ttl" must be seconds from 1 to 86400, not 600000'
  ],
  [
    'max no number',
    () => rememberSecrets(() => true, { max: '10' as never }),
    '"max" must be a number of secrets, whole'
  ],
  ['max a fraction', () => rememberSecrets(() => true, { max: 1.5 }), '"max"'],
  ['an unknown option', () => rememberSecrets(() => true, { maximum: 1 } as never), 'unknown option "maximum"']
])('rememberSecrets: %s', (_name, call, words) => {
  expect(call).toThrow(new TypeError(words).constructor as never)
  expect(call).toThrow(words)
})

// What getClient returns: real records of real databases (DESIGN §1 and §3, THREATS 39).
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  clientAuth,
  type ClientAuthOptions,
  createClientAuthenticator,
  type FailedEvent,
  type OAuthClient,
  type RejectedEvent
} from '../../../lib'
import { assertionForm, basic, issuer, keyAssertion, keyFor, now } from '../../support/assertions'
import { post, tokenServer } from '../../support/token-server'

const key = keyFor('ES256')
const keys = { keys: [key.jwk] }
const secret = 'Kp7-example-secret-of-40-characters-abcd'

interface Sent {
  headers: Record<string, string>
  body?: Record<string, string>
}
const bySecret: Sent = { headers: { authorization: basic('c', secret) } }
const byPost: Sent = { headers: {}, body: { client_id: 'c', client_secret: secret } }
const byKey = (): Sent => ({ headers: {}, body: assertionForm(keyAssertion(key, { clientId: 'c' })) })

/** `ok`, or the reason and the facts. */
async function outcome(record: unknown, sent: Sent, options: Partial<ClientAuthOptions> = {}) {
  const authenticate = createClientAuthenticator({ issuer, getClient: () => record as OAuthClient, ...options })
  return authenticate(sent).then(
    () => ['ok'],
    (error: { reason?: string; detail?: object }) => {
      if (error.reason === undefined) throw error as Error
      return [error.reason, error.detail]
    }
  )
}

describe('an empty member is an absent one', () => {
  const empty = {
    token_endpoint_auth_method: '',
    token_endpoint_auth_signing_alg: '',
    client_secret: '',
    client_secret_expires_at: '',
    jwks: '',
    jwks_uri: '',
    tls_client_auth_subject_dn: '',
    tls_client_auth_san_dns: '',
    tls_client_auth_san_uri: '',
    tls_client_auth_san_ip: '',
    tls_client_auth_san_email: '',
    tls_client_certificate_bound_access_tokens: ''
  }
  const all = (value: unknown) => Object.fromEntries(Object.keys(empty).map((name) => [name, value]))

  test.each<[string, object]>([
    ['the empty text', all('')],
    ['null', all(null)],
    ['undefined', all(undefined)],
    ['an empty object as key set', { jwks: {} }]
  ])('%s', async (_name, members) => {
    expect(await outcome({ client_id: 'c', ...members, client_secret: secret }, bySecret)).toEqual(['ok'])
    const keyed = { token_endpoint_auth_method: 'private_key_jwt' }
    expect(await outcome({ client_id: 'c', ...members, ...keyed, jwks: keys }, byKey())).toEqual(['ok'])
    const keySets = { get: async () => keys }
    const fetched = { ...keyed, jwks_uri: 'https://partner.example/jwks' }
    expect(await outcome({ client_id: 'c', ...members, ...fetched }, byKey(), { keySets })).toEqual(['ok'])
  })

  test('none of them lets anybody in', async () => {
    expect(await outcome({ client_id: 'c', ...empty }, bySecret)).toEqual(['no_live_secret', expect.anything()])
    expect(await outcome({ client_id: 'c', ...empty, client_secret: secret }, byPost)).toEqual([
      'method_not_registered',
      { expected: 'client_secret_basic', received: 'client_secret_post' }
    ])
    const keyed = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt', jwks: {}, jwks_uri: '' }
    expect(await outcome(keyed, byKey())).toEqual([
      'keys_not_registered',
      { expected: 'jwks or jwks_uri', received: 'neither' }
    ])
  })

  test('a key set of a class, whose keys stand on its prototype, is no empty object', async () => {
    class Keys {
      get keys() {
        return keys.keys
      }
    }
    const record = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt', jwks: new Keys() }
    expect(await outcome(record, byKey())).toEqual(['ok'])
  })

  test('an empty end of one secret leaves the end of all', async () => {
    const ended = { client_secret: [{ value: secret, expires_at: '' }], client_secret_expires_at: now() - 1 }
    expect(await outcome({ client_id: 'c', ...ended }, bySecret)).toEqual(['no_live_secret', expect.anything()])
  })
})

describe('client_secret_expires_at', () => {
  const far = now() + 3600
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
  const inMoscow = (seconds: number) => iso(seconds + 3 * 3600).replace('Z', '+03:00')

  test.each<[string, unknown]>([
    ['a number', far],
    ['0', 0],
    ['a bigint', BigInt(far)],
    ['0n', 0n],
    ['a BIGINT as text', String(far)],
    ['0 as text', '0'],
    ['a Date', new Date(far * 1000)],
    ['a Date in JSON', iso(far)],
    ['a timestamp with its zone', inMoscow(far)],
    [
      'a timestamp of PostgreSQL',
      iso(far)
        .replace('T', ' ')
        .replace(/\.\d+Z/, '+00')
    ],
    ['nothing', undefined]
  ])('%s: live', async (_name, end) => {
    expect(await outcome({ client_id: 'c', client_secret: secret, client_secret_expires_at: end }, bySecret)).toEqual([
      'ok'
    ])
    const own = { client_secret: [{ value: secret, expires_at: end }] }
    expect(await outcome({ client_id: 'c', ...own }, bySecret)).toEqual(['ok'])
  })

  test.each<[string, unknown]>([
    ['a number', now() - 1],
    ['a negative number', -1],
    ['a bigint', 1n],
    ['a BIGINT as text', '1700000000'],
    ['a Date', new Date(0)],
    ['a Date in JSON', '1970-01-01T00:00:00.000Z'],
    ['a timestamp with its zone', inMoscow(now() - 60)]
  ])('%s: past', async (_name, end) => {
    expect(await outcome({ client_id: 'c', client_secret: secret, client_secret_expires_at: end }, bySecret)).toEqual([
      'no_live_secret',
      { expected: 'a secret that has not expired', received: 'only expired secrets' }
    ])
  })

  test.each<[string, unknown, string]>([
    ['a time without zone', '2099-01-01T00:00:00', 'a text'],
    ['a day', '2099-01-01', 'a text'],
    ['a word', 'never', 'a text'],
    ['a negative text', '-1', 'a text'],
    ['a text of milliseconds', '4102444800000', 'a text'],
    ['milliseconds', 4_102_444_800_000, 'a number of milliseconds'],
    ['a bigint of milliseconds', 4_102_444_800_000n, 'a bigint'],
    ['NaN', NaN, 'a number'],
    ['Infinity', Infinity, 'a number'],
    ['an invalid Date', new Date(NaN), 'a Date'],
    ['false', false, 'a boolean'],
    ['an object', { seconds: far }, 'an object'],
    ['a Promise', Promise.resolve(far), 'a Promise']
  ])('%s: refused, and the field and its type are told', async (_name, end, received) => {
    const facts = { field: 'client_secret_expires_at', expected: 'seconds since the epoch, or a time with its zone' }
    for (const record of [
      { client_secret: secret, client_secret_expires_at: end },
      { client_secret: [{ value: secret, expires_at: end }] }
    ])
      expect(await outcome({ client_id: 'c', ...record }, bySecret)).toEqual(['no_live_secret', { ...facts, received }])
  })

  test.each<[string, object]>([
    ['in camel case', { value: secret, expiresAt: far }],
    ['as in a JWT', { value: secret, exp: far }],
    ['in one word', { value: secret, expires: far }],
    ['of an object whose members its prototype has', Object.create({ value: secret, expiry: far }) as object]
  ])('under another name it is refused, and the name is told: %s', async (_name, entry) => {
    const told = { field: 'client_secret', expected: 'an end named expires_at', received: expect.stringMatching('exp') }
    expect(await outcome({ client_id: 'c', client_secret: [entry] }, bySecret)).toEqual(['no_live_secret', told])
    expect(await outcome({ client_id: 'c', client_secret: entry }, bySecret)).toEqual(['no_live_secret', told])
  })

  test('beside a good one, a wrong secret is told it too', async () => {
    const facts = { field: 'client_secret_expires_at', received: 'a text' }
    const record = { client_id: 'c', client_secret: [{ value: secret, expires_at: 'tomorrow' }, 'another'] }
    const verifySecret = (presented: string, stored: string) => presented === stored
    for (const options of [{}, { verifySecret }])
      expect(await outcome(record, bySecret, options)).toMatchObject(['secret_mismatch', facts])
    expect(await outcome({ ...record, client_secret: ['another'] }, bySecret)).toEqual(['secret_mismatch', undefined])
  })

  test('without a secret it says nothing: there is no secret', async () => {
    const record = { client_id: 'c', client_secret: '', client_secret_expires_at: 'soon' }
    expect(await outcome(record, bySecret)).toMatchObject(['no_live_secret', { received: 'no secret' }])
  })
})

describe('client_secret of another type: refused, and the field and its type are told', () => {
  test.each<[string, unknown, string]>([
    ['a number', 1000200030004000, 'a number'],
    ['a bigint', 10n, 'a bigint'],
    ['a Buffer', Buffer.from(secret), 'a Buffer'],
    ['an object', { secret }, 'an object'],
    ['true', true, 'a boolean'],
    ['a list with a number', [7], 'a number'],
    ['a list with a value that is a number', [{ value: 7 }], 'a number']
  ])('%s', async (_name, stored, received) => {
    const sent = { headers: { authorization: basic('c', '1000200030004000') } }
    for (const one of [sent, bySecret])
      expect(await outcome({ client_id: 'c', client_secret: stored }, one)).toEqual([
        'no_live_secret',
        { field: 'client_secret', expected: 'a text', received }
      ])
  })

  test('a good one beside it counts', async () => {
    expect(await outcome({ client_id: 'c', client_secret: [7, secret] }, bySecret)).toEqual(['ok'])
  })
})

describe('client_id', () => {
  const sent = (id: string): Sent => ({ headers: { authorization: basic(id, secret) } })

  test.each<[string, unknown, string]>([
    ['a number', 4711, '4711'],
    ['a bigint', 90071992547409930n, '90071992547409930'],
    ['a text', '0047', '0047']
  ])('%s that is surely the one that was asked for', async (_name, stored, asked) => {
    const record = { client_id: stored, client_secret: secret }
    const authenticate = createClientAuthenticator({ issuer, getClient: () => record as never })
    const { client, clientId } = await authenticate(sent(asked))
    expect([client === (record as never), clientId]).toEqual([true, asked])
    expect(await authenticate.explain(sent(asked))).toMatchObject({ accepted: true, clientId: asked })
  })

  test.each<[string, unknown, string, string]>([
    ['another text', 'd', 'c', 'd'],
    ['other case', 'C', 'c', 'C'],
    ['a space behind it', 'c ', 'c', 'c '],
    ['a number, in another spelling', 47, '0047', 'a number'],
    ['a number that has lost digits', 2 ** 53, '9007199254740992', 'a number'],
    ['a fraction', 1.5, '1.5', 'a number'],
    ['a Date', new Date(0), 'c', 'a Date'],
    ['a list', ['c'], 'c', 'an array'],
    ['false', false, 'false', 'a boolean']
  ])('%s is an unknown client', async (_name, stored, asked, told) => {
    const record = { client_id: stored, client_secret: secret }
    expect(await outcome(record, sent(asked))).toEqual([
      'unknown_client',
      { received: asked, record: `that of another client_id: ${told}` }
    ])
  })

  const manyFields = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`column${index}`, 1]))
  test.each<[string, unknown, string]>([
    ['none', {}, 'without client_id'],
    ['an empty one', { client_id: '', name: 'x' }, 'fields found: client_id, name'],
    ['one of many fields, of which twenty are told', manyFields, `${Object.keys(manyFields).slice(0, 20).join(', ')})`],
    ['a text, of which nothing is told', JSON.stringify({ client_id: 'c', client_secret: secret }), 'but a text'],
    ['true', true, 'but a boolean'],
    ['a list', [{ client_id: 'c' }], 'but an array: give its first element'],
    ['a list that has the id', Object.assign([], { client_id: 'c' }), 'but an array: give its first element'],
    ['the result of a query', { rows: [{ client_id: 'c' }], rowCount: 1 }, 'with rows: give its first row']
  ])('what is no record is the server’s error: %s', async (_name, record, told) => {
    const error: unknown = await outcome(record, bySecret).catch((thrown: unknown) => thrown)
    expect(error).toEqual(expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(told) }))
    expect(String(error)).not.toContain(secret)
  })
})

describe('the record of another client', () => {
  const record = { client_id: 'web-shop', client_secret: secret }
  const getClient = (id: string) => (id.toLowerCase() === 'web-shop' ? record : undefined)

  // Threat 39: a database that compares ids without case tells which of them exist
  test('is an unknown client to the caller, and an event and one warning to the operator', async () => {
    const failed: FailedEvent[] = []
    const rejected: RejectedEvent[] = []
    const noteFailed = (event: unknown) => failed.push(event as FailedEvent)
    const noteRejected = (event: unknown) => rejected.push(event as RejectedEvent)
    subscribe('oauth-client-auth:failed', noteFailed)
    subscribe('oauth-client-auth:rejected', noteRejected)
    // A registry of its own: the warning comes once in a process.
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const ask = async (id: string) => {
      const { status, body, headers } = await post(tokenServer({ getClient }), {}, { authorization: basic(id, secret) })
      return { status, body, challenge: headers['www-authenticate'], length: headers['content-length'] }
    }
    try {
      const other = await ask('WEB-SHOP')
      expect(other).toEqual(await ask('nobody'))
      expect([other.status, (await ask('web-shop')).status]).toEqual([401, 200])
      await ask('Web-Shop')
      expect(rejected.map(({ reason, clientId }) => [reason, clientId])).toEqual([
        ['unknown_client', 'WEB-SHOP'],
        ['unknown_client', 'nobody'],
        ['unknown_client', 'Web-Shop']
      ])
      expect(failed.map(({ error, clientId }) => [error.message, clientId])).toEqual([
        ['getClient returned a record with another client_id: web-shop', 'WEB-SHOP'],
        ['getClient returned a record with another client_id: web-shop', 'Web-Shop']
      ])
      expect(warn.mock.calls.filter(([text]) => String(text).includes('another client_id')).length).toBeLessThan(2)
    } finally {
      unsubscribe('oauth-client-auth:failed', noteFailed)
      unsubscribe('oauth-client-auth:rejected', noteRejected)
      warn.mockRestore()
    }
  })

  test('the warning comes once, and says what to do', async () => {
    await jest.isolateModulesAsync(async () => {
      const { createClientAuthenticator: create } =
        jest.requireActual<typeof import('../../../lib/index.js')>('../../../lib')
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
      const authenticate = create({ issuer, getClient })
      for (let count = 0; count < 3; count++)
        await expect(authenticate({ headers: { authorization: basic('WEB-SHOP', secret) } })).rejects.toThrow()
      expect(warn.mock.calls).toEqual([
        [
          expect.stringContaining('another client_id'),
          expect.objectContaining({
            code: 'OAUTH_CLIENT_AUTH_OTHER_RECORD',
            detail: expect.stringContaining('binary collation')
          })
        ]
      ])
      warn.mockRestore()
    })
  })

  test('a verifier of hashes never sees it', async () => {
    const seen: unknown[] = []
    const verifySecret = (_presented: string, _stored: string, client: OAuthClient) => {
      seen.push(client)
      return true
    }
    const app = clientAuth({ issuer, getClient, verifySecret })
    expect((await app.explain({ headers: { authorization: basic('WEB-SHOP', secret) } })).reason).toBe('unknown_client')
    expect(await outcome(record, { headers: { authorization: basic('WEB-SHOP', secret) } }, { verifySecret })).toEqual([
      'unknown_client',
      expect.anything()
    ])
    expect(seen.filter((client) => client === record)).toEqual([])
  })
})

// Client rules: secrets (RFC 6749 §2.3.1, RFC 7591 §3.2.1). rememberSecrets has a file of its own.
import { createClientAuthenticator, type ClientAuthOptions, type OAuthClient } from '../../../lib'
import { basic, issuer, now } from '../../support/assertions'

type Options = Partial<ClientAuthOptions>

/** Resolves to 'ok' or the reason, for one Basic request of client `c`. */
async function outcome(
  record: object | null,
  presented: string,
  options: Options = {},
  header = basic('c', presented)
) {
  const getClient = () => (record === null ? null : ({ client_id: 'c', ...record } as OAuthClient))
  const authenticate = createClientAuthenticator({ issuer, getClient, ...options })
  return authenticate({ headers: { authorization: header } }).then(
    () => 'ok',
    (error: { reason?: string; code: string; status: number; message: string }) => {
      if (error.reason === undefined) throw error as unknown as Error
      expect([error.code, error.status, error.message]).toEqual([
        'invalid_client',
        401,
        'Client authentication failed.'
      ])
      return error.reason
    }
  )
}

const raw = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

test.each<[name: string, record: object | null, presented: string, expected: string]>([
  ['the right secret', { client_secret: 's' }, 's', 'ok'],
  ['a wrong secret', { client_secret: 's' }, 't', 'secret_mismatch'],
  ['a near miss', { client_secret: 'secret-secret-1' }, 'secret-secret-2', 'secret_mismatch'],
  ['a prefix', { client_secret: 'secret' }, 'secre', 'secret_mismatch'],
  ['other case', { client_secret: 'secret' }, 'Secret', 'secret_mismatch'],
  ['non-ASCII', { client_secret: 'pässwörd ✓' }, 'pässwörd ✓', 'ok'],
  ['another normal form', { client_secret: 'é' }, 'e\u0301', 'secret_mismatch'],
  ['an unknown client', null, 's', 'unknown_client'],
  ['no stored secret', {}, 's', 'no_live_secret'],
  ['a null secret', { client_secret: null }, 's', 'no_live_secret'],
  ['an empty stored secret', { client_secret: '' }, 's', 'no_live_secret'],
  ['an empty list', { client_secret: [] }, 's', 'no_live_secret'],
  ['a number as secret', { client_secret: 5 }, '5', 'no_live_secret'],
  ['a Buffer as secret', { client_secret: Buffer.from('s') }, 's', 'no_live_secret'],
  ['the first of two', { client_secret: ['s', 't'] }, 's', 'ok'],
  ['the second of two', { client_secret: ['s', 't'] }, 't', 'ok'],
  ['neither of two', { client_secret: ['s', 't'] }, 'u', 'secret_mismatch'],
  ['a value that never ends', { client_secret: [{ value: 's', expires_at: 0 }] }, 's', 'ok'],
  ['a value without an end', { client_secret: [{ value: 's' }] }, 's', 'ok'],
  ['a live value', { client_secret: [{ value: 's', expires_at: now() + 60 }] }, 's', 'ok'],
  ['an end under another name', { client_secret: [{ value: 's', expiresAt: now() + 60 }] }, 's', 'no_live_secret'],
  ...['expiry', 'expiration_date', 'valid_until', 'notAfter', 'ends_at'].map(
    (name): [string, object, string, string] => [
      `an end called ${name}`,
      { client_secret: [{ value: 's', [name]: now() + 60 }] },
      's',
      'no_live_secret'
    ]
  ),
  [
    'members whose names only begin so',
    { client_secret: [{ value: 's', expired: false, exported: 1, experimental: true, endpoint: 'x' }] },
    's',
    'ok'
  ],
  ['such an end beside a live one', { client_secret: [{ value: 's', exp: now() + 60 }, 't'] }, 's', 'secret_mismatch'],
  [
    'two spellings that agree, and other members',
    { client_secret: [{ value: 's', expires_at: now() + 60, expiresAt: now() + 60, id: 1, created_at: 1 }] },
    's',
    'ok'
  ],
  ['an expired value', { client_secret: [{ value: 's', expires_at: now() - 1 }] }, 's', 'no_live_secret'],
  [
    'an expired value beside a live one',
    { client_secret: [{ value: 's', expires_at: 1 }, 't'] },
    's',
    'secret_mismatch'
  ],
  ['the live one beside an expired value', { client_secret: [{ value: 's', expires_at: 1 }, 't'] }, 't', 'ok'],
  ['null in the list', { client_secret: [null, 's'] }, 's', 'ok'],
  ['a value without text', { client_secret: [{ value: 7 }] }, '7', 'no_live_secret'],
  ['client_secret_expires_at past', { client_secret: 's', client_secret_expires_at: now() - 1 }, 's', 'no_live_secret'],
  ['client_secret_expires_at ahead', { client_secret: 's', client_secret_expires_at: now() + 60 }, 's', 'ok'],
  ['client_secret_expires_at 0', { client_secret: 's', client_secret_expires_at: 0 }, 's', 'ok'],
  ['client_secret_expires_at null', { client_secret: 's', client_secret_expires_at: null }, 's', 'ok'],
  [
    'client_secret_expires_at in milliseconds',
    { client_secret: 's', client_secret_expires_at: Date.now() + 1e6 },
    's',
    'no_live_secret'
  ],
  ['an end in milliseconds', { client_secret: [{ value: 's', expires_at: Date.now() + 1e6 }] }, 's', 'no_live_secret'],
  [
    'client_secret_expires_at holds for a value without its own',
    { client_secret: [{ value: 's' }], client_secret_expires_at: 1 },
    's',
    'no_live_secret'
  ],
  [
    'its own end comes first',
    { client_secret: [{ value: 's', expires_at: 0 }], client_secret_expires_at: 1 },
    's',
    'ok'
  ],
  [
    'registered for post only',
    { client_secret: 's', token_endpoint_auth_method: 'client_secret_post' },
    's',
    'method_not_registered'
  ],
  [
    'registered for a key',
    { client_secret: 's', token_endpoint_auth_method: 'private_key_jwt' },
    's',
    'method_not_registered'
  ],
  [
    'registered for a list with Basic',
    { client_secret: 's', token_endpoint_auth_method: ['private_key_jwt', 'client_secret_basic'] },
    's',
    'ok'
  ],
  ['registered for null: Basic', { client_secret: 's', token_endpoint_auth_method: null }, 's', 'ok'],
  [
    'registered for what is no method',
    { client_secret: 's', token_endpoint_auth_method: 'foobar' },
    's',
    'method_not_registered'
  ]
])('%s', async (_name, record, presented, expected) => {
  expect(await outcome(record, presented)).toBe(expected)
})

test.each([
  ['100%25', '100%', 'ok'],
  ['a%2Bb+c', 'a+b c', 'ok'],
  ['a+b', 'a+b', 'secret_not_form_encoded'],
  ['p%41', 'p%41', 'secret_not_form_encoded'],
  ['a+b', 'other', 'secret_mismatch']
])('a raw Basic secret %s against a stored %s is %s', async (sent, stored, expected) => {
  expect(await outcome({ client_secret: stored }, '', {}, raw('c', sent))).toBe(expected)
})

test.each<[string, unknown]>([
  ['an Error', new Error('database away')],
  ['a string', 'database away'],
  ['undefined', undefined],
  ['null', null]
])('what getClient throws is passed on as an Error: %s', async (_name, thrown) => {
  const getClient = () => {
    throw thrown
  }
  const error: unknown = await createClientAuthenticator({ issuer, getClient })({
    headers: { authorization: basic('c', 's') }
  }).catch((caught: unknown) => caught)
  if (thrown instanceof Error) expect(error).toBe(thrown)
  else expect([error instanceof Error, (error as Error).cause]).toEqual([true, thrown])
})

test('getClient may be async, and a method that uses its options', async () => {
  const options = {
    issuer,
    async getClient(this: { issuer: string }, id: string): Promise<OAuthClient | null> {
      return Promise.resolve(this.issuer === issuer ? { client_id: id, client_secret: 's' } : null)
    }
  }
  const authenticate = createClientAuthenticator(options)
  await expect(authenticate({ headers: { authorization: basic('c', 's') } })).resolves.toMatchObject({ clientId: 'c' })
})

describe('verifySecret', () => {
  const calls: unknown[][] = []
  const verifySecret = (presented: string, stored: string, client: OAuthClient) => {
    calls.push([presented, stored, client.client_id])
    return `hash of ${presented}` === stored
  }
  beforeEach(() => calls.splice(0))
  const hashed = { client_secret: ['hash of t', 'hash of s'] }

  test('gets what was presented, each stored hash, and the client; all are tried, also after a match', async () => {
    expect(await outcome(hashed, 't', { verifySecret })).toBe('ok')
    expect(calls).toEqual([
      ['t', 'hash of t', 'c'],
      ['t', 'hash of s', 'c']
    ])
    expect(await outcome(hashed, 'hash of t', { verifySecret })).toBe('secret_mismatch')
  })

  test('may be async', async () => {
    expect(
      await outcome(hashed, 's', { verifySecret: async (...args) => Promise.resolve(verifySecret(...args)) })
    ).toBe('ok')
  })

  // Threat 11: told apart by the time of a hash
  test('an unknown client, and one without a secret, cost the slow function, against a hash seen before', async () => {
    const records: Record<string, OAuthClient> = {
      c: { client_id: 'c', client_secret: 'hash of a longer one' },
      bare: { client_id: 'bare' },
      key: { client_id: 'key', client_secret: 'hash of a longer one', token_endpoint_auth_method: 'private_key_jwt' }
    }
    const authenticate = createClientAuthenticator({ issuer, getClient: (id) => records[id], verifySecret })
    const attempt = async (id: string, secret: string) =>
      authenticate({ headers: { authorization: basic(id, secret) } }).catch((error: { reason: string }) => error.reason)
    expect(await attempt('nobody', 'a longer one')).toBe('unknown_client')
    expect(calls).toHaveLength(0) // none seen yet
    await attempt('c', 'a longer one')
    for (const [id, reason] of [
      ['nobody', 'unknown_client'],
      ['bare', 'no_live_secret'],
      ['key', 'method_not_registered']
    ] as const) {
      calls.splice(0)
      expect(await attempt(id, 'a longer one')).toBe(reason)
      expect(calls).toEqual([[expect.not.stringMatching(/^a longer one$/), 'hash of a longer one', id]])
    }
  })

  test('a guess at a malformed hash does not make it the decoy', async () => {
    const records: Record<string, OAuthClient> = {
      c: { client_id: 'c', client_secret: 'hash of s' },
      broken: { client_id: 'broken', client_secret: 'no hash at all' }
    }
    const authenticate = createClientAuthenticator({ issuer, getClient: (id) => records[id], verifySecret })
    for (const id of ['c', 'broken', 'nobody']) {
      await authenticate({ headers: { authorization: basic(id, 's') } }).catch(() => undefined)
    }
    expect(calls.at(-1)?.slice(1)).toEqual(['hash of s', 'nobody'])
  })

  test('nor does a malformed hash beside one that matches', async () => {
    const getClient = (id: string) =>
      id === 'c' ? { client_id: 'c', client_secret: ['no hash at all', 'hash of s', 'nor this'] } : undefined
    const authenticate = createClientAuthenticator({ issuer, getClient, verifySecret })
    await authenticate({ headers: { authorization: basic('c', 's') } })
    await authenticate({ headers: { authorization: basic('nobody', 's') } }).catch(() => undefined)
    expect(calls.at(-1)?.slice(1)).toEqual(['hash of s', 'nobody'])
  })

  test.each(['x', 'a secret of usual length', 'y'.repeat(100), `${'z'.repeat(42)}😀`])(
    'what is compared in vain is as long as the guess %s, and another text',
    async (guess) => {
      const getClient = (id: string) => (id === 'c' ? { client_id: 'c', client_secret: 'hash of s' } : undefined)
      const authenticate = createClientAuthenticator({ issuer, getClient, verifySecret })
      await authenticate({ headers: { authorization: basic('c', 's') } })
      for (const id of ['nobody', 'nobody', 'else']) {
        await authenticate({ headers: { authorization: basic(id, guess) } }).catch(() => undefined)
      }
      const [, first, second, other] = calls.map(([presented]) => String(presented))
      expect(first).toBe(second)
      expect(first).toHaveLength(guess.length)
      expect(first).toMatch(/^[\w-]+$/)
      if (guess.length > 1) expect(new Set([first, other, guess]).size).toBe(3)
    }
  )

  test.each([
    ['undefined', undefined],
    ['a truthy string', 'yes'],
    ['1', 1]
  ])('a result that is %s is the server’s error, never a match', async (_name, result) => {
    await expect(outcome(hashed, 's', { verifySecret: () => result as unknown as boolean })).rejects.toThrow(
      'verifySecret must return true or false'
    )
  })

  test('what it throws is passed on', async () => {
    const failure = new Error('no native module')
    await expect(outcome(hashed, 's', { verifySecret: () => Promise.reject(failure) })).rejects.toBe(failure)
  })
})

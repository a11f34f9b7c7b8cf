// rememberSecrets with real scrypt: who pays for the slow function, and what is remembered.
import { randomBytes, scrypt, scryptSync, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { createClientAuthenticator, rememberSecrets, type OAuthClient, type VerifySecret } from '../../lib'
import { basic, issuer } from '../support/assertions'

const cost = { N: 1024 }

function hashOf(secret: string): string {
  const salt = randomBytes(16)
  return Buffer.concat([salt, scryptSync(secret, salt, 32, cost)]).toString('base64')
}

/** scrypt in the thread pool, and how often it ran and how many at once. */
function slowVerifier() {
  const seen = { calls: 0, running: 0, most: 0 }
  const verify: VerifySecret = async (presented, stored) => {
    seen.calls++
    seen.most = Math.max(seen.most, ++seen.running)
    const bytes = Buffer.from(stored, 'base64')
    const derived = await new Promise<Buffer>((resolve, reject) => {
      scrypt(presented, bytes.subarray(0, 16), 32, cost, (error, key) => {
        if (error) reject(error)
        else resolve(key)
      })
    })
    seen.running--
    return timingSafeEqual(derived, bytes.subarray(16))
  }
  return { seen, verify }
}

/** A server whose clients are in `records`; `attempt` resolves to 'ok' or the reason. */
function server(verifySecret: VerifySecret, records: Record<string, string | string[]>) {
  const getClient = (id: string): OAuthClient | undefined =>
    records[id] === undefined ? undefined : { client_id: id, client_secret: records[id] }
  const authenticate = createClientAuthenticator({ issuer, getClient, verifySecret })
  const attempt = (id: string, secret: string): Promise<string> =>
    authenticate({ headers: { authorization: basic(id, secret) } }).then(
      () => 'ok',
      (error: Error & { reason?: string }) => error.reason ?? error.message
    )
  return { attempt, authenticate }
}

describe('with scrypt', () => {
  const setUp = (options?: { max?: number; ttl?: number }) => {
    const { seen, verify } = slowVerifier()
    const records: Record<string, string | string[]> = { c: hashOf('right'), d: hashOf('right') }
    return { seen, records, ...server(rememberSecrets(verify, options), records) }
  }

  test('a secret costs the slow function once', async () => {
    const { seen, attempt } = setUp()
    for (let i = 0; i < 5; i++) expect(await attempt('c', 'right')).toBe('ok')
    expect(seen.calls).toBe(1)
  })

  test('a wrong secret costs it each time, also after the right one, and is never remembered', async () => {
    const { seen, attempt } = setUp()
    await attempt('c', 'right')
    for (let i = 0; i < 3; i++) expect(await attempt('c', 'wrong')).toBe('secret_mismatch')
    expect(seen.calls).toBe(4)
    expect(await attempt('c', 'right')).toBe('ok')
    expect(seen.calls).toBe(4)
  })

  test('an unknown client costs it each time, whatever secret it guesses', async () => {
    const { seen, attempt } = setUp()
    await attempt('c', 'right')
    for (const secret of ['right', 'right', 'wrong']) expect(await attempt('nobody', secret)).toBe('unknown_client')
    expect(seen.calls).toBe(4)
  })

  test('a secret is remembered for its client alone', async () => {
    const { seen, records, attempt } = setUp()
    records.d = records.c!
    expect(await attempt('c', 'right')).toBe('ok')
    expect(await attempt('d', 'right')).toBe('ok')
    expect(seen.calls).toBe(2)
  })

  test('a replaced hash is forgotten at once, and so is a removed one', async () => {
    const { records, attempt } = setUp()
    expect(await attempt('c', 'right')).toBe('ok')
    records.c = hashOf('new')
    expect(await attempt('c', 'right')).toBe('secret_mismatch')
    expect(await attempt('c', 'new')).toBe('ok')
    records.c = []
    expect(await attempt('c', 'new')).toBe('no_live_secret')
  })

  test('during a rotation each of two secrets is remembered, and the other hash still costs', async () => {
    const { seen, records, attempt } = setUp()
    records.c = [hashOf('old'), hashOf('new')]
    expect(await attempt('c', 'old')).toBe('ok')
    expect(await attempt('c', 'new')).toBe('ok')
    expect(seen.calls).toBe(4)
  })

  test('after ttl seconds it costs again', async () => {
    const { seen, attempt } = setUp({ ttl: 1 })
    await attempt('c', 'right')
    await new Promise((done) => setTimeout(done, 1100))
    expect(await attempt('c', 'right')).toBe('ok')
    expect(seen.calls).toBe(2)
  })

  test('at most max are remembered, the least recently used one is forgotten', async () => {
    const { seen, records, attempt } = setUp({ max: 2 })
    records.e = hashOf('right')
    for (const id of ['c', 'd', 'c', 'e', 'c']) expect(await attempt(id, 'right')).toBe('ok')
    expect(seen.calls).toBe(3)
    expect(await attempt('d', 'right')).toBe('ok')
    expect(seen.calls).toBe(4)
  })

  test('guesses do not push a remembered secret out', async () => {
    const { seen, attempt } = setUp({ max: 1 })
    await attempt('c', 'right')
    const guesses = await Promise.all(Array.from({ length: 20 }, (_, i) => attempt('c', `guess ${i}`)))
    expect(new Set(guesses)).toEqual(new Set(['secret_mismatch']))
    expect(seen.calls).toBe(21)
    expect(await attempt('c', 'right')).toBe('ok')
    expect(seen.calls).toBe(21)
  })

  test('equal attempts at once share one verification, whatever its outcome', async () => {
    const { seen, attempt } = setUp()
    const both = await Promise.all(Array.from({ length: 10 }, (_, i) => attempt('c', i % 2 === 0 ? 'right' : 'wrong')))
    expect(both).toEqual(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? 'ok' : 'secret_mismatch')))
    expect(seen.calls).toBe(2)
  })

  test('equal guesses at once at an unknown client share one too', async () => {
    const { seen, attempt } = setUp()
    await attempt('c', 'right')
    for (const id of ['c', 'nobody', 'nobody else']) {
      seen.calls = 0
      await Promise.all(Array.from({ length: 10 }, () => attempt(id, 'wrong')))
      expect([id, seen.calls]).toEqual([id, 1])
    }
    seen.calls = 0
    await Promise.all([attempt('nobody', 'wrong'), attempt('nobody else', 'wrong'), attempt('nobody', 'other')])
    expect(seen.calls).toBe(3)
  })

  test('at most two run at once', async () => {
    const { seen, attempt } = setUp()
    await Promise.all(Array.from({ length: 30 }, (_, i) => attempt(i % 3 === 0 ? 'c' : 'd', `guess ${i}`)))
    expect(seen).toEqual({ calls: 30, running: 0, most: 2 })
  })

  test('what is kept is a digest under a key of this process', async () => {
    const set = jest.spyOn(LRUCache.prototype, 'set')
    try {
      const stored = hashOf('right')
      for (let i = 0; i < 2; i++) {
        const { verify } = slowVerifier()
        await server(rememberSecrets(verify), { c: stored }).attempt('c', 'right')
      }
      const kept = set.mock.calls.map(([key, value]) => [key, value] as unknown[])
      expect(kept).toEqual([
        [expect.stringMatching(/^[\w+/]{43}=$/), true],
        [expect.stringMatching(/^[\w+/]{43}=$/), true]
      ])
      // The same secret and hash, another key
      expect(kept[0]![0]).not.toBe(kept[1]![0])
    } finally {
      set.mockRestore()
    }
  })
})

describe('when more wait than may', () => {
  /** Answers no guess before `release` is called. */
  function heldVerifier() {
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    let held = false
    const verify: VerifySecret = async (presented) => {
      if (held) await released
      return presented === 'right'
    }
    return { verify: rememberSecrets(verify), release, hold: () => (held = true) }
  }

  test('known and unknown clients get the same 503, and what is remembered is not forgotten', async () => {
    const { verify, release, hold } = heldVerifier()
    const { attempt, authenticate } = server(verify, { c: 'hash c', d: 'hash d' })
    expect(await attempt('c', 'right')).toBe('ok')
    hold()
    const waiting = Array.from({ length: 1002 }, (_, i) => attempt('c', `guess ${i}`))
    // The attempts reach the slow function in order: these two are the first too many
    const answers = await Promise.all(
      ['d', 'nobody'].map((id) =>
        authenticate({ headers: { authorization: basic(id, 'guess') } }).catch((error: unknown) => error)
      )
    )
    const facts = answers.map((error) => {
      const { reason, status, headers, message } = error as Record<string, unknown>
      return { reason, status, headers, message }
    })
    expect(facts[0]).toMatchObject({ reason: 'secret_verifier_busy', status: 503, headers: { 'Retry-After': '5' } })
    expect(facts[1]).toEqual(facts[0])
    expect(await attempt('c', 'right')).toBe('ok')
    release()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['secret_mismatch']))
    expect(await attempt('d', 'right')).toBe('ok')
  })

  test('a slow function that throws frees its place', async () => {
    const { attempt } = server(
      rememberSecrets(() => {
        throw new Error('broken')
      }),
      { c: 'hash' }
    )
    for (let i = 0; i < 5; i++) expect(await attempt('c', 'right')).toBe('broken')
  })
})

test.each<[name: string, verify: unknown, options: object, message: RegExp]>([
  ['no function', undefined, {}, /first argument must be a function/],
  ['max 0', () => true, { max: 0 }, /"max" must be/],
  ['ttl 0', () => true, { ttl: 0 }, /"ttl" must be/],
  ['a misspelt option', () => true, { tll: 5 }, /did you mean "ttl"/]
])('%s is a TypeError', (_name, verify, options, message) => {
  expect(() => rememberSecrets(verify as VerifySecret, options)).toThrow(message)
})

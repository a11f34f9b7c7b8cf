// rememberSecrets with real scrypt: who pays for the slow function, and what is remembered.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { randomBytes, scrypt, scryptSync, timingSafeEqual } from 'node:crypto'
import { setImmediate, setTimeout as wait } from 'node:timers/promises'
import { createClientAuthenticator, rememberSecrets, type OAuthClient, type VerifySecret } from '../../../lib'
import { basic, issuer } from '../../support/assertions'

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

  // Threat 11: told apart by equal guesses at once
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

  // Threat 29: whoever sees the cache tests guesses against it
  test('what is kept is a digest under a key of this process', async () => {
    const kept: unknown[][] = []
    const see = (message: unknown) => {
      const { op, key, value } = message as Record<string, unknown>
      if (op === 'set') kept.push([key, value])
    }
    subscribe('lru-cache:metrics', see)
    try {
      const stored = hashOf('right')
      for (let i = 0; i < 2; i++) {
        const { verify } = slowVerifier()
        await server(rememberSecrets(verify), { c: stored }).attempt('c', 'right')
      }
      expect(kept).toEqual([
        [expect.stringMatching(/^[\w+/]{43}=$/), expect.any(Number)],
        [expect.stringMatching(/^[\w+/]{43}=$/), expect.any(Number)]
      ])
      // The same secret and hash, another key
      expect(kept[0]![0]).not.toBe(kept[1]![0])
    } finally {
      unsubscribe('lru-cache:metrics', see)
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

  test('the latest of the id with the most get 503, known and unknown ids the same; others keep their place', async () => {
    const { verify, release, hold } = heldVerifier()
    const { attempt, authenticate } = server(verify, { c: 'hash c', d: 'hash d' })
    expect(await attempt('c', 'right')).toBe('ok')
    hold()
    const answers: Record<string, unknown>[] = []
    const flood = (id: string, count: number) =>
      Array.from({ length: count }, (_, i) =>
        authenticate({ headers: { authorization: basic(id, `guess ${i}`) } }).catch((error: unknown) => {
          const { reason, status, headers, message } = error as Record<string, unknown>
          if (status === 503) answers.push({ id, reason, status, headers, message })
        })
      )
    const waiting = flood('c', 1001)
    await setImmediate()
    expect(answers).toEqual([])
    waiting.push(...flood('nobody', 502))
    await setImmediate()
    // One of each runs, so 1,000 of the 1,501 others may wait: the latest of the longer list go first, then in turns.
    expect(answers).toHaveLength(501)
    const [known, unknown] = ['c', 'nobody'].map((id) => answers.find((answer) => answer.id === id))
    expect(known).toMatchObject({ reason: 'secret_verifier_busy', status: 503, headers: { 'Retry-After': '5' } })
    expect({ ...unknown, id: 'c' }).toEqual(known)
    const late = attempt('d', 'right')
    expect(await attempt('c', 'right')).toBe('ok')
    release()
    expect(await late).toBe('ok')
    await Promise.all(waiting)
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

describe('while verifications take their time', () => {
  const names = Array.from({ length: 10 }, (_, i) => `client ${i}`)
  const records = Object.fromEntries(
    ['remembered', 'attacked', 'attacked too', ...names].map((id) => [id, `hash of ${id}`])
  )
  /** Each verification that is started waits until `release` lets those go that have been started. */
  function heldVerifier() {
    const seen = { started: 0 }
    const held: (() => void)[] = []
    const verify: VerifySecret = (presented) => {
      seen.started++
      return new Promise((resolve) =>
        held.push(() => {
          resolve(presented === 'right')
        })
      )
    }
    const release = async () => {
      for (const go of held.splice(0)) go()
      await setImmediate()
    }
    /** Releases until the outcome is there. */
    const outcomeOf = async <T>(outcome: Promise<T>): Promise<T> => {
      const isThere = outcome.then(() => true)
      while (!(await Promise.race([isThere, release()]))) continue
      return outcome
    }
    return { verify: rememberSecrets(verify, { timeout: 60 }), seen, outcomeOf }
  }

  // Threat 28: guesses at many unknown ids, or at one client, starve all others
  test.each<[name: string, refused: string[], id: (i: number) => string]>([
    ['unknown ids', ['unknown_client'], (i) => `nobody ${i}`],
    ['one client', ['secret_mismatch'], () => 'attacked'],
    [
      'two clients and unknown ids', // more than run at once: they must not take turns among themselves
      ['secret_mismatch', 'unknown_client'],
      (i) => ['attacked', 'attacked too', `nobody ${i}`][i % 3] ?? ''
    ]
  ])(
    '1,002 guesses at %s: remembered clients are served at once, each other one within its turn',
    async (_name, refused, id) => {
      const { verify, seen, outcomeOf } = heldVerifier()
      const { attempt } = server(verify, records)
      expect(await outcomeOf(attempt('remembered', 'right'))).toBe('ok')
      const flood = Array.from({ length: 1002 }, (_, i) => attempt(id(i), `guess ${i}`))
      await setImmediate()
      const others = Promise.all(names.map((name) => attempt(name, 'right')))
      // While nothing is released
      for (let i = 0; i < 20; i++) expect(await attempt('remembered', 'right')).toBe('ok')
      const before = seen.started
      expect(new Set(await outcomeOf(others))).toEqual(new Set(['ok']))
      // One of each in turn: the ten others, unknown ids, the two that are attacked, and what began meanwhile
      expect(seen.started - before).toBeLessThanOrEqual(2 * names.length)
      const outcomes = new Set(await outcomeOf(Promise.all(flood)))
      expect(outcomes).toEqual(new Set(['secret_verifier_busy', ...refused]))
    }
  )

  test('alone, an unknown id costs as many verifications as a known one', async () => {
    const { verify, seen, outcomeOf } = heldVerifier()
    const { attempt } = server(verify, records)
    await outcomeOf(attempt('remembered', 'right'))
    for (const id of ['attacked', 'nobody']) {
      const before = seen.started
      await outcomeOf(attempt(id, 'guess'))
      expect([id, seen.started - before]).toEqual([id, 1])
    }
  })
})

describe('limits of time', () => {
  const never = new Promise<boolean>(() => undefined)
  const stuck = (options: { timeout?: number }) =>
    server(
      rememberSecrets((presented) => (presented === 'hang' ? never : presented === 'right'), options),
      { c: 'hash c', d: 'hash d', e: 'hash e' }
    )

  // Threat 28: verifications that never settle hold every place
  test('two verifications that never settle give their places back, and are answered with 503', async () => {
    const { attempt } = stuck({ timeout: 0.2 })
    const hanging = [attempt('c', 'hang'), attempt('d', 'hang')]
    expect(await attempt('e', 'right')).toBe('secret_verifier_busy') // its own wait is over as soon
    expect(await Promise.all(hanging)).toEqual(['secret_verifier_busy', 'secret_verifier_busy'])
    for (const id of ['c', 'd', 'e']) expect(await attempt(id, 'right')).toBe('ok')
  })

  test('what has waited for too long is refused, and is never started', async () => {
    const started: string[] = []
    const verify: VerifySecret = (presented) => {
      started.push(presented)
      return wait(150, false)
    }
    const { attempt } = server(rememberSecrets(verify, { timeout: 0.25 }), { c: 'hash' })
    const answers = await Promise.all(['1', '2', '3', '4'].map((guess) => attempt('c', guess)))
    expect(answers).toEqual(['secret_mismatch', 'secret_mismatch', 'secret_verifier_busy', 'secret_verifier_busy'])
    await wait(200)
    expect(started).toEqual(['1', '2'])
  })

  test('the limit is 5 s by default', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance'] })
    try {
      const answer = jest.fn()
      void stuck({}).attempt('c', 'hang').then(answer)
      await jest.advanceTimersByTimeAsync(4999)
      expect(answer).not.toHaveBeenCalled()
      await jest.advanceTimersByTimeAsync(1)
      expect(answer).toHaveBeenCalledWith('secret_verifier_busy')
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })
})

describe('the life of what is remembered', () => {
  let nowMs = 0
  /** lru-cache reads the clock once in a millisecond. */
  const pass = async (ms: number) => {
    nowMs += ms
    await wait(2)
  }
  beforeEach(() => {
    nowMs = 1000
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs)
  })
  afterEach(() => {
    jest.restoreAllMocks()
  })
  const setUp = () => {
    const { seen, verify } = slowVerifier()
    return { seen, ...server(rememberSecrets(verify, { ttl: 600 }), { c: hashOf('right') }) }
  }

  // Threat 28: a remembered secret expires in the midst of a flood
  test('each use renews it', async () => {
    const { seen, attempt } = setUp()
    for (let i = 0; i < 100; i++) {
      expect(await attempt('c', 'right')).toBe('ok')
      await pass(590_000)
    }
    expect(seen.calls).toBe(1)
    await pass(20_000)
    expect(await attempt('c', 'right')).toBe('ok')
    expect(seen.calls).toBe(2)
  })

  test('a day after its verification it costs again, however often it is used', async () => {
    const { seen, attempt } = setUp()
    for (const end = nowMs + 86_400_000; nowMs < end;) {
      await attempt('c', 'right')
      await pass(300_000)
    }
    expect(seen.calls).toBe(1)
    await attempt('c', 'right')
    expect(seen.calls).toBe(2)
  })
})

test.each<[name: string, verify: unknown, options: object, message: RegExp]>([
  ['no function', undefined, {}, /first argument must be a function/],
  ['max 0', () => true, { max: 0 }, /"max" must be/],
  ['ttl 0', () => true, { ttl: 0 }, /"ttl" must be/],
  ['timeout 0', () => true, { timeout: 0 }, /"timeout" must be/],
  ['a misspelt option', () => true, { tll: 5 }, /did you mean "ttl"/]
])('%s is a TypeError', (_name, verify, options, message) => {
  expect(() => rememberSecrets(verify as VerifySecret, options)).toThrow(message)
})

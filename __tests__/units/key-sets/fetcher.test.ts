import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createJwksFetcher } from '../../../lib/key-sets/fetcher'
import type { JwksFetcherOptions } from '../../../lib/key-sets/options'
import { answer, goodBody, goodKey, head } from '../../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { type Play, serveRaw, type TestServer } from '../../support/tls-server'

// Handshakes by the hundred, on machines that have other work too
jest.setTimeout(60_000)

const host = 'keys.client-app.net'
const hosts = [host, 'a.client-app.net', 'b.client-app.net', 'c.client-app.net']
let authority: Certificate
let server: TestServer
let uri: string
/** What the server does next, and each request that it has seen. */
let play: Play
let requests: string[]
const plays = new Map<string, Play>()

beforeAll(async () => {
  authority = await makeAuthority()
  server = await serveRaw(
    await makeCertificate(authority, { names: [...hosts, 'localhost', 'keys.localhost'] }),
    (path) => (socket, request) => {
      requests.push(request)
      const chosen = plays.get(path) ?? play
      chosen(socket, request)
    }
  )
  uri = `https://${host}:${server.port}/jwks`
})
afterAll(() => server.close())

/** Only the clocks (`Date` and `performance.now`) are made to obey: sockets, timers and handshakes are real. */
beforeEach(() => {
  const real = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'] as const
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: [...real, 'clearImmediate', 'nextTick', 'queueMicrotask', 'hrtime']
  })
  play = answer()
  requests = []
  plays.clear()
})
afterEach(() => {
  jest.useRealTimers()
})

/** Moves the monotonic clock and the system's clock. */
const pass = (seconds: number) => {
  jest.advanceTimersByTime(seconds * 1000)
}

const resolver = () => ({
  resolve4: () => Promise.resolve(['127.0.0.1']),
  resolve6: () => Promise.resolve([]),
  cancel: () => undefined
})

function makeFetcher(options: JwksFetcherOptions = {}) {
  const exception = { addresses: ['127.0.0.1'], ports: [server.port], ca: authority.cert }
  return createJwksFetcher({ hosts: Object.fromEntries(hosts.map((name) => [name, exception])), resolver, ...options })
}

/** How many attempts have ended. */
let ended: number
const countEnd = () => {
  ended++
}
beforeAll(() => {
  subscribe('oauth-client-auth:jwks', countEnd)
})
afterAll(() => unsubscribe('oauth-client-auth:jwks', countEnd))
beforeEach(() => {
  ended = 0
})

/** Nor is its end. */
async function attemptsEnded(count: number): Promise<void> {
  await requestsSeen(count)
  while (ended < count) await new Promise((done) => setTimeout(done, 10))
}

/** A refresh beside a request is not awaited by it. */
async function requestsSeen(count: number): Promise<void> {
  while (requests.length < count) await new Promise((done) => setTimeout(done, 5))
  expect(requests).toHaveLength(count)
}

/** A play that answers only when it is told to. */
function holding(answered: Play = answer()) {
  const waiting: (() => void)[] = []
  const held: Play = (socket, request) =>
    void waiting.push(() => {
      answered(socket, request)
    })
  return {
    held,
    release: () => {
      for (const go of waiting.splice(0)) go()
    }
  }
}

const withKids = (...kids: string[]): string => JSON.stringify({ keys: kids.map((kid) => ({ ...goodKey, kid })) })
const failing: Record<string, Play> = {
  'answers 500': answer('', {}, 500),
  'is down': (socket) => socket.destroy(),
  'publishes a private key': answer(JSON.stringify({ keys: [{ ...goodKey, d: 'x' }] })),
  'publishes no key set': answer('{}')
}

describe('freshness', () => {
  const table: [string, Record<string, string>, number][] = [
    ['max-age=5 is raised to minTtl', { 'cache-control': 'max-age=5' }, 60],
    ['max-age=120 counts', { 'cache-control': 'public, MAX-AGE=120, must-revalidate' }, 120],
    ['max-age of a year is cut to maxTtl', { 'cache-control': 'max-age=31536000' }, 86_400],
    ['no-store is raised to minTtl', { 'cache-control': 'no-store' }, 60],
    ['no-cache is raised to minTtl', { 'cache-control': 'no-cache, max-age=600' }, 60],
    ['Expires: 0 lies in the past', { expires: '0' }, 60],
    ['Expires that is garbage lies in the past', { expires: 'soon' }, 60],
    [
      'Expires counts from Date',
      { date: 'Sat, 21 Nov 2026 10:00:00 GMT', expires: 'Sat, 21 Nov 2026 10:05:00 GMT' },
      300
    ],
    [
      'Age is subtracted from Expires too',
      { date: 'Sat, 21 Nov 2026 10:00:00 GMT', expires: 'Sat, 21 Nov 2026 10:05:00 GMT', age: '100' },
      200
    ],
    ['max-age beats Expires', { 'cache-control': 'max-age=120', expires: '0' }, 120],
    ['an Age above max-age leaves minTtl', { 'cache-control': 'max-age=600', age: '99999' }, 60],
    [
      'numbers beyond all measure leave minTtl',
      { 'cache-control': `max-age=${'9'.repeat(400)}`, age: '9'.repeat(400) },
      60
    ],
    ['Age is subtracted', { 'cache-control': 'max-age=600', age: '200' }, 400],
    ['a malformed Age is ignored', { 'cache-control': 'max-age=600', age: '-200' }, 600],
    ['malformed directives are ignored', { 'cache-control': 'max-age=-1, max-age=1e9, max-age=abc' }, 600],
    ['s-maxage is not for a private cache', { 'cache-control': 's-maxage=61' }, 600],
    ['an answer without a word gets defaultTtl', {}, 600]
  ]
  test.each(table)('%s', async (_name, headers, seconds) => {
    play = answer(goodBody, headers)
    const fetcher = makeFetcher()
    const first = await fetcher.get(uri)
    pass(seconds - 0.1)
    expect(fetcher.cached(uri)).toBe(first)
    const { held, release } = holding(answer(withKids('later'), headers))
    play = held
    expect(await fetcher.get(uri)).toBe(first)
    await requestsSeen(2)
    pass(0.2)
    const next = fetcher.get(uri)
    release()
    expect(await next).not.toBe(first)
  })
})

describe('one set, one object', () => {
  test('while it is fresh, and after a refetch of the same keys', async () => {
    const fetcher = makeFetcher()
    const set = await fetcher.get(uri)
    expect(await fetcher.get(uri)).toBe(set)
    pass(601)
    play = answer(` ${goodBody}`)
    expect(await fetcher.get(uri)).toBe(set)
    expect(requests).toHaveLength(2)
  })

  test('after 304, which is asked for by the ETag and renews the freshness', async () => {
    const fetcher = makeFetcher()
    play = answer(goodBody, { etag: 'W/"v1"', 'cache-control': 'max-age=120' })
    const set = await fetcher.get(uri)
    play = (socket) => socket.write(head(304, {}))
    for (const times of [2, 3]) {
      pass(121)
      expect(await fetcher.get(uri)).toBe(set)
      expect(requests).toHaveLength(times)
      expect(requests.at(-1)).toMatch(/\r\nif-none-match: W\/"v1"\r\n/)
    }
  })

  test.each([`"${'x'.repeat(513)}"`, 'unquoted', '"a" "b"'])('an ETag like %.12s… is not kept', async (etag) => {
    const fetcher = makeFetcher()
    play = answer(goodBody, { etag })
    await fetcher.get(uri)
    pass(601)
    await fetcher.get(uri)
    expect(requests[1]).not.toMatch(/if-none-match/i)
  })

  // Threat 7: sets merged so that revoked keys live on (GHSA-675f-rq2r-jw82)
  test('a new set replaces the old one whole', async () => {
    const fetcher = makeFetcher()
    play = answer(withKids('old', 'both'))
    await fetcher.get(uri)
    pass(601)
    play = answer(withKids('both', 'new'))
    expect((await fetcher.get(uri)).keys.map(({ kid }) => kid)).toEqual(['both', 'new'])
  })
})

describe('single flight', () => {
  test('1,000 first uses at once make one fetch', async () => {
    const fetcher = makeFetcher()
    const sets = await Promise.all(Array.from({ length: 1000 }, () => fetcher.get(uri)))
    expect(new Set(sets).size).toBe(1)
    expect(server.connections > 0 && requests.length).toBe(1)
  })

  test('1,000 first uses of a failing server at once make one attempt', async () => {
    const fetcher = makeFetcher()
    play = answer('', {}, 500)
    const settled = await Promise.allSettled(Array.from({ length: 1000 }, () => fetcher.get(uri)))
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true)
    expect(requests).toHaveLength(1)
  })

  test('a failure that cost little rests for the cool-down alone, however short it is', async () => {
    const fetcher = makeFetcher({ cooldown: 0.2 })
    play = answer('', {}, 500)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    pass(0.3)
    play = answer()
    expect((await fetcher.get(uri)).keys).toHaveLength(1)
  })

  test('1,000 uses of an expired set at once make one fetch', async () => {
    const fetcher = makeFetcher()
    await fetcher.get(uri)
    pass(601)
    await Promise.all(Array.from({ length: 1000 }, () => fetcher.get(uri)))
    expect(requests).toHaveLength(2)
  })
})

describe('unknown keys', () => {
  const flood = (fetcher: ReturnType<typeof makeFetcher>) =>
    Promise.all(Array.from({ length: 1000 }, () => fetcher.get(uri, { refresh: true })))

  test('1,000 of them make no fetch within the cool-down of the first load, and one after it', async () => {
    const fetcher = makeFetcher()
    const set = await fetcher.get(uri)
    pass(29)
    for (const answered of await flood(fetcher)) expect(answered).toBe(set)
    expect(requests).toHaveLength(1)
    pass(1)
    await flood(fetcher)
    await flood(fetcher)
    expect(requests).toHaveLength(2)
    pass(29)
    await flood(fetcher)
    expect(requests).toHaveLength(2)
  })

  test.each(Object.entries(failing))(
    'while the server %s they make one attempt, and known keys are served',
    async (_name, play_) => {
      const fetcher = makeFetcher()
      const set = await fetcher.get(uri)
      pass(31)
      play = play_
      for (let i = 0; i < 3; i++) for (const answered of await flood(fetcher)) expect(answered).toBe(set)
      expect(requests).toHaveLength(2)
      expect(await fetcher.get(uri)).toBe(set)
      pass(31)
      await flood(fetcher)
      expect(requests).toHaveLength(3)
    }
  )

  test('a refresh that hangs keeps nobody waiting who asks for known keys', async () => {
    const fetcher = makeFetcher()
    const set = await fetcher.get(uri)
    pass(31)
    const { held, release } = holding()
    play = held
    const refreshing = fetcher.get(uri, { refresh: true })
    await requestsSeen(2)
    expect(await fetcher.get(uri)).toBe(set)
    release()
    expect(await refreshing).toBe(set)
  })

  test('the cool-down counts from the attempt, not from its end', async () => {
    const fetcher = makeFetcher()
    play = (socket, request) => {
      pass(20)
      answer()(socket, request)
    }
    await fetcher.get(uri)
    pass(11)
    await fetcher.get(uri, { refresh: true })
    expect(requests).toHaveLength(2)
  })

  test('a key published a minute ago works', async () => {
    const fetcher = makeFetcher()
    play = answer(withKids('old'), { 'cache-control': 'max-age=86400' })
    await fetcher.get(uri)
    pass(60)
    play = answer(withKids('old', 'new'))
    const { keys } = await fetcher.get(uri, { refresh: true })
    expect(keys.map(({ kid }) => kid)).toEqual(['old', 'new'])
  })

  test('a key removed stops working once its set is no longer fresh', async () => {
    const fetcher = makeFetcher()
    play = answer(withKids('good', 'revoked'), { 'cache-control': 'max-age=300' })
    await fetcher.get(uri)
    play = answer(withKids('good'))
    pass(301)
    expect((await fetcher.get(uri)).keys.map(({ kid }) => kid)).toEqual(['good'])
  })
})

describe('a refresh that fails', () => {
  test.each(Object.entries(failing))(
    'because the server %s keeps the old set for staleIfError and no longer',
    async (_name, play_) => {
      const fetcher = makeFetcher()
      const set = await fetcher.get(uri)
      play = play_
      pass(601)
      expect(await fetcher.get(uri)).toBe(set)
      expect(await fetcher.get(uri)).toBe(set)
      expect(requests).toHaveLength(2)
      pass(3598)
      expect(await fetcher.get(uri)).toBe(set)
      pass(2)
      await expect(fetcher.get(uri)).rejects.toMatchObject({ name: 'KeySetError' })
    }
  )

  test('late is not saved by an attempt that began while the set could still serve', async () => {
    const fetcher = makeFetcher()
    await fetcher.get(uri)
    pass(4199)
    play = (socket, request) => {
      pass(2)
      answer('', {}, 500)(socket, request)
    }
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
  })

  test('recovers with the next attempt', async () => {
    const fetcher = makeFetcher()
    await fetcher.get(uri)
    pass(601)
    play = answer('', {}, 500)
    await fetcher.get(uri)
    pass(31)
    play = answer(withKids('next'))
    expect((await fetcher.get(uri)).keys[0]?.kid).toBe('next')
  })

  describe.each([404, 410])('with %d', (status) => {
    const gone = answer(goodBody, {}, status)
    const withdrawn = { why: 'withdrawn' }

    test('withdraws a set that is no longer fresh at once, for the cool-down', async () => {
      const fetcher = makeFetcher()
      await fetcher.get(uri)
      pass(601)
      play = gone
      await expect(fetcher.get(uri)).rejects.toMatchObject(withdrawn)
      await expect(fetcher.get(uri)).rejects.toMatchObject(withdrawn)
      expect(requests).toHaveLength(2)
      pass(31)
      play = answer()
      expect((await fetcher.get(uri)).keys).toHaveLength(1)
    })

    // Threat 21: one 404 at a moment that a stranger chose
    test('withdraws a fresh set only the second time, a cool-down later', async () => {
      const fetcher = makeFetcher()
      const set = await fetcher.get(uri)
      pass(31)
      play = gone
      expect(await fetcher.get(uri, { refresh: true })).toBe(set)
      pass(29)
      expect(await fetcher.get(uri, { refresh: true })).toBe(set)
      expect(requests).toHaveLength(2)
      pass(1)
      await expect(fetcher.get(uri, { refresh: true })).rejects.toMatchObject(withdrawn)
      await expect(fetcher.get(uri)).rejects.toMatchObject(withdrawn)
      expect(requests).toHaveLength(3)
    })

    test('is forgotten after a good answer', async () => {
      const fetcher = makeFetcher()
      const set = await fetcher.get(uri)
      for (const next of [gone, answer(), gone]) {
        pass(31)
        play = next
        expect(await fetcher.get(uri, { refresh: true })).toBe(set)
      }
      expect(requests).toHaveLength(4)
    })

    test('ahead of the end and by an unknown key right after it withdraws nothing', async () => {
      const fetcher = makeFetcher()
      const set = await fetcher.get(uri)
      pass(545)
      play = gone
      await fetcher.get(uri)
      await requestsSeen(2)
      pass(29)
      // The first ones may still share the refresh ahead
      while (requests.length < 3) {
        expect(await fetcher.get(uri, { refresh: true })).toBe(set)
        await new Promise((done) => setTimeout(done, 10))
      }
      expect(requests).toHaveLength(3)
      expect(await fetcher.get(uri)).toBe(set)
    })
  })
})

describe('refresh ahead', () => {
  const newer = answer(withKids('newer'))
  const kidsOf = ({ keys }: { keys: { kid?: string | undefined }[] }) => keys.map(({ kid }) => kid)

  test.each([
    ['in the last tenth of a short freshness', 120, 108],
    ['in the last minute of a long one', 86_400, 86_340]
  ])('begins %s, and no request waits for it', async (_name, lifetime, from) => {
    const fetcher = makeFetcher()
    play = answer(goodBody, { 'cache-control': `max-age=${lifetime}` })
    const set = await fetcher.get(uri)
    pass(from - 0.1)
    await fetcher.get(uri)
    await new Promise((done) => setTimeout(done, 200)) // long enough for a request to arrive
    expect(requests).toHaveLength(1)
    pass(0.2)
    const { held, release } = holding(newer)
    play = held
    for (let i = 0; i < 10; i++) expect(await fetcher.get(uri)).toBe(set)
    await requestsSeen(2)
    release()
    while ((await fetcher.get(uri)) === set) await new Promise((done) => setTimeout(done, 5))
    expect(kidsOf(await fetcher.get(uri))).toEqual(['newer'])
    expect(requests).toHaveLength(2)
  })

  test('renews the freshness from its own start', async () => {
    const fetcher = makeFetcher()
    const set = await fetcher.get(uri)
    pass(550)
    await fetcher.get(uri)
    await requestsSeen(2)
    pass(539)
    expect(await fetcher.get(uri)).toBe(set)
    expect(requests).toHaveLength(2)
  })

  test('that hangs lets nothing be served past its time', async () => {
    const fetcher = makeFetcher()
    await fetcher.get(uri)
    pass(550)
    const { held, release } = holding(newer)
    play = held
    await fetcher.get(uri)
    await requestsSeen(2)
    pass(51)
    const late = fetcher.get(uri)
    release()
    expect(kidsOf(await late)).toEqual(['newer'])
    expect(requests).toHaveLength(2)
  })

  test('that fails is not repeated, and starts no cool-down: at the end there is another attempt', async () => {
    const fetcher = makeFetcher()
    const set = await fetcher.get(uri)
    pass(595)
    play = answer('', { 'retry-after': '300' }, 500)
    for (let i = 0; i < 3; i++) expect(await fetcher.get(uri)).toBe(set)
    await attemptsEnded(2)
    pass(4)
    expect(await fetcher.get(uri)).toBe(set)
    play = newer
    pass(1)
    expect(kidsOf(await fetcher.get(uri))).toEqual(['newer'])
    expect(requests).toHaveLength(3)
  })

  test('starts no cool-down for a key that is published right after it', async () => {
    const fetcher = makeFetcher()
    const set = await fetcher.get(uri)
    pass(550)
    await fetcher.get(uri)
    await attemptsEnded(2)
    expect(fetcher.cached(uri)).toBe(set)
    play = newer
    expect(kidsOf(await fetcher.get(uri, { refresh: true }))).toEqual(['newer'])
  })
})

describe('a step of the system clock', () => {
  const step = (seconds: number) => {
    jest.setSystemTime(Date.now() + seconds * 1000)
  }
  const twoDays = 172_800

  // Threat 25: a set fetched while the clock was ahead keeps a revoked key
  test('back by two days keeps no revoked key: freshness ends in its time', async () => {
    const fetcher = makeFetcher()
    await fetcher.get(uri)
    step(-twoDays)
    play = answer(withKids('after'))
    pass(601)
    expect((await fetcher.get(uri)).keys.map(({ kid }) => kid)).toEqual(['after'])
  })

  test.each([-twoDays, twoDays])('by %d s lets a stale set serve no longer and no shorter', async (seconds) => {
    const fetcher = makeFetcher()
    const set = await fetcher.get(uri)
    play = answer('', {}, 500)
    pass(601)
    step(seconds)
    expect(await fetcher.get(uri)).toBe(set)
    pass(3590)
    expect(await fetcher.get(uri)).toBe(set)
    pass(10)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
  })

  test('back by two days does not lengthen the memory of a failure', async () => {
    const fetcher = makeFetcher()
    play = answer('', {}, 500)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    step(-twoDays)
    play = answer()
    pass(31)
    expect((await fetcher.get(uri)).keys).toHaveLength(1)
  })
})

describe('a set that is handed out', () => {
  test('cannot be edited', async () => {
    const set = await makeFetcher().get(uri)
    expect(() => set.keys.push({ kty: 'EC' })).toThrow(TypeError)
    expect(() => {
      set.keys = []
    }).toThrow(TypeError)
    expect(() => Object.assign(set.keys[0]!, { kid: 'other' })).toThrow(TypeError)
  })

  test('is found by cached() while it may serve, without a fetch', async () => {
    const fetcher = makeFetcher()
    expect(fetcher.cached(uri)).toBeUndefined()
    const set = await fetcher.get(uri)
    expect(fetcher.cached(uri)).toBe(set)
    pass(4199)
    expect(fetcher.cached(uri)).toBe(set)
    pass(2)
    expect(fetcher.cached(uri)).toBeUndefined()
    expect(requests).toHaveLength(1)
  })

  test('by cached() does not count as used', async () => {
    const fetcher = makeFetcher({ maxEntries: 2 })
    await fetcher.get(`${uri}/a`)
    await fetcher.get(`${uri}/b`)
    fetcher.cached(`${uri}/a`)
    await fetcher.get(`${uri}/c`)
    expect(fetcher.cached(`${uri}/a`)).toBeUndefined()
    expect(fetcher.cached(`${uri}/b`)).toBeDefined()
  })
})

describe('a first load that fails', () => {
  test('is remembered for the cool-down only', async () => {
    const fetcher = makeFetcher()
    play = answer('', {}, 500)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    play = answer()
    pass(29)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    expect(requests).toHaveLength(1)
    pass(2)
    expect((await fetcher.get(uri)).keys).toHaveLength(1)
  })

  test('counts from the attempt, not from its end', async () => {
    const fetcher = makeFetcher()
    play = (socket, request) => {
      pass(20)
      answer('', {}, 500)(socket, request)
    }
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    pass(11)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    expect(requests).toHaveLength(2)
  })

  const waits: [string, number][] = [
    ['1', 30],
    ['120', 120],
    ['86400', 300],
    ['-5', 30],
    ['soon', 30],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 300]
  ]
  test.each(waits)('with Retry-After: %s is remembered for %d s', async (value, seconds) => {
    const fetcher = makeFetcher()
    play = answer('', { 'retry-after': value }, 429)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    pass(seconds - 1)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    expect(requests).toHaveLength(1)
    pass(2)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    expect(requests).toHaveLength(2)
  })
})

describe('a fetch in this process that holds the event loop', () => {
  // Published by Node while it works on what has arrived
  const holdFor = (seconds: number) => {
    const hold = () => {
      pass(seconds)
    }
    subscribe('http.client.response.finish', hold)
    return () => unsubscribe('http.client.response.finish', hold)
  }

  // Threat 17: expensive chains within 16 KiB, again and again
  test.each([
    [0.1, 100],
    [60, 60_000],
    [90, 86_400]
  ])('for %d s and fails is not repeated for %d s', async (seconds, rest) => {
    const fetcher = makeFetcher({ inProcess: true })
    play = answer('', {}, 500)
    const release = holdFor(seconds)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    release()
    pass(rest - seconds - 1)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    expect(requests).toHaveLength(1)
    pass(1.1)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'status' })
    expect(requests).toHaveLength(2)
  })

  test('and succeeds is kept like any other', async () => {
    const fetcher = makeFetcher({ inProcess: true })
    const release = holdFor(0.1)
    await fetcher.get(uri)
    release()
    pass(31)
    play = answer(withKids('new'))
    expect((await fetcher.get(uri, { refresh: true })).keys.map(({ kid }) => kid)).toEqual(['new'])
  })
})

describe('crowds', () => {
  // Threat 7: good sets pushed out by hostile ones
  test('hostile URIs push no good set out, nor its cool-down', async () => {
    const fetcher = makeFetcher({ maxEntries: 3 })
    const set = await fetcher.get(uri)
    play = answer('', {}, 500)
    await Promise.all(Array.from({ length: 200 }, (_, i) => fetcher.get(`${uri}/${i}`).catch(() => undefined)))
    requests = []
    expect(await fetcher.get(uri, { refresh: true })).toBe(set)
    expect(requests).toEqual([])
  })

  test('sets that take more than 64 MiB together push out the least recently used', async () => {
    const fetcher = makeFetcher({ maxBytes: 1_048_576, timeout: 60 })
    play = answer(withKids('k'.repeat(1_000_000))) // 2 MB each, since a text may need two octets a character
    const paths = Array.from({ length: 36 }, (_, i) => `${uri}/${i}`)
    for (const path of paths) await fetcher.get(path)
    const kept = paths.filter((path) => fetcher.cached(path) !== undefined)
    expect(kept).toEqual(paths.slice(-kept.length))
    expect(kept.length).toBeGreaterThan(30)
    expect(kept.length).toBeLessThan(paths.length)
  })

  test('no more sets are kept than maxEntries', async () => {
    const fetcher = makeFetcher({ maxEntries: 2 })
    for (const path of ['a', 'b', 'c', 'b', 'c', 'a']) await fetcher.get(`${uri}/${path}`)
    expect(requests).toHaveLength(4)
  })

  test('at most maxConcurrentPerHost fetches are under way per host, and maxConcurrent in all', async () => {
    const held: { name: string; release: () => void }[] = []
    play = (socket, request) => {
      const name = /^host: ([^:]*)/im.exec(request)?.[1] ?? ''
      held.push({
        name,
        release: () => {
          answer()(socket, request)
        }
      })
    }
    const fetcher = makeFetcher({ maxConcurrent: 5, maxConcurrentPerHost: 2, timeout: 30 })
    const gets = hosts.flatMap((name) => [1, 2, 3, 4].map((i) => fetcher.get(`https://${name}:${server.port}/${i}`)))
    while (held.length < 5) await new Promise((done) => setTimeout(done, 5))
    await new Promise((done) => setTimeout(done, 100))
    expect(held).toHaveLength(5)
    for (const name of hosts) expect(held.filter((one) => one.name === name).length).toBeLessThanOrEqual(2)
    play = answer()
    for (const { release } of held) release()
    expect(await Promise.all(gets)).toHaveLength(16)
  })

  test('the time in the queue counts toward the deadline', async () => {
    const fetcher = makeFetcher({ maxConcurrent: 1, timeout: 0.3 })
    play = () => undefined
    const gets = [1, 2, 3].map((i) => fetcher.get(`${uri}/${i}`).catch((error: unknown) => error))
    // Those that wait are never started: their time is over before the first one's
    expect(await Promise.all(gets)).toMatchObject([{ why: 'timeout' }, { why: 'busy' }, { why: 'busy' }])
  })

  test('who found no turn in half of the time may try again at once', async () => {
    const fetcher = makeFetcher({ maxConcurrent: 1 })
    const { held, release } = holding()
    play = held
    const slow = fetcher.get(`${uri}/slow`)
    await requestsSeen(1)
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why: 'busy' })
    release()
    expect((await slow).keys).toHaveLength(1)
    play = answer()
    pass(0.01)
    expect((await fetcher.get(uri)).keys).toHaveLength(1)
  })

  test('a first load that a crowd pushes out of memory still serves its callers', async () => {
    const fetcher = makeFetcher({ maxEntries: 1 })
    const sets = await Promise.all([1, 2, 3, 4].map((i) => fetcher.get(`${uri}/${i}`)))
    expect(sets.map(({ keys }) => keys.length)).toEqual([1, 1, 1, 1])
  })

  // Threat 21: unknown `kid`s of a host's tenants keep first loads waiting
  test('unknown keys of many tenants of one host keep no first load waiting', async () => {
    const fetcher = makeFetcher({ timeout: 30 })
    const tenants = Array.from({ length: 60 }, (_, i) => `${uri}/tenant-${i}`)
    for (const tenant of tenants) await fetcher.get(tenant)
    pass(31)
    const { held, release } = holding()
    for (const tenant of tenants) plays.set(new URL(tenant).pathname, held)
    const refreshes = Promise.all(tenants.map((tenant) => fetcher.get(tenant, { refresh: true })))
    // While every refresh that has begun is held
    const loads = await Promise.allSettled(Array.from({ length: 15 }, (_, i) => fetcher.get(`${uri}/cold-${i}`)))
    expect(loads.filter(({ status }) => status === 'fulfilled')).toHaveLength(15)
    plays.clear()
    release()
    expect(await refreshes).toHaveLength(60)
  })

  test('a set that is no longer fresh goes before first loads in the queue', async () => {
    const fetcher = makeFetcher({ maxConcurrent: 1, timeout: 30 })
    await fetcher.get(uri)
    pass(601)
    const order: string[] = []
    const strangers = [1, 2, 3].map((i) => fetcher.get(`${uri}/${i}`).then(() => order.push('stranger')))
    const known = fetcher.get(uri).then(() => order.push('known'))
    await Promise.all([...strangers, known])
    expect(order.indexOf('known')).toBe(1)
  })
})

describe('events', () => {
  const seen: Record<string, unknown>[] = []
  const listener = (message: unknown) => {
    seen.push(message as Record<string, unknown>)
  }
  beforeEach(() => {
    seen.length = 0
    subscribe('oauth-client-auth:jwks', listener)
  })
  afterEach(() => unsubscribe('oauth-client-auth:jwks', listener))

  test('tell what became of each attempt', async () => {
    const fetcher = makeFetcher()
    play = answer(goodBody, { etag: '"1"' })
    await fetcher.get(uri)
    pass(601)
    play = (socket) => socket.write(head(304, {}))
    await fetcher.get(uri)
    pass(601)
    play = answer(withKids('a', 'b'))
    await fetcher.get(uri)
    play = answer('', {}, 500)
    pass(31)
    await fetcher.get(uri, { refresh: true })
    pass(601)
    await fetcher.get(uri)
    pass(3601)
    await fetcher.get(uri).catch(() => undefined)
    await fetcher.get('https://localhost/').catch(() => undefined)
    const usual = { uri, host, durationMs: expect.any(Number) as number }
    const failed = (words: string): unknown =>
      expect.objectContaining({ name: 'KeySetError', message: expect.stringContaining(words) as string })
    expect(seen).toEqual([
      { event: 'fetched', ...usual, keys: 1 },
      { event: 'not_modified', ...usual, keys: 1 },
      { event: 'refreshed', ...usual, keys: 2 },
      { event: 'refused', ...usual, why: 'status', error: failed('answered 500') },
      { event: 'stale', ...usual, why: 'status', error: failed('answered 500') },
      { event: 'refused', ...usual, why: 'status', error: failed('answered 500') },
      {
        event: 'refused',
        ...usual,
        uri: 'https://localhost/',
        host: 'localhost',
        why: 'host',
        error: failed('has no dot')
      }
    ])
  })

  test('tell of a published private key, but not the key', async () => {
    play = answer(JSON.stringify({ keys: [{ ...goodKey, d: 'hush-hush' }] }))
    await expect(makeFetcher().get(uri)).rejects.toThrow('private')
    expect(seen).toMatchObject([{ event: 'refused', why: 'private_key' }])
    expect(JSON.stringify(seen)).not.toContain('hush')
  })
})

describe('options', () => {
  const bad: [unknown, RegExp][] = [
    [null, /options must be an object/],
    [{ ttl: 5 }, /unknown option "ttl"/],
    [{ maxTTL: 5 }, /did you mean "maxTtl"/],
    [{ timeout: 0 }, /option "timeout" must be a number of seconds/],
    [{ timeout: Infinity }, /option "timeout"/],
    [{ timeout: NaN }, /option "timeout"/],
    [{ timeout: '5' }, /option "timeout"/],
    [{ minTtl: 100, maxTtl: 10 }, /"minTtl" must not exceed "maxTtl"/],
    [{ maxEntries: 0 }, /option "maxEntries"/],
    [{ maxKeys: 1.5 }, /option "maxKeys"/],
    [{ resolver: {} }, /option "resolver" must be a function/],
    [{ denyAddresses: '10.0.0.0/8' }, /option "denyAddresses" must be an array of CIDRs/],
    [{ denyAddresses: ['10.0.0.0/33'] }, /option "denyAddresses"/],
    [{ denyAddresses: ['10.1'] }, /option "denyAddresses"/],
    [{ denyAddresses: ['fe80::1%eth0'] }, /option "denyAddresses"/],
    [{ hosts: [] }, /option "hosts" must be an object/],
    [{ hosts: { '10.0.0.1': {} } }, /hosts\["10\.0\.0\.1"\]: .*no IP address/],
    [{ hosts: { 'keys.corp:8443': {} } }, /hosts\["keys\.corp:8443"\]: .*without port/],
    [{ hosts: { 'Keys.corp': {} } }, /lower-case/],
    [{ hosts: { '*.corp': {} } }, /host name/],
    [{ hosts: { 'keys.corp': null } }, /hosts\["keys\.corp"\]: options must be an object, not null/],
    [{ hosts: { 'keys.corp': { port: [1] } } }, /hosts\["keys\.corp"\]: unknown option "port"; did you mean "ports"/],
    [{ hosts: { 'keys.corp': { ports: [0] } } }, /hosts\["keys\.corp"\]: option "ports"/],
    [{ hosts: { 'keys.corp': { addresses: ['all'] } } }, /hosts\["keys\.corp"\]: option "addresses"/],
    [{ hosts: { 'keys.corp': { ca: 5 } } }, /hosts\["keys\.corp"\]: option "ca"/]
  ]
  test.each(bad)('%j are refused', (options, message) => {
    const make = () => createJwksFetcher(options as JwksFetcherOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  test('undefined means absent', async () => {
    const undefinedOptions = { timeout: undefined, maxEntries: undefined, denyAddresses: undefined }
    expect((await makeFetcher(undefinedOptions as unknown as JwksFetcherOptions).get(uri)).keys).toHaveLength(1)
  })

  test('a named host is freed from the rules on names, not from the others', () => {
    const fetcher = createJwksFetcher({ hosts: { localhost: {}, 'keys.corp': { ports: [8443] } } })
    const check = (text: string) => () => {
      fetcher.check(text)
    }
    for (const text of ['https://localhost/', 'https://keys.corp:8443/', 'https://public.example.com/'])
      expect(check(text)).not.toThrow()
    for (const text of [
      'https://localhost:8443/',
      'https://keys.corp/',
      'http://localhost/',
      'https://u@localhost/',
      'https://x.localhost/'
    ]) {
      expect(check(text)).toThrow()
    }
  })

  test.each([
    ['an address outside of the ranges', ['10.1.2.0/24'], [], 'address'],
    ['a denied address within them', ['127.0.0.0/8'], ['127.0.0.1'], 'address'],
    ['a private address where no ranges are named', undefined, [], 'address']
  ])('%s is refused for a named host too', async (_name, addresses, denyAddresses, why) => {
    const exception = { ports: [server.port], ...(addresses && { addresses }) }
    const fetcher = createJwksFetcher({ hosts: { [host]: exception }, resolver, denyAddresses })
    await expect(fetcher.get(uri)).rejects.toMatchObject({ why })
    expect(requests).toEqual([])
  })

  // RFC 6761 §6.3: DNS need not know the name
  test.each(['localhost', 'keys.localhost'])(
    '%s is this machine, where hosts names it with its addresses',
    async (name) => {
      const exception = { addresses: ['127.0.0.0/8'], ports: [server.port], ca: authority.cert }
      const fetcher = createJwksFetcher({ hosts: { [name]: exception } })
      expect((await fetcher.get(`https://${name}:${server.port}/`)).keys).toHaveLength(1)
    }
  )

  test('localhost is fetched from no address that is not named', async () => {
    const exception = { addresses: ['192.0.2.0/24'], ports: [server.port], ca: authority.cert }
    const fetcher = createJwksFetcher({ hosts: { localhost: exception }, timeout: 2 })
    await expect(fetcher.get(`https://localhost:${server.port}/`)).rejects.toMatchObject({
      why: expect.stringMatching(/dns|address|timeout/) as string
    })
    expect(requests).toEqual([])
  })
})

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import connectApp from 'connect'
import express from 'express'
import { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import { clientAuth, createBrake, type BrakeEvent, type BrakeOptions, type RejectedEvent } from '../../../lib'
import { assertionForm, basic, issuer, keyAssertion, makeKey, secretAssertion } from '../../support/assertions'
import { atOnce, brakedApp, countStatuses, inTurn, memory, run, send, type Sent } from '../../support/braked-server'
import { freePort } from '../../support/own-servers'
import { byKey, byPost, key, only, secret, shop } from '../../support/three-clients'

/** Slow enough that a thousand requests are under way before the first is answered. */
const slowly = async <T>(value: T): Promise<T> => {
  await wait(200)
  return value
}

const statusesOf = (answers: readonly { status: number }[]) => answers.map(({ status }) => status)

describe('how many attempts are heard', () => {
  // Threat 18: a limit that refuses right requests, or that a thousand guesses at once outrun
  test('1,000 right requests at once, with a slow look-up: all of them, and then again', async () => {
    const app = brakedApp({ options: { getClient: (id) => slowly(id === 'web-shop' ? shop : undefined) } })
    const { guess, close } = await run(app)
    expect(countStatuses(await atOnce(1000, () => guess('web-shop', secret)))).toEqual({ 200: 1000 })
    expect(countStatuses(await atOnce(50, () => guess('web-shop', secret)))).toEqual({ 200: 50 })
    close()
  })

  test('six wrong secrets one after the other: the sixth is not, and neither is then the right one', async () => {
    const { guess, close } = await run(brakedApp({}, shop, byPost))
    const answers = await inTurn(6, (index) => guess('web-shop', `wrong ${index}`))
    expect(statusesOf(answers)).toEqual([401, 401, 401, 401, 401, 429])
    const last = await guess('web-shop', secret)
    expect(last.reason).toBe('too_many_failures')
    expect(JSON.parse(last.body)).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'Too many failed attempts. Try again later.'
    })
    expect(last.headers['retry-after']).toMatch(/^(60|[1-5]?\d)$/)
    expect(last.headers['cache-control']).toBe('no-store')
    close()
  })

  test.each([
    ['of a client that was never seen', false],
    ['of a client that has just been let in', true]
  ])('1,000 wrong secrets at once, %s: the limit and a few', async (_name, isProven) => {
    let verified = 0
    const verifySecret = async (presented: string, stored: string) => {
      verified++
      return slowly(presented === stored)
    }
    const { guess, close } = await run(brakedApp({ options: { verifySecret } }, shop))
    if (isProven) expect((await guess('web-shop', secret)).status).toBe(200)
    verified = 0
    const counts = countStatuses(await atOnce(1000, (index) => guess('web-shop', `wrong ${index}`)))
    expect(verified).toBeGreaterThanOrEqual(5)
    expect(verified).toBeLessThanOrEqual(5 + 4)
    expect(counts).toEqual({ 401: verified, 429: 1000 - verified })
    close()
  })

  test('1,000 ids that nobody has, from one address at once: the limit of the address and a few', async () => {
    let lookedUp = 0
    const getClient = () => {
      lookedUp++
      return slowly(undefined)
    }
    const { guess, close } = await run(brakedApp({ brake: { addressLimit: 20 }, options: { getClient } }))
    const counts = countStatuses(await atOnce(1000, (index) => guess(`nobody-${index}`, 'x')))
    expect(lookedUp).toBeLessThanOrEqual(20 + 16)
    expect(counts).toEqual({ 401: lookedUp, 429: 1000 - lookedUp })
    close()
  })

  test('four at first, three more for each that comes through, and four again once one has failed', async () => {
    const held: { presented: string; release: () => void }[] = []
    const verifySecret = async (presented: string) => {
      if (/^(right|wrong)$/.test(presented)) await new Promise<void>((release) => held.push({ presented, release }))
      return presented === 'right'
    }
    const { guess, close } = await run(brakedApp({ options: { verifySecret } }, shop))
    const send = (count: number, presented: string) => Array.from({ length: count }, () => guess('web-shop', presented))
    /** Another client is answered: what could be started before has been. */
    const settle = () => inTurn(2, () => guess('nobody', 'x'))
    const release = (which: (presented: string) => boolean) => {
      for (const one of held.filter(({ presented }) => which(presented))) one.release()
    }
    const answers = send(4, 'right')
    for (let round = 0; held.length < 4 && round < 50; round++) await settle()
    const [wrong] = send(1, 'wrong')
    answers.push(...send(11, 'right'))
    await settle()
    answers.push(...send(10, 'right'))
    await settle()
    expect(held).toHaveLength(4)
    release(() => true)
    for (let round = 0; held.length < 4 + 16 && round < 50; round++) await settle()
    await settle()
    expect(held).toHaveLength(4 + 16)
    release((presented) => presented === 'wrong')
    expect((await wrong)?.status).toBe(401)
    await settle()
    expect(held).toHaveLength(4 + 16) // fifteen are under way, so nobody comes in their place
    const releasing = setInterval(() => {
      release(() => true)
    }, 5)
    await Promise.all(answers)
    clearInterval(releasing)
    close()
  })

  test('while one has failed, what finds no place within a second is told to try again', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const verifySecret = async (presented: string) => {
      if (presented === 'held') await held
      return presented === secret
    }
    const { guess, close } = await run(brakedApp({ options: { verifySecret } }, shop))
    const first = [guess('web-shop', 'held'), guess('web-shop', 'held'), guess('web-shop', 'held')]
    await guess('web-shop', 'wrong')
    const fourth = guess('web-shop', 'held')
    const late = await guess('web-shop', secret)
    expect([late.status, late.headers['retry-after']]).toEqual([429, '1'])
    release?.()
    expect(statusesOf(await Promise.all([...first, fourth]))).toEqual([401, 401, 401, 401])
    expect((await guess('web-shop', secret)).status).toBe(429) // the fifth has failed
    close()
  })

  test('however many come through, no more than 256 run at once', async () => {
    const held: (() => void)[] = []
    const verifySecret = async (presented: string) => {
      if (presented === 'held') await new Promise<void>((release) => held.push(release))
      return presented === secret
    }
    const { guess, close } = await run(brakedApp({ options: { verifySecret } }, shop))
    const first = guess('web-shop', 'held') // as long as one is under way, what came through is remembered
    while (held.length < 1) await wait(5)
    await inTurn(100, () => guess('web-shop', secret))
    const answers = atOnce(400, () => guess('web-shop', 'held'))
    while (held.length < 256) await wait(5)
    await inTurn(5, () => guess('nobody', 'x', '127.0.0.2')) // who could be started before has been
    for (const release of held) release()
    const counts = countStatuses([await first, ...(await answers)])
    expect([held.length, counts]).toEqual([256, { 401: 256, 429: 145 }])
    close()
  }, 30_000)

  /** Secrets that begin with "held" are judged once `release` is called. */
  function holding() {
    let release = (): void => undefined
    let heard = 0
    const held = new Promise<void>((resolve) => (release = resolve))
    const verifySecret = async (presented: string) => {
      heard++
      if (presented.startsWith('held')) await held
      return presented === secret
    }
    return {
      options: { verifySecret },
      release: () => {
        release()
      },
      heard: () => heard
    }
  }

  test('over 10 s each: what waits is refused, and the guesses do not come in all at once', async () => {
    const { options, release, heard } = holding()
    const { guess, close } = await run(brakedApp({ options }, shop))
    const answers = Array.from({ length: 100 }, (_, index) => guess('web-shop', `held ${index}`))
    const first = await Promise.race(answers)
    expect([first.status, first.headers['retry-after']]).toEqual([429, '1'])
    release()
    const counts = countStatuses(await Promise.all(answers))
    expect(heard()).toBeLessThanOrEqual(5 + 2 * 4)
    expect(counts).toEqual({ 401: heard(), 429: 100 - heard() })
    close()
  }, 60_000)

  test('what never ends, and a wrong secret, keep the right one out for some seconds only', async () => {
    const { options, release, heard } = holding()
    const { guess, close } = await run(brakedApp({ options }, shop))
    const hung = [1, 2, 3].map(() => guess('web-shop', 'held'))
    for (let round = 0; heard() < 3 && round < 50; round++) await wait(20)
    expect((await guess('web-shop', 'wrong')).status).toBe(401)
    hung.push(guess('web-shop', 'held'))
    for (let round = 0; heard() < 5 && round < 50; round++) await wait(20)
    expect((await guess('web-shop', secret)).status).toBe(429)
    expect((await guess('web-shop', secret)).status).toBe(200)
    release()
    await Promise.all(hung)
    close()
  }, 60_000)
})

describe('what counts', () => {
  const thief = makeKey('ES256', 'thief')
  const rightJwt = (claims = {}, header = {}) => assertionForm(keyAssertion(key, { clientId: 'key', claims, header }))
  const spent = rightJwt()
  const records = [
    shop,
    byPost,
    byKey,
    { ...byKey, client_id: 'rs', token_endpoint_auth_signing_alg: 'RS256' },
    { client_id: 'keyless', token_endpoint_auth_method: 'private_key_jwt' },
    { ...byKey, client_id: 'unreachable', jwks: undefined, jwks_uri: 'https://localhost/' },
    { client_id: 'expired', client_secret: secret, client_secret_expires_at: 1 },
    { client_id: 'hashed', client_secret: '$2b$10$abcdefghijklmnopqrstuv' },
    { client_id: 'raw', client_secret: 'a+b' }
  ]
  const headers = (id: string, presented: string) => ({ headers: { Authorization: basic(id, presented) } })
  const signed = (clientId: string, by = thief) => ({ form: assertionForm(keyAssertion(by, { clientId })) })

  test.each<[string, Sent]>([
    ['unknown_client', headers('nobody', 'x')],
    ['secret_mismatch', headers('web-shop', 'x')],
    ['secret_not_form_encoded', { headers: { Authorization: `Basic ${Buffer.from('raw:a+b').toString('base64')}` } }],
    ['no_live_secret', headers('expired', secret)],
    ['secret_stored_as_hash', headers('hashed', 'x')],
    ['method_not_registered', headers('post', secret)],
    ['signature_mismatch', { form: assertionForm(keyAssertion({ ...thief, kid: key.kid }, { clientId: 'key' })) }],
    // Threat 11: told apart by what counts as a failure
    // Counted as well: an id whose failures did not count would be known to exist.
    ['no_matching_key', signed('key')],
    ['alg_not_registered', signed('rs')],
    ['keys_not_registered', signed('keyless')],
    ['jwks_unavailable', signed('unreachable')]
  ])('%s: the sixth is not heard', async (reason, sent) => {
    const { ask, close } = await run(brakedApp({}, ...records))
    const answers = await inTurn(6, () => ask(sent))
    expect(answers.map((answer) => answer.reason)).toEqual([...Array<string>(5).fill(reason), 'too_many_failures'])
    close()
  })

  const full = {
    consume: () => {
      throw new Error('full')
    }
  }
  test.each<[string, Sent, object?]>([
    ['assertion_expired', { form: rightJwt({ exp: 1 }) }],
    ['assertion_replayed', { form: spent }],
    ['assertion_audience', { form: rightJwt({ aud: 'https://other.example' }) }],
    ['replay_store_unavailable', { form: rightJwt() }, { replayStore: full }],
    ['multiple_mechanisms', { ...headers('web-shop', secret), form: { client_secret: secret } }],
    ['no_credentials', {}]
  ])('%s does not, however often', async (reason, sent, options = {}) => {
    const { ask, close } = await run(brakedApp({ options }, ...records))
    if (sent.form === spent) expect((await ask(sent)).status).toBe(200)
    const answers = await inTurn(12, () => ask(sent))
    expect(answers.map((answer) => answer.reason)).toEqual(Array(12).fill(reason))
    expect((await ask({ form: assertionForm(secretAssertion('x', { clientId: 'key' })) })).status).toBe(401)
    close()
  })

  test('a look-up that throws does not', async () => {
    const getClient = () => {
      throw new Error('database')
    }
    const { guess, close } = await run(brakedApp({ options: { getClient } }))
    expect(statusesOf(await inTurn(12, () => guess('web-shop', secret)))).toEqual(Array(12).fill(500))
    close()
  })
})

describe('whom it counts for', () => {
  // Threat 22: guesses of a stranger lock the owner of an id out
  test('a stranger locks the owner out of no other address', async () => {
    const { guess, close } = await run(brakedApp({}, shop))
    await inTurn(6, () => guess('web-shop', 'wrong', '127.0.0.2'))
    expect((await guess('web-shop', secret, '127.0.0.2')).status).toBe(429)
    expect((await guess('web-shop', secret, '127.0.0.3')).status).toBe(200)
    close()
  })

  test('another client from the same address is heard, until that address has failed too often', async () => {
    const { guess, close } = await run(brakedApp({ brake: { addressLimit: 8 } }, shop, byPost))
    await inTurn(6, () => guess('nobody', 'x'))
    expect((await guess('web-shop', secret)).status).toBe(200)
    expect(statusesOf(await inTurn(4, (index) => guess(`other-${index}`, 'x')))).toEqual([401, 401, 401, 429])
    expect((await guess('web-shop', secret)).status).toBe(429)
    expect((await guess('web-shop', secret, '127.0.0.2')).status).toBe(200)
    close()
  })

  test('guesses from many addresses make new ones wait, those that the client came from before not', async () => {
    const { guess, close } = await run(brakedApp({ brake: { clientLimit: 8 } }, shop))
    expect((await guess('web-shop', secret, '127.0.0.9')).status).toBe(200)
    await Promise.all([2, 3, 4, 5].flatMap((host) => inTurn(2, () => guess('web-shop', 'wrong', `127.0.0.${host}`))))
    const order: string[] = []
    const start = performance.now()
    const fromNew = guess('web-shop', secret, '127.0.0.6').then(({ status }) => {
      order.push(`new ${status}`)
      return performance.now() - start
    })
    const fromKnown = guess('web-shop', secret, '127.0.0.9').then(({ status }) => order.push(`known ${status}`))
    await fromKnown
    expect(await fromNew).toBeGreaterThan(990)
    expect(order).toEqual(['known 200', 'new 200'])
    close()
  })

  test.each([
    ['IPv6 addresses of one /64 count as one', (index: number) => `2001:db8:1:2:${index}::${index}`, 429],
    ['those of others do not', (index: number) => `2001:db8:1:${index}::1`, 401],
    ['IPv4 inside of IPv6 is IPv4', (index: number) => (index % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1'), 429],
    ['IPv4 addresses are counted one by one', (index: number) => `192.0.2.${index + 1}`, 401],
    ['mapped addresses in hexadecimal as well', (index: number) => `::ffff:c000:20${index + 1}`, 401],
    ['NAT64 addresses as well', (index: number) => `64:ff9b::192.0.2.${index + 1}`, 401],
    ['a port behind the address is no part of it', (index: number) => `192.0.2.1:${4000 + index}`, 429],
    ['nor is it behind IPv6', (index: number) => `[2001:db8::${index}]:${4000 + index}`, 429]
  ])('%s', async (_name, addressOf, status) => {
    const { ask, close } = await run(brakedApp({ trustProxy: ['loopback'] }, shop))
    const guessFrom = (address: string) =>
      ask({ headers: { Authorization: basic('web-shop', 'wrong'), 'X-Forwarded-For': address } })
    expect((await inTurn(6, (index) => guessFrom(addressOf(index)))).at(-1)?.status).toBe(status)
    close()
  })

  test('two servers in one process do not mix, nor does a value without a brake count', async () => {
    const brake = createBrake({ limiter: memory() })
    const [one, other, free] = [1, 2, 3].map(() => clientAuth({ issuer, ...only(shop) })) as [
      ReturnType<typeof clientAuth>,
      ReturnType<typeof clientAuth>,
      ReturnType<typeof clientAuth>
    ]
    const app = express()
    app.post('/one/token', brake.over(one), one)
    app.post('/other/token', createBrake({ limiter: memory() }).over(other), other)
    app.post('/free/token', brake.over(one), free)
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const guessAt = async (path: string) => {
      const { port } = server.address() as AddressInfo
      const headers = { Authorization: basic('web-shop', 'wrong') }
      return (await fetch(`http://127.0.0.1:${port}/${path}/token`, { method: 'POST', headers })).status
    }
    expect(await inTurn(7, () => guessAt('free'))).toEqual(Array(7).fill(401))
    expect(await inTurn(6, () => guessAt('one'))).toEqual([401, 401, 401, 401, 401, 429])
    expect(await inTurn(6, () => guessAt('other'))).toEqual([401, 401, 401, 401, 401, 429])
    server.close()
  })

  test.each(['connect', 'node:http'])('%s: the address is that of the connection', async (kind) => {
    const authenticate = clientAuth({ issuer, ...only(shop) })
    const braked = createBrake({ limiter: memory() }).over(authenticate)
    const app =
      kind === 'connect'
        ? connectApp().use(braked).use(authenticate)
        : (...[req, res]: Parameters<typeof authenticate>) => {
            braked(req, res, () => {
              authenticate(req, res, () => res.end())
            })
          }
    const server = createServer(app as never).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const guess = (from: string) => send(port, { headers: { Authorization: basic('web-shop', 'wrong') }, from })
    expect(statusesOf(await inTurn(6, () => guess('127.0.0.1')))).toEqual([401, 401, 401, 401, 401, 429])
    expect((await guess('127.0.0.2')).status).toBe(401)
    server.close()
  })
})

describe('what the operator is told', () => {
  async function eventsOf<T>(name: string, act: () => Promise<unknown>): Promise<T[]> {
    const events: T[] = []
    const note = (event: unknown) => void events.push(event as T)
    subscribe(name, note)
    await act()
    unsubscribe(name, note)
    return events
  }

  test('what was not heard is a refusal like others, with the client, what was counted, and the limit', async () => {
    const { guess, close } = await run(brakedApp({}, shop))
    const events = await eventsOf<RejectedEvent>('oauth-client-auth:rejected', () =>
      inTurn(6, () => guess('web-shop', 'wrong'))
    )
    const { reason, clientId, error } = events.at(-1)!
    expect([reason, clientId]).toEqual(['too_many_failures', 'web-shop'])
    expect(error.detail).toEqual({
      counted: 'client and address',
      failures: 5,
      limit: 5,
      retryAfter: Number(error.headers['Retry-After'])
    })
    close()
  })

  test.each([
    ['refuses connections', false],
    ['never answers', true]
  ])('a limiter whose Redis %s: requests are heard, and an event tells it', async (_name, queues) => {
    const redis = new Redis({ port: await freePort(), enableOfflineQueue: queues, maxRetriesPerRequest: null })
    redis.on('error', () => undefined)
    const limiter = new RateLimiterRedis({ storeClient: redis, points: 5, duration: 60 })
    const { guess, close } = await run(brakedApp({ brake: { limiter } }, shop))
    const events = await eventsOf<BrakeEvent>('oauth-client-auth:brake', async () => {
      expect((await guess('web-shop', secret)).status).toBe(200)
      expect((await guess('web-shop', 'wrong')).status).toBe(401)
    })
    expect(events.map(({ clientId }) => clientId)).toEqual(['web-shop', 'web-shop', 'web-shop'])
    expect(events.map(({ error }) => error)).toEqual(Array(3).fill(expect.any(Error)))
    redis.disconnect()
    close()
  })

  test('an X-Forwarded-For that Express does not trust: one process warning says how', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const trusting = await run(brakedApp({ trustProxy: ['loopback'] }, shop))
    const plain = await run(brakedApp({}, shop))
    const forwarded = { headers: { Authorization: basic('web-shop', secret), 'X-Forwarded-For': '192.0.2.7' } }
    await trusting.ask(forwarded)
    await plain.guess('web-shop', secret)
    expect(warn.mock.calls).toEqual([])
    await plain.ask(forwarded)
    await plain.ask(forwarded)
    expect(warn.mock.calls).toEqual([
      [
        expect.stringContaining('X-Forwarded-For is not trusted'),
        expect.objectContaining({
          code: 'OAUTH_CLIENT_AUTH_UNTRUSTED_PROXY',
          detail: expect.stringContaining("app.set('trust proxy'")
        })
      ]
    ])
    warn.mockRestore()
    trusting.close()
    plain.close()
  })
})

describe('options', () => {
  const limiter = memory()
  test.each<[string, unknown, RegExp]>([
    ['no options', undefined, /^createBrake: options must be an object, not a value of type undefined$/],
    ['no limiter', {}, /^createBrake: option "limiter" is required: .*RateLimiterMemory/],
    ['a limiter that is none', { limiter: {} }, /option "limiter" must be a limiter of rate-limiter-flexible/],
    ['a class', { limiter: RateLimiterRedis }, /option "limiter" must be a limiter of rate-limiter-flexible/],
    ['the limiter itself', limiter, /^createBrake: give the limiter as an option: createBrake\(\{ limiter: new /],
    ['what a limiter is made of', { points: 5, duration: 60 }, /^createBrake: give the limiter as an option/],
    ['no points', { limiter: new RateLimiterMemory({ points: 0, duration: 60 }) }, /\(its points must be over 0\)$/],
    [
      'a limiter whose failures count for ever',
      { limiter: new RateLimiterMemory({ points: 5, duration: 0 }) },
      /\(its duration must be over 0: 0 never ends\)$/
    ],
    ['a misspelt option', { limiter, adressLimit: 3 }, /unknown option "adressLimit"; did you mean "addressLimit"\?/],
    ['a limit of none', { limiter, addressLimit: 0 }, /"addressLimit" must be a number of failures, whole, from 1/],
    ['a limit as text', { limiter, clientLimit: '5' }, /"clientLimit" must be a number of failures, whole, from 1/],
    [
      'a limiter that makes failures count for longer',
      { limiter: new RateLimiterMemory({ points: 5, duration: 60, blockDuration: 600 }) },
      /without inMemoryBlockOnConsumed and blockDuration.* \(leave blockDuration out\)$/
    ],
    ['none at once', { limiter, atOnce: 0 }, /"atOnce" must be a number of requests, whole, from 1 to 1000, not 0/]
  ])('%s', (_name, options, message) => {
    expect(() => createBrake(options as BrakeOptions)).toThrow(message)
    expect(() => createBrake(options as BrakeOptions)).toThrow(TypeError)
  })

  test.each([
    ['clientAuth itself', clientAuth],
    ['another middleware', () => undefined],
    ['nothing', undefined]
  ])('over(): %s', (_name, given) => {
    expect(() => createBrake({ limiter }).over(given as never)).toThrow(
      'createBrake: over() needs the very value that clientAuth({ … }) returned'
    )
  })
})

describe('mounted otherwise than it is meant', () => {
  test('a second brake over one value', () => {
    const authenticate = clientAuth({ issuer, ...only(shop) })
    const brake = createBrake({ limiter: memory() })
    brake.over(authenticate)
    expect(brake.over(authenticate)).toBeInstanceOf(Function)
    expect(() => createBrake({ limiter: memory(3) }).over(authenticate)).toThrow(/has another brake already/)
  })

  test('behind the middleware, where it could brake nothing', async () => {
    const authenticate = clientAuth({ issuer, ...only(shop) })
    const app = express()
    app.post('/token', authenticate, createBrake({ limiter: memory() }).over(authenticate), (_req, res) => {
      res.json({})
    })
    app.use(((error, _req, res, _next) => {
      res.status(500).end((error as Error).message)
    }) as express.ErrorRequestHandler)
    const { guess, close } = await run(app)
    const { status, body } = await guess('web-shop', secret)
    expect([status, body]).toEqual([500, expect.stringContaining('ahead of authenticateClient')])
    close()
  })

  type Handlers = Record<'over' | 'value' | 'other', express.RequestHandler>
  test.each<[string, (handlers: Handlers) => express.RequestHandler[], warnings: number]>([
    ['behind the middleware', ({ over, value }) => [value, over], 1],
    ['over another value than the one behind it', ({ over, other }) => [over, other], 1],
    ['at another route of the same value', ({ value }) => [value], 1],
    ['at its place', ({ over, value }) => [over, value], 0],
    ['nowhere, for a value without a brake', ({ other }) => [other], 0]
  ])('%s: one process warning says that guesses are not counted, or none', async (_name, handlers, warnings) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    jest.resetModules() // each warning is given once in a process
    const lib = jest.requireActual<typeof import('../../../lib')>('../../../lib')
    const [value, other] = [1, 2].map(() => lib.clientAuth({ issuer, ...only(shop) }))
    const over = lib.createBrake({ limiter: memory() }).over(value!)
    const app = express().post('/token', ...handlers({ value: value!, other: other!, over }))
    const { guess, close } = await run(app)
    const statuses = statusesOf(await inTurn(2, () => guess('web-shop', 'wrong')))
    close()
    expect(statuses).toEqual([401, 401])
    const codes = warn.mock.calls.map(([, options]) => (options as unknown as { code: string }).code)
    expect(codes).toEqual(Array(warnings).fill('OAUTH_CLIENT_AUTH_UNBRAKED'))
    warn.mockRestore()
  })

  test('one brake over two values, for one route that has both', async () => {
    const [one, two] = [clientAuth({ issuer, ...only(shop) }), clientAuth({ issuer, ...only(shop) })]
    const brake = createBrake({ limiter: memory() })
    const app = express()
    app.use(brake.over(one), brake.over(two))
    app.post('/token', two, (_req, res) => void res.json({}))
    const { guess, close } = await run(app)
    const statuses = statusesOf(await inTurn(6, () => guess('web-shop', 'wrong')))
    close()
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
  })

  test.each([[{}], ['x'], [{ consumedPoints: NaN, msBeforeNext: NaN }]])(
    'a limiter that answers %j cannot be asked: requests are heard, and it is told',
    async (answer) => {
      const events: BrakeEvent[] = []
      const see = (message: unknown) => void events.push(message as BrakeEvent)
      subscribe('oauth-client-auth:brake', see)
      const limiter = { points: 5, get: () => Promise.resolve(answer as never), consume: () => Promise.resolve() }
      const { guess, close } = await run(brakedApp({ brake: { limiter } }, shop))
      expect((await guess('web-shop', secret)).status).toBe(200)
      expect(events.map(({ error }) => String(error))).toEqual([expect.stringContaining('something else than a count')])
      unsubscribe('oauth-client-auth:brake', see)
      close()
    }
  )
})

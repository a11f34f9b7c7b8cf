// Properties under hostile input. `npm run fuzz -- --runs 1000000 --seed 1` runs them for as long as one likes.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc, { type IAsyncProperty } from 'fast-check'
import type { KeySets } from '../../lib'
import { createJwksFetcher } from '../../lib/key-sets/fetcher'
import { keyFault } from '../../lib/jwt/jwk'
import { parseKeySet, usableKeySet } from '../../lib/jwt/jwk-set'
import { KeySetError } from '../../lib/jwt/key-set-error'
import { assertionForm, basic, keyAssertion } from '../support/assertions'
import { formOf, someAssertion, someAuthorization, someJson, someParsedBody, variantsOf } from '../support/fuzz/inputs'
import { isSignedBy, mustDeserve } from '../support/fuzz/oracle'
import { carelessError, someKeySet, someRecord } from '../support/fuzz/records'
import { fuzzServer, mustAnswerWell, send, type FuzzServer } from '../support/fuzz/wire'
import { someSending } from '../support/fuzz/requests'
import { authenticator, findRecord, keys, must, records, secrets, type Outcome } from '../support/fuzz/world'

const runs = Number(process.env['FUZZ_RUNS'] ?? 4000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const isLong = runs > 100_000
/** New authenticators and replay stores for each: what is remembered on purpose must not count as growth. */
const chunk = 5000

jest.setTimeout(isLong ? 24 * 3_600_000 : 120_000)

type Property = IAsyncProperty<[unknown, ...unknown[]]> | IAsyncProperty<unknown[]>
interface Subject {
  name: string
  /** Of all the runs. */
  share: number
  /** Makes the property afresh, with nothing remembered. */
  make: () => Promise<{ property: unknown; close?: () => void | Promise<void> }>
}

/** How many of the requests were let in: a property that lets nothing in proves nothing. */
const accepted = new Map<string, number>()
const count = (name: string, outcome: Outcome): void => {
  if ('result' in outcome) accepted.set(name, (accepted.get(name) ?? 0) + 1)
}

const strange = fc.oneof(fc.constant(undefined), someParsedBody)

const subjects: Subject[] = [
  {
    name: 'Authorization headers',
    share: 0.24,
    make: async () => {
      const authenticate = authenticator({
        methods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'client_secret_jwt']
      })
      const property = fc.asyncProperty(someAuthorization, strange, async (authorization, body) => {
        const outcome = await authenticate({ authorization, body })
        count('Authorization headers', outcome)
        mustDeserve(outcome, { authorization, body })
      })
      return { property }
    }
  },
  {
    name: 'parsed bodies',
    share: 0.14,
    make: async () => {
      const authenticate = authenticator()
      const property = fc.asyncProperty(someParsedBody, async (body) => {
        const outcome = await authenticate({ body })
        count('parsed bodies', outcome)
        mustDeserve(outcome, { body })
      })
      return { property }
    }
  },
  {
    name: 'assertions',
    share: 0.32,
    make: async () => {
      const authenticate = authenticator()
      const property = fc.asyncProperty(someAssertion, fc.boolean(), async (some, withId) => {
        const body = formOf(some, withId)
        const outcome = await authenticate({ body })
        count('assertions', outcome)
        mustDeserve(outcome, { body })
        must(!some.isSound || 'result' in outcome, 'a sound assertion was refused', some, outcome)
        if (!('result' in outcome)) return
        for (const token of variantsOf(some.token)) {
          const again = await authenticate({ body: formOf({ ...some, token }, withId) })
          must(!('result' in again), 'let in twice', some.token, token)
        }
      })
      return { property }
    }
  },
  {
    name: 'careless records',
    share: 0.14,
    make: async () => {
      let record: unknown
      const authenticate = authenticator({ getClient: (id) => (findRecord(id), record as never) })
      const sound = fc.constantFrom(...records).chain((one) => fc.tuple(fc.constant(one), someRecord(one)))
      const property = fc.asyncProperty(
        sound,
        someAssertion,
        someAuthorization,
        async ([one, made], some, authorization) => {
          record = made
          const right = basic(one.client_id, typeof one.client_secret === 'string' ? one.client_secret : secrets.plain)
          const signed = keyAssertion(keys.ec, { clientId: one.client_id })
          for (const presented of [
            { authorization: right, body: {} },
            { body: assertionForm(signed) },
            { authorization, body: {} },
            { body: formOf(some, false) }
          ]) {
            const outcome = await authenticate(presented)
            count('careless records', outcome)
            if ('thrown' in outcome) mustBeTheirs(outcome.thrown)
            else mustDeserve(outcome, presented, made)
          }
        }
      )
      return { property }
    }
  },
  {
    name: 'key sets',
    share: 0.08,
    make: async () => {
      let answer: () => unknown = () => undefined
      const keySets = { get: async () => answer() } as unknown as KeySets
      const client = {
        client_id: 'keys',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: 'https://k.example/'
      }
      const authenticate = authenticator({
        getClient: (id) => (findRecord(id), { ...client, client_id: id }),
        keySets
      })
      const property = fc.asyncProperty(someKeySet, someAssertion, fc.nat(7), async (set, some, rejects) => {
        mustJudge(set)
        answer = () => (rejects === 0 ? Promise.reject(set) : set)
        const outcome = await authenticate({ body: formOf(some, false) })
        count('key sets', outcome)
        must(!('thrown' in outcome), 'passed on', outcome)
        if ('result' in outcome)
          must(isSignedBy({ client_id: '', jwks: set as never }, some.token), 'no such key', set, some)
      })
      return { property }
    }
  },
  {
    name: 'jwks_uri strings',
    share: 0.03,
    make: async () => {
      const { check } = createJwksFetcher()
      const property = fc.asyncProperty(someUri(), async (uri) => {
        try {
          check(uri as string)
        } catch (error) {
          must(error instanceof KeySetError, 'another error', error)
          return
        }
        const { protocol, hostname, port, username, password, hash } = new URL(uri as string)
        const isPublicName =
          /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(hostname) && !/^[\d.]+$|(^|\.)0x[\da-f]*$/.test(hostname)
        must(
          protocol === 'https:' && isPublicName && port + username + password + hash === '',
          'a URL let through',
          uri
        )
      })
      return { property }
    }
  },
  {
    name: 'requests on the wire, in memory',
    share: 0.04,
    make: () => onTheWire(false)
  },
  {
    name: 'requests on the wire, over TCP',
    share: 0.01,
    make: () => onTheWire(true)
  }
]

/** Nothing but what the application's own record did. */
function mustBeTheirs(error: Error): void {
  must(error === carelessError || error.message.includes('getClient returned a record'), 'a server error', error)
}

function mustJudge(set: unknown): void {
  const read = (judge: () => { keys: object[] }) => {
    try {
      // Whether a point is on its curve is left to the import
      const usable = [undefined, 'is not a valid public key']
      for (const key of judge().keys) must(usable.includes(keyFault(key as never)), 'an unusable key was kept', key)
    } catch (error) {
      must(error instanceof KeySetError, 'another error', error)
      must(!Object.values(secrets).some((secret) => error.message.includes(secret)), 'content in the message', error)
    }
  }
  read(() => usableKeySet(set))
  read(() => parseKeySet(Buffer.from(textOf(set))))
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify([value]).slice(1, -1)
  } catch {
    return '{'
  }
}

function someUri() {
  const parts = [
    'https://',
    'http://',
    '//',
    '/',
    '\\',
    '@',
    ':',
    '#',
    '?',
    '.',
    '..',
    '[',
    ']',
    '::1',
    '%2e',
    '%00',
    '\t',
    '\n',
    '。'
  ]
  const hosts = [
    'keys.example.com',
    'localhost',
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '０ｘ７ｆ',
    'ｋeys',
    'xn--e1a',
    'a_b.co',
    '443',
    '8443'
  ]
  return fc.oneof(
    fc.array(fc.constantFrom(...parts, ...hosts), { maxLength: 8 }).map((list) => `https://${list.join('')}`),
    fc.array(fc.constantFrom(...parts, ...hosts), { maxLength: 8 }).map((list) => list.join('')),
    fc.webUrl(),
    someJson
  )
}

async function onTheWire(overTcp: boolean) {
  const server: FuzzServer = await fuzzServer()
  const property = fc.asyncProperty(someSending, async (sending) => {
    const answers = await send(server, sending, overTcp)
    mustAnswerWell(answers)
    for (const { status } of answers) if (status === 200) accepted.set('wire', (accepted.get('wire') ?? 0) + 1)
    must(server.passedOn.length === 0, 'passed on', server.passedOn)
    must(sending.breakAfter !== undefined || !sending.isWhole || answers.length > 0, 'no answer at all', sending)
  })
  const close = async () => {
    // If a middleware never ends, this runs out of the test's time
    while (server.pending() > 0) await new Promise((done) => setTimeout(done, 10))
    server.close()
  }
  return { property, close }
}

const unhandled: unknown[] = []
const noteUnhandled = (reason: unknown) => void unhandled.push(reason)
beforeAll(() => void process.on('unhandledRejection', noteUnhandled))
afterAll(() => void process.off('unhandledRejection', noteUnhandled))

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const heap = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

async function runChunk({ make }: Subject, numRuns: number, chunkSeed: number): Promise<void> {
  const { property, close } = await make()
  try {
    await fc.assert(property as Property, { numRuns, seed: chunkSeed, plugins: [fc.timeout(20_000)] })
  } finally {
    await close?.()
  }
}

describe(`with seed ${seed}`, () => {
  const heaps: number[] = []
  if (!isLong) {
    test.each(subjects.map((subject) => [subject.name, subject] as const))('%s', async (_name, subject) => {
      await runChunk(subject, Math.ceil(runs * subject.share), seed)
    })
  } else {
    test(`${runs} runs of all properties`, async () => {
      const started = Date.now()
      for (let done = 0, round = 0; done < runs; done += chunk * 4, round++) {
        const ofRound = Math.min(chunk * 4, runs - done)
        for (const subject of subjects) await runChunk(subject, Math.ceil(ofRound * subject.share), seed + round)
        heaps.push(heap())
        const line = {
          runs: done + ofRound,
          seconds: Math.round((Date.now() - started) / 1000),
          heapMB: heaps.at(-1)?.toFixed(1)
        }
        process.stderr.write(`${JSON.stringify({ ...line, accepted: Object.fromEntries(accepted) })}\n`)
      }
      const [early = 0, late = 0] = [heaps[Math.floor(heaps.length / 4)], heaps.at(-1)]
      expect(late - early).toBeLessThan(32)
    })
  }

  test('something was let in by each property, and no promise was left alone', () => {
    const names = ['Authorization headers', 'parsed bodies', 'assertions', 'careless records', 'key sets', 'wire']
    expect(names.filter((name) => !accepted.has(name))).toEqual([])
    expect(unhandled).toEqual([])
  })
})

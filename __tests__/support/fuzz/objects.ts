// Requests, responses and continuations as broken hosts and other middleware may hand them in.
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { assertionForm, basic, keyAssertion, keyFor } from '../assertions'

export type Anything = Record<string, unknown>
type Spoil = (req: Anything, res: Anything) => void

const fail = (): never => {
  throw new Error('spoilt')
}
const failStrangely = (): never => {
  throw Object.create(null) as Error
}
const throwing = (target: Anything, name: string) =>
  Object.defineProperty(target, name, { configurable: true, get: fail, set: fail })
const setting = (target: Anything, name: string) => {
  let value = target[name]
  let isFirst = true
  Object.defineProperty(target, name, {
    configurable: true,
    get: () => value,
    set: (given: unknown) => {
      if (isFirst) fail()
      else value = given
      isFirst = false
    }
  })
}
const without = (target: Anything, name: string) =>
  Object.defineProperty(target, name, { configurable: true, writable: true, value: undefined })
const onBody =
  (change: (body: object) => unknown): Spoil =>
  (req) => {
    req['body'] = change(Object(req['body']) as object)
  }
const named = (names: string[], words: string, spoil: (name: string) => Spoil): [string, Spoil][] =>
  names.map((name) => [`${name} ${words}`, spoil(name)])

/** What Node itself bears: these are tried on real requests and responses too. */
const anywhere: [string, Spoil][] = [
  ['nothing', () => undefined],
  ...named(['body', '_body', 'rawHeaders', 'headersDistinct'], 'of the request throws', (name) => (req) => {
    throwing(req, name)
  }),
  ...named(['oauthClient', 'oauthClientAuth'], 'cannot be set', (name) => (req) => {
    throwing(req, name)
  }),
  ...named(['setHeader', 'end', 'writeHead', 'destroy'], 'throws', (name) => (_req, res) => {
    if (name in res) res[name] = fail
  }),
  ...named(['setHeader', 'end', 'writeHead'], 'throws what is no Error', (name) => (_req, res) => {
    if (name in res) res[name] = failStrangely
  }),
  ...named(['setHeader', 'end', 'destroy'], 'of the response is missing', (name) => (_req, res) => {
    without(res, name)
  }),
  ...named(['statusCode'], 'cannot be set the first time', (name) => (_req, res) => {
    setting(res, name)
  }),
  ['the first end throws', (_req, res) => void Object.assign(res, { end: once(res['end'] as () => unknown, res) })],
  ['the headers are sent', (_req, res) => (res['flushHeaders'] as (() => void) | undefined)?.call(res)],
  ['the response is ended', (_req, res) => (res['end'] as (() => void) | undefined)?.call(res)],
  ['a frozen body', onBody((body) => Object.freeze({ ...body }))],
  ['a sealed body', onBody((body) => Object.seal({ ...body }))],
  ['a body without a prototype', onBody((body) => Object.assign(Object.create(null) as object, body))],
  ['a body as URLSearchParams', onBody((body) => new URLSearchParams(Object.entries(body as Record<string, string>)))],
  ['a body as a Map', onBody((body) => new Map(Object.entries(body)))],
  ['a body as a string', onBody((body) => JSON.stringify(body))],
  ['a body as an array', onBody((body) => Object.entries(body))],
  ['a body whose members throw', onBody((body) => throwing({ ...body }, 'client_id'))],
  ['a body that is a Proxy which throws', onBody((body) => new Proxy(body, { get: fail, ownKeys: fail, has: fail }))],
  ['a body whose getAll throws', onBody((body) => ({ ...body, getAll: fail }))]
]

function once(end: () => unknown, res: Anything) {
  let isFirst = true
  return (...given: []) => {
    if (!isFirst) return end.apply(res, given)
    isFirst = false
    return fail()
  }
}

/** What would break Node's own work on a request: imitations only. */
const inMocks: [string, Spoil][] = [
  ...named(['headers', 'resume', 'on', 'removeListener', 'socket', 'complete', 'stream'], 'throws', (name) => (req) => {
    throwing(req, name)
  }),
  ...named(['headers', 'resume', 'on', 'removeListener', 'rawHeaders', 'body'], 'is missing', (name) => (req) => {
    without(req, name)
  }),
  ...named(['headersSent'], 'throws', (name) => (_req, res) => {
    throwing(res, name)
  }),
  ['headers is null', (req) => void (req['headers'] = null)],
  ['headers is frozen', (req) => void Object.freeze(req['headers'])],
  ['a header throws', (req) => void throwing(Object(req['headers']) as Anything, 'authorization')],
  ['the request is frozen', (req) => void Object.freeze(req)],
  ['the request takes no property', (req) => void Object.preventExtensions(req)],
  ['the response is frozen', (_req, res) => void Object.freeze(res)]
]

const spoils = new Map([...anywhere, ...inMocks])

/** How the continuation and onError behave. */
export const continuations = ['returns', 'throws', 'throws no Error', 'rejects', 'a thenable that rejects'] as const
export const responders = ['none', 'throws', 'rejects', 'passes on', 'answers', 'never settles', 'throws late'] as const
export const hosts = [
  'node:http',
  'node:http2',
  'Express 5',
  'Express 4',
  'connect',
  'Fastify',
  'mock',
  'stream'
] as const

/** Calls back in one of those ways. */
export function behave(way: (typeof continuations)[number]): unknown {
  if (way === 'throws') return fail()
  if (way === 'throws no Error') return failStrangely()
  if (way === 'rejects') return Promise.reject(new Error('spoilt'))
  if (way !== 'a thenable that rejects') return undefined
  return {
    then: (_resolve: unknown, reject: (error: Error) => void) => {
      reject(new Error('spoilt'))
    }
  }
}

const secret = 'a secret of well over thirty-two octets'
const key = keyFor('ES256')
export const records = [
  { client_id: 'basic', client_secret: secret },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'key', jwks: { keys: [key.jwk] }, token_endpoint_auth_method: 'private_key_jwt' }
]

interface Sent {
  authorization?: string
  form?: Record<string, string>
}
const credentials: Record<string, () => Sent> = {
  'good Basic': () => ({ authorization: basic('basic', secret), form: { grant_type: 'x' } }),
  'good Basic, no body': () => ({ authorization: basic('basic', secret) }),
  'good post': () => ({ form: { client_id: 'post', client_secret: secret } }),
  'good assertion': () => ({ form: assertionForm(keyAssertion(key, { clientId: 'key' })) }),
  'bad Basic': () => ({ authorization: basic('basic', 'wrong'), form: { grant_type: 'x' } }),
  'bad post': () => ({ form: { client_id: 'post', client_secret: 'wrong' } }),
  'bad assertion': () => ({ form: assertionForm(keyAssertion(key, { clientId: 'key', claims: { aud: 'x' } })) }),
  'no credentials': () => ({ form: { grant_type: 'x' } }),
  'malformed Basic': () => ({ authorization: 'Basic !', form: { grant_type: 'x' } }),
  'too large': () => ({ form: { client_id: 'post', client_secret: 'x'.repeat(70_000) } })
}
export const sentFor = (name: string): Sent => credentials[name]?.() ?? {}

export interface Plan {
  host: (typeof hosts)[number]
  credentials: string
  spoils: string[]
  next: (typeof continuations)[number]
  onError: (typeof responders)[number]
  isParsedBefore: boolean
  /** The sender goes away in the middle. */
  isHalf: boolean
}

const breaksEnd = (name: string): boolean =>
  /^(?:the |first |.*\b(?:end|writeHead|headersSent|statusCode)\b)/.test(name)

/** A response that can be neither ended nor destroyed, or that says it is ended and is not, is out of anybody's hands. */
const canBeEnded = ([first = '', second = '']: string[]): boolean =>
  !(first.startsWith('destroy') && breaksEnd(second)) &&
  !(second.startsWith('destroy') && breaksEnd(first)) &&
  !(breaksEnd(first) && second === 'the response is ended')

export const somePlan: fc.Arbitrary<Plan> = fc.constantFrom(...hosts).chain((host) => {
  const isMock = host === 'mock' || host === 'stream'
  const able = [...anywhere, ...(isMock ? inMocks : [])].map(([name]) => name)
  return fc.record({
    host: fc.constant(host),
    credentials: fc.constantFrom(...Object.keys(credentials)),
    spoils: fc.array(fc.constantFrom(...able), { maxLength: 2 }).filter(canBeEnded),
    next: fc.constantFrom(...continuations),
    onError: fc.constantFrom(...responders),
    isParsedBefore: fc.boolean(),
    // Fastify reads the body before anybody is asked.
    isHalf: host === 'Fastify' ? fc.constant(false) : fc.integer({ min: 0, max: 9 }).map((number) => number === 0)
  })
})

/** Spoils both, as far as the one spoilt before lets the next one. */
export function spoil(plan: Plan, req: object, res: object): void {
  for (const name of plan.spoils) {
    try {
      spoils.get(name)?.(req as Anything, res as Anything)
    } catch {
      // already spoilt
    }
  }
}

/** A request as a test library imitates it, and a response that tells when it has ended. */
export function imitation(plan: Plan, ended: () => void): { req: Anything; res: Anything } {
  const { authorization, form } = sentFor(plan.credentials)
  const text = new URLSearchParams(form).toString()
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(form === undefined
      ? {}
      : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(text.length) })
  }
  const source = plan.isHalf ? [text.slice(0, 5)] : [text]
  const base = plan.host === 'stream' ? Readable.from(source.map((part) => Buffer.from(part))) : new EventEmitter()
  const isParsed = plan.isParsedBefore || plan.host === 'mock'
  const req = Object.assign(base, {
    method: 'POST',
    url: '/token',
    headers,
    ...(isParsed ? { body: { ...form } } : {})
  })
  const res = {
    statusCode: 200,
    headersSent: false,
    writableEnded: false,
    setHeader: () => undefined,
    writeHead: () => undefined,
    flushHeaders: () => (res.headersSent = true),
    end: () => {
      res.writeHead()
      Object.assign(res, { headersSent: true, writableEnded: true })
      ended()
    },
    destroy: ended
  }
  return { req: req as unknown as Anything, res: res }
}

import {
  checkOptions,
  isFunction,
  isInteger,
  isPlainObject,
  isText,
  isWord,
  optionRule,
  type OptionRule
} from '../basics/option-checks'
import type { JwkSet } from '../types'
import { hmacAlgorithms, keyAlgorithms, lackingNote } from '../jwt/algorithms'

/** The methods that a test client can use; `none` is a public client. */
export type TestClientMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'none'
/** The signature algorithms that a test client can use: all that the package accepts. ML-DSA needs Node.js 24.6. */
export type TestAlgorithm =
  | `${'RS' | 'PS' | 'ES' | 'HS'}${256 | 384 | 512}`
  | 'EdDSA'
  | 'Ed25519'
  | `ML-DSA-${44 | 65 | 87}`
/** A `Date`, or seconds since the epoch. */
export type TestTime = Date | number
/**
 * What to spoil after the request was made right. `secret`: another secret (basic, post, client_secret_jwt).
 * `key`: signed with another key, under the same `kid`. `signature`: one bit of it. `claims`: changed after signing.
 */
export type TestTamper = 'secret' | 'key' | 'signature' | 'claims'

/** Options of `createTestClient`. */
export interface TestClientOptions<M extends TestClientMethod = TestClientMethod> {
  /** The id of the client. */
  client_id: string
  /** The method that it is registered for, and uses. */
  method: M
  /** The issuer of your server, which becomes `aud`. Required for `client_secret_jwt` and `private_key_jwt`. */
  issuer?: string | undefined
  /** The algorithm that it signs with. Default ES256 for `private_key_jwt`, HS256 for `client_secret_jwt`. */
  alg?: TestAlgorithm | undefined
  /** The `kid` of its key. Default `key-1`. Give another one for the second key of a rotation. */
  kid?: string | undefined
  /** Length of an RSA key in bits. Default 2048. A shorter one shows that your server refuses it. */
  modulusLength?: number | undefined
  /** The clock of the client, for `iat` and `exp`. Default the clock of the process, so fake timers move it too. */
  now?: (() => TestTime) | undefined
}

/** The differences of one assertion from a right one. */
export interface TestAssertionOptions {
  /** Claims to add or replace; one that is `undefined` is left out. Usual: iss, sub, aud, jti, iat, exp in 60 s. */
  claims?: Readonly<Record<string, unknown>> | undefined
  /** Header parameters likewise. Usual: alg, kid. The signature stays that of the client's own `alg`, but is empty for `none`. */
  header?: Readonly<Record<string, unknown>> | undefined
  /** Sign as of this time instead of the client's clock. */
  now?: TestTime | undefined
  /** What to spoil. Default nothing. */
  tamper?: TestTamper | undefined
}

/** The differences of one request from a right one. */
export interface TestRequestOptions extends TestAssertionOptions {
  /** Form parameters to add or replace; `undefined` leaves one out, a list repeats it. Usual: `grant_type=client_credentials`. */
  params?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
  /** Headers to add or replace, in any case; `undefined` leaves one out. */
  headers?: Readonly<Record<string, string | undefined>> | undefined
}

/** A request to a token endpoint. */
export interface TestRequest {
  /** So that the whole is what `fetch` takes beside the URL. */
  method: 'POST'
  /** Names in lower case; the content type among them. */
  headers: Record<string, string>
  /** The form as text: for `fetch`, supertest's `send` and others that send it. */
  body: string
  /** The form as parsed: what `authenticate({ headers, body: form })` takes. */
  form: URLSearchParams
}

/** What `getClient` returns for the client: metadata by its RFC 7591 names. */
export interface TestClientRecord<M extends TestClientMethod = TestClientMethod> {
  client_id: string
  token_endpoint_auth_method: M
  token_endpoint_auth_signing_alg: M extends `${string}_jwt` ? TestAlgorithm : undefined
  /** In the clear: hash it if your server stores hashes. */
  client_secret: M extends `client_secret_${string}` ? string : undefined
  /** The public key. */
  jwks: M extends 'private_key_jwt' ? JwkSet : undefined
}

interface MethodTraits {
  readonly algorithms: readonly string[]
  readonly defaultAlg?: TestAlgorithm
  readonly tampers: readonly TestTamper[]
}

export const methods: Readonly<Record<TestClientMethod, MethodTraits>> = {
  client_secret_basic: { algorithms: [], tampers: ['secret'] },
  client_secret_post: { algorithms: [], tampers: ['secret'] },
  client_secret_jwt: { algorithms: hmacAlgorithms, defaultAlg: 'HS256', tampers: ['secret', 'signature', 'claims'] },
  private_key_jwt: { algorithms: keyAlgorithms, defaultAlg: 'ES256', tampers: ['key', 'signature', 'claims'] },
  none: { algorithms: [], tampers: [] }
}

const isTime = (value: unknown): boolean =>
  value instanceof Date
    ? !Number.isNaN(value.getTime())
    : typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 1e11
const timeRule = optionRule('a Date, or seconds since the epoch (not milliseconds)', isTime)

/** Whole seconds since the epoch (RFC 7519 §2). */
export function secondsOf(time: TestTime): number {
  if (!isTime(time)) throw new TypeError(`createTestClient: now must return ${timeRule.must}`)
  return Math.floor(time instanceof Date ? time.getTime() / 1000 : time)
}

const oneOf = (names: readonly string[], note = ''): OptionRule =>
  isWord(`one of ${names.join(', ')}${note}`, (value) => names.includes(value as string))

/** Throws a `TypeError` for options from which no client can be made. */
export function checkClientOptions(options: TestClientOptions): void {
  const algorithms = [...hmacAlgorithms, ...keyAlgorithms]
  checkOptions('createTestClient', options, {
    client_id: isText,
    method: oneOf(Object.keys(methods)),
    issuer: isText,
    alg: oneOf(algorithms, lackingNote),
    kid: isText,
    modulusLength: isInteger('bits', 512, 16_384),
    now: isFunction
  })
  const { client_id, method, issuer, alg } = options as Partial<TestClientOptions>
  if (client_id === undefined) throw new TypeError('createTestClient: option "client_id" is required')
  if (method === undefined) throw new TypeError('createTestClient: option "method" is required')
  const fitting = methods[method].algorithms
  if (fitting.length > 0 && issuer === undefined) {
    throw new TypeError(`createTestClient: option "issuer" is required for ${method}: it is the aud of assertions`)
  }
  if (alg !== undefined && !fitting.includes(alg)) {
    const known = fitting.length > 0 ? `which takes ${fitting.join(', ')}` : 'which signs nothing'
    throw new TypeError(`createTestClient: option "alg" is ${alg}, but the method is ${method}, ${known}`)
  }
}

/**
 * Throws a `TypeError` for differences that cannot be made: a test whose request stays as it was proves nothing.
 */
export function checkRequestOptions(caller: string, method: TestClientMethod, options: TestRequestOptions): void {
  const assertionRules = { claims: isPlainObject, header: isPlainObject, now: timeRule }
  const { algorithms, tampers } = methods[method]
  const isRequest = caller === 'request'
  checkOptions(caller, options, {
    ...assertionRules,
    ...(isRequest ? { params: isPlainObject, headers: isPlainObject } : {}),
    tamper: tampers.length > 0 ? oneOf(tampers) : optionRule(`left out for ${method}`, () => false)
  })
  if (algorithms.length > 0) return
  const vain = Object.keys(assertionRules).find((name) => options[name as keyof TestRequestOptions] !== undefined)
  if (vain === undefined && isRequest) return
  throw new TypeError(`${caller}${vain === undefined ? '' : `: option "${vain}"`}: ${method} sends no assertion`)
}

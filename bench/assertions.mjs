import { createHmac, createSecretKey, timingSafeEqual, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import {
  assertionForm,
  digestOf,
  importSecret,
  issuer,
  makeAssertions,
  makeClient,
  signatureOptions
} from './clients.mjs'
import { compare } from './measure.mjs'

// The very copies that the package uses
const require = createRequire(new URL('../package.json', import.meta.url))
const { createClientAuthenticator, createMemoryReplayStore } = require('./dist/lib/index.js')
const jose = require('jose')

export const headers = {
  host: 'as.example.com',
  accept: 'application/json',
  'content-type': 'application/x-www-form-urlencoded',
  'content-length': '900'
}

/** An authenticator of one client; `fresh` begins its replay store anew, so that assertions can be used again. */
export function authenticatorOf(client, options = {}) {
  let store
  const fresh = () => (store = createMemoryReplayStore())
  fresh()
  // An assertion may still be under way when the store begins anew: it then counts in a store of its own.
  const replayStore = { consume: (entry) => store.consume(entry) || createMemoryReplayStore().consume(entry) }
  return {
    fresh,
    authenticate: createClientAuthenticator({ issuer, getClient: () => client, replayStore, ...options })
  }
}

const importedKey = ({ alg, client }) =>
  alg.startsWith('HS') ? importSecret(client.client_secret, alg) : jose.importJWK(client.jwks.keys[0], alg)

const verifyAsync = promisify(verify)

/** node:crypto alone, in the same mode as ours: a MAC at once, a signature on the thread pool. */
function bareVerifier({ alg, client, publicKey }) {
  const digest = digestOf(alg)
  if (publicKey === undefined) {
    const key = createSecretKey(Buffer.from(client.client_secret))
    return ({ input, signature }) => {
      if (!timingSafeEqual(createHmac(digest, key).update(input).digest(), signature)) throw new Error('not verified')
    }
  }
  const key = signatureOptions(alg, publicKey)
  return async ({ input, signature }) => {
    if (!(await verifyAsync(digest, input, key, signature))) throw new Error('not verified')
  }
}

const partsOf = (token) => {
  const at = token.lastIndexOf('.')
  return { input: Buffer.from(token.slice(0, at)), signature: Buffer.from(token.slice(at + 1), 'base64url') }
}

/** Over bytes that are already decoded. No verification costs less. */
export function bareVerification(maker, assertions) {
  const verify = bareVerifier(maker)
  const parts = assertions.slice(0, 500).map(partsOf)
  return (i) => verify(parts[i % parts.length])
}

const parse = (part) => JSON.parse(Buffer.from(part, 'base64url'))

/** Decoded, parsed and verified, but not judged: no rule, no record, no replay store. No authentication costs less. */
function leastWork(maker, assertions) {
  const verify = bareVerifier(maker)
  return (i) => {
    const token = assertions[i % assertions.length]
    const [header, claims] = token.split('.', 2).map(parse)
    if (header.alg !== maker.alg || claims.iss !== maker.client.client_id) throw new Error('not the client')
    return verify(partsOf(token))
  }
}

async function subjectsFor(maker, assertions, inFlight, count) {
  const { alg, client } = maker
  const { fresh, authenticate } = authenticatorOf(client)
  const key = await importedKey(maker)
  const policy = {
    algorithms: [alg],
    issuer: client.client_id,
    subject: client.client_id,
    audience: issuer,
    requiredClaims: ['exp'],
    clockTolerance: 30
  }
  const shared = { inFlight, count }
  return {
    ours: {
      ...shared,
      op: (i) => {
        if (i % assertions.length === 0) fresh()
        return authenticate({ headers, body: assertionForm(assertions[i % assertions.length]) })
      }
    },
    jose: { ...shared, op: (i) => jose.jwtVerify(assertions[i % assertions.length], key, policy) },
    crypto: { ...shared, op: bareVerification(maker, assertions) },
    least: { ...shared, op: leastWork(maker, assertions) }
  }
}

/** `authenticate()` beside jose, node:crypto and the least work, for each algorithm, at 1 and 16 in flight. */
export async function measureAssertions(algorithms, { rounds, count, pool, warmup }) {
  const rows = []
  for (const alg of algorithms) {
    const maker = makeClient(alg)
    const assertions = await makeAssertions(maker, pool)
    for (const inFlight of [1, 16])
      rows.push({ alg, inFlight, ...(await subjectsFor(maker, assertions, inFlight, count)) })
  }
  await compare(
    rows.flatMap(({ ours, jose, crypto, least }) => [ours, jose, crypto, least]),
    { rounds, warmup }
  )
  return rows
}

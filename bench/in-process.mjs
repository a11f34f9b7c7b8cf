import { createHmac, createSecretKey, randomBytes, scrypt, timingSafeEqual, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import argon2 from 'argon2'
import bcrypt from 'bcrypt'
import {
  assertionForm,
  basicHeader,
  clientSecret,
  digestOf,
  importSecret,
  issuer,
  makeAssertions,
  makeClient,
  postForm,
  secretClient,
  signatureOptions
} from './clients.mjs'
import { compare } from './measure.mjs'

// The very copies that the package uses
const require = createRequire(new URL('../package.json', import.meta.url))
const { createClientAuthenticator, createMemoryReplayStore, rememberSecrets } = require('./dist/index.js')
const jose = require('jose')

const headers = {
  host: 'as.example.com',
  accept: 'application/json',
  'content-type': 'application/x-www-form-urlencoded',
  'content-length': '900'
}

/** An authenticator of one client; `fresh` begins its replay store anew, so that assertions can be used again. */
function authenticatorOf(client, options = {}) {
  let store
  const fresh = () => (store = createMemoryReplayStore())
  fresh()
  const replayStore = { consume: (entry) => store.consume(entry) }
  return {
    fresh,
    authenticate: createClientAuthenticator({ issuer, getClient: () => client, replayStore, ...options })
  }
}

const importedKey = ({ alg, client }) =>
  alg.startsWith('HS') ? importSecret(client.client_secret, alg) : jose.importJWK(client.jwks.keys[0], alg)

/** node:crypto over bytes that are already decoded: no verification costs less. */
function bareVerification({ alg, client, publicKey }, assertions) {
  const parts = assertions.slice(0, 500).map((token) => {
    const at = token.lastIndexOf('.')
    return { input: Buffer.from(token.slice(0, at)), signature: Buffer.from(token.slice(at + 1), 'base64url') }
  })
  const digest = digestOf(alg)
  if (publicKey === undefined) {
    const key = createSecretKey(Buffer.from(client.client_secret))
    return (i) => {
      const { input, signature } = parts[i % parts.length]
      if (!timingSafeEqual(createHmac(digest, key).update(input).digest(), signature)) throw new Error('not verified')
    }
  }
  const key = signatureOptions(alg, publicKey)
  return (i) => {
    const { input, signature } = parts[i % parts.length]
    if (!verify(digest, input, key, signature)) throw new Error('not verified')
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
  const bare = bareVerification(maker, assertions)
  return {
    ours: {
      ...shared,
      op: (i) => {
        if (i % assertions.length === 0) fresh()
        return authenticate({ headers, body: assertionForm(assertions[i % assertions.length]) })
      }
    },
    jose: { ...shared, op: (i) => jose.jwtVerify(assertions[i % assertions.length], key, policy) },
    crypto: { ...shared, op: bare }
  }
}

/** `authenticate()` beside jose and node:crypto, for each algorithm, at 1 and 16 in flight. */
export async function measureAssertions(algorithms, { rounds, count, pool }) {
  const rows = []
  for (const alg of algorithms) {
    const maker = makeClient(alg)
    const assertions = await makeAssertions(maker, pool)
    for (const inFlight of [1, 16])
      rows.push({ alg, inFlight, ...(await subjectsFor(maker, assertions, inFlight, count)) })
  }
  await compare(
    rows.flatMap(({ ours, jose, crypto }) => [ours, jose, crypto]),
    { rounds, warmup: 4 }
  )
  return rows
}

const scryptAsync = promisify(scrypt)

/** Each slow function as its users call it; bcrypt and argon2 with the packages' defaults (2^10 rounds; 64 MiB, 3 passes). */
export const slowFunctions = {
  'bcrypt (2^10)': {
    hash: (secret) => bcrypt.hash(secret, 10),
    verify: (given, stored) => bcrypt.compare(given, stored)
  },
  'argon2id (64 MiB)': {
    hash: (secret) => argon2.hash(secret),
    verify: (given, stored) => argon2.verify(stored, given)
  },
  'scrypt (2^14)': {
    hash: async (secret) => {
      const salt = randomBytes(16)
      return Buffer.concat([salt, await scryptAsync(secret, salt, 32)]).toString('base64')
    },
    verify: async (given, stored) => {
      const bytes = Buffer.from(stored, 'base64')
      return timingSafeEqual(await scryptAsync(given, bytes.subarray(0, 16), 32), bytes.subarray(16))
    }
  }
}

const basicRequest = { headers: { ...headers, authorization: basicHeader }, body: { grant_type: 'urn:example:bench' } }
const basicClient = secretClient('client_secret_basic')

export async function measureSecrets({ rounds, count }) {
  const basic = authenticatorOf(basicClient).authenticate
  const post = authenticatorOf(secretClient('client_secret_post')).authenticate
  const rows = []
  for (const inFlight of [1, 16]) {
    rows.push({ name: 'client_secret_basic', inFlight, count, op: () => basic(basicRequest) })
    rows.push({ name: 'client_secret_post', inFlight, count, op: () => post({ headers, body: { ...postForm } }) })
  }
  const first = []
  for (const [name, { hash, verify }] of Object.entries(slowFunctions)) {
    const client = { ...basicClient, client_secret: await hash(clientSecret) }
    const { authenticate } = authenticatorOf(client, { verifySecret: rememberSecrets(verify) })
    rows.push({ name: `rememberSecrets(${name}), known`, inFlight: 1, count, op: () => authenticate(basicRequest) })
    first.push({
      name: `rememberSecrets(${name}), first time`,
      inFlight: 1,
      count: 1,
      op: () => authenticatorOf(client, { verifySecret: rememberSecrets(verify) }).authenticate(basicRequest)
    })
  }
  await compare(rows, { rounds, warmup: 4 })
  await compare(first, { rounds: 5, warmup: 1 })
  return [...rows, ...first]
}

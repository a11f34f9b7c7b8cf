import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import argon2 from 'argon2'
import bcrypt from 'bcrypt'
import { authenticatorOf, headers } from './assertions.mjs'
import { basicHeader, clientSecret, postForm, secretClient } from './clients.mjs'
import { compare } from './measure.mjs'

const require = createRequire(new URL('../package.json', import.meta.url))
const { rememberSecrets } = require('./dist/lib/index.js')

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
  await compare(rows, { rounds, warmup: 6000 })
  await compare(first, { rounds: 5, warmup: 1 })
  return [...rows, ...first]
}

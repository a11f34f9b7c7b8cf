import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { authenticatorOf } from './assertions.mjs'
import { assertionForm, issuer, makeAssertion, makeClient } from './clients.mjs'
import { compare } from './measure.mjs'

const require = createRequire(new URL('../package.json', import.meta.url))
const { createClientAuthenticator } = require('./dist/lib/index.js')

const headers = { host: 'as.example.com', 'content-type': 'application/x-www-form-urlencoded' }
const base = makeClient('ES256')
const [jwk] = base.client.jwks.keys
const idOf = (n) => `client-${n}`
/** Every client has a key of its own by name; the same curve point spares the bench a million key pairs. */
const keysOf = (id) => ({ keys: [{ ...jwk, kid: id }] })
const hmacBase = makeClient('HS256')

/** A record as a database answers: a fresh object each time, for any id below `size`. */
const kinds = {
  'inline jwks': {
    maker: base,
    record: (id) => ({ client_id: id, token_endpoint_auth_method: 'private_key_jwt', jwks: keysOf(id) })
  },
  jwks_uri: {
    maker: base,
    record: (id) => ({
      client_id: id,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `https://${id}.example.com/jwks`
    })
  },
  client_secret_jwt: {
    maker: hmacBase,
    record: (id) => ({ client_id: id, token_endpoint_auth_method: 'client_secret_jwt', client_secret: secretOf(id) })
  }
}
const secretOf = (id) => `${id}-${hmacBase.client.client_secret}`

/** Stands for the fetcher: at most `max` sets, and an unchanged set is the same object each time. */
function keySetsOf(max) {
  const sets = new Map()
  return {
    get(uri) {
      let set = sets.get(uri)
      if (set === undefined) {
        if (sets.size >= max) sets.delete(sets.keys().next().value)
        sets.set(uri, (set = keysOf(new URL(uri).hostname.split('.')[0])))
      }
      return Promise.resolve(set)
    }
  }
}

function assertionOf(kind, id) {
  const { maker } = kinds[kind]
  if (kind !== 'client_secret_jwt') return makeAssertion(maker, id, id)
  return makeAssertion({ ...maker, client: { ...maker.client, client_secret: secretOf(id) } }, id)
}

const POOL = 1000

/** `size` clients, of which `active` are met again and again: as many as the caches hold. */
async function subjectOf(kind, size, active, count) {
  const idAt = (n) => idOf((n % active) * Math.floor(size / active))
  const assertions = await Promise.all(Array.from({ length: POOL }, (_, n) => assertionOf(kind, idAt(n))))
  const { fresh, authenticate } = authenticatorOf(undefined, {
    getClient: (id) => (Number(id.slice(7)) < size ? kinds[kind].record(id) : undefined),
    keySets: keySetsOf(1000)
  })
  const op = (i) => {
    if (i % assertions.length === 0) fresh()
    return authenticate({ headers, body: assertionForm(assertions[i % assertions.length]) })
  }
  return { kind, size, active, count, inFlight: 16, op }
}

/** Cost per authentication among 10, 10 thousand and 1 million clients, their keys in the caches. */
export async function measureGrowth({ rounds, count }) {
  const rows = []
  for (const kind of Object.keys(kinds)) {
    // One kind at a time, so that the caches of the process hold what they would in a server
    const group = []
    for (const [size, active] of [
      [10, 10],
      [10_000, 1000],
      [1_000_000, 1000]
    ]) {
      group.push(await subjectOf(kind, size, active, count))
    }
    await compare(group, { rounds, warmup: 1500 })
    rows.push(...group)
  }
  return rows
}

const settled = async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed / 1e6
}

/** Ever new clients, each with keys of its own: what stays on the heap after each `step` of them. */
export async function measureMemory({ step, steps }) {
  const rows = []
  for (const [kind, { record }] of Object.entries(kinds)) {
    const run = randomUUID().slice(0, 8)
    const authenticate = createClientAuthenticator({
      issuer,
      getClient: record,
      keySets: keySetsOf(1000),
      replayStore: { consume: () => true } // the store of assertions has bounds of its own
    })
    const heap = [await settled()]
    for (let n = 0; n < steps; n++) {
      for (let i = 0; i < step; i += 50) {
        const ids = Array.from({ length: 50 }, (_, k) => `${run}-${n * step + i + k}`)
        await Promise.all(
          ids.map(async (id) => authenticate({ headers, body: assertionForm(await assertionOf(kind, id)) }))
        )
      }
      heap.push(await settled())
    }
    rows.push({ kind, step, heap })
  }
  return rows
}

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import {
  assertionForm,
  basicHeader,
  issuer,
  mainAlgorithms,
  makeAssertions,
  makeClient,
  postForm,
  secretClient
} from './clients.mjs'
import { compare } from './measure.mjs'

async function startServer(kind, setup) {
  const child = fork(new URL('./server.mjs', import.meta.url), {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const ask = async (what, more = {}) => {
    child.send({ ask: what, ...more })
    const [{ answer }] = await once(child, 'message')
    return answer
  }
  const port = await ask('listen', { kind, setup })
  return { port, stop: () => child.disconnect(), meter: { start: () => ask('start'), stop: () => ask('stop') } }
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

const post = (port, { headers, form }) =>
  new Promise((resolve, reject) => {
    const body = new URLSearchParams(form).toString()
    const options = {
      agent,
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, ...headers }
    }
    const req = request(options, (res) => {
      res.resume().on('end', () => {
        if (res.statusCode === 200) resolve()
        else reject(new Error(`port ${port} answered ${res.statusCode}`))
      })
    })
    req.on('error', reject).end(body)
  })

/** What the requests of each method look like; `none` is what is subtracted. */
async function makeRequests(makers, total) {
  const requests = {
    none: () => ({ form: { grant_type: 'urn:example:bench', client_id: 'none' } }),
    client_secret_basic: () => ({
      headers: { authorization: basicHeader },
      form: { grant_type: 'urn:example:bench' }
    }),
    client_secret_post: () => ({ form: postForm })
  }
  for (const maker of makers) {
    const assertions = await makeAssertions(maker, total)
    requests[maker.alg] = (i) => ({ form: assertionForm(assertions[i]) })
  }
  return requests
}

function serves(kind, method) {
  if (kind.endsWith('without')) return method === 'none'
  if (kind === 'bare jose') return mainAlgorithms.includes(method)
  return kind === 'oidc-provider' || method !== 'none'
}

/** The same requests to each server; only the server's CPU counts. */
export async function measureHttp({ rounds, count, inFlight, warmup }) {
  const makers = mainAlgorithms.map((alg) => makeClient(alg))
  const requests = await makeRequests(makers, rounds * count + warmup)
  const clients = [
    ...makers.map(({ client }) => client),
    secretClient('client_secret_basic'),
    secretClient('client_secret_post')
  ]
  const kinds = ['express without', 'express with', 'node:http without', 'node:http with', 'bare jose', 'oidc-provider']
  const servers = {}
  for (const kind of kinds) servers[kind] = await startServer(kind, { issuer, clients })
  const keyed = Object.fromEntries(makers.map((maker) => [maker.alg, maker]))
  const table = {}
  const subjects = []
  for (const kind of kinds) {
    const { port, meter } = servers[kind]
    table[kind] = {}
    const methods = Object.entries(requests).filter(([method]) => serves(kind, method))
    for (const [method, make] of methods) {
      // What is to be told apart by a few microseconds takes longer batches
      const times = method in keyed ? 1 : 4
      subjects.push((table[kind][method] = { op: (i) => post(port, make(i)), count: count * times, inFlight, meter }))
    }
  }
  await compare(subjects, { rounds, warmup })
  for (const { stop } of Object.values(servers)) stop()
  agent.destroy()
  return { table, methods: Object.keys(requests).filter((method) => method !== 'none') }
}

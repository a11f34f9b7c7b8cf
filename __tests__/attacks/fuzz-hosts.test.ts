// Whatever request, response, next and onError do, each run ends, nothing ends the process, and nobody gets in who
// should not. `npm run fuzz` runs a tenth of its runs here. An unhandled rejection or an uncaught exception fails the
// test in which it happens: Jest listens for both.
import { once } from 'node:events'
import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse
} from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server, type ClientHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import formbody from '@fastify/formbody'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import fc from 'fast-check'
import { clientAuth, type ClientAuthMiddleware, type ClientAuthOptions } from '../../lib'
import { issuer } from '../support/assertions'
import {
  behave,
  hosts,
  imitation,
  records,
  responders,
  sentFor,
  somePlan,
  spoil,
  type Plan
} from '../support/fuzz/objects'

const runs = process.env['FUZZ_RUNS'] === undefined ? 2000 : Math.ceil(Number(process.env['FUZZ_RUNS']) / 10)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
jest.setTimeout(Math.max(60_000, runs * 20))

/** How a run ended. */
type End = 'let in' | 'passed on' | 'answered' | 'thrown' | 'left to onError'
interface Run {
  plan: Plan
  end: (how: End) => void
}
const running = new Map<string, Run>()
const runOf = (id: unknown): Run => {
  const run = running.get(String(id))
  if (run === undefined) throw new Error('no such run')
  return run
}
/** Where onError finds its run: a request may be too spoilt to tell. */
const runOfRequest = new WeakMap<object, Run>()

type OnError = NonNullable<ClientAuthOptions['onError']>
const onErrors: Record<(typeof responders)[number], OnError | undefined> = {
  none: undefined,
  throws: () => behave('throws'),
  rejects: () => behave('rejects'),
  'passes on': (error, _req, _res, next) => {
    next(error)
  },
  answers: (_error, _req, res) => res.end(),
  'never settles': (_error, req) => {
    runOfRequest.get(req)?.end('left to onError')
    return new Promise(() => undefined)
  },
  'throws late': async (_error, _req, _res, next) => {
    await new Promise(setImmediate)
    next(new Error('spoilt'))
    throw new Error('spoilt')
  }
}
const getClient = (id: string) => records.find(({ client_id }) => client_id === id)
const replayStore = { consume: () => true }
const middlewares = Object.fromEntries(
  responders.map((name) => [name, clientAuth({ issuer, getClient, replayStore, onError: onErrors[name] })])
) as unknown as Record<(typeof responders)[number], ClientAuthMiddleware>

/** Hands spoilt objects to the middleware, and watches how that ends. */
function hand(run: Run, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => unknown): void {
  const { plan, end } = run
  runOfRequest.set(req, run)
  spoil(plan, req, res)
  try {
    middlewares[plan.onError](req, res, (...error: unknown[]) => {
      end(error.length === 0 ? 'let in' : 'passed on')
      next(...error)
      return behave(plan.next)
    })
  } catch {
    end('thrown')
  }
}

type Step = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => unknown) => void
const watched: Step = (req, res, next) => {
  hand(runOf(req.headers['x-run']), req, res, next)
}
/** Where the run wants it so, the body is parsed before. */
const parsing =
  (parse: Step): Step =>
  (req, res, next) => {
    const run = runOf(req.headers['x-run'])
    res.once('close', () => {
      run.end('answered')
    })
    if (run.plan.isParsedBefore) parse(req, res, next)
    else next()
  }
const parse = express.urlencoded({ extended: false }) as unknown as Step
/** The application's own handlers, which know that a response may be broken: Express' last one does not. */
const finish = (_req: unknown, res: { end?: () => void }) => {
  try {
    res.end?.()
  } catch {
    // spoilt
  }
}
const quietly = (_error: unknown, req: unknown, res: object, _next: unknown) => {
  finish(req, res)
}

const bare: Step = (req, res) => {
  parsing(parse)(req, res, () => {
    watched(req, res, () => undefined)
  })
}
const use = (app: { use: (handler: never) => unknown }, ...steps: unknown[]) => {
  for (const step of steps) app.use(step as never)
  return app as unknown as RequestListener
}
const listeners: Partial<Record<Plan['host'], RequestListener>> = {
  'node:http': bare as unknown as RequestListener,
  'Express 5': use(express(), parsing(parse), watched, finish, quietly),
  'Express 4': use(express4(), parsing(express4.urlencoded({ extended: false })), watched, finish, quietly),
  connect: use(connect(), parsing(parse), watched, finish, quietly)
}

type Send = (plan: Plan, id: string) => void
const closers: (() => unknown)[] = []
const agent = new Agent({ maxSockets: 64 })
closers.push(() => {
  agent.destroy()
})

async function overHttp(server: Server): Promise<Send> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  closers.push(() => (server.closeAllConnections(), server.close()))
  return (plan, id) => {
    const { authorization, form } = sentFor(plan.credentials)
    const body = form === undefined ? '' : new URLSearchParams(form).toString()
    const headers = {
      'x-run': id,
      ...(authorization === undefined ? {} : { authorization }),
      ...(form === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length })
    }
    const sent = request({ agent, port, host: '127.0.0.1', path: '/token', method: 'POST', headers })
    sent.on('error', () => undefined).on('response', (answer) => answer.on('error', () => undefined).resume())
    if (plan.isHalf) sent.write(body.slice(0, 5) || ' ', () => setTimeout(() => sent.destroy(), 5))
    else sent.end(body)
    closing.set(id, () => sent.destroy())
  }
}
/** Ends what the sender still holds open. */
const closing = new Map<string, () => void>()

async function overHttp2(): Promise<Send> {
  const server = createHttp2Server((req, res) => {
    bare(req as unknown as IncomingMessage, res as unknown as ServerResponse, () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let session: ClientHttp2Session | undefined
  closers.push(() => (session?.destroy(), server.close()))
  return (plan, id) => {
    if (session === undefined || session.destroyed || session.closed) {
      session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined)
    }
    const { authorization, form } = sentFor(plan.credentials)
    const stream = session.request({
      ':method': 'POST',
      'x-run': id,
      ...(authorization === undefined ? {} : { authorization }),
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' })
    })
    stream.on('error', () => undefined).resume()
    // The sender has the whole answer. The server's `close` waits for an upload that nobody reads.
    stream.on('end', () => running.get(id)?.end('answered'))
    const body = new URLSearchParams(form).toString()
    if (plan.isHalf) stream.write(body.slice(0, 5) || ' ', () => setTimeout(() => stream.destroy(), 5))
    else stream.end(body)
    closing.set(id, () => stream.destroy())
  }
}

async function inFastify(): Promise<Send> {
  const app = Fastify()
  await app.register(formbody)
  app.post('/token', {
    preHandler: (req, reply, done) => {
      hand(
        runOf(req.headers['x-run']),
        req as unknown as IncomingMessage,
        reply as unknown as ServerResponse,
        (error) => {
          if (!reply.sent) done(error as Error)
        }
      )
    },
    handler: () => 'let in'
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  closers.push(() => app.close())
  return overHttp(app.server)
}

const imitated: Send = (plan, id) => {
  const run = runOf(id)
  const { req, res } = imitation(plan, () => {
    run.end('answered')
  })
  hand(run, req as unknown as IncomingMessage, res as unknown as ServerResponse, () => undefined)
}

const senders = new Map<Plan['host'], Send>([
  ['mock', imitated],
  ['stream', imitated]
])
beforeAll(async () => {
  for (const [host, listener] of Object.entries(listeners))
    senders.set(host as Plan['host'], await overHttp(createServer(listener)))
  senders.set('node:http2', await overHttp2())
  senders.set('Fastify', await inFastify())
  jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
})
afterAll(async () => {
  // If the test ran out of time, these are the runs that did not end
  expect([...running.values()].map(({ plan }) => plan)).toEqual([])
  for (const close of closers) await close()
  jest.restoreAllMocks()
})

let count = 0
/** Every end that a run came to, the first one first. */
async function endsOf(plan: Plan): Promise<End[]> {
  const id = String(count++)
  const ends: End[] = []
  await new Promise<void>((resolve) => {
    const end = (how: End) => {
      ends.push(how)
      resolve()
    }
    running.set(id, { plan, end })
    senders.get(plan.host)?.(plan, id)
  })
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  closing.get(id)?.()
  closing.delete(id)
  running.delete(id)
  return ends
}

const letIn = new Map<string, number>()
async function judge(plan: Plan): Promise<void> {
  const ends = await endsOf(plan)
  const isGood = plan.credentials.startsWith('good')
  if (ends.includes('let in')) {
    if (!isGood) throw new Error(`let in: ${JSON.stringify(plan)}`)
    letIn.set(plan.host, (letIn.get(plan.host) ?? 0) + 1)
  }
  const isWhole = plan.spoils.every((name) => name === 'nothing') && !plan.isHalf && plan.host !== 'Fastify'
  if (isWhole && isGood && plan.host !== 'stream' && ends[0] !== 'let in') {
    throw new Error(`not let in but ${ends.join()}: ${JSON.stringify(plan)}`)
  }
}

test(`${runs} runs: each ends, none ends the process, none lets a wrong client in`, async () => {
  const plans = fc.sample(somePlan, { numRuns: runs, seed })
  let index = 0
  const work = async () => {
    try {
      for (let plan = plans[index++]; plan !== undefined; plan = plans[index++]) await judge(plan)
    } finally {
      index = plans.length // the first failure ends the others too: where all hang, they would take hours
    }
  }
  await Promise.all(Array.from({ length: 32 }, work))
  // A run that lets nobody in proves nothing.
  expect([...letIn.keys()].sort()).toEqual(hosts.filter((host) => host !== 'Fastify').sort())
})

// What fetches in a process of its own is for: nothing that a stranger's server sends holds up this one.
import { spawn, type ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { createClientDocuments, createJwksFetcher, type JwksFetcherOptions, validateClientMetadata } from '../../../lib'
import { serveHostileHandshake } from '../../support/hostile-handshake'
import { freePort, isRunning } from '../../support/own-servers'
import { answer } from '../../support/tls-answers'
import { type Certificate, makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { type Play, serveRaw, type TestServer } from '../../support/tls-server'

// Processes are started, on machines that have other work too
jest.setTimeout(60_000)

const root = join(__dirname, '../../..')
const host = 'keys.client-app.net'
const hostile = 'hostile.client-app.net'
let authority: Certificate
let server: TestServer
let play: Play
const requests: string[] = []
const url = (path: string) => `https://${host}:${server.port}${path}`

beforeAll(async () => {
  authority = await makeAuthority()
  server = await serveRaw(await makeCertificate(authority, { names: [host] }), (path) => (socket, request) => {
    requests.push(path)
    play(socket, request)
  })
})
afterAll(() => server.close())
beforeEach(() => {
  play = answer()
  requests.length = 0
})

const hostRules = (ports = [server.port]) => ({ addresses: ['127.0.0.1'], ports, ca: authority.cert })
const makeFetcher = (options: JwksFetcherOptions = {}) =>
  createJwksFetcher({
    hosts: { [host]: hostRules() },
    resolver: () => ({
      resolve4: () => Promise.resolve(['127.0.0.1']),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    }),
    timeout: 30,
    ...options
  })

/** The processes that this one starts, and what is told of them. */
const children: ChildProcess[] = []
const events: { event: string; host?: string; cpuMs?: number }[] = []
const seeChild = (message: unknown) => void children.push((message as { process: ChildProcess }).process)
const seeEvent = (message: unknown) => void events.push(message as (typeof events)[number])
beforeEach(() => {
  children.length = 0
  events.length = 0
  subscribe('child_process', seeChild)
  subscribe('oauth-client-auth:fetching', seeEvent)
})
afterEach(() => {
  unsubscribe('child_process', seeChild)
  unsubscribe('oauth-client-auth:fetching', seeEvent)
})

const pause = () => new Promise((done) => setTimeout(done, 5))
const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await pause()
}

// Threat 33: certificates of a key server that take OpenSSL seconds to decode, in plain text and without a private key
test('a hostile handshake ends the process that fetches, and holds up nothing else', async () => {
  let turns: number | undefined
  const hostileServer = await serveHostileHandshake(() => {
    turns ??= 0
  })
  const counter = setInterval(() => {
    if (turns !== undefined) turns++
  }, 5)
  const uri = `https://${hostile}:${hostileServer.port}/jwks`
  // No cool-down: what rests does so because of its cost
  const hosts = { [host]: hostRules(), [hostile]: hostRules([hostileServer.port]) }
  const fetcher = makeFetcher({ cooldown: 0, hosts })
  const killed = () => events.filter(({ event }) => event === 'killed')
  try {
    // The good host answers only once the process has been killed under it
    play = (socket, request) => {
      if (killed().length > 0) answer()(socket, request)
    }
    const good = fetcher.get(url('/good'))
    await until(() => requests.length === 1)
    const error: unknown = await fetcher.get(uri).catch((cause: unknown) => cause)
    const turnsMeanwhile = turns

    expect(killed()).toEqual([{ event: 'killed', side: 'registered', host: hostile, cpuMs: expect.any(Number) }])
    const cpuMs = Number(killed()[0]?.cpuMs)
    expect(cpuMs).toBeGreaterThanOrEqual(500)
    expect(error).toMatchObject({
      name: 'KeySetError',
      why: 'tls',
      message: `${hostile} sent what took over ${cpuMs} ms of computing: the fetch was ended`
    })
    expect((await good).keys).toHaveLength(1)
    expect(requests).toEqual(['/good', '/good'])
    // At the least every 50 ms of the time that the child computed. In this process it would be one or two
    expect(turnsMeanwhile).toBeGreaterThanOrEqual(10)

    await expect(fetcher.get(uri)).rejects.toBe(error)
    expect(hostileServer.connections).toBe(1)
    expect(killed()).toHaveLength(1)
    expect(children.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', null])
  } finally {
    clearInterval(counter)
    fetcher.close()
    await hostileServer.close()
  }
})

test('a process that is stopped is ended after three fetches that it does not answer, and started anew', async () => {
  const fetcher = makeFetcher()
  const hasty = makeFetcher({ timeout: 0.1, maxConcurrentPerHost: 10 })
  try {
    await fetcher.get(url('/1'))
    process.kill(Number(children[0]?.pid), 'SIGSTOP') // from outside
    // On a machine that is slow, some begin again in the new process, and are not answered there either
    play = () => undefined
    const paths = ['/2', '/3', '/4', '/4b', '/4c', '/4d', '/4e']
    const all = await Promise.allSettled(paths.map((path) => hasty.get(url(path))))
    expect(all.map(({ status }) => status)).toEqual(paths.map(() => 'rejected'))
    play = answer()
    expect((await fetcher.get(url('/5'))).keys).toHaveLength(1)
    const ofProcesses = events.filter(({ event }) => event !== 'busy')
    expect(ofProcesses).toEqual(['started', 'killed', 'started'].map((event) => ({ event, side: 'registered' })))
    expect(children.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', null])
  } finally {
    fetcher.close()
    hasty.close()
  }
})

test('a fetch that was interrupted has a head start: the next hostile host does not interrupt it again', async () => {
  const hostileServer = await serveHostileHandshake(() => undefined)
  const [first, next] = ['first.attacker.net', 'next.attacker.net']
  const rules = hostRules([hostileServer.port])
  const fetcher = makeFetcher({ hosts: { [host]: hostRules(), [first]: rules, [next]: rules } })
  const uriOf = (name: string) => `https://${name}:${hostileServer.port}/`
  // Asked for as soon as the process is killed for the first one
  let second: Promise<unknown> | undefined
  const askNext = (message: unknown) => {
    if ((message as { event: string }).event === 'killed') second ??= fetcher.get(uriOf(next)).catch(() => undefined)
  }
  subscribe('oauth-client-auth:fetching', askNext)
  try {
    let connectionsBefore: number | undefined
    play = (socket, request) => {
      if (second === undefined) return
      connectionsBefore = hostileServer.connections
      answer()(socket, request)
    }
    const good = fetcher.get(url('/good'))
    await until(() => requests.length === 1)
    await expect(fetcher.get(uriOf(first))).rejects.toMatchObject({ why: 'tls' })
    expect((await good).keys).toHaveLength(1)
    expect([requests, connectionsBefore]).toEqual([['/good', '/good'], 1])
    await second
    expect(hostileServer.connections).toBe(2)
  } finally {
    unsubscribe('oauth-client-auth:fetching', askNext)
    fetcher.close()
    await hostileServer.close()
  }
})

test.each([
  ['once: the fetch begins again', 1],
  ['again and again: the fetch fails, the next one has a new process', 2]
])('a process that something else ends, %s', async (_name, ends) => {
  const fetcher = makeFetcher({ cooldown: 0 })
  try {
    play = (socket, request) => {
      if (requests.length <= ends) children.at(-1)?.kill('SIGKILL')
      else answer()(socket, request)
    }
    const fetched = fetcher.get(url('/'))
    if (ends === 1) expect((await fetched).keys).toHaveLength(1)
    else {
      const message = 'the process that fetches has ended unexpectedly'
      await expect(fetched).rejects.toMatchObject({ name: 'KeySetError', why: 'connection', message })
      expect((await fetcher.get(url('/'))).keys).toHaveLength(1)
    }
    expect(children.map(({ signalCode }) => signalCode)).toEqual([...Array<string>(ends).fill('SIGKILL'), null])
    expect(events.map(({ event }) => event)).toEqual(children.map(() => 'started'))
  } finally {
    fetcher.close()
  }
})

test('close() ends fetches that are under way', async () => {
  const fetcher = makeFetcher()
  play = () => undefined
  const fetched = fetcher.get(url('/'))
  await until(() => requests.length === 1)
  fetcher.close()
  const message = `${host} was not asked to the end: the fetcher was closed`
  await expect(fetched).rejects.toMatchObject({ why: 'busy', message })
  await until(() => server.open === 0)
})

test('close() of the last fetcher ends the process; nothing is fetched after it, and what is cached stays', async () => {
  const [first, last] = [makeFetcher(), makeFetcher()]
  await first.get(url('/first'))
  const set = await last.get(url('/last'))
  expect(children).toHaveLength(1)
  const [child] = children as [ChildProcess]

  first.close()
  await last.get(url('/last/again'))
  expect([child.exitCode, children.length]).toEqual([null, 1])

  // To judge a jwks_uri is no fetch, and takes no part in the process
  validateClientMetadata({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://client.example.com/jwks' })
  const exit = once(child, 'exit')
  last.close()
  expect(await exit).toEqual([0, null])
  expect(isRunning(Number(child.pid))).toBe(false)
  await expect(last.get(url('/other'))).rejects.toMatchObject({ name: 'KeySetError' })
  expect(requests).toEqual(['/first', '/last', '/last/again'])
  expect(children).toHaveLength(1)
  expect(await last.get(url('/last'))).toBe(set)
  expect(last.cached(url('/last'))).toBe(set)
})

describe('a server', () => {
  let folder: string
  /** The library as the build has made it. */
  const library = join(root, 'dist/lib')
  const copies: string[] = []
  const running: ChildProcess[] = []

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'child-process-'))
  })
  /** A copy of the library in which the file of the process is another. */
  function copyWith(change: (file: string) => void): string {
    const cache = join(root, 'node_modules/.cache')
    mkdirSync(cache, { recursive: true })
    // Inside the project, so that it finds its dependencies
    const copy = mkdtempSync(join(cache, 'child-process-'))
    copies.push(copy)
    cpSync(library, copy, { recursive: true })
    change(join(copy, 'guarded-fetch/guarded-fetch-child.js'))
    return copy
  }
  /** A copy whose process waits for so long before it does anything. */
  const slowToStart = (ms: number) =>
    copyWith((file) => {
      const wait = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms})\n`
      writeFileSync(file, `if (require('node:worker_threads').isMainThread) ${wait}${readFileSync(file, 'utf8')}`)
    })
  afterEach(() => {
    for (const one of running.splice(0)) one.kill('SIGKILL')
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
    for (const copy of copies) rmSync(copy, { recursive: true, force: true })
  })

  interface Told {
    outcome: string
    message?: string
    killed?: number
    pid?: number
  }
  interface Program {
    task: Record<string, unknown>
    flags?: string[]
    env?: Record<string, string>
    from?: string
  }

  function start({ task, flags = [], env = {}, from = library }: Program) {
    const file = join(root, '__tests__/support/fetching-program.mjs')
    const told = { library: pathToFileURL(join(from, 'index.js')), hosts: { [host]: hostRules() }, ...task }
    const program = spawn(process.execPath, [...flags, file, JSON.stringify(told)], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe']
    })
    running.push(program)
    let errors = ''
    program.stderr.on('data', (text) => (errors += String(text)))
    return { program, lines: createInterface(program.stdout), errors: () => errors }
  }

  /** Runs a program to its end. */
  async function run(how: Program) {
    const { program, lines, errors } = start(how)
    const answers: Told[] = []
    lines.on('line', (line) => answers.push(JSON.parse(line) as Told))
    const [code] = (await once(program, 'close')) as [number | null]
    return { code, answers, errors: errors() }
  }

  test('that is killed leaves no process behind', async () => {
    const { program, lines } = start({ task: { keySets: [url('/')], stays: true } })
    const [line] = (await once(lines, 'line')) as [string]
    const { outcome, pid } = JSON.parse(line) as Told
    expect(outcome).toBe('fetched')
    expect(isRunning(Number(pid))).toBe(true)
    program.kill('SIGKILL')
    await until(() => !isRunning(Number(pid)))
  })

  test('whose work is done ends, although its fetchers were never closed, and its process with it', async () => {
    const { code, answers, errors } = await run({ task: { keySets: [url('/')] } })
    expect([code, errors, answers]).toEqual([0, '', [{ outcome: 'fetched', pid: expect.any(Number) }]])
    await until(() => !isRunning(Number(answers[0]?.pid)))
  })

  test('hands on the authorities of NODE_EXTRA_CA_CERTS', async () => {
    const file = join(folder, 'authority.pem')
    writeFileSync(file, authority.cert)
    // JSON leaves out what is undefined
    const task = { keySets: [url('/')], hosts: { [host]: { ...hostRules(), ca: undefined } } }
    const [without, withIt] = [await run({ task }), await run({ task, env: { NODE_EXTRA_CA_CERTS: file } })]
    expect(without.answers).toMatchObject([{ outcome: 'tls' }])
    expect(withIt.answers).toEqual([{ outcome: 'fetched', pid: expect.any(Number) }])
  })

  test('whose process is slow to start: that is no time of the fetch', async () => {
    const { answers } = await run({ from: slowToStart(4000), task: { keySets: [url('/')], timeout: 3 } })
    expect(answers).toMatchObject([{ outcome: 'fetched' }])
  })

  test('whose process never gets ready gives it up, and does not fetch itself', async () => {
    const { code, answers, errors } = await run({
      from: slowToStart(60_000),
      task: { keySets: [url('/')], timeout: 1 }
    })
    const message = 'no process could be started that fetches (not within 10 s)'
    expect([code, errors, answers]).toEqual([0, '', [{ outcome: 'busy', message, pid: expect.any(Number) }]])
    expect(requests).toEqual([])
    await until(() => !isRunning(Number(answers[0]?.pid)))
  })

  test.each(['close', 'exit'])('that ends does not wait for a process that is stuck: %s', async (how) => {
    // Nothing but the end of the server ends the work on the certificates
    const patient = copyWith((file) => {
      const text = readFileSync(file, 'utf8')
      expect(text).toContain('maxWork = 500;')
      writeFileSync(file, text.replace('maxWork = 500;', 'maxWork = 60000;'))
    })
    const sent: (() => void)[] = []
    const isStuck = new Promise<void>((done) => sent.push(done))
    const hostileServer = await serveHostileHandshake(() => sent[0]?.())
    try {
      const hosts = { [hostile]: hostRules([hostileServer.port]) }
      const task = { keySets: [`https://${hostile}:${hostileServer.port}/`], hosts }
      const { program, lines } = start({ from: patient, task })
      const answers: Told[] = []
      lines.on('line', (line) => answers.push(JSON.parse(line) as Told))
      await isStuck
      program.stdin.write(`${how}\n`)
      const [code] = (await once(program, 'close')) as [number | null]
      expect(code).toBe(0)
      expect(answers.map(({ outcome }) => outcome)).toEqual(how === 'close' ? ['busy', 'ended'] : ['ended'])
      await until(() => !isRunning(Number(answers[0]?.pid)))
      expect(hostileServer.ended).toBe(0)
    } finally {
      await hostileServer.close()
    }
  })

  test('with workers of node:cluster has a process for each, and none when they have ended', async () => {
    const { program, lines } = start({ task: { keySets: [url('/')], workers: 2, stays: true } })
    const answers: Told[] = []
    lines.on('line', (line) => answers.push(JSON.parse(line) as Told))
    await until(() => answers.length === 2)
    const pids = answers.map(({ pid }) => Number(pid))
    expect(answers.map(({ outcome }) => outcome)).toEqual(['fetched', 'fetched'])
    expect(new Set(pids).size).toBe(2)
    program.kill('SIGKILL')
    await until(() => !pids.some(isRunning))
  })

  test('with an inspector and hooks of its own: none of them is started in its process', async () => {
    const hook = join(folder, 'hook.cjs')
    const seen = join(folder, 'seen')
    writeFileSync(hook, `require('node:fs').appendFileSync(${JSON.stringify(seen)}, process.pid + '\\n')`)
    const how = {
      flags: [`--inspect=${await freePort()}`, '--require', hook],
      env: { NODE_OPTIONS: `--require ${hook}` }
    }
    const { program, lines, errors } = start({ ...how, task: { keySets: [url('/')], stays: true, tellsFlags: true } })
    const [line] = (await once(lines, 'line')) as [string]
    const { outcome, pid, flags } = JSON.parse(line) as Told & { flags: string[] }
    expect([outcome, flags]).toEqual(['fetched', []])
    const pids = new Set(readFileSync(seen, 'utf8').trim().split('\n').map(Number))
    expect([...pids]).toEqual([program.pid])
    expect(pids).not.toContain(pid)
    expect(errors()).toMatch(/^Debugger listening on .*\n.*\n$/)
  })

  const isKnown = (flag: string) => process.allowedNodeEnvironmentFlags.has(flag)
  const permission = isKnown('--permission') ? '--permission' : '--experimental-permission'
  // Node 25 asks for a permission to connect as well
  const restricted = [permission, '--allow-fs-read=*', ...(isKnown('--allow-net') ? ['--allow-net'] : [])]
  describe.each([
    ['that may start no process', () => ({ flags: restricted })],
    ['without the file of the process', () => ({ from: copyWith(rmSync) })]
  ] as [string, () => Omit<Program, 'task'>][])('%s', (_name, how) => {
    const warnings = (errors: string) => errors.split('OAUTH_CLIENT_AUTH_FETCHES_IN_PROCESS').length - 1

    test('fetches key sets itself and warns once, and asks no stranger', async () => {
      const { code, answers, errors } = await run({
        ...how(),
        task: { keySets: [url('/1'), url('/2')], documents: [url('/client')] }
      })
      expect(answers.map(({ outcome }) => outcome)).toEqual(['fetched', 'fetched', 'connection'])
      expect(answers[2]?.message).toContain(
        'documents of strangers are not fetched in this process (option "inProcess")'
      )
      expect(requests).toEqual(['/1', '/2'])
      expect([code, warnings(errors)]).toEqual([0, 1])
    })

    test('fetches all of it where inProcess says so, without a warning', async () => {
      const client = {
        client_id: url('/client'),
        client_name: 'c',
        redirect_uris: ['https://keys.client-app.net/cb'],
        token_endpoint_auth_method: 'none'
      }
      play = (socket, request) => {
        const chosen = request.startsWith('GET /client ') ? answer(JSON.stringify(client)) : answer()
        chosen(socket, request)
      }
      const { code, answers, errors } = await run({
        ...how(),
        task: { keySets: [url('/1')], documents: [url('/client')], inProcess: true }
      })
      expect(answers).toEqual([{ outcome: 'fetched' }, { outcome: 'fetched' }])
      expect([code, warnings(errors)]).toEqual([0, 0])
    })
  })
})

// Else a stranger's hostile host would keep the documents of clients that the operator named from being fetched
test('clients that are named and clients that are strangers are fetched in processes apart', async () => {
  const stranger = 'stranger.client-app.net'
  const documents = createClientDocuments({
    allow: [host, 'anyone'],
    methods: ['none'],
    hosts: { [host]: hostRules(), [stranger]: hostRules() },
    resolver: () => ({
      resolve4: () => Promise.resolve(['127.0.0.1']),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    }),
    timeout: 30
  })
  try {
    play = answer(JSON.stringify({ client_id: url('/client') }))
    expect(await documents.get(url('/client'))).toMatchObject({ client_id: url('/client') })
    // The server has no certificate for this name
    const refused = documents.get(`https://${stranger}:${server.port}/client`)
    await expect(refused).rejects.toMatchObject({ reason: 'client_document_unavailable' })
    expect(events).toEqual([
      { event: 'started', side: 'named' },
      { event: 'started', side: 'strangers' }
    ])
  } finally {
    documents.close()
  }
})

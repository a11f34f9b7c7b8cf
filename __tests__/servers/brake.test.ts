// The brake with what stands around real deployments: several processes over one Redis, and nginx in front.
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { basic } from '../support/assertions'
import { atOnce, brakedApp, countStatuses, inTurn, send, type Answer } from '../support/braked-server'
import {
  accepts,
  describeWith,
  end,
  findProgram,
  freePort,
  freshDirectory,
  nginxWith,
  startRedis,
  type RedisServer
} from '../support/own-servers'
import { copyLibrary, type CopiedLibrary } from '../support/server-processes'
import { secret, shop } from '../support/three-clients'

jest.setTimeout(120_000)

const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status)

describeWith('redis-server', findProgram('redis-server'), 'REQUIRE_REDIS', () => {
  interface Worker {
    port: number
    child: ChildProcess
  }
  let library: CopiedLibrary
  let redis: RedisServer
  let workers: Worker[]

  async function startWorker(): Promise<Worker> {
    const file = join(__dirname, '../support/brake-worker.mjs')
    const child = fork(file, [join(library.directory, 'index.js'), `${redis.port}`], { env: process.env })
    const [port] = (await once(child, 'message')) as [number]
    return { port, child }
  }
  /** How many secrets both have verified, and how often the limiter was away. */
  async function told(): Promise<{ verified: number; away: number }> {
    const answers = workers.map(async ({ child }) => {
      const answer = once(child, 'message')
      child.send('tell')
      return (await answer)[0] as { verified: number; away: number }
    })
    const [one, other] = await Promise.all(answers)
    return { verified: one!.verified + other!.verified, away: one!.away + other!.away }
  }
  const guess = (index: number, presented = `wrong ${index}`) =>
    send(workers[index % 2]!.port, { headers: { Authorization: basic('shop', presented) } })

  beforeAll(() => {
    library = copyLibrary()
  })
  afterAll(() => {
    library.remove()
  })
  beforeEach(async () => {
    redis = await startRedis()
    workers = await Promise.all([startWorker(), startWorker()])
  })
  afterEach(async () => {
    await Promise.all(workers.map(({ child }) => end(child)))
    await redis.stop()
  })

  it('two workers count together: five wrong secrets, whichever of them is asked', async () => {
    expect(statusesOf(await inTurn(8, guess))).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    expect((await told()).verified).toBe(5)
    expect((await guess(0, 'the secret of the shop')).status).toBe(429)
  })

  it('1,000 wrong secrets at once: the limit, and four a worker', async () => {
    const counts = countStatuses(await atOnce(1000, guess))
    const { verified, away } = await told()
    expect(verified).toBeLessThanOrEqual(5 + 2 * 4)
    expect(counts).toEqual({ 401: verified, 429: 1000 - verified })
    expect(away).toBe(0)
  })

  it('1,000 right ones at once: all of them', async () => {
    expect(countStatuses(await atOnce(1000, (index) => guess(index, 'the secret of the shop')))).toEqual({ 200: 1000 })
  })

  it('Redis away: requests are heard, an event tells it, and it counts again once it is back', async () => {
    await end(redis.process, 'SIGKILL')
    expect(statusesOf(await inTurn(6, (index) => guess(index, 'the secret of the shop')))).toEqual(Array(6).fill(200))
    expect(statusesOf(await inTurn(12, guess))).toEqual(Array(12).fill(401))
    expect((await told()).away).toBe(6 + 12 * 2) // asked before each, and again after each failure
    redis = await startRedis([], redis)
    // A guess that is told as not counted may have been counted in part
    let counted = 0
    for (;;) {
      const before = (await told()).away
      const { status } = await guess(0)
      if (status === 429) break
      expect(status).toBe(401)
      if ((await told()).away === before) counted++
      else await wait(50)
      expect(counted).toBeLessThanOrEqual(5)
    }
    expect(counted).toBeGreaterThan(0)
  })
})

describeWith('nginx', findProgram('nginx'), 'REQUIRE_PROXIES', () => {
  const proxy = '127.0.0.3'
  let own: number
  let nginx: ChildProcess
  let directory: string
  let backend: Server
  let listener: ReturnType<typeof brakedApp>

  beforeAll(async () => {
    backend = createServer((req, res) => {
      listener(req, res)
    }).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    own = await freePort()
    directory = freshDirectory('nginx')
    const { port } = backend.address() as AddressInfo
    writeFileSync(
      join(directory, 'nginx.conf'),
      nginxWith(
        directory,
        `listen 127.0.0.1:${own};
        location / {
          proxy_pass http://127.0.0.1:${port};
          proxy_bind ${proxy};
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }`
      )
    )
    nginx = spawn(findProgram('nginx')!, ['-c', join(directory, 'nginx.conf')], { stdio: 'ignore' })
    while (!(await accepts(own))) await wait(50)
  })
  afterAll(async () => {
    await end(nginx)
    backend.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const guess = (presented: string, from: string, headers = {}) =>
    send(own, { headers: { Authorization: basic('web-shop', presented), ...headers }, from })

  it('that Express trusts: callers have addresses of their own, and cannot make up another', async () => {
    listener = brakedApp({ trustProxy: [proxy] }, shop)
    const made = (index: number) => ({ 'X-Forwarded-For': `192.0.2.${index}` })
    const answers = await inTurn(6, (index) => guess('wrong', '127.0.0.5', made(index)))
    expect(statusesOf(answers)).toEqual([401, 401, 401, 401, 401, 429])
    expect((await guess(secret, '127.0.0.6')).status).toBe(200)
    expect((await guess(secret, '127.0.0.5')).status).toBe(429)
  })

  it('that it does not trust: all have its address, and a process warning says so', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    listener = brakedApp({}, shop)
    await inTurn(6, () => guess('wrong', '127.0.0.5'))
    expect((await guess(secret, '127.0.0.6')).status).toBe(429)
    expect(warn.mock.calls.map(([, options]) => (options as unknown as { code: string }).code)).toEqual([
      'OAUTH_CLIENT_AUTH_UNTRUSTED_PROXY'
    ])
    warn.mockRestore()
  })
})

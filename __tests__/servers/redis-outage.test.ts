import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { OAuthClient } from '../../lib'
import { assertionForm, keyAssertion, makeKey } from '../support/assertions'
import { describeWith, end, findProgram, startRedis, type RedisServer } from '../support/own-servers'
import { singles, type Connection } from '../support/redis-connections'
import { tokenServer } from '../support/token-server'

jest.setTimeout(60_000)

const host = '127.0.0.1'
const key = makeKey('ES256')
const client: OAuthClient = {
  client_id: 'mobile',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk] }
}
const sign = () => keyAssertion(key, { clientId: 'mobile' })

describeWith('redis-server', findProgram('redis-server'), 'REQUIRE_REDIS', () => {
  describe.each(singles)('%s', (_name, open) => {
    const timeout = 1
    // A busy machine may be late; a hang would be later.
    const withinDeadline = timeout * 1000 + 2000
    let redis: RedisServer
    let connection: Connection
    let server: Server
    let url: string
    let running = false

    beforeEach(async () => {
      redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
      connection = await open([redis.port], timeout)
      server = tokenServer({ replayStore: connection.store }, client).listen(0, host)
      await once(server, 'listening')
      url = `http://${host}:${(server.address() as AddressInfo).port}/token`
    })
    afterEach(async () => {
      running = false // also where a test has failed under load
      connection.close()
      server.closeAllConnections()
      server.close()
      await redis.stop()
    })

    const use = async (assertion = sign()) => {
      const began = performance.now()
      const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(assertionForm(assertion)) })
      const { error } = (await answer.json()) as { error?: string }
      const { status, headers } = answer
      return { assertion, status, error, retryAfter: headers.get('retry-after'), began, ended: performance.now() }
    }
    type Use = Awaited<ReturnType<typeof use>>

    /** 50 clients that use one new assertion after the other until told to stop: up to 500 a second. */
    function load() {
      const uses: Use[] = []
      running = true
      const clients = Array.from({ length: 50 }, async () => {
        while (running) {
          uses.push(await use())
          await wait(100)
        }
      })
      const until = async (enough: (uses: Use[]) => boolean) => {
        for (let attempt = 0; attempt < 600 && !enough(uses); attempt++) await wait(50)
      }
      const finish = async () => {
        running = false
        await Promise.all(clients)
        return uses
      }
      return { until, finish }
    }
    const isAccepted = ({ status }: Use) => status === 200

    const isServing = async () => {
      for (let attempt = 0; attempt < 300; attempt++) {
        if ((await use()).status === 200) return true
        await wait(50)
      }
      return false
    }

    function judgeOutage(uses: Use[], from: number, to: number): void {
      expect(uses.some((each) => isAccepted(each) && each.ended < from)).toBe(true)
      const during = uses.filter(({ began, ended }) => began > from && ended < to)
      expect(during.length).toBeGreaterThanOrEqual(100)
      for (const { status, error, retryAfter, began, ended } of during) {
        expect({ status, error }).toEqual({ status: 503, error: 'temporarily_unavailable' })
        expect(Number(retryAfter)).toBeGreaterThan(0)
        expect(ended - began).toBeLessThan(withinDeadline)
      }
    }

    // Threat 4: a store that goes away under load
    it('killed under load: all refused in time, none accepted; back: served again, and nothing passes twice', async () => {
      const { until, finish } = load()
      await until((uses) => uses.filter(isAccepted).length >= 50)
      await end(redis.process, 'SIGKILL')
      const from = performance.now()
      await until((uses) => uses.filter(({ began }) => began > from).length >= 100)
      const to = performance.now()
      redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always'], redis)
      expect(await isServing()).toBe(true)
      const uses = await finish()
      judgeOutage(uses, from, to)
      const accepted = uses.filter(isAccepted)
      const again = await Promise.all(accepted.slice(0, 500).map(({ assertion }) => use(assertion)))
      expect(again.filter(({ status }) => status !== 401)).toEqual([])
    })

    it('frozen under load: all refused in time, none accepted; thawed: served again', async () => {
      const { until, finish } = load()
      await until((uses) => uses.filter(isAccepted).length >= 50)
      redis.process.kill('SIGSTOP')
      while (!/^State:\sT/m.test(readFileSync(`/proc/${redis.process.pid ?? ''}/status`, 'utf8'))) await wait(5)
      const from = performance.now()
      await until((uses) => uses.filter(({ began }) => began > from).length >= 100)
      const to = performance.now()
      redis.process.kill('SIGCONT')
      expect(await isServing()).toBe(true)
      judgeOutage(await finish(), from, to)
    })
  })
})

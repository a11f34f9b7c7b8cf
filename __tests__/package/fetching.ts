// Where the packed library fetches: in a process of its own, or, where there can be none, in the server, which says so.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { end, isRunning } from '../support/own-servers'
import { goodBody } from '../support/tls-answers'
import { makeAuthority, makeCertificate } from '../support/tls-certificates'
import { serveHttps } from '../support/tls-server'
import { app, bun, deno, emptyFolder, endsAlone, fetchingVersions, installed, jestBin, nodeOf, run } from './packed'

const host = 'keys.client-app.net'
const newest = '26.10.0'

/** A key server, its authority, and what a consumer is told of them. */
async function serveKeySet() {
  const authority = await makeAuthority()
  const certificate = await makeCertificate(authority, { names: [host] })
  const server = await serveHttps(certificate, (_request, response) => {
    response.setHeader('content-type', 'application/json').end(goodBody)
  })
  const told = (port: number, ca: string | undefined) =>
    JSON.stringify({
      uri: `https://${host}:${port}/jwks`,
      hosts: { [host]: { addresses: ['127.0.0.1'], ports: [port], ca } }
    })
  const file = path.join(emptyFolder('authority'), 'ca.pem')
  writeFileSync(file, authority.cert)
  return {
    authority: authority.cert,
    file,
    certificate,
    server,
    known: told(server.port, authority.cert),
    unknown: told(server.port, undefined),
    told
  }
}
// Not in beforeAll: Jest starts concurrent tests without waiting for it.
const serving = serveKeySet()

interface Told {
  processes: number
  warnings: string[]
  keys?: number
  why?: string
  message?: string
}

/** Runs a consumer with these variables: what it tells, and all that it printed. */
async function fetching(env: Record<string, string>, ...command: string[]) {
  await installed
  const { known } = await serving
  const variables = Object.entries({ KEY_SERVER: known, ...env }).map(([name, value]) => `${name}=${value}`)
  const printed = await run(app, 'env', ...variables, ...command)
  const line = /\{"processes".*\}/.exec(printed)?.[0]
  if (line === undefined) throw new Error(printed)
  return { told: JSON.parse(line) as Told, printed }
}

const inItsProcess = { told: { processes: 1, warnings: [], keys: 1 } }
const warning = 'OAUTH_CLIENT_AUTH_FETCHES_IN_PROCESS'

/** Fetched in the server, with one warning that tells the cause and the fix. */
function expectFallBack({ told, printed }: { told: Told; printed: string }, cause: string | RegExp): void {
  expect(told).toMatchObject({ warnings: [warning], keys: 1 })
  expect(printed).toMatch(cause)
  expect(printed).toContain('Leave oauth-client-auth out of the bundle ("external")')
}

/** PM2 with a home of its own. */
function pm2In(home: string) {
  return async (...args: string[]) => {
    const { known } = await serving
    const variables = ['PM2_DISABLE_VERSION_CHECK=true', `PM2_HOME=${home}`, `TOLD=${home}/told`, `KEY_SERVER=${known}`]
    return run(app, 'env', ...variables, process.execPath, 'node_modules/pm2/bin/pm2', ...args)
  }
}

export function fetchingTests(): void {
  const servers: ChildProcess[] = []
  afterAll(async () => {
    for (const one of servers) await end(one, 'SIGKILL')
    await (await serving).server.close()
  })

  describe.each(fetchingVersions)('Node %s', (version) => {
    const node = nodeOf(version)

    test.concurrent('fetches in a process of its own', async () => {
      expect(await fetching({}, node, 'fetch-main.mjs')).toMatchObject(inItsProcess)
    })

    test.concurrent('trusts NODE_EXTRA_CA_CERTS there', async () => {
      const { unknown, file } = await serving
      const alone = await fetching({ KEY_SERVER: unknown }, node, 'fetch-main.mjs')
      expect(alone.told).toMatchObject({ processes: 1, why: 'tls' })
      const trusting = await fetching({ KEY_SERVER: unknown, NODE_EXTRA_CA_CERTS: file }, node, 'fetch-main.mjs')
      expect(trusting).toMatchObject(inItsProcess)
    })

    const hasDefaults = !['20.19.0', '22.12.0'].includes(version)
    if (hasDefaults)
      test.concurrent('trusts what tls.setDefaultCACertificates was given there', async () => {
        const { unknown, authority } = await serving
        const made = await fetching({ KEY_SERVER: unknown, AUTHORITY: authority }, node, 'fetch-trusting.mjs')
        expect(made).toMatchObject(inItsProcess)
      })

    const permission = ['20.19.0', '22.12.0'].includes(version) ? '--experimental-permission' : '--permission'
    const restricted = [permission, '--allow-fs-read=*', ...(version === newest ? ['--allow-net'] : [])]

    test.concurrent('fetches in the server where the permission model forbids processes, and says so', async () => {
      expectFallBack(await fetching({}, node, ...restricted, 'fetch-main.mjs'), 'ERR_ACCESS_DENIED')
    })

    test.concurrent('fetches in a process of its own where the permission model allows it', async () => {
      const allowed = ['--allow-child-process', '--allow-worker', '--no-warnings']
      expect(await fetching({}, node, ...restricted, ...allowed, 'fetch-main.mjs')).toMatchObject(inItsProcess)
    })

    test.concurrent('Jest: in a process of its own', async () => {
      const command = [node, jestBin, '--testMatch', '**/jest-fetch.test.cjs']
      expect(await fetching({}, ...command)).toMatchObject(inItsProcess)
    })

    test.concurrent('Vitest: in a process of its own', async () => {
      const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'vitest-fetch.test.mjs']
      expect(await fetching({}, node, ...vitest)).toMatchObject(inItsProcess)
    })

    test.concurrent('a host that speaks X25519MLKEM768 alone', async () => {
      await installed
      const { certificate, told, authority } = await serving
      const env = { HYBRID_SERVER: JSON.stringify({ ...certificate, body: goodBody }) }
      const server = spawn(nodeOf(newest), ['hybrid-server.mjs'], {
        cwd: app,
        env,
        stdio: ['ignore', 'pipe', 'inherit']
      })
      servers.push(server)
      const [port] = (await once(createInterface(server.stdout), 'line')) as [string]
      const made = await fetching({ KEY_SERVER: told(Number(port), authority) }, node, 'fetch-main.mjs')
      if (hasDefaults) expect(made).toMatchObject(inItsProcess)
      else
        expect(made.told).toMatchObject({
          why: 'tls',
          message: expect.stringContaining('from Node 22.20 on, X25519MLKEM768')
        })
    })
  })

  test.concurrent.each([
    ['Bun', () => [bun]],
    ['Deno', () => [deno, 'run', '--quiet', '--allow-all']]
  ])('%s: in a process of its own', async (_name, command) => {
    expect(await fetching({}, ...command(), 'fetch-main.mjs')).toMatchObject(inItsProcess)
  })

  const bundles = [
    ['esbuild', 'cjs'],
    ['esbuild', 'esm'],
    ['webpack', 'cjs'],
    ['rollup', 'esm'],
    ...(endsAlone
      ? []
      : [
          ['webpack', 'esm'],
          ['rollup', 'cjs']
        ])
  ]
  describe.each(bundles)('%s, %s', (tool = '', format = '') => {
    const bundled = async (kind: string) => {
      await installed
      const file = `bundled-${tool}-${kind}.${format === 'cjs' ? 'cjs' : 'mjs'}`
      await run(app, process.execPath, 'bundle.mjs', tool, format, file, kind)
      return fetching({}, nodeOf(newest), file)
    }

    test.concurrent('with the package in the bundle: in the server, which says so', async () => {
      expectFallBack(await bundled('inside'), 'its file is missing: a bundler has left it out')
    })

    test.concurrent('with the package left out of the bundle: in a process of its own', async () => {
      expect(await bundled('external')).toMatchObject(inItsProcess)
    })
  })

  test.concurrent.each([
    ['one process', []],
    ['a cluster of two', ['-i', '2']]
  ])('PM2, %s: each has a process of its own, and none is left', async (name, options) => {
    await installed
    const home = emptyFolder(`pm2 ${name}`.replaceAll(' ', '-'))
    const pm2 = pm2In(home)
    const toldIn = emptyFolder(path.join(path.basename(home), 'told'))
    try {
      await pm2('start', 'pm2-app.cjs', ...options)
      const count = options.length === 0 ? 1 : 2
      while (readdirSync(toldIn).length < count) await wait(50)
      const all = readdirSync(toldIn).map((pid) => {
        const { child, ...told } = JSON.parse(readFileSync(path.join(toldIn, pid), 'utf8')) as { child: number }
        return { pid: Number(pid), child, told }
      })
      expect(all.map(({ told }) => told)).toEqual(Array(count).fill({ keys: 1 }))
      expect(new Set(all.map(({ child }) => child)).size).toBe(count)
      await pm2('delete', 'all')
      for (const { pid, child } of all) while (isRunning(pid) || isRunning(child)) await wait(20)
    } finally {
      await pm2('kill')
    }
  })
}

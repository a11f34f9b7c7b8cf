import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { OAuthClient } from '../../lib'
import { assertionForm } from './assertions'
import { end } from './own-servers'

const root = join(__dirname, '../..')

export interface CopiedLibrary {
  /** A directory inside the project, so that what lies there finds its dependencies. */
  directory: string
  remove(): void
}

/** The library as the build has made it (`npm test` builds first), with room for a program beside it. */
export function copyLibrary(): CopiedLibrary {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'oauth-client-auth-'))
  cpSync(join(root, 'dist/lib'), directory, { recursive: true })
  return {
    directory,
    remove: () => {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

export interface ServerProcess {
  url: string
  child: ChildProcess
}

interface ServerStart {
  library: CopiedLibrary
  client: OAuthClient
  /** The store of the worker and its argument. */
  store: string[]
}

/** A server process with one token endpoint. */
export async function startServer({ library, client, store }: ServerStart): Promise<ServerProcess> {
  const [kind = '', ...where] = store
  const worker = join(__dirname, 'replay-worker.mjs')
  // Jest's process.env is a copy that child processes do not inherit by themselves.
  const child = fork(worker, [join(library.directory, 'index.js'), kind, JSON.stringify(client), ...where], {
    env: process.env
  })
  const [port] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the server process ended')))
  ])) as [number]
  return { url: `http://127.0.0.1:${port}/token`, child }
}

/** The status of the first answer without Retry-After. */
async function askUntilHeard(url: string, body: URLSearchParams): Promise<number> {
  for (;;) {
    const answer = await fetch(url, { method: 'POST', body })
    await answer.arrayBuffer()
    const seconds = answer.headers.get('Retry-After')
    if (seconds === null) return answer.status
    await wait(Number(seconds) * 1000)
  }
}

export interface ServerProcesses {
  /**
   * Posts the assertion so many times at once to each of the servers; how often each status came. As a client would, it
   * asks again where a server that is too busy tells it to.
   */
  use(times: number, assertion: string): Promise<Record<number, number>>
  end(): Promise<unknown>
}

/** So many server processes side by side. */
export async function startServers(count: number, start: ServerStart): Promise<ServerProcesses> {
  const servers = await Promise.all(Array.from({ length: count }, () => startServer(start)))
  return {
    async use(times, assertion) {
      const body = new URLSearchParams(assertionForm(assertion))
      const statuses: Record<number, number> = {}
      const requests = servers.flatMap(({ url }) =>
        Array.from({ length: times }, async () => {
          const status = await askUntilHeard(url, body)
          statuses[status] = (statuses[status] ?? 0) + 1
        })
      )
      await Promise.all(requests)
      return statuses
    },
    end: () => Promise.all(servers.map(({ child }) => end(child)))
  }
}

/** The same for the time of one act: they end however it ends. */
export async function withServers<T>(
  count: number,
  start: ServerStart,
  act: (servers: ServerProcesses) => Promise<T>
): Promise<T> {
  const servers = await startServers(count, start)
  try {
    return await act(servers)
  } finally {
    await servers.end()
  }
}

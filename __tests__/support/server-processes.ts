import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { OAuthClient } from '../../lib'
import { assertionForm } from './assertions'
import { end } from './own-servers'

const root = join(__dirname, '../..')

export interface BuiltLibrary {
  /** A directory inside the project, so that what lies there finds its dependencies. */
  directory: string
  remove(): void
}

/** The library as it stands, built for processes that run without Jest. */
export function buildLibrary(): BuiltLibrary {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const made = mkdtempSync(join(cache, 'oauth-client-auth-'))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [compiler, '-p', root, '--noCheck', '--declaration', 'false', '--outDir', made])
  return {
    directory: join(made, 'lib'),
    remove: () => {
      rmSync(made, { recursive: true, force: true })
    }
  }
}

export interface ServerProcess {
  url: string
  child: ChildProcess
}

interface ServerStart {
  library: BuiltLibrary
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

/** Posts the assertion `uses` times at once to each of several server processes; how often each status came. */
export async function usesInProcesses(
  count: number,
  uses: number,
  assertion: string,
  start: ServerStart
): Promise<Record<number, number>> {
  const servers = await Promise.all(Array.from({ length: count }, () => startServer(start)))
  const body = new URLSearchParams(assertionForm(assertion))
  const statuses: Record<number, number> = {}
  try {
    const requests = servers.flatMap(({ url }) =>
      Array.from({ length: uses }, async () => {
        const answer = await fetch(url, { method: 'POST', body })
        await answer.arrayBuffer()
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      })
    )
    await Promise.all(requests)
  } finally {
    await Promise.all(servers.map(({ child }) => end(child)))
  }
  return statuses
}

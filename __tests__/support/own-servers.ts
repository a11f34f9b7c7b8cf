import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** The full path of a program, if it is on the PATH. */
export const findProgram = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path))

/** A suite that needs a program: without it skipped, in words, or failed where the variable `required` is 1. */
export function describeWith(program: string, path: string | undefined, required: string, suite: () => void): void {
  if (path !== undefined) {
    describe(`with ${program}`, suite)
  } else if (process.env[required] === '1') {
    it(`with ${program}`, () => {
      throw new Error(`${required} is 1, but there is no ${program} on this machine`)
    })
  } else {
    process.stderr.write(`Skipped: there is no ${program} on this machine\n`)
    describe.skip(`with ${program}, skipped: there is none on this machine`, suite)
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const outcome = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false)
  ])
  server.close()
  return outcome
}

/** A free loopback port whose neighbour 10,000 above, the cluster bus of Redis, is free as well. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    if (port < 55_000 && (await isFree(port + 10_000))) return port
  }
}

export const freshDirectory = (name: string): string => mkdtempSync(join(tmpdir(), `${name}-`))

/** Whether somebody listens at a loopback port. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The configuration of an nginx that keeps all of its files in a directory of ours. */
export const nginxWith = (directory: string, server: string): string => `
  daemon off;
  pid ${directory}/nginx.pid;
  error_log ${directory}/error.log;
  events {}
  http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n    ')}
    server {
      ${server}
    }
  }`

/** Sends a signal to a process of ours and waits until it has ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

export interface RedisServer {
  port: number
  directory: string
  process: ChildProcess
  /** Ends it, frozen or not, and removes its data. */
  stop(): Promise<void>
}

/** One inline command to a Redis; the first line of the answer. */
export async function askRedis(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write(`${command}\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString().split('\r\n', 1)[0] ?? ''
  } finally {
    socket.destroy()
  }
}

/** A Redis of our own on a free loopback port; with `again` on the port and data of one that ended. */
export async function startRedis(options: string[] = [], again?: RedisServer): Promise<RedisServer> {
  const port = again?.port ?? (await freePort())
  const directory = again?.directory ?? freshDirectory('redis')
  const always = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  const child = spawn('redis-server', [...always, ...options], { stdio: 'ignore' })
  const stop = async () => {
    child.kill('SIGCONT')
    await end(child, 'SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await askRedis(port, 'PING').catch(() => '')) === '+PONG') return { port, directory, process: child, stop }
    await wait(50)
  }
  await stop()
  throw new Error('redis-server did not start')
}

/** Whether there is such a process. One that nobody has waited for yet has ended too. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  if (process.platform !== 'linux') return true
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

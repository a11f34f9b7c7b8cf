import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { accepts, end, freePort, freshDirectory } from './own-servers'

/** What a proxy in use is told in its configuration. */
export interface ForwardProxyOptions {
  /** The proxy of ours that it hands every CONNECT to, as in networks with a chain of them: its loopback port. */
  upstream: number
  /** User and password that it demands. */
  credentials?: readonly [string, string]
  /** The only hosts that it connects to, as names. */
  only?: string
}

export interface ForwardProxyKind {
  program: string
  /** Writes into `directory` what the program needs, and gives its arguments. */
  configure(port: number, directory: string, options: ForwardProxyOptions): string[]
}

export const squid: ForwardProxyKind = {
  program: 'squid',
  configure: (port, directory, { upstream, credentials, only }) => {
    // The helper of squid asks for user and password in a line, and is answered OK or ERR
    const [helper, file] = [join(directory, 'helper.sh'), join(directory, 'squid.conf')]
    const known = credentials?.map(encodeURIComponent).join(' ') ?? ''
    writeFileSync(helper, `#!/bin/sh\nwhile read -r line; do [ "$line" = '${known}' ] && echo OK || echo ERR; done\n`)
    chmodSync(helper, 0o755)
    const lines = [
      `http_port 127.0.0.1:${port}`,
      `pid_filename ${directory}/squid.pid`,
      `cache_log ${directory}/cache.log`,
      `access_log stdio:${directory}/access.log`,
      `coredump_dir ${directory}`,
      'cache deny all',
      'pinger_enable off',
      'shutdown_lifetime 0 seconds',
      'visible_hostname test',
      ...(credentials === undefined
        ? []
        : [`auth_param basic program ${helper}`, 'acl known proxy_auth REQUIRED', 'http_access deny !known']),
      ...(only === undefined ? [] : [`acl allowed dstdomain ${only}`, 'http_access deny !allowed']),
      'http_access allow all',
      `cache_peer 127.0.0.1 parent ${upstream} 0 no-query no-digest default`,
      'never_direct allow all'
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    return ['-N', '-f', file, '-n', `test${port}`]
  }
}

export const tinyproxy: ForwardProxyKind = {
  program: 'tinyproxy',
  configure: (port, directory, { upstream, credentials, only }) => {
    const file = join(directory, 'tinyproxy.conf')
    const lines = [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Allow 127.0.0.1',
      `LogFile "${directory}/access.log"`,
      'LogLevel Connect',
      `Upstream http 127.0.0.1:${upstream}`,
      ...(credentials === undefined ? [] : [`BasicAuth ${credentials.join(' ')}`])
    ]
    if (only !== undefined) {
      writeFileSync(join(directory, 'filter'), `^${only.replaceAll('.', '\\.')}$\n`)
      lines.push(`Filter "${directory}/filter"`, 'FilterDefaultDeny Yes', 'FilterExtended On')
    }
    writeFileSync(file, `${lines.join('\n')}\n`)
    return ['-d', '-c', file]
  }
}

export interface RunningForwardProxy {
  readonly port: number
  close(): Promise<void>
}

/** Starts a proxy on a free loopback port. */
export async function startForwardProxy(
  kind: ForwardProxyKind,
  path: string,
  options: ForwardProxyOptions
): Promise<RunningForwardProxy> {
  const [port, directory] = [await freePort(), freshDirectory(kind.program)]
  // Started by root, squid becomes a user of its own, who writes here
  chmodSync(directory, 0o777)
  let output = ''
  const child: ChildProcess = spawn(path, kind.configure(port, directory, options))
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (output += data.toString()))
  const close = async () => {
    await end(child)
    rmSync(directory, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt++) {
    if (await accepts(port)) return { port, close }
    await wait(50)
  }
  await close()
  throw new Error(`${kind.program} did not start: ${output}`)
}

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createProxyCertificates, type ClientCertificates } from '../../lib'
import { certificate } from './client-certificates'
import { accepts, end, freePort, freshDirectory, nginxWith } from './own-servers'

/** A reverse proxy that forwards client certificates: its program, its configuration, and the source that fits. */
export interface ProxyKind {
  program: string
  /** The address that it connects from, which the backend trusts. */
  address: string
  source: ClientCertificates
  configuration(ports: { own: number; backend: number }, directory: string): string
  command(file: string): string[]
}

const verified = (value: string) => ({ header: 'X-SSL-Client-Verify', value })

export const nginx: ProxyKind = {
  program: 'nginx',
  address: '127.0.0.3',
  source: createProxyCertificates({
    header: 'X-SSL-Client-Cert',
    verified: verified('SUCCESS'),
    addresses: ['127.0.0.3']
  }),
  configuration: ({ own, backend }, directory) =>
    nginxWith(
      directory,
      `listen 127.0.0.1:${own} ssl;
      ssl_certificate ${directory}/server.crt.pem;
      ssl_certificate_key ${directory}/server.key.pem;
      ssl_client_certificate ${directory}/ca.pem;
      ssl_verify_client optional_no_ca;
      ssl_session_tickets off;
      ssl_session_cache off;
      location / {
        proxy_pass http://127.0.0.1:${backend};
        proxy_bind 127.0.0.3;
        proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
        proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
      }`
    ),
  command: (file) => ['-c', file]
}

export const haproxy: ProxyKind = {
  program: 'haproxy',
  address: '127.0.0.4',
  source: createProxyCertificates({ header: 'X-SSL-Client-Cert', verified: verified('0'), addresses: ['127.0.0.4'] }),
  configuration: ({ own, backend }, directory) => `
    defaults
      mode http
      timeout client 10s
      timeout connect 10s
      timeout server 10s
    frontend tls
      bind 127.0.0.1:${own} ssl crt ${directory}/server.pem ca-file ${directory}/ca.pem verify optional crt-ignore-err all ca-ignore-err all no-tls-tickets
      http-request del-header X-SSL-Client-Cert
      http-request del-header X-SSL-Client-Verify
      http-request set-header X-SSL-Client-Cert %[ssl_c_der,base64] if { ssl_c_used }
      http-request set-header X-SSL-Client-Verify %[ssl_c_verify] if { ssl_c_used }
      default_backend app
    backend app
      source 127.0.0.4
      server app 127.0.0.1:${backend}
`,
  command: (file) => ['-db', '-f', file]
}

export interface RunningProxy {
  port: number
  stop(): Promise<void>
}

/** Starts a proxy in front of a backend, on a free loopback port. */
export async function startProxy(kind: ProxyKind, path: string, backend: number): Promise<RunningProxy> {
  const [own, directory] = [await freePort(), freshDirectory(kind.program)]
  mkdirSync(directory, { recursive: true })
  const write = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
  }
  const { pem, key } = certificate('server')
  write('server.crt.pem', pem)
  write('server.key.pem', key)
  write('server.pem', pem + key)
  write('ca.pem', certificate('ca').pem)
  write('proxy.conf', kind.configuration({ own, backend }, directory))
  let output = ''
  const child: ChildProcess = spawn(path, kind.command(join(directory, 'proxy.conf')))
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()))
  const stop = async () => {
    await end(child)
    rmSync(directory, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < 100 && child.exitCode === null; attempt++) {
    if (await accepts(own)) return { port: own, stop }
    await wait(50)
  }
  await stop()
  throw new Error(`${kind.program} did not start: ${output}`)
}

// TLS servers that make the handshake expensive for the other side, each at a port of its own. Forked by
// hostile-load.mjs; sends the ports by name.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { chainOf, dsa, explicitCurve, integer, odd, pem, rsa, sequence } from './hostile-certificates.mjs'

const answer = 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
async function listen(options) {
  const server = createServer(options, (socket) => socket.on('error', () => {}).on('data', () => socket.end(answer)))
  server.on('tlsClientError', () => {})
  // On every address: each host has one of its own on the loopback interface
  await new Promise((done) => server.listen(0, '0.0.0.0', done))
  return server.address().port
}

async function freePort() {
  const server = createTcpServer()
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}

/** So many session tickets after the handshake; `openssl s_server` can send them, Node cannot. */
async function ticketFlood({ key, cert }, tickets) {
  const folder = mkdtempSync(join(tmpdir(), 'tickets-'))
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
  const port = await freePort()
  const child = spawn(
    'openssl',
    [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      '-quiet',
      '-tls1_3',
      '-num_tickets',
      tickets,
      '-key',
      'key.pem',
      '-cert',
      'cert.pem'
    ].map(String),
    { cwd: folder, stdio: 'ignore' }
  )
  process.on('exit', () => {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  const isThere = await new Promise((done) => child.on('spawn', () => done(true)).on('error', () => done(false)))
  return isThere ? port : undefined
}

/** An octet every 20 ms. */
async function drip(options) {
  const port = await listen(options)
  const server = createTcpServer((client) => {
    const behind = connect(port, '127.0.0.1')
    const waiting = []
    const timer = setInterval(() => waiting.length > 0 && client.write(Buffer.of(waiting.shift())), 20)
    behind.on('data', (octets) => waiting.push(...octets)).on('error', () => {})
    client.pipe(behind)
    client.on('error', () => {}).on('close', () => clearInterval(timer))
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return server.address().port
}

const worst = explicitCurve()
const explicit = (authorities) => chainOf(worst, authorities, names)
const names = JSON.parse(process.argv[3] ?? '["host.attacker.net"]')
const [key, cert] = JSON.parse(process.argv[2])
const largeExponent = Buffer.concat([Buffer.of(0x7f), Buffer.alloc(383, 0xff)])
const group = (bits) => pem('DH PARAMETERS', sequence(integer(odd(bits / 8)), integer([2])))
const dhe = { key, cert, maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-GCM-SHA256' }

process.send({
  'an honest server': await listen({ key, cert }),
  'TLS 1.2, DHE of 10,000 bits': await listen({ ...dhe, dhparam: group(10_000) }),
  'TLS 1.2, DHE of 8,192 bits': await listen({ ...dhe, dhparam: group(8192) }),
  'TLS 1.3, ffdhe8192': await listen({ key, cert, minVersion: 'TLSv1.3', ecdhCurve: 'ffdhe8192' }),
  '20 certificates of RSA-16384': await listen(chainOf(rsa(2048), 20, names)),
  '3 certificates of RSA-16384': await listen(chainOf(rsa(2048), 3, names)),
  '65 certificates of RSA-3072, e of 3,071 bits': await listen(chainOf(rsa(384, largeExponent), 65, names)),
  '10 certificates of RSA-3072, e of 3,071 bits': await listen(chainOf(rsa(384, largeExponent), 10, names)),
  '50 certificates of DSA-10000': await listen(chainOf(dsa(1250), 50, names)),
  '8 certificates of DSA-10000': await listen(chainOf(dsa(1250), 8, names)),
  '32 certificates with explicit curves': await listen({ ...explicit(31), maxVersion: 'TLSv1.2' }),
  '24 certificates with explicit curves': await listen({ ...explicit(23), maxVersion: 'TLSv1.2' }),
  'one certificate with an explicit curve': await listen({ ...explicit(1), maxVersion: 'TLSv1.2' }),
  'a drip of its handshake': await drip({ key, cert }),
  '200,000 session tickets': await ticketFlood({ key, cert }, 200_000)
})
process.on('disconnect', () => process.exit())

// TLS servers that make the handshake expensive for the other side, each at a port of its own. Forked by
// hostile-tls.mjs; sends the ports by name.
import { spawn } from 'node:child_process'
import { checkPrimeSync, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'

// DER, as far as certificates and groups need it

const length = (n) => (n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255])
function tlv(tag, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([Buffer.from([tag, ...length(body.length)]), body])
}
const sequence = (...parts) => tlv(0x30, ...parts)
const integer = (octets) => tlv(0x02, octets[0] > 127 ? Buffer.concat([Buffer.of(0), octets]) : octets)
const bitString = (octets) => tlv(0x03, [0], octets)
const oid = (hex) => tlv(0x06, Buffer.from(hex, 'hex'))
const nothing = Buffer.of(5, 0)
const nameOf = (text) => sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, text))))
const utcTime = (days) =>
  tlv(
    0x17,
    new Date(Date.now() + days * 86_400_000)
      .toISOString()
      .replace(/[-:T]|\.\d+/g, '')
      .slice(2)
  )
const pem = (label, der) =>
  `-----BEGIN ${label}-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)
    .join('\n')}\n-----END ${label}-----\n`

/** An odd number of so many octets. What verifies or agrees with it never looks whether it is prime. */
function odd(octets) {
  const number = randomBytes(octets)
  number[0] |= 0xc0
  number[octets - 1] |= 1
  return number
}

let serial = 0
function certificate({ subject, issuer, publicKey, algorithm, signature, names = [] }) {
  const altNames = sequence(oid('551d11'), tlv(4, sequence(...names.map((name) => tlv(0x82, name)))))
  const authority = sequence(oid('551d13'), tlv(1, [255]), tlv(4, sequence(tlv(1, [255]))))
  const toBeSigned = sequence(
    tlv(0xa0, integer([2])),
    integer([(++serial % 100) + 1]),
    algorithm,
    nameOf(issuer),
    sequence(utcTime(-1), utcTime(1)),
    nameOf(subject),
    publicKey,
    tlv(0xa3, sequence(names.length > 0 ? altNames : authority))
  )
  return pem('CERTIFICATE', sequence(toBeSigned, algorithm, bitString(signature)))
}

const belowModulus = (octets) => Buffer.concat([Buffer.of(1), randomBytes(octets - 1)])
const rsa = (octets, e = Buffer.of(1, 0, 1)) => ({
  publicKey: () =>
    sequence(sequence(oid('2a864886f70d010101'), nothing), bitString(sequence(integer(odd(octets)), integer(e)))),
  algorithm: sequence(oid('2a864886f70d01010b'), nothing),
  signature: () => belowModulus(octets)
})
const dsa = (octets) => ({
  publicKey: () =>
    sequence(
      sequence(oid('2a8648ce380401'), sequence(integer(odd(octets)), integer(odd(32)), integer([2]))),
      bitString(integer([3]))
    ),
  algorithm: sequence(oid('608648016503040302')),
  signature: () => sequence(integer(belowModulus(32)), integer(belowModulus(32)))
})

/**
 * A key on a curve of its own, y² = x³ + b, over p = k·2^e + 1 of 661 bits, the most that OpenSSL takes. Both points are
 * compressed, so that to decode it takes two square roots modulo p; with so large an e each takes some e² products.
 */
function explicitCurve() {
  const power = (base, exponent, p) => {
    let result = 1n
    for (let [b, e] = [base, exponent]; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) result = (result * b) % p
    return result
  }
  const e = 649n
  let k = 2049n
  while (!checkPrimeSync(k * 2n ** e + 1n, { checks: 10 })) k += 2n
  const p = k * 2n ** e + 1n
  // A square whose roots are none: the worst for the algorithm of Tonelli and Shanks
  let b = 2n
  while (power(b, (p - 1n) / 2n, p) !== 1n || power(b, (p - 1n) / 4n, p) === 1n) b++
  const octetsOf = (number) => Buffer.from(number.toString(16).padStart(166, '0'), 'hex')
  const point = Buffer.concat([Buffer.of(2), Buffer.alloc(83)]) // x = 0
  const field = sequence(oid('2a8648ce3d0101'), integer(octetsOf(p)))
  const curve = sequence(tlv(4, [0]), tlv(4, Buffer.of(Number(b))))
  const parameters = sequence(integer([1]), field, curve, tlv(4, point), integer(octetsOf(p - 2n)))
  const publicKey = sequence(sequence(oid('2a8648ce3d0201'), parameters), bitString(point))
  return {
    publicKey: () => publicKey,
    algorithm: sequence(oid('2a8648ce3d040302')),
    signature: () => sequence(integer([1]), integer([1]))
  }
}

/** A leaf below so many authorities. Their signatures are wrong, but OpenSSL goes through all of them. */
function chainOf(kind, count, names) {
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const authorities = Array.from({ length: count }, (_, i) => ({
    subject: `authority ${i}`,
    issuer: `authority ${Math.min(i + 1, count - 1)}`,
    publicKey: kind.publicKey()
  }))
  const publicKey = leaf.publicKey.export({ type: 'spki', format: 'der' })
  const all = [{ subject: 'leaf', issuer: 'authority 0', publicKey, names }, ...authorities]
  return {
    key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: all.map((one) => certificate({ ...one, algorithm: kind.algorithm, signature: kind.signature() })).join('')
  }
}

// The servers

const answer = 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
async function listen(options) {
  const server = createServer(options, (socket) => socket.on('error', () => {}).on('data', () => socket.end(answer)))
  server.on('tlsClientError', () => {})
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
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

import { deflateSync, gzipSync } from 'node:zlib'
import type { Play } from './tls-server'

export const goodKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'N7jVz3Za0o1f_G0Q-pkjBfm1W7fn5s4_ikftgZ1mkt4',
  y: 'wDUuv4iWekGnx8W3nMtOZkbu8qNjqUjxnV3xnbyLHEU',
  kid: 'k1',
  use: 'sig',
  alg: 'ES256'
}
export const goodBody = JSON.stringify({ keys: [goodKey] })

const write =
  (...parts: (string | Buffer)[]): Play =>
  (socket) => {
    for (const part of parts) socket.write(part)
  }

export const head = (
  status = 200,
  headers: Record<string, string | number> = { 'content-type': 'application/json' }
): string =>
  `HTTP/1.1 ${status} Reason\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

const json = { 'content-type': 'application/json' }
const sized = (body: string | Buffer) => ({ ...json, 'content-length': Buffer.byteLength(body) })
export const answer = (
  body: string | Buffer = goodBody,
  headers: Record<string, string | number> = {},
  status = 200
): Play => write(head(status, { ...sized(body), ...headers }), body)

/** Writes for as long as the other side lets it. */
const endlessly =
  (first: string, chunk: string | Buffer): Play =>
  (socket) => {
    const more = (): void => {
      while (socket.writable && socket.write(chunk));
      if (socket.writable) socket.once('drain', more)
    }
    socket.write(first)
    more()
  }

const drip =
  (first: string, piece: string): Play =>
  (socket) => {
    socket.write(first)
    const timer = setInterval(() => socket.write(piece), 20)
    socket.on('close', () => {
      clearInterval(timer)
    })
  }

const chunk = (body: string): string => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`
const chunked = { ...json, 'transfer-encoding': 'chunked' }
const early = (count: number): string => 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(count)

/** What hostile or broken servers do, by name, and the `why` it ends with. */
export const hostilePlays: Record<string, [Play, string]> = {
  'says nothing': [write(), 'timeout'],
  'drips its head': [drip('HTTP/1.1 200 OK\r\nx: ', 'x'), 'timeout'],
  // Threat 6: an answer that drips
  'drips its body': [drip(head(200, chunked), chunk(' ')), 'timeout'],
  'drips informational answers, few enough': [drip(early(3), ''), 'timeout'],
  'stops in the middle of its body': [write(head(200, { ...json, 'content-length': 1000 }), '{"keys":'), 'timeout'],
  // Threat 6: a flood of informational answers
  'floods informational answers': [endlessly('', early(10)), 'protocol'],
  'sends six informational answers and then a good one': [
    write(early(6), head(200, sized(goodBody)), goodBody),
    'protocol'
  ],
  'floods 100 Continue': [endlessly('', 'HTTP/1.1 100 Continue\r\n\r\n'), 'protocol'],
  // Threat 6: a flood of headers
  'floods its head': [endlessly('HTTP/1.1 200 OK\r\n', `x: ${'x'.repeat(1000)}\r\n`), 'protocol'],
  'has a head of 9 KiB': [write(head(200, { ...sized(goodBody), x: 'x'.repeat(9000) }), goodBody), 'protocol'],
  // Threat 6: huge sets
  'floods its body': [endlessly(head(200, chunked), chunk(' '.repeat(10_000))), 'too_large'],
  'floods a body without an end': [endlessly(head(200, json), ' '.repeat(10_000)), 'too_large'],
  'announces a body of 1 GiB': [
    endlessly(head(200, { ...json, 'content-length': 2 ** 30 }), ' '.repeat(10_000)),
    'too_large'
  ],
  'has one octet too many': [answer(goodBody.padEnd(65_537)), 'too_large'],
  'has one octet too many, in chunks': [
    write(head(200, chunked), chunk(goodBody.padEnd(65_537)), '0\r\n\r\n'),
    'too_large'
  ],
  'has chunk extensions without end': [endlessly(head(200, chunked), `1;${'x'.repeat(1000)}`), 'protocol'],
  'floods trailers': [
    endlessly(`${head(200, chunked)}${chunk(goodBody)}0\r\n`, `x: ${'x'.repeat(1000)}\r\n`),
    'protocol'
  ],
  // Threat 6: a compression bomb
  'sends a compression bomb': [
    answer(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' }),
    'content_encoding'
  ],
  'compresses though asked not to': [
    answer(deflateSync(goodBody), { 'content-encoding': 'deflate' }),
    'content_encoding'
  ],
  // Threat 16: a 101 answer
  'switches protocols': [write(head(101, { connection: 'upgrade', upgrade: 'x' })), 'protocol'],
  // Threat 6: redirects (CVE-2026-102267)
  redirects: [answer('', { location: 'https://127.0.0.1/' }, 302), 'status'],
  'says not modified though not asked': [write(head(304, {})), 'status'],
  'answers 204': [write(head(204, json)), 'status'],
  'answers 206': [answer(goodBody, { 'content-range': 'bytes 0-1/2' }, 206), 'status'],
  'answers with status 999': [answer(goodBody, {}, 999), 'status'],
  'ends the connection': [(socket) => socket.end(), 'protocol'],
  'breaks the connection': [(socket) => socket.destroy(), 'protocol'],
  'ends in the middle of its body': [
    (socket) => socket.end(`${head(200, { ...json, 'content-length': 99_9 })}{`),
    'protocol'
  ],
  'ends in the middle of a chunk': [(socket) => socket.end(`${head(200, chunked)}ff\r\n{`), 'protocol'],
  'speaks HTTP/2': [write(Buffer.from('000012040000000000000300000064', 'hex')), 'protocol'],
  'speaks HTTP/0.9': [(socket) => socket.end(goodBody), 'protocol'],
  'speaks something else': [write('220 mail.example ESMTP\r\n'), 'protocol'],
  'splits its answer by bare line feeds': [
    write(`HTTP/1.1 200 OK\ncontent-type: application/json\ncontent-length: 2\n\n{}`),
    'protocol'
  ],
  'has two lengths': [
    write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}`),
    'protocol'
  ],
  'has a length and chunks': [write(head(200, { ...chunked, 'content-length': 5 }), chunk(goodBody)), 'protocol'],
  'is HTML': [answer('<html>', { 'content-type': 'text/html' }), 'content_type'],
  'has no content type': [write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`), 'content_type'],
  'is empty': [answer(''), 'json'],
  'is nested too deeply': [answer(`{"keys":[],"a":${'['.repeat(16)}${']'.repeat(16)}}`), 'json'],
  // Threat 6: deep JSON
  'is nested 30,000 levels deep': [answer(`{"keys":[],"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`), 'json'],
  'is not UTF-8': [answer(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), 'json'],
  'has a lone continuation in a key id': [answer(Buffer.from('{"keys":[],"a":"\xa9"}', 'latin1')), 'json'],
  'has too many keys': [answer(JSON.stringify({ keys: Array(101).fill({ kty: 'x' }) })), 'keys'],
  'publishes a private key': [answer(JSON.stringify({ keys: [goodKey, { ...goodKey, d: 'x' }] })), 'private_key'],
  'answers 404': [answer(goodBody, {}, 404), 'withdrawn'],
  'answers 410': [answer(goodBody, {}, 410), 'withdrawn']
}

/** What good servers do, however odd it looks. */
export const goodPlays: Record<string, Play> = {
  'is plain': answer(),
  'has exactly the largest body': answer(goodBody.padEnd(65_536)),
  'comes in chunks': write(head(200, chunked), ...Array.from(goodBody, chunk), '0\r\n\r\n'),
  'ends with its connection': (socket) => socket.end(head(200, json) + goodBody),
  'sends five informational answers first': write(early(5), head(200, sized(goodBody)), goodBody),
  'stays open afterwards': answer(goodBody, { connection: 'keep-alive' }),
  'has a byte order mark': answer(`\ufeff${goodBody}`),
  'has a type with parameters': answer(goodBody, { 'content-type': 'application/jwk-set+json; charset=utf-8' }),
  'is nested 16 levels deep': answer(`{"keys":[${JSON.stringify(goodKey)}],"a":${'['.repeat(15)}${']'.repeat(15)}}`),
  'has a content coding in capitals': answer(goodBody, { 'content-encoding': 'identity' })
}

import { gzipSync, brotliCompressSync, deflateSync } from 'node:zlib'
import fc, { type Arbitrary } from 'fast-check'
import { formOf, someAssertion, someAuthorization, someFields, soundBasic } from './inputs'
import type { Sending } from './wire'

const forms: Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: someFields.map((fields) => Buffer.from(new URLSearchParams(fields).toString())) },
  {
    weight: 2,
    arbitrary: someAssertion.map((some) => Buffer.from(new URLSearchParams(formOf(some, false)).toString()))
  },
  someFields.map((fields) => Buffer.from(fields.map((pair) => pair.join('=')).join('&'))),
  someFields.map((fields) => Buffer.from(JSON.stringify(Object.fromEntries(fields)))),
  someFields.map((fields) => Buffer.from(new URLSearchParams(fields).toString(), 'utf16le')),
  fc.constantFrom(
    Buffer.alloc(0),
    Buffer.alloc(70_000, 'a=b&'),
    Buffer.alloc(4000, '&'),
    Buffer.from('client_id=%&client_secret=%zz')
  ),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
)

const form = 'application/x-www-form-urlencoded'
const types = [
  ...[form, form, form, `${form}; charset=utf-8`, `${form};charset=ISO-8859-1`, `${form}; charset=utf-16`, undefined],
  ...['application/json', 'text/plain', 'multipart/form-data; boundary=x', `${form}, text/plain`, 'x', ';', `${form}x`]
]
const codings: [string, (body: Buffer) => Buffer][] = [
  ['gzip', (body) => gzipSync(body)],
  ['gzip', (body) => body],
  ['gzip', (body) => gzipSync(body).subarray(0, -4)],
  ['deflate', (body) => deflateSync(body)],
  ['br', (body) => brotliCompressSync(body)],
  ['identity', (body) => body],
  ['gzip, br', (body) => body],
  ['nonsense', (body) => body],
  ['gzip', () => gzipSync(Buffer.alloc(2 ** 20, 'a'))]
]

const cut = (body: Buffer, at: number[]): Buffer[] => {
  const places = [0, ...at.map((place) => place % (body.length + 1)), body.length].sort((a, b) => a - b)
  return places.slice(1).map((place, index) => body.subarray(places[index], place))
}
const chunked = (pieces: Buffer[], extension: string): Buffer[] => [
  ...pieces
    .filter(({ length }) => length > 0)
    .map((piece) =>
      Buffer.concat([Buffer.from(`${piece.length.toString(16)}${extension}\r\n`), piece, Buffer.from('\r\n')])
    ),
  Buffer.from('0\r\n\r\n')
]

/** No line may end early, or the rest would be another header. */
const headerValue = (value: unknown): string => String(value).replace(/[\r\n\0]/g, '')

const hostile: Arbitrary<Sending> = fc
  .record({
    method: fc.constantFrom('POST', 'POST', 'POST', 'POST', 'GET', 'PUT', 'OPTIONS', 'PATCH', 'DELETE'),
    path: fc.constantFrom('/token', '/token', '/token?client_id=basic&client_secret=x', '/%00', '*', '//'),
    authorization: fc.option(someAuthorization, { nil: undefined, freq: 2 }),
    twice: fc.nat(12),
    type: fc.constantFrom(...types),
    body: forms,
    coding: fc.option(fc.constantFrom(...codings), { freq: 3, nil: undefined }),
    places: fc.array(fc.nat(70_000), { maxLength: 4 }),
    framing: fc.constantFrom(
      'length',
      'length',
      'length',
      'chunked',
      'chunked',
      'too short',
      'too long',
      'both',
      'none'
    ),
    expect: fc.nat(15),
    breakAfter: fc.option(fc.nat(6), { freq: 8, nil: undefined })
  })
  .map(({ method, path, authorization, twice, type, body, coding, places, framing, expect, breakAfter }) => {
    const sent = coding === undefined ? body : coding[1](body)
    const lengths: Record<string, number> = {
      length: sent.length,
      'too short': Math.max(0, sent.length - 3),
      'too long': sent.length + 9
    }
    const length = lengths[framing] ?? (framing === 'both' ? sent.length : undefined)
    const isChunked = framing === 'chunked' || framing === 'both'
    const value = headerValue(authorization)
    const lines = [
      `${method} ${path} HTTP/1.1`,
      'Host: as.example.com',
      ...(authorization === undefined ? [] : [`Authorization: ${value}`]),
      ...(authorization !== undefined && twice === 0 ? [`Authorization: ${value}`] : []),
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...(coding === undefined ? [] : [`Content-Encoding: ${coding[0]}`]),
      ...(length === undefined ? [] : [`Content-Length: ${length}`]),
      ...(isChunked ? ['Transfer-Encoding: chunked'] : []),
      ...(expect === 0 ? ['Expect: 100-continue'] : []),
      'Connection: close'
    ]
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8')
    const pieces = cut(sent, places)
    // Node answers a head of more than 16 KiB itself, and may close before that is read
    const isWhole = (framing === 'length' || framing === 'chunked') && head.length < 16_000
    return {
      pieces: [head, ...(isChunked ? chunked(pieces, expect === 1 ? ';a=b' : '') : pieces)],
      breakAfter,
      isWhole
    }
  })

/** What any client sends, in one piece. */
const honest: Arbitrary<Sending> = soundBasic.map((authorization) => {
  const head = `POST /token HTTP/1.1\r\nHost: as\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
  return { pieces: [Buffer.from(head)], isWhole: true }
})

export const someSending = fc.oneof({ weight: 9, arbitrary: hostile }, { weight: 1, arbitrary: honest })

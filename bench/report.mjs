import { cpus, loadavg, totalmem } from 'node:os'
import { of, perRound } from './measure.mjs'

const digits = (value) => (value < 10 ? 2 : value < 100 ? 1 : 0)
const micros = ({ median, low, high }) =>
  `${median.toFixed(digits(median))} (${low.toFixed(digits(median))}–${high.toFixed(digits(median))})`
const ratio = ({ median, low, high }) => `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
const rate = ({ median }) => Math.round(median).toLocaleString('en')
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const over = (a, b, what) => perRound((x, y) => x / y, [a, b], what)

export function assertionTable(rows) {
  return table(
    [
      'algorithm',
      'in flight',
      'CPU ÷ jose',
      'main ÷ jose',
      'CPU ÷ crypto',
      'least ÷ jose',
      'CPU, µs',
      'jose',
      'crypto',
      'least',
      'main, µs',
      'jose'
    ],
    rows.map(({ alg, inFlight, ours, jose, crypto, least }) => [
      alg,
      inFlight,
      ratio(over(ours, jose)),
      ratio(over(ours, jose, 'main')),
      ratio(over(ours, crypto)),
      ratio(over(least, jose)),
      micros(of(ours, 'cpu')),
      micros(of(jose, 'cpu')),
      micros(of(crypto, 'cpu')),
      micros(of(least, 'cpu')),
      micros(of(ours, 'main')),
      micros(of(jose, 'main'))
    ])
  )
}

/** The same ratios on each version of Node. */
export function versionTable(versions) {
  return table(
    ['Node', 'algorithm', 'in flight', 'CPU ÷ jose', 'main ÷ jose', 'CPU ÷ crypto', 'least ÷ jose'],
    versions.flatMap(({ node, ratios }) =>
      ratios.map(({ alg, inFlight, cpuOverJose, mainOverJose, cpuOverCrypto, leastOverJose }) => [
        node,
        alg,
        inFlight,
        ...[cpuOverJose, mainOverJose, cpuOverCrypto, leastOverJose].map((value) => value.toFixed(2))
      ])
    )
  )
}

/** Refusals a second, on each version of Node. */
export function refusalTable(versions) {
  const [{ refusals }] = versions
  return table(
    ['refused for', ...versions.map(({ node }) => node)],
    refusals.map(({ name }, row) => [
      name,
      ...versions.map(({ refusals }) => `${rate({ median: refusals[row].rate })} (${refusals[row].cpu.toFixed(1)} µs)`)
    ])
  )
}

export function secretTable(rows) {
  return table(
    ['method', 'in flight', 'CPU, µs', 'main, µs', 'per second'],
    rows.map((row) => [row.name, row.inFlight, micros(of(row, 'cpu')), micros(of(row, 'main')), rate(of(row, 'rate'))])
  )
}

const minus = (a, b) => perRound((x, y) => x - y, [a, b])

const without = { express: 'express without', 'node:http': 'node:http without', 'bare jose': 'node:http without' }

/** CPU that authentication adds: to the same server without it; to oidc-provider's own `none`. Undefined where not served. */
export function added({ table }, host, method) {
  const subject = (table[`${host} with`] ?? table[host])[method]
  const base = host in without ? table[without[host]] : table[host]
  return subject && minus(subject, base.none)
}

/** Their medians divided: round by round the small differences would drown. NaN where they drown all the same. */
export function addedRatio(http, host, method) {
  const [ours, theirs] = [added(http, host, method), added(http, 'oidc-provider', method)]
  return ours?.low > 0 && theirs.low > 0 ? ours.median / theirs.median : NaN
}

const orNoise = (value, text) => (Number.isNaN(value) ? 'lost in noise' : text)

export function httpTable(http) {
  const hosts = ['express', 'node:http', 'bare jose', 'oidc-provider']
  return table(
    [
      'method',
      ...hosts.slice(0, 3).map((host) => `${host} ÷ oidc-provider`),
      ...hosts.map((host) => `${host} adds, µs`)
    ],
    http.methods.map((method) => [
      method,
      ...hosts.slice(0, 3).map((host) => {
        const value = addedRatio(http, host, method)
        return added(http, host, method) ? orNoise(value, value.toFixed(2)) : ''
      }),
      ...hosts.map((host) => (added(http, host, method) ? micros(added(http, host, method)) : ''))
    ])
  )
}

export function serverTable({ table: servers }) {
  const rows = Object.entries(servers).flatMap(([kind, methods]) =>
    Object.entries(methods).map(([method, subject]) => [
      kind,
      method,
      micros(of(subject, 'cpu')),
      micros(of(subject, 'main')),
      rate(of(subject, 'rate'))
    ])
  )
  return table(['server', 'request', 'CPU, µs', 'main, µs', 'per second'], rows)
}

export const growthRatio = (rows, kind, size) =>
  over(
    rows.find((row) => row.kind === kind && row.size === size),
    rows.find((row) => row.kind === kind && row.size === 10)
  )

export function growthTable(rows) {
  return table(
    ['keys from', 'clients', 'active', 'CPU ÷ 10 clients', 'CPU, µs'],
    rows.map((row) => [
      row.kind,
      row.size.toLocaleString('en'),
      row.active.toLocaleString('en'),
      ratio(growthRatio(rows, row.kind, row.size)),
      micros(of(row, 'cpu'))
    ])
  )
}

export function memoryTable(rows) {
  const [{ heap, step }] = rows
  return table(
    ['keys from', ...heap.map((_, n) => `after ${(n * step).toLocaleString('en')}`)],
    rows.map(({ kind, heap }) => [kind, ...heap.map((used) => `${used.toFixed(1)} MB`)])
  )
}

/** Each program beside a Node that loads nothing. */
export function startTable([alone, ...programs]) {
  const beside = (subject, what) => perRound((x, y) => x - y, [subject, alone], what)
  return table(
    ['loaded', 'CPU, ms', 'memory, MB'],
    programs.map((subject) => {
      const { median, low, high } = beside(subject, 'cpu')
      const inMs = [median, low, high].map((micros) => (micros / 1000).toFixed(0))
      return [subject.name, `${inMs[0]} (${inMs[1]}–${inMs[2]})`, micros(beside(subject, 'memory'))]
    })
  )
}

export const targetTable = (targets) =>
  table(
    ['target', 'limit', 'measured', ''],
    targets.map(({ what, limit, value, unit = '×' }) => [
      what,
      `${limit} ${unit}`,
      orNoise(value, `${value.toFixed(2)} ${unit}`),
      orNoise(value, value <= limit ? 'met' : '**not met**')
    ])
  )

// Above 1 or so something else ran beside, and the figures are worth less
const [startLoad] = loadavg()

export const machine = () =>
  `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ` +
  `${process.platform} ${process.arch}, Node ${process.version}, OpenSSL ${process.versions.openssl}; load average at the start ${startLoad.toFixed(1)}`

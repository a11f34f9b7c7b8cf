import { timeline } from '../../../cli/timeline'
import { date, draw, duration, fromNow, inWords, timesOf } from '../../../cli/times'

test.each([
  [0, '0 s'],
  [0.4, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [90, '1 min 30 s'],
  [-15_120, '4 h 12 min'],
  [3601, '1 h'],
  [86_400 * 7 + 3600, '7 d 1 h']
])('%d seconds are %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words)
})

test.each([
  [1000, 'now'],
  [1060, '1 min after now'],
  [400, '10 min before now']
])('%d against 1000 is %s', (time, words) => {
  expect(fromNow(time, 1000)).toBe(words)
})

test.each([
  ['exp', 400, 'expired 10 min before now'],
  ['exp', 1060, 'expires 1 min after now'],
  ['iat', 940, 'issued 1 min before now'],
  ['nbf', 940, 'valid since 1 min before now'],
  ['nbf', 1060, 'valid from 1 min after now']
])('%s at %d in words', (name, time, words) => {
  expect(inWords(name, time, 1000)).toBe(words)
})

test('a date is told in UTC, and a number where no calendar has it', () => {
  expect(date(1_764_000_000)).toBe('2025-11-24 16:00:00 UTC')
  expect(date(1_764_000_000.25)).toBe('2025-11-24 16:00:00 UTC')
  expect(date(1e14)).toBe('100000000000000')
})

test('only times in seconds are drawn', () => {
  expect(timesOf({ exp: 1_764_000_000_000, iat: 'soon', nbf: 5 }, 10, 30).claims).toEqual([{ name: 'nbf', time: 5 }])
})

describe('a drawing', () => {
  const at = (claims: object, now = 1000, leeway = 30) => draw(timesOf(claims as Record<string, unknown>, now, leeway))

  test('has every point in order, within 0 to 1', () => {
    const { points, valid, leeway } = at({ nbf: 980, iat: 970, exp: 1040 })
    expect(points.map(({ name }) => name)).toEqual(['iat', 'nbf', 'now', 'exp'])
    for (const { at: place } of points) expect(place > 0 && place < 1).toBe(true)
    expect(valid!.from).toBeGreaterThan(leeway!.from)
    expect(valid!.to).toBeLessThan(leeway!.to)
  })

  test('without a start is valid from the left end', () => {
    expect(at({ exp: 1040 }).valid?.from).toBe(0)
  })

  test.each([
    ['without exp', { iat: 900 }],
    ['that would begin after its end', { iat: 1100, exp: 1050 }]
  ])('%s is valid nowhere', (_name, claims) => {
    expect(at(claims)).not.toHaveProperty('valid')
  })

  test('of a single instant is finite', () => {
    const { points } = at({ iat: 1000, exp: 1000 }, 1000, 0)
    expect(points.map(({ at: place }) => Number.isFinite(place))).toEqual([true, true, true])
  })
})

test('a line in characters: labels over their marks, valid and leeway told apart', () => {
  const lines = timeline(timesOf({ iat: 940, exp: 1060 }, 1000, 30))
  const line = lines.at(-1)!
  expect(line).toHaveLength(64)
  expect(line).toMatch(/^─+┄+┃═+▲═+┃┄+─+$/)
  expect(lines[0]!.indexOf('now')).toBe(line.indexOf('▲'))
  expect(lines[0]!.indexOf('iat')).toBe(line.indexOf('┃'))
})

test('labels at one place stand one over the other', () => {
  const lines = timeline(timesOf({ nbf: 0, iat: 0, exp: 60 }, 1_000_000, 30))
  expect(lines.length).toBeGreaterThan(2)
  for (const name of ['nbf', 'iat', 'exp', 'now']) expect(lines.slice(0, -1).join(' ')).toContain(name)
})

// docs/troubleshooting.md says of each reason what explain says of it.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { reasonAdvice, adviceFor } from '../../lib/refusals/advice'
import { clientAuthErrorReasons } from '../../lib'

const page = readFileSync(path.join(__dirname, '../../docs/troubleshooting.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim())
  )

test('every reason has one row, in the order of the code', () => {
  expect(rows.map(([reason]) => reason)).toEqual(clientAuthErrorReasons.map((reason) => `\`${reason}\``))
})

test.each(clientAuthErrorReasons)('%s: the sentences are those of the code', (reason) => {
  const { meaning, cause, advice, cases = [] } = reasonAdvice[reason]
  const [, ...cells] = rows.find(([name]) => name === `\`${reason}\``) ?? []
  const narrower = cases.map((one) => `If ${one.when}: ${one.advice}`)
  expect(cells).toEqual([meaning, cause, [...narrower, advice].join('<br>')])
})

test.each(clientAuthErrorReasons)('%s: each text is plain, and one sentence', (reason) => {
  const { meaning, cause, advice, cases = [] } = reasonAdvice[reason]
  for (const text of [meaning, cause, advice, ...cases.map((one) => one.advice)])
    expect(text).toMatch(/^[A-Z`][^|<>\n"]*[^.\s]\.$/)
  // Two causes with the same advice would not be worth telling apart
  expect(new Set([advice, ...cases.map((one) => one.advice)]).size).toBe(cases.length + 1)
})

test.each(clientAuthErrorReasons)('%s: advice stands any facts', (reason) => {
  for (const value of [undefined, null, 0, '', 'x', [], [null, 1, {}], {}, { iss: 1, sub: [] }])
    expect(adviceFor(reason, { expected: value, received: value, why: value, parameter: value })).toMatch(/\.$/)
  expect(adviceFor(reason)).toMatch(/\.$/)
})

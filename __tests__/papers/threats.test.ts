// docs/threats.md lists the attacks that the tests hold off. A test says so in a comment above it, `// Threat 6: …`,
// so the test may be renamed and moved. UPDATE=1 writes the page.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPage, root } from '../support/snippets'

const folder = join(root, '__tests__')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()

/** Each comment that names a threat, and the first line of the test or of the row below it. */
const threats = files.flatMap((file) => {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n')
  return lines.flatMap((line, index) => {
    const [, number, attack] = /^ *\/\/ Threat (\d+): (.+)$/.exec(line) ?? []
    if (number === undefined) return []
    const below = lines.slice(index + 1).find((next) => !next.trim().startsWith('//')) ?? ''
    return [{ file, number, attack, below }]
  })
})

const page = 'docs/threats.md'
const headings = [...readPage(page).matchAll(/^## (\d+)\. .+$/gm)].map(([, number]) => Number(number))

test(`${page} has a heading for each threat, in order, and a threat for each heading`, () => {
  const numbers = [...new Set(threats.map(({ number }) => Number(number)))].sort((a, b) => a - b)
  expect(headings).toEqual(numbers)
})

test.each(threats)('threat $number, $attack: a test or a row of one stands below', ({ below }) => {
  expect(below).toMatch(/^ *((it|test|describe)\b|['"`[{]|\w+: )/)
})

test(`${page} lists the threats of the tests (UPDATE=1 writes them)`, () => {
  const [intro = '', ...groups] = readPage(page).split(/^(?=## )/m)
  const written = groups.map((group) => {
    const [heading = ''] = group.split('\n')
    const [, number] = /^## (\d+)\./.exec(heading) ?? []
    const rows = threats.filter((threat) => threat.number === number)
    const lines = rows.map(({ file, attack }) => `- ${attack}: \`${file}\``)
    return [heading, '', ...lines, ''].join('\n')
  })
  const expected = [intro.trimEnd(), '', written.join('\n')].join('\n')
  if (process.env['UPDATE']) writeFileSync(join(root, page), expected)
  expect(readPage(page)).toBe(expected)
})

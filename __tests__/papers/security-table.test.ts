// SECURITY.md promises a test for each attack: this holds it to that.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

const root = path.join(__dirname, '../..')
const page = readFileSync(path.join(root, 'SECURITY.md'), 'utf8')
const table = page.slice(page.indexOf('<!-- table -->'), page.indexOf('<!-- end of table -->'))
const rows = table
  .split('\n')
  .filter((line) => /^\| (\d| {2})/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, group = '', attack = '', test = '']) => ({ group, attack, test }))

/** Every text that a file quotes: titles of tests, and names of their rows. */
function textsIn(file: string): Set<string> {
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, '__tests__', file), 'utf8'),
    ts.ScriptTarget.Latest
  )
  const texts = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text)
    // The name of a row may be the name of a property
    if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name)) texts.add(node.name.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return texts
}

/** Where the rows of some tests stand in a file of their own. */
const rowsOf: Record<string, string[]> = { 'units/guarded-fetch/https-get.test.ts': ['support/tls-answers.ts'] }

test('the first sixteen groups are there, and the others follow in order', () => {
  const groups = rows.map(({ group }) => Number.parseInt(group, 10)).filter(Number.isInteger)
  expect(groups.slice(0, 16)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1))
  expect(groups).toEqual([...new Set(groups)].sort((a, b) => a - b))
})

test.each(rows)('$attack: there is a test $test', ({ test: cell }) => {
  const [, file = '', title = ''] = /^`([\w/-]+\.test\.ts)` "(.+)"$/.exec(cell) ?? []
  expect([cell, existsSync(path.join(root, '__tests__', file))]).toEqual([cell, true])
  const texts = [file, ...(rowsOf[file] ?? [])].flatMap((one) => [...textsIn(one)])
  expect(texts).toContain(title)
})

test('the dependencies are those of package.json', () => {
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: object
  }
  const section = page.slice(page.indexOf('## Dependencies'))
  const named = [...section.matchAll(/^\| ([\w.-]+) +\| (\^[\d.]+)/gm)].map(([, name, version]) => [name, version])
  expect(named).toEqual(Object.entries(dependencies))
})

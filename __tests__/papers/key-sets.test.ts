// docs/key-sets.md: its snippets run, and its tables are those of the code.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const page = read('docs/key-sets.md')
/** The first two cells of each row of the table under a heading. */
const rowsUnder = (heading: string) => {
  const start = page.indexOf(heading)
  const section = page.slice(start, page.indexOf('\n## ', start + 1))
  return [...section.matchAll(/^\| `(\w+)` +\| ([^|]+?) +\|/gm)].map(([, name, next]) => [name, next])
}

test('the options are those of the code, with their defaults', () => {
  const source = read('lib/key-sets/options.ts')
  const members = source.slice(source.indexOf('export interface JwksFetcherOptions'))
  const names = [...members.slice(0, members.indexOf('\n}')).matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name)
  expect(rowsUnder('## Options').map(([name]) => name)).toEqual(names)
  const defaults = source.slice(source.indexOf('const defaults = {'))
  const numbers = [...defaults.slice(0, defaults.indexOf('\n}')).matchAll(/^ {2}(\w+): ([\d_]+)/gm)].map(
    ([, name, value = '']) => [name, Number(value.replaceAll('_', '')).toLocaleString('en')]
  )
  expect(numbers).toHaveLength(11)
  expect(rowsUnder('## Options')).toEqual(expect.arrayContaining(numbers))
})

test('each why is explained', () => {
  const unionIn = (file: string, name: string) =>
    read(file)
      .slice(read(file).indexOf(`export type ${name}`))
      .split('\n\n', 1)
      .join('')
  const unions = unionIn('lib/basics/fetch-error.ts', 'FetchFault') + unionIn('lib/jwt/key-set-error.ts', 'KeySetFault')
  const faults = [...unions.matchAll(/'(\w+)'/g)].map(([, fault]) => fault)
  expect(faults.length).toBeGreaterThan(10)
  expect(rowsUnder('## What went wrong').map(([why]) => why)).toEqual(faults)
})

describe('the snippets', () => {
  const snippets = [...page.matchAll(/<!-- runs in: options -->\n\n```js\n(.*?)```/gs)].map(([, code = '']) => code)
  const folder = mkdtempSync(join(tmpdir(), 'key-sets-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'oauth-client-auth'))
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('are all marked', () => {
    expect(page.match(/^```\w+$/gm)).toHaveLength(snippets.length)
    expect(snippets.length).toBeGreaterThan(0)
  })

  test.each(snippets.map((code, index) => [index, code] as const))('%d runs', (index, code) => {
    const file = join(folder, `${index}.mjs`)
    writeFileSync(file, `const issuer = 'https://as.example.com'; const getClient = () => null\n${code}`)
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 })
    expect([status, stderr]).toEqual([0, ''])
  })
})

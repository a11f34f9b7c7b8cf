// README stays a front page, every link leads somewhere, and docs/architecture.md shows every file.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { pages, readPage, root } from '../support/snippets'

test('README has at most 200 lines', () => {
  expect(readPage('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(200)
})

test('SECURITY has at most 120 lines, and its dependencies are those of package.json', () => {
  const page = readPage('SECURITY.md')
  expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(120)
  const { dependencies } = JSON.parse(readPage('package.json')) as { dependencies: object }
  const section = page.slice(page.indexOf('## Dependencies'))
  const named = [...section.matchAll(/^\| ([\w.-]+) +\| (\^[\d.]+)/gm)].map(([, name, version]) => [name, version])
  expect(named).toEqual(Object.entries(dependencies))
})

const papers = [...pages, 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
const linksOf = (page: string) =>
  [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^\w+:/.test(link))

/** How GitHub names the heading: lower case, spaces to hyphens, punctuation dropped. */
const anchorsOf = (page: string) =>
  [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  )

describe('links', () => {
  const { files } = JSON.parse(readPage('package.json')) as { files: string[] }
  /** npm packs these whatever "files" says. */
  const packed = [...files, 'README.md', 'LICENSE', 'package.json']

  test.each(papers)('%s: each leads to a file of the tarball, and to a heading that it has', (page) => {
    const broken = linksOf(page).filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : normalize(join(dirname(page), path))
      const isPacked = packed.some((name) => target === name || target.startsWith(`${name}/`))
      if (!isPacked || !existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  test.each(pages)('%s is reached from README', (page) => {
    const reached = new Set(['README.md'])
    for (const from of reached) {
      for (const link of linksOf(from)) {
        const target = normalize(join(dirname(from), link.split('#')[0]!))
        if (pages.includes(target)) reached.add(target)
      }
    }
    expect([...reached]).toContain(page)
  })
})

test('docs/architecture.md names every file of lib/ and cli/, and no other', () => {
  const [, tree = ''] = /<!-- rooms -->\n\n```text\n(.*?)```/s.exec(readPage('docs/architecture.md')) ?? []
  let room = ''
  const named = tree
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [name = ''] = /\S+/.exec(line) ?? []
      if (name.endsWith('/')) room = name
      return name.endsWith('/') ? [] : [`${room}${name}.ts`]
    })
  const filesOf = (top: string) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${top}/${file}`)
  expect(named.sort()).toEqual([...filesOf('lib'), ...filesOf('cli')].sort())
})

test.each([
  ...papers,
  '.ci/run',
  '.github/workflows/checks.yml',
  '.github/workflows/nightly.yml',
  '.github/workflows/release.yml'
])('%s: each npm script that it names is one', (page) => {
  const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> }
  const named = [...readPage(page).matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map(([, name = '']) => name)
  expect(named.filter((name) => !(name in scripts))).toEqual([])
})

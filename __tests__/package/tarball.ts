import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { app, installed, packed } from './packed'

const root = path.join(__dirname, '..', '..')

const newest = (folder: string) =>
  Math.max(
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
      (file) => statSync(path.join(folder, file)).mtimeMs
    )
  )

/** As GitHub makes the anchor of a heading: lower case, no punctuation, a hyphen for each space. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
const anchorsIn = (text: string) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))

/** The links of a page that lead nowhere; those to other hosts are left out. */
function brokenLinks(folder: string, page: string): string[] {
  const text = readFileSync(path.join(folder, page), 'utf8').replaceAll(/```.*?```|`[^`\n]*`/gs, '')
  const links = [...text.matchAll(/\]\(<?([^)>\s]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)/gm)].map(
    (link) => link[1] ?? link[2] ?? ''
  )
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#')
      const target = path.join(folder, file === '' ? page : path.join(path.dirname(page), file))
      if (!existsSync(target)) return true
      return anchor !== undefined && !anchorsIn(readFileSync(target, 'utf8')).includes(anchor)
    })
}

export function tarballTests(): void {
  test('the build is newer than its sources: else run `npm run build`', () => {
    for (const sources of ['lib', 'cli'])
      expect(newest(path.join(root, 'dist'))).toBeGreaterThan(newest(path.join(root, sources)))
  })

  test('it holds the build, the pages and the examples, nothing else', async () => {
    const { files } = await packed
    expect(files).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'package.json', 'dist/lib/index.js', 'dist/lib/index.d.ts'],
        ...['dist/lib/testing/index.js', 'dist/lib/testing/index.d.ts', 'docs/testing.md', 'examples/quick-start.mjs']
      ])
    )
    const known =
      /^(dist\/([a-z0-9-]+\/)*[a-z0-9-]+\.(js|d\.ts)|dist\/cli\/page\/assets\/[a-z]+\.(html|css|js|svg)|(docs|examples)\/.+|[A-Z]+(\.md)?|package\.json)$/
    expect(files.filter((file) => !known.test(file))).toEqual([])
  })

  test.concurrent('each relative link of each page in node_modules leads somewhere', async () => {
    await installed
    const folder = path.join(app, 'node_modules/oauth-client-auth')
    const pages = (await packed).files.filter((file) => file.endsWith('.md'))
    const broken = pages.flatMap((page) => brokenLinks(folder, page).map((link) => `${page}: ${link}`))
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/testing.md', 'docs/typescript.md']))
    expect(broken).toEqual([])
  })

  test.concurrent('oauth-client-auth/testing is loaded by nobody but who asks for it', async () => {
    await installed
    const main = path.join(app, 'node_modules/oauth-client-auth/dist')
    const importers = (await packed).files
      .filter((file) => /^dist\/(?!lib\/testing\/).*\.js$/.test(file))
      .filter((file) => /require\("[^"]*testing/.test(readFileSync(path.join(main, '..', file), 'utf8')))
    expect(importers).toEqual([])
  })
}

// What the workflows of the repository may do, and that the package cannot be published with its placeholders.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readPage, root } from '../support/snippets'

const folder = '.github/workflows'
const workflows = readdirSync(join(root, folder)).map((name) => ({ name, text: readPage(`${folder}/${name}`) }))
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found)

test('there are the checks, the nightly suites and the release', () => {
  expect(workflows.map(({ name }) => name).sort()).toEqual(['checks.yml', 'nightly.yml', 'release.yml'])
})

test.each(workflows)('$name: each action is pinned by its commit, with its version beside it', ({ text }) => {
  const used = matches(text, /\buses: +(.+)$/gm)
  expect(used.length).toBeGreaterThan(0)
  for (const action of used) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test.each(workflows)('$name: its token may read only, and is not left in the checkout', ({ name, text }) => {
  expect(text).toMatch(/^permissions:\n {2}contents: read$/m)
  const granted = matches(text, /^ +([\w-]+: +(?:write|read)(?:-all)?)\b/gm).filter((one) => one !== 'contents: read')
  expect(granted).toEqual(name === 'release.yml' ? ['id-token: write'] : [])
  const checkouts = matches(text, /(actions\/checkout@)/g)
  expect(matches(text, /(persist-credentials: false)/g)).toHaveLength(checkouts.length)
})

test('only the job that publishes may prove who it is, after the tests and an approval', () => {
  const { text = '' } = workflows.find(({ name }) => name === 'release.yml') ?? {}
  const publish = text.slice(text.indexOf('\n  publish:'))
  for (const line of ['needs: test', 'environment: npm', 'id-token: write', 'npm publish --provenance'])
    expect(publish).toContain(line)
  expect(text.slice(0, text.indexOf('\n  publish:'))).not.toContain('id-token')
  expect(text).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/)
})

test('the supported versions of Node are those of the checks and of README', () => {
  const { engines } = JSON.parse(readPage('package.json')) as { engines: { node: string } }
  const { text = '' } = workflows.find(({ name }) => name === 'checks.yml') ?? {}
  const tested = matches(text, /node: \[([^\]]+)\]/g)[0]
    ?.replaceAll(/['\s]/g, '')
    .split(',')
  const listed = matches(readPage('README.md'), /^\| Node +\|(.+)\|$/gm)[0]
    ?.split('|')
    .map((cell) => cell.trim())
  expect(engines.node).toBe('^20.19.0 || ^22.12.0 || >=24.0.0')
  expect(listed).toEqual(['20.19', '22.12', '24', '26'])
  expect(tested).toEqual(listed)
})

test('as it stands, with its placeholders, the package is not published', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, '.ci/publishable.mjs')], { encoding: 'utf8' })
  const hasPlaceholders = readPage('package.json').includes('/OWNER/')
  if (!hasPlaceholders) return
  expect(status).toBe(1)
  expect(stderr).toContain('package.json still has the placeholder OWNER')
})

// "How to add a rule" in docs/architecture.md: its steps, followed to the letter in a copy, end green.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPage, root } from '../support/snippets'

const copied = ['lib', 'cli', 'docs', '__tests__', 'package.json', 'tsconfig.json', 'README.md']
let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'add-a-rule-'))
  for (const name of copied)
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: (file) => !file.includes('node_modules') })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})
afterAll(() => {
  rmSync(copy, { recursive: true, force: true })
})

const steps = [
  ...readPage('docs/architecture.md').matchAll(/<!-- step: (\S+), after: (.+?) -->\s+```ts\n(.*?)\n *```/gs)
].map(([, file = '', after = '', code = '']) => ({ file, after, code }))

/** Puts the code of a step behind the line that the step names. */
function take({ file, after, code }: (typeof steps)[number]): void {
  const lines = readFileSync(join(copy, file), 'utf8').split('\n')
  const at = lines.findIndex((line) => line.startsWith(after))
  expect([file, at]).not.toEqual([file, -1])
  lines.splice(at + 1, 0, code)
  writeFileSync(join(copy, file), lines.join('\n'))
}

function jest(env: NodeJS.ProcessEnv, ...args: string[]) {
  const bin = join(root, 'node_modules/jest/bin/jest.js')
  const { stderr, status } = spawnSync(process.execPath, [bin, '--runInBand', '--coverage=false', ...args], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, JEST_WORKER_ID: undefined, ...env }
  })
  return { status, failed: [...stderr.matchAll(/^ {2}● (.+)$/gm)].map(([, title]) => title) }
}

test('the steps of "How to add a rule" work as they are written', () => {
  const [row, reason, rule, ...more] = steps
  expect(more).toEqual([])
  take(row!)
  take(reason!)
  expect(jest({}, 'units/methods/assertion').failed).toEqual([expect.stringContaining('exp before nbf')])
  take(rule!)
  // The rule holds. Without its sentences in the documents, a reason is not complete
  expect(jest({}, 'units/methods/assertion', 'papers/reasons').failed).toEqual([
    expect.stringContaining('docs/errors.md'),
    expect.stringContaining('docs/troubleshooting.md')
  ])
  expect(jest({ UPDATE: '1' }, 'papers/reasons').status).toBe(0)
  const { stdout, status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript7/bin/tsc'), '--noEmit'], {
    cwd: copy,
    encoding: 'utf8'
  })
  expect([stdout, status]).toEqual(['', 0])
  expect(readFileSync(join(copy, 'docs/troubleshooting.md'), 'utf8')).toContain('### `assertion_never_valid`')
}, 180_000)

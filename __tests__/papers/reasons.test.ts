// docs/errors.md and docs/troubleshooting.md say of each reason what its row says. UPDATE=1 writes them.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adviceFor, factsForSender, reasons, senderAdviceFor } from '../../lib/refusals/reasons'
import type { Reason } from '../../lib/refusals/reasons/reason'
import { clientAuthErrorReasons } from '../../lib'
import { readPage, root } from '../support/snippets'

/** By the command line, which reads the settings. */
function formatted(file: string, input: string): string {
  const args = [join(root, 'node_modules/oxfmt/bin/oxfmt'), '--stdin-filepath', file]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, input, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

const rows = Object.entries(reasons)

const table = [
  '| reason | error | status | message |',
  '| --- | --- | --- | --- |',
  ...rows.map(
    ([reason, { code, status, message }]) =>
      `| [\`${reason}\`](troubleshooting.md#${reason}) | \`${code}\` | ${status} | ${message.replaceAll('|', '\\|')} |`
  )
].join('\n')

const section = ([reason, { code, status, message, meaning, cause, advice, cases = [], forSender }]: [
  string,
  Reason
]) =>
  [
    `### \`${reason}\``,
    meaning,
    `- On the wire: \`${code}\`, ${status}: "${message}"`,
    `- Usual cause: ${cause}`,
    ...cases.map(({ when, advice }) => `- If ${when}: ${advice}`),
    `- ${cases.length > 0 ? 'Otherwise' : 'What to do'}: ${advice}`,
    ...(forSender === undefined ? [] : [`- What to tell the client: ${forSender}`])
  ]
    .join('\n')
    .replace(/\n(?=[^-])/, '\n\n')
    .replace('\n- ', '\n\n- ')

test.each([
  ['docs/errors.md', table],
  ['docs/troubleshooting.md', rows.map(section).join('\n\n')]
])('%s is written from the rows (UPDATE=1 writes it)', (name, text) => {
  const file = join(root, name)
  const page = readPage(name)
  const [before = '', , after] = page.split(/(<!-- reasons -->\n).*?(?=\n<!-- end of reasons -->)/s)
  expect(after).toBeDefined()
  const expected = formatted(file, `${before}<!-- reasons -->\n\n${text}\n${after}`)
  if (process.env['UPDATE']) writeFileSync(file, expected)
  expect(readPage(name)).toBe(expected)
})

test.each(clientAuthErrorReasons)('%s: each text is plain, and one sentence', (reason) => {
  const { meaning, cause, advice, cases = [], forSender = advice } = reasons[reason]
  for (const text of [meaning, cause, advice, forSender, ...cases.map((one) => one.advice)])
    expect(text).toMatch(/^[A-Z`][^|<>\n"]*[^.\s]\.$/)
  // Two causes with the same advice would not be worth telling apart
  expect(new Set([advice, ...cases.map((one) => one.advice)]).size).toBe(cases.length + 1)
})

test.each(clientAuthErrorReasons)('%s: advice stands any facts', (reason) => {
  for (const value of [undefined, null, 0, '', 'x', [], [null, 1, {}], {}, { iss: 1, sub: [] }]) {
    const facts = { expected: value, received: value, why: value, parameter: value }
    expect(adviceFor(reason, facts)).toMatch(/\.$/)
    expect(senderAdviceFor(reason, facts)).toMatch(/\.$/)
  }
  expect(adviceFor(reason)).toMatch(/\.$/)
})

test.each(clientAuthErrorReasons.filter((reason) => factsForSender(reason) === 'received'))(
  '%s: what depends on the record is not told on the wire',
  (reason) => {
    expect(reasons[reason].message).toBe(reasons.unknown_client.message)
  }
)

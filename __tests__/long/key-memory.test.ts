// 20: what hostile clients can make the process keep of their keys, measured from outside, in a process of its own.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

jest.setTimeout(600_000)

const script = path.join(__dirname, '../support/renewing-client.mjs')

test.each([
  // Threat 20: a client that renews its keys again and again
  ['a client that renews its inline keys 5,000 times, 8 keys of one kid, 6 algorithms: under 100 MB', 'inline', '5000'],
  // Threat 20: many large fetched sets
  ['1,000 fetched sets of 100 keys each, 6 algorithms: under 100 MB', 'fetched', '1000']
])('%s', async (_name, kind, rounds) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, kind, rounds])
  process.stderr.write(`${kind}, ${rounds} times: ${stdout.trim()} MB above the start\n`)
  expect(Number(stdout)).toBeLessThan(100)
})

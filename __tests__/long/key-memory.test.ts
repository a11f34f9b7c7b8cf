// What hostile clients can make the process keep of their keys, and import again and again, measured from outside, in a
// process of its own.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

jest.setTimeout(600_000)

const script = (name: string) => path.join(__dirname, '../support', name)

test.each([
  // Threat 20: a client that renews its keys again and again
  ['a client that renews its inline keys 5,000 times, 8 keys of one kid, 6 algorithms: under 100 MB', 'inline', '5000'],
  // Threat 20: many large fetched sets
  ['1,000 fetched sets of 100 keys each, 6 algorithms: under 100 MB', 'fetched', '1000']
])('%s', async (_name, kind, rounds) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    script('renewing-client.mjs'),
    kind,
    rounds
  ])
  process.stderr.write(`${kind}, ${rounds} times: ${stdout.trim()} MB above the start\n`)
  expect(Number(stdout)).toBeLessThan(100)
})

// Threat 45: a few clients with many keys, named in turn, push the keys of all others out
// Weighed by sets, and with every import that they could need, these were more than the cache holds, and each request
// imported again. Without kid eight keys of each client are tried. Decoys are imported too, once for all.
test.each([
  ['kid', 500],
  ['none', 40]
])('5 clients with 100 RSA keys, named in turn, 6 algorithms: each key is imported once (%s)', async (kid, tried) => {
  const { stdout } = await promisify(execFile)(process.execPath, [script('many-keys.mjs'), '5', '100', kid])
  const [first, again] = JSON.parse(stdout) as [number, number]
  expect(first).toBeGreaterThanOrEqual(tried)
  expect(first).toBeLessThan(tried + 20)
  expect(again).toBe(0)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** The ids that a worker used for the first time, until it ends or is killed. */
async function use(node: string, library: string, file: string, count: number, killAfter?: number): Promise<string[]> {
  const worker = join(__dirname, 'sqlite-worker.mjs')
  const child = spawn(node, [worker, library, file, 'id', `${count}`], { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (killAfter !== undefined && output.length > killAfter) child.kill('SIGKILL')
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect([code, signal]).toEqual(killAfter === undefined ? [0, null] : [null, 'SIGKILL'])
  return output
    .slice(0, output.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
}

/** Kills a worker in the middle of load and starts another over the same file: nothing passes twice. */
export async function killAndRestart(node: string, library: string, file: string): Promise<void> {
  const before = await use(node, library, file, 100_000, 2_000)
  expect(before.length).toBeGreaterThan(100)
  const after = await use(node, library, file, before.length + 500)
  expect(after.filter((id) => before.includes(id))).toEqual([])
  expect(after.length).toBeGreaterThan(400)
}

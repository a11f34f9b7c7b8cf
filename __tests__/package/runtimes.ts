import { cpSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { killAndRestart } from '../support/sqlite-uses'
import { app, blocksOf, emptyFolder, installed, nodeOf, nodeVersions, packed, pnpm, run, runtimes } from './packed'

/** As docs/testing.md gives it. */
const jestConfig = blocksOf('docs/testing.md', 'json')
  .map(({ code }) => (JSON.parse(code) as { jest?: object }).jest)
  .find((jest) => jest !== undefined)

async function runJest(folder: string, node: string): Promise<string> {
  const config = JSON.stringify({ testMatch: ['<rootDir>/jest.test.cjs'], ...jestConfig })
  return run(folder, node, 'node_modules/jest/bin/jest.js', '--config', config)
}

export function runtimeTests(): void {
  describe.each(runtimes)('on %s', (name, [program = '', ...args]) => {
    test.concurrent('it is that version', async () => {
      await installed
      expect(await run(app, program, '--version')).toContain(name.split(' ').at(-1)?.toLowerCase().replace('bun', '1.'))
    })

    test.concurrent('import and require() give the same classes, without a warning', async () => {
      await installed
      expect(await run(app, program, ...args, 'same-class.mjs')).toBe('')
    })

    test.concurrent('test clients of every method and algorithm are accepted, and refused when spoilt', async () => {
      await installed
      // Node 20 and 22 add a warning about Ed25519.
      expect(await run(app, program, ...args, 'kit.cjs')).toMatch(/^17 accepted$/m)
    })
  })

  describe.each(nodeVersions)('on Node %s', (version) => {
    test.concurrent('Jest runs a consumer, configured as docs/testing.md says', async () => {
      await installed
      expect(await runJest(app, nodeOf(version))).toContain('Tests:       1 passed, 1 total')
    })

    test.concurrent('Vitest runs a consumer', async () => {
      await installed
      const output = await run(app, nodeOf(version), 'node_modules/vitest/vitest.mjs', 'run', 'vitest.test.mjs')
      expect(output).toContain('Tests  1 passed (1)')
    })
  })

  test.concurrent("Jest runs a consumer in pnpm's layout, configured as docs/testing.md says", async () => {
    await installed
    const folder = emptyFolder('pnpm')
    for (const file of ['prove.cjs', 'jest.test.cjs']) cpSync(path.join(app, file), path.join(folder, file))
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true }))
    await run(folder, pnpm, 'add', '--ignore-scripts', (await packed).tarball, 'jest@30', '@swc/jest')
    expect(await runJest(folder, nodeOf('20.19.0'))).toContain('Tests:       1 passed, 1 total')
  })

  test.concurrent('from Node 24.9 Jest needs no configuration but the flag', async () => {
    await installed
    const args = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--testMatch', '**/jest.test.cjs']
    expect(await run(app, nodeOf('24.21.0'), ...args)).toContain('Tests:       1 passed, 1 total')
  })

  // The default suite runs on one Node; the oldest that is supported has no node:sqlite.
  test.concurrent.each(['24.21.0', '26.10.0'])(
    'node:sqlite of Node %s, killed in the middle of load',
    async (version) => {
      await installed
      const library = path.join(app, 'node_modules/oauth-client-auth')
      await killAndRestart(nodeOf(version), library, path.join(emptyFolder(`sqlite-${version}`), 'used.db'))
    }
  )
}

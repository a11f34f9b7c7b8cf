import path from 'node:path'
import { killAndRestart } from '../support/sqlite-uses'
import { app, emptyFolder, installed, jestBin, lateVersions, nodeOf, nodeVersions, run, runtimes } from './packed'

const runJest = (folder: string, node: string): Promise<string> =>
  run(folder, node, jestBin, '--testMatch', '**/jest.test.cjs')

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
      expect(await run(app, program, ...args, 'kit.cjs')).toMatch(/^(17|20, with ML-DSA,) accepted\n$/)
    })
  })

  describe.each(nodeVersions)('on Node %s', (version) => {
    test.concurrent('Jest runs a consumer, without any configuration', async () => {
      await installed
      expect(await runJest(app, nodeOf(version))).toContain('Tests:       1 passed, 1 total')
    })

    test.concurrent('Vitest runs a consumer', async () => {
      await installed
      const output = await run(app, nodeOf(version), 'node_modules/vitest/vitest.mjs', 'run', 'vitest.test.mjs')
      expect(output).toContain('Tests  1 passed (1)')
    })
  })

  test.concurrent.each(lateVersions)(
    'Node %s: keys of oauth4webapi, and what it and openid-client sign with ML-DSA',
    async (version) => {
      await installed
      const output = await run(app, nodeOf(version), '--no-warnings', 'ml-dsa.mjs')
      for (const alg of ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87', 'Ed25519'])
        for (const library of ['oauth4webapi', 'openid-client']) expect(output).toContain(`${alg} ${library}\n`)
    }
  )

  // The default suite runs on one Node; the oldest that is supported has no node:sqlite.
  test.concurrent.each(lateVersions)('node:sqlite of Node %s, killed in the middle of load', async (version) => {
    await installed
    const library = path.join(app, 'node_modules/oauth-client-auth')
    await killAndRestart(nodeOf(version), library, path.join(emptyFolder(`sqlite-${version}`), 'used.db'))
  })
}

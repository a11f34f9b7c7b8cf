import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { basic, issuer, secretAssertion } from '../support/assertions'
import { emptyFolder, installed, nodeOf, nodeVersions, npmInstall, packed } from './packed'

export function commandTests(): void {
  describe.each(nodeVersions)('on Node %s', (version) => {
    const secret = 'a secret of the shop that nobody may read'
    const then = 1_764_000_000
    const jwt = secretAssertion(secret, { clientId: 'shop', claims: { iat: then, exp: then + 60 } })
    const record = {
      client_id: 'shop',
      token_endpoint_auth_method: ['client_secret_jwt', 'client_secret_basic'],
      client_secret: secret
    }
    const known = ['--issuer', issuer, '--client', 'client.json']
    let folder = ''
    beforeAll(async () => {
      folder = emptyFolder(`command on ${version}`)
      await npmInstall(folder, (await packed).tarball)
      writeFileSync(path.join(folder, 'client.json'), JSON.stringify(record))
    })

    async function npx(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
      await installed
      const bin = path.dirname(nodeOf(version))
      const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` }
      const ended = await promisify(execFile)('npx', ['--no-install', 'oauth-client-auth', ...args], {
        cwd: folder,
        env
      }).then(
        (output) => ({ code: 0, ...output }),
        (error: unknown) => error as { code: number; stdout: string; stderr: string }
      )
      const { code, stdout, stderr } = ended
      for (const hidden of [secret, jwt, ...jwt.split('.')]) expect(stdout + stderr).not.toContain(hidden)
      return { code, stdout, stderr }
    }

    test('explain: an assertion of last week is accepted as of then, and its exit code is 0', async () => {
      const { code, stdout } = await npx('explain', jwt, ...known, '--at', String(then + 5))
      expect([code, stdout]).toEqual([0, expect.stringMatching(/verdict +accepted/)])
    })

    test('explain: as of now it is refused, and its exit code is 1', async () => {
      const { code, stdout } = await npx('explain', jwt, ...known)
      expect([code, stdout]).toEqual([1, expect.stringMatching(/refused: assertion_expired/)])
      expect(stdout).toContain('Make a new assertion for each request')
    })

    test('explain --json', async () => {
      const { code, stdout } = await npx('explain', `Authorization: ${basic('shop', 'wrong')}`, ...known, '--json')
      expect(code).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({ accepted: false, reason: 'secret_mismatch', clientId: 'shop' })
      expect(stdout).not.toContain(basic('shop', 'wrong').slice('Basic '.length))
    })

    test('explain: a wrong call is one sentence, and its exit code is 2', async () => {
      const { code, stdout, stderr } = await npx('explain', jwt)
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^oauth-client-auth: Give --issuer URL.*\n$/)
    })

    test('--version is that of the package', async () => {
      const { stdout } = await npx('--version')
      expect((await packed).tarball).toContain(stdout.trim())
    })
  })
}

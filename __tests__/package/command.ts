// The command of the packed tarball, alone in a folder that holds nothing else.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { basic, issuer, secretAssertion } from '../support/assertions'
import { emptyFolder, installed, nodeOf, nodeVersions, npmInstall, packed } from './packed'

const secret = 'a secret of the shop that nobody may read'
const then = 1_764_000_000
const jwt = secretAssertion(secret, { clientId: 'shop', claims: { iat: then, exp: then + 60 } })
const record = {
  client_id: 'shop',
  token_endpoint_auth_method: ['client_secret_jwt', 'client_secret_basic'],
  client_secret: secret
}
const known = ['--issuer', issuer, '--client', 'client.json']

interface Ended {
  code: number
  stdout: string
  stderr: string
}

async function npx(folder: string, version: string, ...args: string[]): Promise<Ended> {
  const bin = path.dirname(nodeOf(version))
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` }
  const { code, stdout, stderr } = await promisify(execFile)('npx', ['--no-install', 'oauth-client-auth', ...args], {
    cwd: folder,
    env
  }).then(
    (output): Ended => ({ code: 0, ...output }),
    (error: unknown) => error as Ended
  )
  for (const hidden of [secret, jwt, ...jwt.split('.')]) expect(stdout + stderr).not.toContain(hidden)
  return { code, stdout, stderr }
}

export function commandTests(): void {
  let folder = ''
  beforeAll(async () => {
    await installed
    folder = emptyFolder('command')
    await npmInstall(folder, (await packed).tarball)
    writeFileSync(path.join(folder, 'client.json'), JSON.stringify(record))
  })

  describe.each(nodeVersions)('on Node %s', (version) => {
    test('explain: an assertion of last week is accepted as of then, and its exit code is 0', async () => {
      const { code, stdout } = await npx(folder, version, 'explain', jwt, ...known, '--at', String(then + 5))
      expect([code, stdout]).toEqual([0, expect.stringMatching(/verdict +accepted/)])
    })

    test('explain: as of now it is refused, and its exit code is 1', async () => {
      const { code, stdout } = await npx(folder, version, 'explain', jwt, ...known, '--at', new Date().toISOString())
      expect([code, stdout]).toEqual([1, expect.stringMatching(/refused: assertion_expired/)])
      expect(stdout).toContain('Make a new assertion for each request')
    })

    test('explain --json', async () => {
      const header = `Authorization: ${basic('shop', 'wrong')}`
      const { code, stdout } = await npx(folder, version, 'explain', header, ...known, '--json')
      expect(code).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({ accepted: false, reason: 'secret_mismatch', clientId: 'shop' })
      expect(stdout).not.toContain(basic('shop', 'wrong').slice('Basic '.length))
    })

    test('explain: a wrong call is one sentence, and its exit code is 2', async () => {
      const { code, stdout, stderr } = await npx(folder, version, 'explain', jwt)
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^oauth-client-auth: Give --issuer URL.*\n$/)
    })

    test('--version is that of the package', async () => {
      const { stdout } = await npx(folder, version, '--version')
      expect((await packed).tarball).toContain(stdout.trim())
    })
  })
}

// What the command says when it is called wrongly, where the argument is hostile to a terminal.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { runProgram } from '../../../cli/dispatcher'

const escapes = '\u001b[2J\u001b]0;title\u0007\u009b31m\u202eevil\u2028\r\n'

async function errorOf(...args: string[]): Promise<string> {
  const written: string[] = []
  const io = {
    stdin: new PassThrough(),
    stdout: { write: () => true },
    stderr: { write: (t: string) => written.push(t) },
    env: {}
  }
  expect(await runProgram(args, io)).toBe(2)
  return written.join('')
}

// Threat 46: an argument of the command that a terminal obeys
test.each<[string, string[]]>([
  ['--client', ['explain', 'client_id=c', '--issuer', 'https://as.example', '--client', escapes]],
  ['--config', ['explain', 'client_id=c', '--config', escapes]],
  ['a config that is no file', ['page', '--config', escapes]]
])('%s', async (_name, args) => {
  const error = await errorOf(...args)
  expect(error.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u)
  expect(error).toContain('\\u001b')
  expect(error).toContain('\\u202e')
})

// Threat 46: an issuer or a host that a terminal obeys
test.each([
  ['--issuer', ['explain', 'client_id=c', '--issuer', `https://${escapes}`]],
  ['--host', ['jwks', 'https://keys.corp/jwks', '--host', `${escapes}=10.0.0.0/8`]]
])('%s, in a process of its own', (_name, args) => {
  const main = join(__dirname, '../../../dist/cli/main.js')
  const { stderr, status } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  expect(status).toBe(2)
  expect(stderr).toMatch(/^oauth-client-auth: .+\n$/)
  expect(stderr.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u)
})

// Runs the suite beside this file in a network namespace of its own (Linux), where the public addresses of the test
// vectors lie on the loopback interface and nothing leads outside. Arguments are passed on to jest.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import selfsigned from 'selfsigned'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(here, '..', '..')
const { urls } = JSON.parse(readFileSync(path.join(here, '..', 'fixtures', 'jwks-uri.json'), 'utf8'))

const answers = urls
  .filter(({ expect, stage, fetches }) => expect === 'allowed' || fetches || stage === 'response' || stage === 'tls')
  .flatMap(({ dns = {}, dnsSequence = {} }) => [...Object.values(dns), ...Object.values(dnsSequence).flat()])
  .flat()
// Where the hosts of client documents are
answers.push('93.184.216.34', '10.1.2.3')
const addresses = [...new Set(answers)].filter((address) => isIP(address) > 0 && address !== '::1')

const authority = await selfsigned.generate([{ name: 'commonName', value: 'Test authority' }], {
  keyType: 'ec',
  algorithm: 'sha256',
  extensions: [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, critical: true }
  ]
})
const directory = mkdtempSync(path.join(tmpdir(), 'namespace-'))
writeFileSync(path.join(directory, 'ca.pem'), authority.cert)
writeFileSync(path.join(directory, 'ca.key'), authority.private)

const commands = [
  'ip link set lo up',
  ...addresses.map((address) => `ip address add ${address} dev lo`),
  'exec "$NODE" node_modules/jest/bin/jest.js --testMatch "**/__tests__/namespace/*.test.ts" --runInBand "$@"'
]
const { status, error } = spawnSync(
  'unshare',
  ['-rn', 'sh', '-ec', commands.join('\n'), 'sh', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE: process.execPath,
      NODE_EXTRA_CA_CERTS: path.join(directory, 'ca.pem'),
      // A proxy that is not there: who asked it would fetch nothing
      HTTPS_PROXY: 'http://127.0.0.1:9',
      https_proxy: 'http://127.0.0.1:9',
      NODE_USE_ENV_PROXY: '1',
      TEST_AUTHORITY: directory
    }
  }
)
rmSync(directory, { recursive: true })
if (error) console.error(`no network namespace: ${error.message}`)
process.exitCode = status ?? 1

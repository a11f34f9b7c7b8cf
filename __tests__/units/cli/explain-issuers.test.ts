// The command on the token of another issuer: which issuer, what is registered, and what differs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { issuer } from '../../support/assertions'
import { runCommand } from '../../support/run-command'
import { deployer, jobToken, ledger, podToken, svid, trusting, worker } from '../../support/workloads'

const folder = mkdtempSync(path.join(tmpdir(), 'explain-issuers-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const config = path.join(folder, 'server.cjs')
writeFileSync(
  config,
  `const clients = ${JSON.stringify([worker, deployer, ledger])}
  module.exports = { issuer: '${issuer}', getClient: (id) => clients.find(({ client_id }) => client_id === id),
    ...${JSON.stringify(trusting)} }`
)

const explain = (token: string, ...args: string[]) => runCommand(['explain', token, '--config', config, ...args])

test.each([
  ['a pod', () => podToken(), 'worker'],
  ['a job', () => jobToken(), 'deployer'],
  ['an SVID, by its own assertion type', () => svid(), 'ledger']
])('%s is accepted', async (_name, token, clientId) => {
  expect(await explain(token(), '--client-id', clientId)).toMatchObject({ code: 0 })
})

test.each([
  [
    'another branch',
    () => jobToken({ claims: { sub: 'repo:acme/shop:ref:refs/heads/dev' } }),
    'deployer',
    'Run the job on'
  ],
  ['a pull request', () => jobToken({ claims: { sub: 'repo:acme/shop:pull_request' } }), 'deployer', 'Run the job on'],
  [
    'numbers beside the names',
    () => jobToken({ claims: { sub: 'repo:acme@1/shop@2:ref:refs/heads/main' } }),
    'deployer',
    'exactly as they stand in it'
  ],
  [
    'another namespace',
    () => podToken({ claims: { sub: 'system:serviceaccount:test:worker' } }),
    'worker',
    'registered service account'
  ],
  [
    'another service account',
    () => podToken({ claims: { sub: 'system:serviceaccount:shop:default' } }),
    'worker',
    'registered service account'
  ],
  ['another issuer', () => podToken(), 'deployer', 'Register an identity of this issuer'],
  [
    'another path',
    () => svid({ claims: { sub: 'spiffe://example.org/ns/shop' } }),
    'ledger',
    'exactly as they stand in it'
  ]
])('%s: the registered subject, the one that came, and the advice', async (_name, token, clientId, advice) => {
  const { code, stdout } = await explain(token(), '--client-id', clientId)
  expect(code).toBe(1)
  expect(stdout).toContain('federated_subject')
  expect(stdout).toContain(advice)
  const registered = {
    deployer: 'refs/heads/main',
    worker: 'system:serviceaccount:shop:worker',
    ledger: '/ns/bank/sa/ledger'
  }
  expect(stdout).toContain(registered[clientId as keyof typeof registered])
})

test('in JSON, the part that differs', async () => {
  const token = jobToken({ claims: { sub: 'repo:acme/shop:ref:refs/heads/dev' } })
  const { stdout } = await explain(token, '--client-id', 'deployer', '--json')
  const { findings } = JSON.parse(stdout) as { findings: { reason?: string; detail?: unknown }[] }
  expect(findings.find(({ reason }) => reason === 'federated_subject')?.detail).toMatchObject({
    differs: { part: 'branch', expected: 'main', received: 'dev' }
  })
})

test('without the client_id it says that one is needed, and still judges the signature', async () => {
  const { code, stdout } = await explain(podToken(), '--all')
  expect(code).toBe(1)
  expect(stdout).toContain('client_id_missing')
  expect(stdout).toMatch(/✓ signature/)
})

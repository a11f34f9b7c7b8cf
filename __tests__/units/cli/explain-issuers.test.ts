// The command on the token of another issuer: which issuer, what is registered, and what differs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { issuer, now } from '../../support/assertions'
import { runCommand } from '../../support/run-command'
import { deployer, jobToken, ledger, podToken, strangerKey, svid, trusting, worker } from '../../support/workloads'

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

test.each([
  [
    'assertion_audience',
    { claims: { aud: ['https://kubernetes.default.svc'] } },
    'Ask the issuer for a token whose aud'
  ],
  ['assertion_lifetime', { claims: { exp: now() + 90_000 } }, 'the operator raises maxLifetime'],
  ['assertion_expired', { claims: { exp: now() - 700, iat: now() - 1300 } }, 'read again the file'],
  ['no_matching_key', { header: { kid: 'renewed' } }, 'where its keys stand in trustedIssuers as jwks'],
  ['signature_mismatch', { key: strangerKey }, 'no key that the issuer publishes verifies this one']
])('%s: what to ask the issuer for, and not the client', async (reason, changes, advice) => {
  const { code, stdout } = await explain(podToken(changes), '--client-id', 'worker', '--at', String(now()))
  expect(code).toBe(1)
  expect(stdout).toMatch(new RegExp(`refused: ${reason}`))
  expect(stdout.replace(/\s+/g, ' ')).toContain(advice)
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
  expect(stdout).toContain('give --client-id ID')
  expect((await explain('client_secret=x')).stdout).not.toContain('--client-id')
  expect(stdout).toMatch(/✓ signature/)
})

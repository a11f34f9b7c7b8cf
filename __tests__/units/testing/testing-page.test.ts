// The table of wrong requests in docs/testing.md: each row is sent, and the reason is the one that stands beside it.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'
import { ClientAuthError, createClientAuthenticator } from '../../../lib'
import { createTestClient, type TestRequest } from '../../../lib/testing'

const page = readFileSync(path.join(__dirname, '../../../docs/testing.md'), 'utf8')
const rows = [...page.matchAll(/^\| `(.*\.request\(.*\))` +\| `(\w+)` +\|$/gm)].map(([, code = '', reason = '']) => ({
  code,
  reason
}))

const issuer = 'https://as.example.com'
const bank = createTestClient({ client_id: 'bank', method: 'private_key_jwt', issuer })
const shop = createTestClient({ client_id: 'shop', method: 'client_secret_basic' })
const authenticate = createClientAuthenticator({
  issuer,
  getClient: (clientId) => [bank, shop].map(({ record }) => record).find((record) => record.client_id === clientId)
})

test('the table is there', () => {
  expect(rows.length).toBeGreaterThan(15)
})

test.each(rows)('$code: $reason', async ({ code, reason }) => {
  const { headers, form } = vm.runInNewContext(code, { bank, shop, createTestClient, Date }) as TestRequest
  const refusal = await authenticate({ headers, body: form }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(ClientAuthError)
  expect((refusal as ClientAuthError).reason).toBe(reason)
})

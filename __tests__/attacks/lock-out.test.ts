// Guesses at unknown ids do not count against a client.
import { scryptSync } from 'node:crypto'
import type { OAuthClient } from '../../lib'
import { basic } from '../support/assertions'
import { secret } from '../support/three-clients'
import { post, tokenServer } from '../support/token-server'

describe('verifySecret never counts a guess against an innocent client', () => {
  const hashOf = (text: string) => scryptSync(text, 'salt', 16).toString('hex')
  const tenants = { client_id: 'tenant', client_secret: hashOf(secret), tenant: 'innocent' }

  // Threat 22: guesses at unknown ids counted against a client
  test('guesses at unknown ids lock those ids alone, and see nothing of another record', async () => {
    const failures = new Map<string, number>()
    const seen: object[] = []
    const verifySecret = (presented: string, stored: string, client: OAuthClient) => {
      const failed = failures.get(client.client_id) ?? 0
      if (failed >= 5) return false
      seen.push(client)
      const isRight = hashOf(presented) === stored
      if (!isRight) failures.set(client.client_id, failed + 1)
      return isRight
    }
    const app = tokenServer({ verifySecret }, tenants)
    expect((await post(app, {}, { Authorization: basic('tenant', secret) })).status).toBe(200)
    seen.length = 0
    for (let guess = 0; guess < 6; guess++) {
      expect((await post(app, {}, { Authorization: basic(`nobody-${guess}`, secret) })).status).toBe(401)
      expect((await post(app, {}, { Authorization: basic('nobody', 'guess') })).status).toBe(401)
    }
    expect(failures.get('nobody')).toBe(5)
    expect(failures.has('tenant')).toBe(false)
    expect(seen.filter((record) => Object.keys(record).join() !== 'client_id')).toEqual([])
    expect((await post(app, {}, { Authorization: basic('tenant', secret) })).status).toBe(200)
  })

  // Threat 22: a comparison that breaks on the record of an unknown id
  test('a verifier that throws at such a sparse record answers like a wrong secret', async () => {
    const verifySecret = (presented: string, stored: string, client: OAuthClient) =>
      (client as typeof tenants).tenant.length > 0 && hashOf(presented) === stored
    const app = tokenServer({ verifySecret }, tenants)
    expect((await post(app, {}, { Authorization: basic('tenant', secret) })).status).toBe(200)
    const wrong = await post(app, {}, { Authorization: basic('tenant', 'wrong') })
    const unknown = await post(app, {}, { Authorization: basic('nobody', 'wrong') })
    expect([unknown.status, unknown.text]).toEqual([401, wrong.text])
  })

  test('one that throws for a known client is told once which argument comes first', async () => {
    const warnings: string[] = []
    const spy = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)))
    const verifySecret = () => {
      throw new Error('pchstr must contain a $ as first char')
    }
    const app = tokenServer({ verifySecret }, tenants)
    const statuses = [
      await post(app, {}, { Authorization: basic('tenant', 'x') }),
      await post(app, {}, { Authorization: basic('tenant', 'y') })
    ]
    spy.mockRestore()
    expect(statuses.map(({ status }) => status)).toEqual([500, 500])
    expect(warnings).toEqual([
      expect.stringMatching(/bcrypt\.compare\(presented, stored\).*argon2\.verify\(stored, presented\)/)
    ])
  })
})

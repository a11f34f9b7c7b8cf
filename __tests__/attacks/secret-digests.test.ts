// What a subscriber to the diagnostics of lru-cache sees.
import { createHash, scryptSync } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { rememberSecrets } from '../../lib'
import { assertionForm, basic, secretAssertion } from '../support/assertions'
import { byKey, byPost, keyForm, secret, shop } from '../support/three-clients'
import { post, tokenServer } from '../support/token-server'

describe('what a subscriber to the diagnostics of lru-cache sees', () => {
  // Threat 29: digests of secrets in the messages of lru-cache
  test('no secret, and no digest of one that could be tried against a dictionary', async () => {
    const seen: string[] = []
    const note = (message: unknown) => seen.push(inspectAll(message))
    const names = [
      'lru-cache:metrics',
      ...['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((end) => `tracing:lru-cache:${end}`)
    ]
    for (const name of names) subscribe(name, note)
    const hashOf = (text: string) => scryptSync(text, 'salt', 16).toString('hex')
    const slow = { ...shop, client_secret: hashOf(secret) }
    const byHmac = { ...byPost, client_id: 'hmac', token_endpoint_auth_method: 'client_secret_jwt' }
    const hmacForm = assertionForm(secretAssertion(secret, { clientId: 'hmac' }))
    const plain = tokenServer({}, shop, byHmac, byKey)
    const hashed = tokenServer({ verifySecret: rememberSecrets((a, b) => hashOf(a) === b) }, slow)
    for (let times = 0; times < 2; times++) {
      expect((await post(hashed, {}, { Authorization: basic('web-shop', secret) })).status).toBe(200)
      expect((await post(plain, {}, { Authorization: basic('web-shop', secret) })).status).toBe(200)
    }
    expect((await post(plain, hmacForm)).status).toBe(200)
    expect((await post(plain, keyForm())).status).toBe(200)
    for (const name of names) unsubscribe(name, note)

    expect(seen.length).toBeGreaterThan(0)
    const all = seen.join('\n')
    const forbidden = ['', 'HS256 ', 'web-shop ', 'hmac '].flatMap((before) =>
      ['sha1', 'sha256', 'sha384', 'sha512'].flatMap((algorithm) => {
        const digest = createHash(algorithm)
          .update(before + secret)
          .digest()
        return [
          digest.toString('hex'),
          digest.toString('base64url').slice(0, 40),
          digest.toString('base64').slice(0, 40)
        ]
      })
    )
    expect([secret, hashOf(secret), ...forbidden].filter((text) => all.includes(text))).toEqual([])
  })
})

/** A message whole: the keys and values of maps and caches too. */
const inspectAll = (value: unknown): string =>
  JSON.stringify(value, (_name, part: unknown) => {
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex')
    if (part !== null && typeof part === 'object' && Symbol.iterator in part && !Array.isArray(part)) return undefined
    return typeof part === 'function' || typeof part === 'bigint' ? String(part) : part
  })

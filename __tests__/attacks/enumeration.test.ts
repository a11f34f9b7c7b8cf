// Attacks that ask which clients exist: by the answer, by the work that it costs, by an error.
import type { KeyObject } from 'node:crypto'
import { rememberSecrets, type KeySets, type OAuthClient } from '../../lib'
import { assertionForm, basic, jws, keyAssertion, keyFor, makeKey, secretAssertion } from '../support/assertions'
import { attacker, claimsOf, clients, key, secret } from '../support/attacked-clients'
import { fuzzServer, send, type HttpAnswer } from '../support/fuzz/wire'
import { clientsOf, post, tokenServer } from '../support/token-server'

/** Every MAC and signature that is verified: of RSA the bits of the key, of the others its kind. */
function watchVerifications() {
  const crypto = jest.requireActual<typeof import('node:crypto')>('node:crypto')
  const seen: unknown[] = []
  const note = (key: unknown) => {
    const { asymmetricKeyDetails, asymmetricKeyType } = key as KeyObject
    seen.push(asymmetricKeyDetails?.modulusLength ?? asymmetricKeyType ?? 'secret')
  }
  const [verifyOnce, hmac] = [crypto.verify, crypto.createHmac] as ((...args: unknown[]) => unknown)[]
  const spies = [
    jest.spyOn(crypto, 'verify').mockImplementation((...args: unknown[]) => {
      note(args[2])
      return verifyOnce!(...args)
    }),
    jest.spyOn(crypto, 'createHmac').mockImplementation(((...args: unknown[]) => {
      note({})
      return hmac!(...args)
    }) as never)
  ]
  return {
    seen,
    end: () => {
      for (const spy of spies) spy.mockRestore()
    }
  }
}

describe('enumeration', () => {
  const keyed = { ...clients[2]!, client_id: 'other alg', token_endpoint_auth_signing_alg: 'RS256' }
  const expired: OAuthClient = { client_id: 'expired', client_secret: secret, client_secret_expires_at: 1 }
  const unreachable: OAuthClient = {
    client_id: 'unreachable',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://localhost/'
  }
  const remote = { ...unreachable, client_id: 'remote', jwks_uri: 'https://keys.example/jwks' }
  const records = [
    ...clients,
    keyed,
    expired,
    unreachable,
    { client_id: 'keyless', token_endpoint_auth_method: 'private_key_jwt' }
  ]

  const wrong = 'wrong'.repeat(13)
  const ids = ['nobody', ...records.map(({ client_id }) => client_id)]
  const mechanisms: [string, string[], (id: string) => { authorization?: string; form: Record<string, string> }][] = [
    ['Basic', ids.filter((id) => id !== 'post'), (id) => ({ authorization: basic(id, wrong), form: {} })],
    [
      'Basic, the right secret of a client that must not use it',
      ['key', 'hmac', 'post', 'expired', 'nobody'],
      (id) => ({ authorization: basic(id, secret), form: {} })
    ],
    [
      'Basic, near misses',
      ['nobody', 'basic'],
      (id) => ({ authorization: basic(id, `${secret.slice(0, -1)}!`), form: {} })
    ],
    ['post', ids, (id) => ({ form: { client_id: id, client_secret: wrong } })],
    [
      'ES256 by another key',
      ids,
      (id) => ({ form: assertionForm(keyAssertion(attacker, { clientId: id, header: { kid: key.kid } })) })
    ],
    [
      'ES256 by another key, unknown kid',
      ids,
      (id) => ({ form: assertionForm(keyAssertion(attacker, { clientId: id })) })
    ],
    [
      'RS256 by another key',
      ids,
      (id) => ({ form: assertionForm(jws({ alg: 'RS256' }, claimsOf(id), 'RS256', otherRsa.privateKey)) })
    ],
    ['HS256 with another secret', ids, (id) => ({ form: assertionForm(secretAssertion(wrong, { clientId: id })) })]
  ]
  const otherRsa = makeKey('RS256', 'other')

  // Threat 11: unknown ids, wrong secrets and near misses told apart by the answer
  test.each(mechanisms)('%s: unknown and known-but-wrong get the same octets', async (_name, some, make) => {
    const server = await fuzzServer({ getClient: clientsOf(...records).getClient })
    const answers = new Map<string, string[]>()
    for (const id of some) {
      const { authorization, form } = make(id)
      const body = new URLSearchParams(form).toString()
      const head = ['POST /token HTTP/1.1', 'Host: as', `Content-Length: ${body.length}`, 'Connection: close']
      head.push('Content-Type: application/x-www-form-urlencoded')
      if (authorization !== undefined) head.push(`Authorization: ${authorization}`)
      const [answer] = await send(
        server,
        { pieces: [Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)], isWhole: true },
        true
      )
      const octets = wireForm(answer)
      answers.set(octets, [...(answers.get(octets) ?? []), id])
    }
    server.close()
    expect([...answers.keys()]).toEqual([
      expect.stringContaining('{"error":"invalid_client","error_description":"Client authentication failed."}')
    ])
  })

  const wireForm = (answer: HttpAnswer | undefined): string => {
    const { date, ...headers } = answer?.headers ?? {}
    return (
      JSON.stringify({ hasDate: date !== undefined, status: answer?.status, headers: Object.entries(headers) }) +
      (answer?.body ?? '')
    )
  }

  // Threat 11: told apart by the time of an assertion
  test.each<[string, (id: string) => string]>([
    ['ES256', (id) => keyAssertion(attacker, { clientId: id, header: { kid: key.kid } })],
    ['ES256 with an unknown kid', (id) => keyAssertion(attacker, { clientId: id })],
    ['ES256 without kid', (id) => keyAssertion(attacker, { clientId: id, header: { kid: undefined } })],
    ['HS256', (id) => secretAssertion(wrong, { clientId: id })]
  ])('%s: an unknown client costs as many verifications as a known one', async (_name, make) => {
    const work = watchVerifications()
    // Asked again for newer keys, the owner has the same
    const keySets: KeySets = {
      get: async (uri) => {
        if (uri !== remote.jwks_uri) throw new Error('away')
        return { keys: [{ ...key.jwk }] }
      }
    }
    const app = tokenServer({ keySets }, ...records, remote)
    const counts: [string, number][] = []
    for (const id of ['nobody', 'key', 'hmac', 'basic', 'keyless', 'other alg', 'unreachable', 'remote']) {
      const form = assertionForm(make(id))
      work.seen.length = 0
      expect((await post(app, form)).status).toBe(401)
      counts.push([id, work.seen.length])
    }
    work.end()
    expect(counts).toEqual(counts.map(([id]) => [id, 1]))
  })

  const rsaClients = [2048, 3072, 4096].map((bits) => ({
    client_id: `rsa ${bits}`,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [makeKey('RS256', 'rsa', bits).jwk] }
  }))
  // RFC 8017 §8.2.2: a signature of another length, or not less than the modulus, costs no exponentiation.
  // Threat 11: told apart by an RSA signature that fits no modulus
  test.each([
    ['less than any modulus', 256, 0x20, 2048],
    ['less than some moduli', 256, 0xbf, 2048],
    ['less than the decoy alone', 256, 0xfe, 2048],
    ['less than none', 256, undefined, undefined],
    ['of 3072 bits', 384, 0x20, 3072],
    ['of 4096 bits', 512, 0x20, 4096],
    ['too short for any', 100, 0x20, undefined]
  ])('RS256, a signature %s: what is worked out depends on it alone', async (_name, octets, first, worked) => {
    const forged = (id: string) => {
      const signature = Buffer.alloc(octets, first ?? 0xff)
      const [header, claims] = keyAssertion(keyFor('RS256'), { clientId: id, header: { kid: 'rsa' } }).split('.')
      return assertionForm(`${header}.${claims}.${signature.toString('base64url')}`)
    }
    const app = tokenServer({}, ...rsaClients)
    const { seen, end } = watchVerifications()
    const work: unknown[] = []
    for (const id of ['nobody', 'rsa 2048', 'rsa 3072', 'rsa 4096']) {
      seen.length = 0
      expect((await post(app, forged(id))).status).toBe(401)
      work.push([...seen])
    }
    end()
    expect(work).toEqual(work.map(() => (worked === undefined ? [] : [worked])))
  })

  // Threat 11: told apart by the time of a remembered secret
  test('a remembered secret of another client is no faster against an unknown one', async () => {
    let slow = 0
    const verifySecret = rememberSecrets((presented: string, stored: string) => {
      slow++
      return presented === stored
    })
    const mine: OAuthClient = { client_id: 'mine', client_secret: 'mine' }
    const app = tokenServer({ verifySecret }, mine, { client_id: 'theirs', client_secret: 'theirs' })
    const counts = []
    for (const id of ['theirs', 'nobody', 'theirs', 'nobody']) {
      expect((await post(app, {}, { Authorization: basic('mine', 'mine') })).status).toBe(200)
      slow = 0
      expect((await post(app, {}, { Authorization: basic(id, 'mine') })).status).toBe(401)
      counts.push(slow)
    }
    expect(counts).toEqual([1, 1, 1, 1])
  })
})

// Threat 11: told apart by an error that only known clients cause
test('a record whose hash breaks the comparison does not break it for unknown clients', async () => {
  const verifySecret = (_presented: string, stored: string): boolean => {
    if (stored === 'broken') throw new Error('no hash')
    return false
  }
  const app = tokenServer({ verifySecret }, { client_id: 'a', client_secret: 'broken' })
  const attempt = (id: string) => post(app, {}, { Authorization: basic(id, 'x') })
  expect((await attempt('a')).status).toBe(500)
  expect((await attempt('nobody')).status).toBe(401)
})

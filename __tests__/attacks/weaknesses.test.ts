// Weaknesses 18 to 32 that were found by attacking this package, each from outside: through the public API, over HTTP.
import { createHash, scryptSync } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import request from 'supertest'
import {
  claimedClientId,
  clientAuth,
  createClientAuthenticator,
  rememberSecrets,
  validateClientMetadata,
  type JwkSet,
  type OAuthClient,
  type RejectedEvent
} from '../../lib'
import { assertionForm, basic, issuer, keyAssertion, keyFor, makeKey, secretAssertion } from '../support/assertions'
import { clientsOf, post, tokenServer } from '../support/token-server'

const only = (...records: OAuthClient[]) => ({ getClient: clientsOf(...records).getClient })

const key = keyFor('ES256')
const secret = 'a secret of well over thirty-two octets'
const shop: OAuthClient = { client_id: 'web-shop', client_secret: secret }
const byPost: OAuthClient = {
  client_id: 'post',
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_post'
}
const byKey: OAuthClient = {
  client_id: 'key',
  jwks: { keys: [key.jwk] },
  token_endpoint_auth_method: 'private_key_jwt'
}
const postForm = { client_id: 'post', client_secret: secret }
const keyForm = () => assertionForm(keyAssertion(key, { clientId: 'key' }))
const rawBasic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })

/** The reasons for which requests were refused meanwhile. */
async function reasonsOf(act: () => Promise<unknown>): Promise<string[]> {
  const reasons: string[] = []
  const note = (event: unknown) => reasons.push((event as RejectedEvent).reason)
  subscribe('oauth-client-auth:rejected', note)
  await act()
  unsubscribe('oauth-client-auth:rejected', note)
  return reasons
}

describe('18: a rate limit is not walked around', () => {
  const spellings = ['web-shop', '%77eb-shop', '%77%65b-shop', 'web%2Dshop', 'web%2dshop']

  function limited() {
    const app = express()
    const limit = rateLimit({
      windowMs: 60_000,
      limit: 5,
      skipSuccessfulRequests: true,
      keyGenerator: (req) => `${ipKeyGenerator(req.ip ?? '')} ${claimedClientId(req) ?? ''}`
    })
    app.post('/token', express.urlencoded({ extended: false }), limit, clientAuth({ issuer, ...only(shop) }))
    return app
  }

  // Threat 18: a rate limit walked around by another spelling of the id
  test('by re-spelling the id: six guesses, the sixth is not heard, however the id is written', async () => {
    const app = limited()
    const statuses: number[] = []
    for (let guess = 0; guess < 10; guess++) {
      const spelling = spellings[guess % spellings.length] ?? ''
      statuses.push((await post(app, {}, rawBasic(`${spelling}:guess-${guess}`))).status)
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429, 429])
  })

  test.each<[string, Record<string, string>, Record<string, string>, string | undefined]>([
    ['Basic', {}, rawBasic('web-shop:x'), 'web-shop'],
    ['Basic, form-encoded', {}, rawBasic('%77eb-shop:x'), 'web-shop'],
    ['Basic in other case', {}, { Authorization: basic('web-shop', 'x').replace('Basic', 'bAsIc') }, 'web-shop'],
    ['Basic with a secret that is malformed', {}, rawBasic('web-shop:%zz'), undefined],
    ['client_id and client_secret', { client_id: 'web-shop', client_secret: 'x' }, {}, 'web-shop'],
    ['client_id alone', { client_id: 'web-shop' }, {}, 'web-shop'],
    ['client_id beside a token of a user', { client_id: 'web-shop' }, { Authorization: 'DPoP x' }, 'web-shop'],
    ['sub of an assertion', assertionForm(keyAssertion(key, { clientId: 'web-shop' })), {}, 'web-shop'],
    [
      'sub of an assertion beside another client_id',
      { ...assertionForm(keyAssertion(key, { clientId: 'web-shop' })), client_id: 'other' },
      {},
      'web-shop'
    ],
    ['nothing', {}, {}, undefined],
    ['an id that can be none', { client_id: 'ä' }, {}, undefined]
  ])('claimedClientId reads %s', async (_name, form, headers, expected) => {
    const app = express()
    app.post('/token', express.urlencoded({ extended: false }), (req, res) => {
      res.json([claimedClientId(req) ?? null])
    })
    expect((await post(app, form, headers)).body).toEqual([expected ?? null])
  })
})

describe('19: public clients at introspection', () => {
  const none = ['client_secret_basic', 'none'] as const

  // Threat 19: `none` advertised for introspection
  test('none is never advertised for introspection (RFC 7662 §2.1)', () => {
    const middleware = clientAuth({ issuer, ...only(), methods: none })
    expect(middleware.metadata('introspection').introspection_endpoint_auth_methods_supported).toEqual([none[0]])
    expect(middleware.metadata().token_endpoint_auth_methods_supported).toEqual(none)
    expect(middleware.metadata('revocation').revocation_endpoint_auth_methods_supported).toEqual(none)
  })

  // Threat 19: a public client at introspection; an assertion used at two endpoints
  test('two middlewares over one store: a public client stays out of introspection, and no assertion passes twice', async () => {
    const used = new Set<string>()
    const shared = {
      issuer,
      ...only(byKey, { client_id: 'spa', token_endpoint_auth_method: 'none' }),
      replayStore: { consume: ({ id }: { id: string }) => !used.has(id) && used.add(id).has(id) }
    }
    const app = express()
    const ok = (_req: Request, res: Response) => res.json('ok')
    app.post('/token', clientAuth({ ...shared, methods: ['private_key_jwt', 'none'] }), ok)
    app.post('/introspect', clientAuth({ ...shared, methods: ['private_key_jwt'] }), ok)
    const send = async (path: string, form: object) => (await request(app).post(path).type('form').send(form)).status
    expect(await send('/token', { client_id: 'spa' })).toBe(200)
    expect(await send('/introspect', { client_id: 'spa', token: 'x' })).toBe(400)
    const form = keyForm()
    expect([await send('/introspect', form), await send('/token', form)]).toEqual([200, 400])
  })
})

describe('22: verifySecret never counts a guess against an innocent client', () => {
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
    expect(warnings).toEqual([expect.stringContaining('argon2.verify(stored, presented)')])
  })
})

// Threat 24: metadata that holds the event loop
describe('24: registration holds the event loop for a few milliseconds, whatever is sent', () => {
  const by = (method: string, more: object) => ({ token_endpoint_auth_method: method, ...more })
  const times = (count: number, jwk: object) => ({
    jwks: { keys: Array.from({ length: count }, (_, index) => ({ ...jwk, kid: `k${index}` })) }
  })
  const long = (octets: number) => Buffer.alloc(octets, 0xa5).toString('base64url')
  const big = Buffer.alloc(1024, 0xff).toString('base64url')
  const deep = JSON.parse('{"a":'.repeat(5000) + '1' + '}'.repeat(5000)) as object

  test.each<[string, object]>([
    ['100 keys of P-521', by('private_key_jwt', times(100, makeKey('ES512').jwk))],
    ['100 points that are on no curve', by('private_key_jwt', times(100, { ...makeKey('ES512').jwk, y: long(66) }))],
    ['100 keys of RSA-8192', by('private_key_jwt', times(100, { kty: 'RSA', n: big, e: 'AQAB' }))],
    ['100 keys of Ed25519', by('private_key_jwt', times(100, makeKey('EdDSA').jwk))],
    ['100,000 keys', by('private_key_jwt', times(100_000, makeKey('EdDSA').jwk))],
    ['a modulus of 100,000 octets', by('private_key_jwt', times(1, { kty: 'RSA', n: long(1e5), e: 'AQAB' }))],
    ['a point of 100,000 octets', by('private_key_jwt', times(1, { ...makeKey('ES512').jwk, x: long(1e5) }))],
    ['10,000 secrets', by('client_secret_basic', { client_secret: Array(10_000).fill(secret) as string[] })],
    ['10,000 methods', { token_endpoint_auth_method: Array(10_000).fill('client_secret_basic') as string[] }],
    ['an object 5,000 levels deep as a key', by('private_key_jwt', times(1, { ...makeKey('EdDSA').jwk, deep }))],
    ['an object 5,000 levels deep as jwks', by('private_key_jwt', { jwks: deep })]
  ])('%s', (_name, metadata) => {
    const took = Array.from({ length: 5 }, () => {
      const start = performance.now()
      try {
        validateClientMetadata(metadata)
      } catch {
        // refused: that may be, as long as it is quick
      }
      return performance.now() - start
    })
    // A few milliseconds on a quiet machine; 200 where OpenSSL imports each key. Coverage and neighbours slow it down.
    expect(Math.min(...took)).toBeLessThan(60)
  })
})

describe('26: stripCredentials', () => {
  type Body = URLSearchParams | FormData | Record<string, string>
  const formData = (form: Record<string, string>) => {
    const data = new FormData()
    for (const [name, value] of Object.entries(form)) data.append(name, value)
    return data
  }
  const leftIn = async (make: (form: Record<string, string>) => Body, form: Record<string, string>) => {
    const app = express()
    app.post(
      '/token',
      express.urlencoded({ extended: false }),
      (req, _res, next) => {
        req.body = make(req.body as Record<string, string>)
        next()
      },
      clientAuth({ issuer, ...only(byPost, byKey), stripCredentials: true }),
      (req, res) => {
        const body = req.body as Body
        res.json(body instanceof URLSearchParams || body instanceof FormData ? [...body.keys()] : Object.keys(body))
      }
    )
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => res.status(500).json(error.message))
    return (await post(app, form)).body as unknown
  }

  // Threat 26: a body that is URLSearchParams, FormData or sealed
  test.each<[string, (form: Record<string, string>) => Body]>([
    ['URLSearchParams', (form) => new URLSearchParams(form)],
    ['FormData', formData],
    ['an object', (form) => ({ ...form })]
  ])('removes every credential from a body that is %s', async (_name, make) => {
    expect(await leftIn(make, { ...postForm, scope: 'a' })).toEqual(['client_id', 'scope'])
    expect(await leftIn(make, { client_id: 'key', ...keyForm() })).toEqual(['client_id'])
  })

  test('says so where a body is sealed, and hands no credential on', async () => {
    expect(await leftIn((form) => Object.seal({ ...form }), postForm)).toMatch(
      /^stripCredentials: client_secret cannot/
    )
  })
})

describe('27: a keySets of the application’s own that edits its set in place', () => {
  const [old, fresh] = [makeKey('ES256', 'old'), makeKey('ES256', 'fresh')]
  const record = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://c.example.com/k' }
  const send = async (app: express.Express, signer: typeof old, kid: string | undefined) =>
    (await post(app, assertionForm(keyAssertion(signer, { clientId: 'c', header: { kid } })))).status

  // Threat 27: a removed key stays accepted
  test.each<[string, boolean]>([
    ['with kid', true],
    ['without kid', false]
  ])('removed keys are refused and new ones accepted, at once: %s', async (_name, hasKid) => {
    const set: JwkSet = { keys: [{ ...old.jwk }] }
    const kidOf = ({ kid }: typeof old) => (hasKid ? kid : undefined)
    const app = tokenServer({ keySets: { get: () => Promise.resolve(set) } }, record)
    expect([await send(app, old, kidOf(old)), await send(app, fresh, kidOf(fresh))]).toEqual([200, 401])
    set.keys = [fresh.jwk]
    expect([await send(app, old, kidOf(old)), await send(app, fresh, kidOf(fresh))]).toEqual([401, 200])
    set.keys.splice(0, 1, { ...old.jwk })
    expect([await send(app, old, kidOf(old)), await send(app, fresh, kidOf(fresh))]).toEqual([200, 401])
    Object.assign(set.keys[0] as object, { ...fresh.jwk, kid: 'old' })
    expect(await send(app, old, kidOf(old))).toBe(401)
  })

  // Threat 27: a key that appears while a newer set is asked for
  test.each<[string, boolean]>([
    ['with kid', true],
    ['without kid', false]
  ])('a set that is edited while a newer one is asked for is read again: %s', async (_name, hasKid) => {
    const set: JwkSet = { keys: [old.jwk] }
    const get = (_uri: string, { refresh = false } = {}) => {
      if (refresh) set.keys = [fresh.jwk]
      return Promise.resolve(set)
    }
    expect(await send(tokenServer({ keySets: { get } }, record), fresh, hasKid ? 'fresh' : undefined)).toBe(200)
  })
})

describe('29: what a subscriber to the diagnostics of lru-cache sees', () => {
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

describe('30: a body that is too large is refused at once', () => {
  const app = tokenServer({}, byPost)
  const gigabyte = 1024 ** 3
  const form = 'Content-Type: application/x-www-form-urlencoded'

  /** Sends this over a socket, and nothing after it; resolves with the answer's first line as soon as it is there. */
  async function firstLine(...sent: string[]): Promise<string> {
    const server = createHttpServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    for (const part of sent) socket.write(part)
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(5000) })) as [Buffer]
    socket.destroy()
    server.close()
    return answer.toString().split('\r\n')[0] ?? ''
  }

  // Threat 30: a gigabyte by Content-Length
  test('by Content-Length: a gigabyte is announced, ten octets are sent', async () => {
    const head = `POST /token HTTP/1.1\r\nHost: as\r\n${form}\r\nContent-Length: ${gigabyte}\r\n\r\n`
    expect(await firstLine(head, 'client_id=')).toBe('HTTP/1.1 413 Payload Too Large')
  })

  // Threat 30: a body in chunks that does not end
  test('by its octets, in chunks: 65 KiB are sent, and no end', async () => {
    const head = `POST /token HTTP/1.1\r\nHost: as\r\n${form}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `8000\r\n${'a'.repeat(0x8000)}\r\n`
    expect(await firstLine(head, chunk, chunk, chunk)).toBe('HTTP/1.1 413 Payload Too Large')
  })

  // Threat 30: a body over HTTP/2 that is too long
  test.each<[string, Record<string, string>, number]>([
    ['by content-length', { 'content-length': String(gigabyte) }, 10],
    ['by its octets', {}, 70_000]
  ])('over HTTP/2, %s', async (_name, headers, octets) => {
    const middleware = clientAuth({ issuer, ...only(byPost) })
    const server = createHttp2Server((req, res) => {
      middleware(req as unknown as IncomingMessage, res as unknown as ServerResponse, () => res.end())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = session.request({
      ':method': 'POST',
      'content-type': 'application/x-www-form-urlencoded',
      ...headers
    })
    stream.on('error', () => undefined).write('a'.repeat(octets))
    const [answer] = (await once(stream, 'response', { signal: AbortSignal.timeout(5000) })) as [object]
    expect(answer).toMatchObject({ ':status': 413 })
    session.destroy()
    server.close()
  })
})

// Threat 31: a stored hash where nothing compares hashes
describe('31: a stored hash is no password', () => {
  const b64 = (octets: number) => Buffer.alloc(octets, 0xa5).toString('base64').replace(/=+$/, '')
  const crypt = (length: number) => 'Zx/.9'.repeat(20).slice(0, length)
  const hex = (octets: number) => 'a5'.repeat(octets)
  const hashes: [string, string][] = [
    ['bcrypt $2a$', `$2a$10$${crypt(53)}`],
    ['bcrypt $2b$', `$2b$12$${crypt(53)}`],
    ['bcrypt $2y$', `$2y$10$${crypt(53)}`],
    ['bcrypt of WordPress', `$wp$2y$10$${crypt(53)}`],
    ['argon2id', `$argon2id$v=19$m=65536,t=3,p=4$${b64(16)}$${b64(32)}`],
    ['argon2i', `$argon2i$v=19$m=65536,t=3,p=4$${b64(16)}$${b64(32)}`],
    ['argon2d', `$argon2d$v=19$m=65536,t=3,p=4$${b64(16)}$${b64(32)}`],
    ['scrypt, PHC', `$scrypt$ln=16,r=8,p=1$${b64(16)}$${b64(32)}`],
    ['scrypt, crypt(3)', `$7$C6..../....${crypt(14)}$${crypt(43)}`],
    ['scrypt of Java and Go', `$s0$e0801$${b64(16)}==$${b64(32)}=`],
    ['PBKDF2, passlib', `$pbkdf2-sha256$29000$${b64(16)}$${b64(32)}`],
    ['PBKDF2, PHC', `$pbkdf2$131000$${b64(16)}$${b64(20)}`],
    ['MD5-crypt', `$1$${crypt(8)}$${crypt(22)}`],
    ['Apache', `$apr1$${crypt(8)}$${crypt(22)}`],
    ['SHA-256-crypt', `$5$${crypt(16)}$${crypt(43)}`],
    ['SHA-512-crypt', `$6$${crypt(16)}$${crypt(86)}`],
    ['SHA-512-crypt with rounds', `$6$rounds=656000$${crypt(16)}$${crypt(86)}`],
    ['yescrypt', `$y$j9T$${crypt(22)}$${crypt(43)}`],
    ['phpass', `$P$B${crypt(30)}`],
    ['Drupal', `$S$D${crypt(51)}`],
    ['{SSHA}', `{SSHA}${b64(24)}`],
    ['{SSHA512}', `{SSHA512}${b64(72)}`],
    ['{SHA}', `{SHA}${b64(20)}=`],
    ['{MD5}', `{MD5}${b64(16)}==`],
    ['{CRYPT}', `{CRYPT}$6$${crypt(16)}$${crypt(86)}`],
    ['{BLF-CRYPT} of Dovecot', `{BLF-CRYPT}$2y$05$${crypt(53)}`],
    ['{PBKDF2-SHA256}', `{PBKDF2-SHA256}10000$${b64(16)}$${b64(32)}`],
    ['{ARGON2}', `{ARGON2}$argon2id$v=19$m=65536,t=2,p=1$${b64(16)}$${b64(32)}`],
    ['{bcrypt} of Spring', `{bcrypt}$2a$10$${crypt(53)}`],
    ['{scrypt@…} of Spring', `{scrypt@SpringSecurity_v5_8}$100801$${b64(16)}==$${b64(32)}=`],
    ['{sha256} of Spring', `{sha256}${hex(40)}`],
    ['PBKDF2 of Django', `pbkdf2_sha256$600000$${crypt(22)}$${b64(32)}=`],
    ['argon2 of Django', `argon2$argon2id$v=19$m=102400,t=2,p=8$${b64(16)}$${b64(32)}`],
    ['bcrypt of Django', `bcrypt_sha256$$2b$12$${crypt(53)}`],
    ['scrypt of Django', `scrypt$16384$${crypt(22)}$8$1$${b64(64)}==`],
    ['SHA-1 of Django', `sha1$${crypt(12)}$${hex(20)}`],
    ['PBKDF2 of Werkzeug', `pbkdf2:sha256:600000$${crypt(16).replaceAll('/', 'x')}$${hex(32)}`],
    ['scrypt of Werkzeug', `scrypt:32768:8:1$${crypt(16).replaceAll('/', 'x')}$${hex(64)}`],
    ['SHA-256 of older Werkzeug', `sha256$abcdefgh$${hex(32)}`],
    ['ASP.NET Core Identity', `AQAAAAIAAYag${b64(60).slice(0, 70)}==`]
  ]

  test.each(hashes)('%s', async (_name, stored) => {
    const clientOf = (method: string) => ({
      client_id: method,
      client_secret: stored,
      token_endpoint_auth_method: method
    })
    const records = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'].map(clientOf)
    const app = tokenServer({}, ...records)
    const statuses: number[] = []
    const jwt = assertionForm(secretAssertion(stored, { clientId: 'client_secret_jwt' }))
    const reasons = await reasonsOf(async () => {
      for (const [form, headers] of [
        [{}, { Authorization: basic('client_secret_basic', stored) }],
        [{ client_id: 'client_secret_post', client_secret: stored }, {}],
        [jwt, {}]
      ] as [Record<string, string>, Record<string, string>][]) {
        const answer = await post(app, form, headers)
        expect(answer.body.error_description).toBe('Client authentication failed.')
        statuses.push(answer.status)
      }
    })
    expect(statuses).toEqual([401, 401, 401])
    expect(reasons).toEqual(Array(3).fill('secret_stored_as_hash'))
    expect(() => {
      validateClientMetadata({ client_secret: stored })
    }).toThrow(/^client_secret looks like a hash/)
    expect(() => {
      validateClientMetadata({ client_secret: stored }, { verifySecret: () => true })
    }).not.toThrow()
    // Beside a plain one, during a rotation
    const both = tokenServer({}, { client_id: 'c', client_secret: [stored, { value: secret }] })
    expect((await post(both, {}, { Authorization: basic('c', stored) })).status).toBe(401)
    expect((await post(both, {}, { Authorization: basic('c', secret) })).status).toBe(200)
    const signs = { client_id: 'c', client_secret: [stored, secret], token_endpoint_auth_method: 'client_secret_jwt' }
    const signedWith = (text: string) => assertionForm(secretAssertion(text, { clientId: 'c' }))
    const bySigning = tokenServer({}, signs)
    expect((await post(bySigning, signedWith(stored))).status).toBe(401)
    expect((await post(bySigning, signedWith(secret))).status).toBe(200)
  })

  test.each([
    '$ecret',
    '$1$ecretly-long-and-strong',
    '$5$ for a coffee, $6$ for two',
    '$2 per request, $2b or not to be',
    '$y$tem-of-a-down',
    '$P$ychology',
    '$argon2',
    '{not json}',
    '{"client":"secret"}',
    '{shalom}',
    '{md}5',
    'scrypt is my favourite',
    'pbkdf2: a love story',
    'sha256$money',
    'argon2$',
    'AQAAAA',
    'AQAAAB4Z9c0w5pQxkGk3tTn2m7y',
    hex(32),
    b64(32)
  ])('an ordinary secret is not taken for one: %s', async (stored) => {
    const record = { client_id: 'c', client_secret: stored }
    expect((await post(tokenServer({}, record), {}, { Authorization: basic('c', stored) })).status).toBe(200)
    expect(() => {
      validateClientMetadata(record)
    }).not.toThrow()
  })

  test('100,000 random secrets of all printable characters: none is taken for a hash', () => {
    const random = Array.from({ length: 100_000 }, (_, index) =>
      createHash('shake256', { outputLength: 40 })
        .update(String(index))
        .digest()
        .reduce((text, octet) => text + String.fromCharCode(0x21 + (octet % 94)), index % 2 ? '$' : '{')
    )
    expect(() => {
      validateClientMetadata({ client_secret: random })
    }).not.toThrow()
  })
})

describe('32: mounted twice', () => {
  const handler = (req: Request, res: Response) =>
    res.json({ client: req.oauthClient?.client_id, method: req.oauthClientAuth?.method })
  const everyWhere = <R extends Router>(router: R, middleware: ReturnType<typeof clientAuth>): R => {
    router.use(middleware)
    return router
  }

  // Threat 32: a good assertion refused as replayed by ourselves
  test.each<[string, (middleware: ReturnType<typeof clientAuth>) => express.Express]>([
    ['app.use and the route', (auth) => everyWhere(express(), auth).post('/token', auth, handler)],
    [
      'nested routers',
      (auth) => {
        const inner = everyWhere(express.Router(), auth).post('/', auth, handler)
        const outer = everyWhere(express.Router(), auth)
        return everyWhere(express(), auth).use('/token', outer.use(inner))
      }
    ],
    ['an app in an app', (auth) => everyWhere(express(), auth).use(express().post('/token', auth, handler))],
    [
      'a parser between the two',
      (auth) => everyWhere(express(), auth).post('/token', express.urlencoded({ extended: true }), auth, handler)
    ]
  ])('%s: the second hands on, with and without stripCredentials', async (_name, mount) => {
    for (const stripCredentials of [false, true]) {
      const asked: string[] = []
      const getClient = (id: string) => (asked.push(id), [shop, byPost, byKey].find((one) => one.client_id === id))
      const app = mount(clientAuth({ issuer, getClient, stripCredentials }))
      expect((await post(app, keyForm())).body).toEqual({ client: 'key', method: 'private_key_jwt' })
      expect((await post(app, {}, { Authorization: basic('web-shop', secret) })).body.client).toBe('web-shop')
      expect((await post(app, postForm)).body.client).toBe('post')
      expect((await post(app, { ...postForm, client_secret: 'wrong' })).status).toBe(401)
      expect(asked).toEqual(['key', 'web-shop', 'post', 'post'])
    }
  })

  // Threat 32: a request object that a host uses again
  test.each<[string, (req: Request) => void]>([
    ['another body', (req) => void (req.body = { client_id: 'post', client_secret: 'wrong' })],
    ['another client in the same body', (req) => void Object.assign(req.body as object, { client_id: 'web-shop' })],
    ['another secret in the same body', (req) => void Object.assign(req.body as object, { client_secret: 'wrong' })],
    ['the same client and no credentials', (req) => void (req.body = { client_id: 'post' })],
    ['another header', (req) => void (req.headers.authorization = basic('web-shop', 'wrong'))],
    ['another body, URLSearchParams', (req) => void (req.body = new URLSearchParams({ client_id: 'post' }))]
  ])('a request object that is used again with %s is judged again', async (_name, change) => {
    for (const stripCredentials of [false, true]) {
      const auth = clientAuth({ issuer, ...only(shop, byPost), stripCredentials })
      const app = express()
      const again = (req: Request, _res: Response, next: NextFunction) => {
        change(req)
        next()
      }
      app.post('/token', auth, again, auth, (req, res) => res.json(auth.clientOf(req)))
      const answer = await post(app, postForm)
      expect([answer.status, answer.body.error]).toEqual([answer.status === 400 ? 400 : 401, expect.any(String)])
    }
  })
})

describe('options and records that cannot be meant', () => {
  test.each<[string, object]>([
    ['bodyLimit', { bodyLimit: '1kb' }],
    ['property', { property: 'client' }],
    ['stripCredentials', { stripCredentials: true }],
    ['onError', { onError: () => undefined }]
  ])('createClientAuthenticator refuses %s and says where it belongs', (name, more) => {
    expect(() => createClientAuthenticator({ issuer, ...only(), ...more })).toThrow(
      `option "${name}" belongs to the middleware`
    )
  })

  test.each<[string, string]>([
    ['clientSecret', 'client_secret'],
    ['clientSecretExpiresAt', 'client_secret_expires_at'],
    ['jwksUri', 'jwks_uri'],
    ['tokenEndpointAuthMethod', 'token_endpoint_auth_method'],
    ['tokenEndpointAuthSigningAlg', 'token_endpoint_auth_signing_alg']
  ])('validateClientMetadata says that %s is %s', (given, meant) => {
    expect(() => {
      validateClientMetadata({ [given]: 'x' })
    }).toThrow(`${given} is not read: RFC 7591 calls it ${meant}.`)
  })

  test('client_id under another name: the error names the fields that it found', async () => {
    const getClient = () => ({ clientId: 'web-shop', clientSecret: secret }) as unknown as OAuthClient
    const answer = await post(tokenServer({ getClient }), {}, { Authorization: basic('web-shop', secret) })
    expect(answer.body.passed_on).toContain('fields found: clientId, clientSecret')
  })

  // Threat 23: a client record that throws when a log reads the detail
  test('a key set whose fields throw breaks no log that asks for the detail', async () => {
    const jwks = Object.defineProperty({}, 'keys', {
      get: () => {
        throw new Error('the connection to the database is closed')
      }
    }) as JwkSet
    const details: unknown[] = []
    const note = (event: unknown) => details.push((event as RejectedEvent).error.detail)
    subscribe('oauth-client-auth:rejected', note)
    expect((await post(tokenServer({}, { ...byKey, jwks }), keyForm())).body.error).toBe('invalid_client')
    unsubscribe('oauth-client-auth:rejected', note)
    expect(details).toEqual([{}])
    const getClient = () => ({ ...byKey, jwks })
    const { reason, findings } = await createClientAuthenticator({ issuer, getClient }).explain({
      headers: {},
      body: keyForm()
    })
    expect([reason, findings.find(({ result }) => result === 'failed')?.advice]).toEqual([
      'jwks_invalid',
      expect.any(String)
    ])
  })

  test('an empty jwks_uri beside jwks counts as absent, at registration and at run time', async () => {
    const record = { ...byKey, jwks_uri: '' }
    expect(() => {
      validateClientMetadata(record)
    }).not.toThrow()
    expect((await post(tokenServer({}, record), keyForm())).status).toBe(200)
  })

  test('what validateClientMetadata says inside getClient is for the log: the wire tells nothing of it', async () => {
    const getClient = (): OAuthClient => {
      validateClientMetadata({ client_secret: 'short', token_endpoint_auth_method: 'client_secret_jwt' })
      return shop
    }
    const answer = await post(tokenServer({ getClient }), {}, { Authorization: basic('web-shop', secret) })
    expect([answer.status, answer.body.name]).toEqual([500, 'Error'])
  })

  test.each([{ aud: undefined }, { aud: [] }, { aud: 5 }, { aud: [issuer, 5] }])(
    'an assertion with %p under a legacyAudiences function is refused for its audience',
    async (claims) => {
      const app = tokenServer({ legacyAudiences: () => ['https://as.example.com/token'] }, byKey)
      const form = assertionForm(keyAssertion(key, { clientId: 'key', claims }))
      expect(await reasonsOf(() => post(app, form))).toEqual(['assertion_audience'])
    }
  )
})

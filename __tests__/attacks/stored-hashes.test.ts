// Pass the hash: whoever reads a stored hash cannot use it as a secret.
import { createHash } from 'node:crypto'
import { validateClientMetadata } from '../../lib'
import { assertionForm, basic, secretAssertion } from '../support/assertions'
import { reasonsOf, secret } from '../support/three-clients'
import { post, tokenServer } from '../support/token-server'

// Threat 31: a stored hash where nothing compares hashes
describe('a stored hash is no password', () => {
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
    '$2 per request, $2b or not to be, $2$',
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

// Mistakes that are almost right: explain names each, and authenticate tells none of it.
import { constants, createHmac, sign } from 'node:crypto'
import {
  clientAuth,
  createClientAuthenticator,
  type ClientAuthOptions,
  type ClientAuthRequest,
  type KeySets,
  type OAuthClient
} from '../../../lib'
import { explainerFor } from '../../../lib/explain/for-cli'
import {
  assertionForm,
  basic,
  issuer,
  keyAssertion,
  keyFor,
  makeKey,
  now,
  secretAssertion
} from '../../support/assertions'
import { clientsOf } from '../../support/token-server'

const ec = keyFor('ES256')
const rsa = keyFor('RS256')
const pss = keyFor('PS256')
const secret = 'x/example+secret:with/8+characters%41='
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const bank = { client_id: 'bank', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [ec.jwk, rsa.jwk] } }
const shop = { client_id: 'shop', client_secret: secret }
const post = { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' }
const mac = { client_id: 'mac', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' }

const by = (key = ec, claims = {}, header = {}) => keyAssertion(key, { clientId: 'bank', claims, header })
const withAssertion = (token: string) => ({ headers: form, body: new URLSearchParams(assertionForm(token)) })
const withBasic = (id: string, given: string) => ({ headers: { authorization: basic(id, given) } })
const withHeader = (authorization: string) => ({ headers: { authorization } })
const withForm = (fields: Record<string, string>) => ({ headers: form, body: new URLSearchParams(fields) })
const posted = (given: string) => withForm({ client_id: 'post', client_secret: given })
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** The same text with a signature of our own making. */
function resigned(token: string, make: (input: Buffer) => Buffer): string {
  const input = token.split('.').slice(0, 2).join('.')
  return `${input}.${make(Buffer.from(input)).toString('base64url')}`
}
const der = resigned(by(), (input) => sign('sha256', input, ec.privateKey))
const rsaPss = (key: typeof rsa, saltLength: number) => (input: Buffer) =>
  sign('sha256', input, { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
const macBy = (key: string | Buffer) =>
  resigned(secretAssertion(secret, { clientId: 'mac' }), (input) => createHmac('sha256', key).update(input).digest())
const plainBase64 = resigned(by(ec, { name: '???>>>' }), () => Buffer.alloc(64, 255))
  .split('.')
  .map((part) => Buffer.from(part, 'base64url').toString('base64'))
  .join('.')
const token = by()

interface Row {
  name: string
  request: ClientAuthRequest
  record?: OAuthClient
  options?: Partial<ClientAuthOptions>
  reason: string
  advice: RegExp
  /** Nothing that the sender may read. */
  isForOperator?: true
}
const row = (
  name: string,
  reason: string,
  advice: RegExp,
  request: ClientAuthRequest,
  more: Partial<Row> = {}
): Row => ({
  ...{ name, reason, advice, request },
  ...more
})
const key2 = makeKey('ES256', 'second')
const named = (kid: string | undefined, key = ec) => ({ ...bank, jwks: { keys: [{ ...key.jwk, kid } as never] } })

const rows: readonly Row[] = [
  // The form of the request
  row('everything in the query', 'no_credentials', /^Send client_id, client_secret in the body: the query/, {
    headers: {},
    url: `/token?client_id=post&client_secret=${encodeURIComponent(secret)}`
  }),
  row('everything in the query, encoded as a whole', 'no_credentials', /^Send the parameters in the body: the query/, {
    headers: {},
    url: `/token?client_id=${encodeURIComponent(`=post&client_secret=${secret}`)}`.replace('_id=', '_id%3D')
  }),
  row('a value in the name of a parameter', 'no_credentials', /: one that is like client_secret must be called/, {
    headers: form,
    body: new URLSearchParams([[`client_secret:4711`, '']])
  }),
  row('JSON under the type of a form', 'no_credentials', /^The body is JSON/, {
    headers: form,
    body: new URLSearchParams(JSON.stringify({ client_id: 'post', client_secret: secret }))
  }),
  row(
    'names of parameters',
    'no_credentials',
    /clientID must be called client_id, client-secret must be called client_secret/,
    withForm({ clientID: 'post', 'client-secret': secret })
  ),
  row(
    'the JWT of the grant',
    'no_credentials',
    /is the grant, and authenticates no client/,
    withForm({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: token })
  ),
  row('a JWT as bearer token', 'authorization_scheme', /in the Authorization header: send it as client_assertion/, {
    headers: { authorization: `Bearer ${token}` }
  }),
  row(
    'a JWT as client_secret',
    'method_not_registered',
    /as the secret, in client_secret: send it as client_assertion/,
    withForm({ client_id: 'bank', client_secret: token })
  ),
  row('a JWT in Basic', 'method_not_registered', /as the secret, in the Basic header/, withBasic('bank', token)),
  // Basic
  row(
    'a line break',
    'basic_malformed',
    /ends with a line break.*echo needs -n/,
    withHeader(`Basic ${base64('shop:x\n')}`)
  ),
  row('no base64', 'basic_malformed', /holds them in the clear/, withHeader('Basic shop:secret')),
  row('base64url', 'basic_malformed', /this is base64url/, withHeader('Basic c2hvcDo_Pz8_')),
  row(
    'no padding',
    'basic_malformed',
    /lacks its padding/,
    withHeader(`Basic ${base64('shop:ab').replace(/=+$/, '')}`)
  ),
  row('quotation marks', 'basic_malformed', /quotation marks/, withHeader(`Basic "${base64('shop:abc')}"`)),
  row('no colon', 'basic_malformed', /there is none/, withHeader(`Basic ${base64('shopsecret')}`)),
  row('a lone %', 'basic_malformed', /as %25/, withHeader(`Basic ${base64('shop:50%')}`)),
  row(
    'Latin-1',
    'basic_malformed',
    /^Encode id and secret in UTF-8/,
    withHeader(`Basic ${Buffer.from('shop:gr\u00fc\u00dfe', 'latin1').toString('base64')}`)
  ),
  // The text of an assertion
  row('Bearer before it', 'assertion_malformed', /^Leave "Bearer" out/, withAssertion(`Bearer ${token}`)),
  row('quotation marks', 'assertion_malformed', /quotation marks/, withAssertion(`"${token}"`)),
  row(
    'a line break in it',
    'assertion_malformed',
    /line break at character 31, in part 1/,
    withAssertion(`${token.slice(0, 30)}\n${token.slice(30)}`)
  ),
  row(
    'plain base64',
    'assertion_malformed',
    /"[=+/]" stands at character \d+, in part \d of the JWT: the parts are plain base64/,
    withAssertion(plainBase64)
  ),
  row('encoded twice', 'assertion_malformed', /encoded twice/, withAssertion(`${token}%3D`)),
  row(
    'two parts',
    'assertion_malformed',
    /signature is missing/,
    withAssertion(token.split('.').slice(0, 2).join('.'))
  ),
  row('five parts', 'assertion_malformed', /encrypted/, withAssertion(`${token}.a.b`)),
  row('no JWT', 'assertion_malformed', /holds no JWT/, withAssertion('c2VjcmV0')),
  row('another character', 'assertion_malformed', /A character that no JWT has/, withAssertion(`${token}!`)),
  // Claims
  row('iss is a number', 'assertion_subject', /^iss must be a string/, withAssertion(by(ec, { iss: 12 }))),
  ...(
    [
      [`${issuer}:443`, 'the port'],
      [`${issuer}/`, 'a slash at the end'],
      ['https://AS.example.com', 'upper and lower case'],
      ['http://as.example.com', 'http in place of https']
    ] as const
  ).map(([aud, difference]) =>
    row(
      `aud ${aud}`,
      'assertion_audience',
      new RegExp(`exactly as ${issuer}: the two differ by ${difference}`),
      withAssertion(by(ec, { aud }))
    )
  ),
  row(
    'aud, a list of one, with a slash at the end',
    'assertion_audience',
    new RegExp(`exactly as ${issuer}: the two differ by a slash`),
    withAssertion(by(ec, { aud: [`${issuer}/`] }))
  ),
  row(
    'aud, a list of one, of another host',
    'assertion_audience',
    /addressed to another host/,
    withAssertion(by(ec, { aud: ['https://other.example'] }))
  ),
  row(
    'local time ahead',
    'assertion_not_yet_valid',
    /^The times are 2 h ahead/,
    withAssertion(by(ec, { iat: now() + 7190, exp: now() + 7250 })),
    { options: { maxAssertionLifetime: 86_400 } }
  ),
  row(
    'local time behind',
    'assertion_expired',
    /^The times are 5\.5 h behind.*, or its clock is wrong, or it sends an old assertion again\./,
    withAssertion(by(ec, { iat: now() - 19_790, exp: now() - 19_700 }))
  ),
  ...[1800, 5400].map((away) =>
    row(
      `${away} s behind, as no zone is`,
      'assertion_expired',
      /^Make a new assertion for each request, and set the clock/,
      withAssertion(by(ec, { iat: now() - away, exp: now() - away + 60 }))
    )
  ),
  row(
    'exp before iat',
    'assertion_expired',
    /ends before it was made/,
    withAssertion(by(ec, { iat: now(), exp: now() - 300 }))
  ),
  row(
    'a short life and a fast clock',
    'assertion_lifetime',
    /lifetime of 60 s is right/,
    withAssertion(by(ec, { iat: now() + 4000, exp: now() + 4060 }))
  ),
  // Secrets
  row('white space', 'secret_mismatch', /white space stands around/, withBasic('shop', `${secret} `)),
  row('quotation marks', 'secret_mismatch', /quotation marks/, withBasic('shop', `"${secret}"`)),
  row('encoded twice', 'secret_mismatch', /encoded twice/, posted(encodeURIComponent(secret))),
  row('not form-encoded', 'secret_mismatch', /\+ is %2B/, {
    headers: form,
    body: new URLSearchParams(`client_id=post&client_secret=${secret}`)
  }),
  row('its base64', 'secret_mismatch', /base64 of the secret is sent/, posted(base64(secret))),
  row('decoded', 'secret_mismatch', /sent base64-decoded/, posted('hello, world'), {
    record: { ...post, client_secret: base64('hello, world') }
  }),
  row(
    'UTF-8 taken for Latin-1',
    'secret_mismatch',
    /Latin-1/,
    posted(Buffer.from('gr\u00fcne Secrets').toString('latin1')),
    { record: { ...post, client_secret: 'gr\u00fcne Secrets' } }
  ),
  row('id and colon before it', 'secret_mismatch', /id and a colon/, posted(`post:${secret}`)),
  row('upper case', 'secret_mismatch', /upper and lower case alone/, posted(secret.toUpperCase()), {
    isForOperator: true
  }),
  row('cut', 'secret_mismatch', /cut or has something behind/, posted(secret.slice(0, 20)), { isForOperator: true }),
  row('an earlier one', 'secret_mismatch', /earlier secret/, posted('the old one'), {
    record: { ...post, client_secret: [secret, { value: 'the old one', expires_at: 1 }] },
    isForOperator: true
  }),
  row(
    'a line break in the record',
    'secret_mismatch',
    /^The stored secret has white space or a line break/,
    posted(secret),
    { record: { ...post, client_secret: `${secret}\n` }, isForOperator: true }
  ),
  row(
    'a hash',
    'secret_mismatch',
    /^Look for spaces.*not tried, since the secret is stored as a hash/,
    posted(`${secret} `),
    {
      options: { verifySecret: () => false },
      isForOperator: true
    }
  ),
  row('id and secret swapped', 'unknown_client', /are swapped/, withBasic(secret, 'shop')),
  row('an id with a space', 'unknown_client', /not written to the letter, which is shop:/, withBasic('shop ', secret), {
    isForOperator: true
  }),
  // Signatures
  row(
    'DER',
    'signature_mismatch',
    /octets of DER; ES256 in a JWT needs 64 raw octets.*SHA256withECDSAinP1363Format/,
    withAssertion(der)
  ),
  ...[
    { name: 'ES256', signed: by(), kept: 49 },
    { name: 'RS256', signed: by(rsa), kept: 226 },
    { name: 'HS256', signed: macBy(secret), kept: 20 }
  ].map(({ name, signed, kept }) =>
    row(
      `${name}, cut in its signature`,
      'signature_mismatch',
      new RegExp(`has ${kept} octets, as none of ${name} has: the JWT was cut`),
      withAssertion(resigned(signed, () => Buffer.alloc(kept, 7)))
    )
  ),
  row(
    'a member of the record in another spelling',
    'method_not_registered',
    /^tokenEndpointAuthMethod is not read: RFC 7591 calls it token_endpoint_auth_method/,
    posted(secret),
    {
      record: {
        client_id: 'post',
        client_secret: secret,
        tokenEndpointAuthMethod: 'client_secret_post'
      } as OAuthClient,
      isForOperator: true
    }
  ),
  row(
    'another length',
    'signature_mismatch',
    /has 96 octets, and ES256 needs 64/,
    withAssertion(resigned(by(), () => Buffer.alloc(96, 7)))
  ),
  row(
    'RSA of another size',
    'signature_mismatch',
    /of 3072 bits, and the published key has 2048/,
    withAssertion(by(makeKey('RS256', rsa.kid, 3072)))
  ),
  row(
    'PSS, a longer salt',
    'signature_mismatch',
    /salt of the signature has another length: PS256 needs 32/,
    withAssertion(resigned(by(pss), rsaPss(pss, 20))),
    { record: { ...bank, jwks: { keys: [pss.jwk] } } }
  ),
  row(
    'PSS under RS256',
    'signature_mismatch',
    /one of PS256, but alg says RS256/,
    withAssertion(resigned(by(rsa), rsaPss(rsa, 32)))
  ),
  row(
    'another key of the set',
    'signature_mismatch',
    /published with kid second/,
    withAssertion(by(ec, {}, { kid: 'first' })),
    {
      record: {
        ...bank,
        jwks: {
          keys: [
            { ...key2.jwk, kid: 'first' },
            { ...ec.jwk, kid: 'second' }
          ]
        }
      }
    }
  ),
  row('published without kid', 'no_matching_key', /has no kid: publish it with the kid/, withAssertion(token), {
    record: named(undefined)
  }),
  row(
    'published under another kid',
    'no_matching_key',
    /published with kid other: name that kid/,
    withAssertion(token),
    { record: named('other') }
  ),
  row(
    'the key of another client',
    'signature_mismatch',
    /a key of client neighbour/,
    withAssertion(by(key2, {}, { kid: ec.kid })),
    { isForOperator: true }
  ),
  row(
    'the decoded secret',
    'signature_mismatch',
    /is the decoded secret/,
    withAssertion(macBy(Buffer.from(secret, 'base64')))
  ),
  row(
    'a line break behind the secret',
    'signature_mismatch',
    /ends with a line break/,
    withAssertion(macBy(`${secret}\n`))
  ),
  row('an earlier secret', 'signature_mismatch', /earlier secret/, withAssertion(macBy('earlier')), {
    record: { ...mac, client_secret: [secret, { value: 'earlier', expires_at: 1 }] }
  })
]

const records = [bank, shop, post, mac]
const neighbour = { client_id: 'neighbour', jwks: { keys: [key2.jwk] } }
const optionsFor = ({ record, options }: Row): ClientAuthOptions => ({
  issuer,
  getClient: clientsOf(...(record === undefined ? [] : [record]), ...records).getClient,
  ...options
})

const check = async (one: Row) => {
  const { request, reason, advice, isForOperator } = one
  const options = optionsFor(one)
  const explanation = await explainerFor(options, { others: [bank, neighbour] })(request)
  const failed = explanation.findings.filter(({ result }) => result === 'failed')
  expect([explanation.reason, failed[0]?.reason]).toEqual([reason, reason])
  expect(failed[0]?.advice).toMatch(advice)
  if (isForOperator === true) expect(failed[0]?.forSender).not.toMatch(advice)
  else expect(failed[0]?.forSender).toBe(failed[0]?.advice)
  // No secret, and no assertion that could be used
  const text = JSON.stringify(explanation.findings)
  for (const hidden of [secret, JSON.stringify(secret).slice(1, -1), token.split('.')[2]])
    expect(text).not.toContain(hidden)
  // The log and the wire know nothing of it
  const error = (await createClientAuthenticator(options as never)(request).catch((thrown: unknown) => thrown)) as Error
  expect(error.message).not.toMatch(advice)
}

test.each(rows)('$reason: $name', check)

test('the key set at the URL is newer than the one that the server uses', async () => {
  const fresh: KeySets = {
    get: async (_uri, how) => ({ keys: [how?.refresh === true ? ec.jwk : { ...key2.jwk, kid: ec.kid }] }),
    cached: () => ({ keys: [{ ...key2.jwk, kid: ec.kid }] })
  }
  const record = { ...bank, jwks: undefined, jwks_uri: 'https://keys.example/jwks' }
  const { explain } = clientAuth({ issuer, getClient: () => record, keySets: fresh })
  const { reason, findings } = await explain(withAssertion(token), { fetch: true })
  expect(reason).toBe('signature_mismatch')
  expect(findings.find(({ result }) => result === 'failed')?.advice).toMatch(/publish a new key under a new kid/)
})

describe('limits', () => {
  test('nearMisses: false looks for none, and looks nobody else up', async () => {
    const { getClient, asked } = clientsOf(shop)
    const { explain } = clientAuth({ issuer, getClient })
    const { findings } = await explain(withBasic(secret, 'shop'), { nearMisses: false })
    expect(JSON.stringify(findings)).not.toMatch(/swapped/)
    expect(asked).toHaveLength(1)
  })

  test('of a stored hash nothing is tried: verifySecret is called as often as authenticate calls it', async () => {
    const seen: string[] = []
    const verifySecret = (presented: string) => seen.push(presented) < 0
    const { explain } = clientAuth({ issuer, getClient: clientsOf(shop).getClient, verifySecret })
    await explain(withBasic('shop', `${secret} `))
    expect(seen).toEqual([`${secret} `])
  })

  test('a look-up of another id that throws decides nothing', async () => {
    const getClient = (id: string) => {
      if (id !== 'nobody ') throw new Error('only this one may be asked for')
      return undefined
    }
    const { reason } = await clientAuth({ issuer, getClient }).explain(withBasic('nobody ', 'x'))
    expect(reason).toBe('unknown_client')
  })
})

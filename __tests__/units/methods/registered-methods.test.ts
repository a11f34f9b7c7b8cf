// Which methods a client is registered for: of a record of the application's own, and of a client document.
import { createClientAuthenticator, type ClientAuthMethod, type OAuthClient } from '../../../lib'
import { methodsOfDocument } from '../../../lib/methods/registered-methods'
import { assertionForm, basic, issuer, keyAssertion, keyFor } from '../../support/assertions'

const key = keyFor('ES256')
const secret = 'a-secret-of-letters-and-digits-only'
const requests: Record<string, { headers: Record<string, string>; body: Record<string, string> }> = {
  client_secret_basic: { headers: { authorization: basic('c', secret) }, body: {} },
  client_secret_post: { headers: {}, body: { client_id: 'c', client_secret: secret } },
  none: { headers: {}, body: { client_id: 'c' } }
}
const server: ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']

/** The methods by which a client with such a record is let in. */
async function letIn(members: Partial<OAuthClient>, methods = server): Promise<string[]> {
  const record = { client_id: 'c', client_secret: secret, jwks: { keys: [key.jwk] }, ...members }
  const authenticate = createClientAuthenticator({ issuer, methods, getClient: () => record })
  const sent = {
    ...requests,
    private_key_jwt: { headers: {}, body: assertionForm(keyAssertion(key, { clientId: 'c' })) }
  }
  const tried = Object.entries(sent).map(async ([method, request]) => {
    const outcome = await authenticate(request).catch((error: unknown) => error)
    return (outcome as { method?: string }).method === method ? [method] : []
  })
  return (await Promise.all(tried)).flat()
}

const choice = (...methods: string[]) => ({ token_endpoint_auth_methods_supported: methods })
const sole = (method: string | string[]) => ({ token_endpoint_auth_method: method })

describe('a record of the application’s own', () => {
  const rows: [name: string, members: Partial<OAuthClient>, methods: string[], accepted?: ClientAuthMethod[]][] = [
    ['neither member: the default of RFC 7591', {}, ['client_secret_basic']],
    ['a method', sole('private_key_jwt'), ['private_key_jwt']],
    [
      'a method: a choice never widens it',
      { ...sole('private_key_jwt'), ...choice('private_key_jwt', 'none') },
      ['private_key_jwt']
    ],
    [
      'a list of methods: a choice never widens it',
      { ...sole(['private_key_jwt', 'client_secret_post']), ...choice('none') },
      ['client_secret_post', 'private_key_jwt']
    ],
    [
      'a choice alone, secrets too',
      choice('private_key_jwt', 'client_secret_post'),
      ['client_secret_post', 'private_key_jwt']
    ],
    [
      'a choice alone, of which the server accepts one',
      choice('private_key_jwt', 'client_secret_post'),
      ['private_key_jwt'],
      ['private_key_jwt', 'none']
    ],
    ['a choice alone, of which nothing is known', choice('attest_jwt_client_auth'), []],
    ['a choice that is empty', choice(), []],
    ['a choice that is no list', { token_endpoint_auth_methods_supported: 'none' as unknown as string[] }, []],
    ['an empty text in place of the method', { ...sole(''), ...choice('none') }, ['none']],
    [
      'nulls',
      { token_endpoint_auth_method: null, token_endpoint_auth_methods_supported: null },
      ['client_secret_basic']
    ]
  ]
  test.each(rows.map((row) => ({ name: row[0], row })))('$name', async ({ row: [, members, methods, accepted] }) => {
    expect((await letIn(members, accepted)).sort()).toEqual(methods)
  })
})

describe('a client document', () => {
  const all: ClientAuthMethod[] = ['private_key_jwt', 'self_signed_tls_client_auth', 'none']
  const [key, tls, none] = ['private_key_jwt', 'self_signed_tls_client_auth', 'none']
  test.each<[one: unknown, choices: unknown, accepted: ClientAuthMethod[], registered: unknown[]]>([
    [undefined, undefined, all, [none]],
    [undefined, undefined, ['private_key_jwt'], []],
    [key, undefined, all, [key]],
    [key, [none, key], all, [key]],
    [key, [key, tls, none], all, [key]],
    [key, [none, key], ['none'], [none]],
    [key, [key], ['none'], []],
    [key, undefined, ['none'], []],
    [key, [none], all, []],
    [none, undefined, all, [none]],
    [none, [none, key], all, [none, key]],
    [none, [key], all, []],
    [none, [none, key], ['private_key_jwt'], [key]],
    [undefined, [key, none, tls], all, [key, tls]],
    [undefined, [none], all, [none]],
    [undefined, ['attest_jwt_client_auth', key], all, [key]],
    [undefined, ['attest_jwt_client_auth'], all, []],
    [undefined, [], all, []],
    [undefined, 'none', all, []],
    [none, 'none', all, []],
    ['tls_client_auth', undefined, all, []],
    [undefined, ['tls_client_auth', none], all, [none]],
    [undefined, [key, key], all, [key]],
    [[key], undefined, all, []],
    [1, undefined, all, []]
  ])('%j with the choice %j at a server with %j: %j', (one, choices, accepted, registered) => {
    expect(methodsOfDocument(one, choices, accepted)).toEqual(registered)
  })
})

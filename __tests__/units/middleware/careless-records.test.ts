// Records, options and functions of the application that cannot be meant.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  createClientAuthenticator,
  validateClientMetadata,
  type JwkSet,
  type OAuthClient,
  type RejectedEvent
} from '../../../lib'
import { assertionForm, basic, issuer, keyAssertion } from '../../support/assertions'
import { byKey, key, keyForm, only, reasonsOf, secret, shop } from '../../support/three-clients'
import { post, tokenServer } from '../../support/token-server'

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

  test.each<[string, string, string?]>([
    ['clientSecret', 'client_secret'],
    ['clientSecretExpiresAt', 'client_secret_expires_at'],
    ['jwksUri', 'jwks_uri'],
    ['tokenEndpointAuthMethod', 'token_endpoint_auth_method'],
    ['tokenEndpointAuthSigningAlg', 'token_endpoint_auth_signing_alg', 'OpenID Connect Registration']
  ])('validateClientMetadata says that %s is %s', (given, meant, source = 'RFC 7591') => {
    expect(() => {
      validateClientMetadata({ [given]: 'x' })
    }).toThrow(`${given} is not read: ${source} calls it ${meant}.`)
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

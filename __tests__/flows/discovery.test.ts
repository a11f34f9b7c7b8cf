// What metadata() advertises is what the middleware accepts: every listed method and algorithm works, no other does.
import express from 'express'
import { clientAuth, fapi2, type ClientAuthMethod, type ClientAuthOptions, type MetadataEndpoint } from '../../lib'
import { assertionForm, basic, issuer, jws, keyAssertion, keyFor, secretAssertion } from '../support/assertions'
import { clientsOf, post } from '../support/token-server'

const keyAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
]
const secretAlgorithms = ['HS256', 'HS384', 'HS512']
const neverAlgorithms = ['none', 'None', 'HS1', 'RS1', 'ES256K', '']
const methods: ClientAuthMethod[] = [
  ...(['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'] as const)
]
const client_id = 'client'
const client_secret = 'a secret of sixty-four octets at least, so that it serves HS512 too'
const jwks = { keys: keyAlgorithms.map((alg) => keyFor(alg).jwk) }

type Options = Partial<ClientAuthOptions>

function serve(options: Options) {
  const { getClient } = clientsOf({ client_id, client_secret, jwks, token_endpoint_auth_method: methods })
  const authenticateClient = clientAuth({ issuer, getClient, ...options })
  const app = express()
  app.post('/token', authenticateClient, (req, res) => void res.json({ method: req.oauthClientAuth?.method }))
  return { app, authenticateClient }
}

const neverSigned = (alg: string) => jws({ alg }, { iss: client_id, sub: client_id, aud: issuer }, 'none', '')

/** A right request by each method and, where there is one, each algorithm. */
const requests: { method: string; alg?: string; send: (app: express.Express) => ReturnType<typeof post> }[] = [
  { method: 'client_secret_basic', send: (app) => post(app, {}, { Authorization: basic(client_id, client_secret) }) },
  { method: 'client_secret_post', send: (app) => post(app, { client_id, client_secret }) },
  { method: 'none', send: (app) => post(app, { client_id }) },
  ...keyAlgorithms.map((alg) => ({
    method: 'private_key_jwt',
    alg,
    send: (app: express.Express) => post(app, assertionForm(keyAssertion(keyFor(alg), { clientId: client_id })))
  })),
  ...secretAlgorithms.map((alg) => ({
    method: 'client_secret_jwt',
    alg,
    send: (app: express.Express) =>
      post(app, assertionForm(secretAssertion(client_secret, { clientId: client_id }, alg)))
  })),
  ...neverAlgorithms.map((alg) => ({
    method: 'no method',
    alg,
    send: (app: express.Express) => post(app, assertionForm(neverSigned(alg)))
  }))
]

const servers: Record<string, Options> = {
  'every default': {},
  'public clients too': { methods },
  'secrets alone': { methods: ['client_secret_basic', 'client_secret_post'] },
  'keys alone, one algorithm': { methods: ['private_key_jwt'], algorithms: ['ES256'] },
  'all methods, algorithms of keys only': { algorithms: ['PS256', 'EdDSA', 'Ed25519'] },
  'all methods, one HMAC': { algorithms: ['HS384'] },
  'hashed secrets': { verifySecret: (presented, stored) => presented === stored },
  'the FAPI 2 profile': fapi2
}

describe.each(Object.entries(servers))('%s', (_name, options) => {
  const { app, authenticateClient } = serve(options)
  const metadata = authenticateClient.metadata()
  const listedMethods = metadata.token_endpoint_auth_methods_supported
  const listedAlgorithms = metadata.token_endpoint_auth_signing_alg_values_supported

  test.each(requests.map((one) => [one.method, one.alg ?? '', one] as const))(
    '%s %s',
    async (method, _alg, { alg, send }) => {
      const listed = listedMethods.includes(method) && (alg === undefined || listedAlgorithms?.includes(alg) === true)
      const answer = await send(app)
      expect(listed ? [200] : [400, 401]).toContain(answer.status)
      expect(answer.body.method).toBe(listed ? method : undefined)
    }
  )

  test('algorithms stand beside JWT methods only, and none is not among them (RFC 8414 §2)', () => {
    const jwtMethods = listedMethods.filter((method) => method.endsWith('_jwt'))
    expect(listedAlgorithms === undefined).toBe(jwtMethods.length === 0)
    expect(listedAlgorithms ?? []).not.toContain('none')
    for (const [method, algorithms] of [
      ['private_key_jwt', keyAlgorithms],
      ['client_secret_jwt', secretAlgorithms]
    ] as const) {
      expect(algorithms.some((alg) => listedAlgorithms?.includes(alg) === true)).toBe(listedMethods.includes(method))
    }
  })

  test.each<MetadataEndpoint>(['introspection', 'revocation'])('the %s endpoint says the same', (endpoint) => {
    // RFC 7662 §2.1: introspection is for callers that have proven who they are
    const expected = endpoint === 'introspection' ? listedMethods.filter((method) => method !== 'none') : listedMethods
    const [said, ...algorithms] = Object.values(authenticateClient.metadata(endpoint))
    expect([said, ...algorithms]).toEqual([expected, ...Object.values(metadata).slice(1)])
    expect(Object.keys(authenticateClient.metadata(endpoint))).toEqual(
      Object.keys(metadata).map((name) => name.replace('token', endpoint))
    )
  })
})

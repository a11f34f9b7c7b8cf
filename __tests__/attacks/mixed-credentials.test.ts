// Attacks with several credentials at once, empty ones, or those of a weaker method than the registered one.
import express from 'express'
import request from 'supertest'
import { clientAuth, type OAuthClient } from '../../lib'
import { assertionForm, basic, issuer, jws, keyAssertion, secretAssertion } from '../support/assertions'
import {
  attacker,
  both,
  claimsOf,
  clients,
  good,
  key,
  mustBeRefused,
  secret,
  type Attack
} from '../support/attacked-clients'
import { clientsOf, post, tokenServer, type Options } from '../support/token-server'

test('without an attack they are let in', async () => {
  const app = tokenServer({}, ...clients)
  for (const clientId of ['key', 'moving', 'keys only'])
    expect((await post(app, assertionForm(good(clientId)))).body).toMatchObject({ client_id: clientId })
  for (const clientId of ['hmac', 'moving'])
    expect((await post(app, assertionForm(secretAssertion(secret, { clientId })))).status).toBe(200)
  for (const clientId of ['basic', 'moving', 'empty among'])
    expect((await post(app, {}, { Authorization: basic(clientId, secret) })).status).toBe(200)
})

// Threat 5: a failing assertion beside a secret that authenticates (CVE-2026-16093)
describe('decoration: an assertion beside a secret that authenticates', () => {
  const assertions: [string, () => string][] = [
    ['unsigned', () => jws({ alg: 'none' }, claimsOf('basic'), 'none', '')],
    ['of another key', () => keyAssertion(attacker, { clientId: 'basic' })],
    ['of another client', () => good('key')],
    ['good', () => secretAssertion(secret, { clientId: 'moving' })],
    ['no JWT', () => 'x']
  ]
  test.each(assertions)('%s', async (_name, make) => {
    await mustBeRefused(assertionForm(make()), { Authorization: basic('basic', secret) })
    await mustBeRefused({ ...assertionForm(make()), client_id: 'post', client_secret: secret })
    await mustBeRefused({ client_assertion: make(), client_id: 'post', client_secret: secret })
    await mustBeRefused({ ...assertionForm(make()), client_id: 'moving', client_secret: secret })
  })
})

// Threat 9: an empty secret for a client that has only keys, and an empty stored one (CVE-2026-73309, CVE-2026-44476)
describe('empty secrets', () => {
  const base64 = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const ids = ['keys only', 'empty', 'empty among']
  const attacks = ids.flatMap((id): Attack[] => [
    [`${id}: Basic`, () => '', base64(`${encodeURIComponent(id)}:`)],
    [`${id}: Basic, a space`, () => '', base64(`${encodeURIComponent(id)}:+`)],
    [`${id}: Basic, an encoded nothing`, () => '', base64(`${encodeURIComponent(id)}:%00`)],
    [`${id}: post`, () => `client_id=${id}&client_secret=`],
    [`${id}: post without a value`, () => `client_id=${id}&client_secret`],
    [`${id}: the word undefined`, () => `client_id=${id}&client_secret=undefined`],
    [`${id}: the word null`, () => `client_id=${id}&client_secret=null`],
    [`${id}: HMAC`, () => assertionForm(secretAssertion('', { clientId: id }))]
  ])
  test.each(attacks)('%s', async (_name, form, headers = {}) => {
    await mustBeRefused(form(), headers)
    // Nor where it compares hashes, and the function is careless
    await mustBeRefused(form(), headers, { verifySecret: (presented, stored) => presented.trim() === stored })
  })
})

describe('mixing', () => {
  const wholeSecret = encodeURIComponent(secret)
  test.each<Attack>([
    // Threat 10: Basic id with form secret
    [
      'Basic id with form secret',
      () => ({ client_secret: secret }),
      { Authorization: `Basic ${Buffer.from('basic:').toString('base64')}` }
    ],
    [
      'Basic id without colon, form secret',
      () => ({ client_secret: secret }),
      { Authorization: `Basic ${Buffer.from('basic').toString('base64')}` }
    ],
    ['Bearer id with form secret', () => ({ client_secret: secret }), { Authorization: 'Bearer basic' }],
    [
      'assertion of one client, client_id of another',
      () => ({ ...assertionForm(good('key')), client_id: 'keys only' })
    ],
    // Threat 10: another client's `client_id`
    ['good Basic, client_id of another', () => ({ client_id: 'post' }), { Authorization: basic('basic', secret) }],
    ['an encoded name', () => `client%5Fid=post&client_id=basic&client_secret=${wholeSecret}`],
    ['a name with a space', () => `client_id =post&client_secret=${wholeSecret}`],
    ['a name in other case', () => `Client_Id=post&CLIENT_SECRET=${wholeSecret}`],
    ['separated by semicolons', () => `client_id=post;client_secret=${wholeSecret}`]
  ])('%s', async (_name, form, headers = {}) => {
    await mustBeRefused(form(), headers)
  })

  const parsers: [string, express.RequestHandler][] = [
    ['extended', express.urlencoded({ extended: true })],
    ['JSON', express.json()],
    [
      'none',
      (_req, _res, next) => {
        next()
      }
    ]
  ]
  const bodies: [string, string, string][] = [
    ['an inherited id and secret', 'form', `__proto__[client_id]=post&__proto__[client_secret]=${wholeSecret}&x=1`],
    ['an inherited secret', 'form', `client_id=post&__proto__[client_secret]=${wholeSecret}`],
    ['by constructor', 'form', `constructor[prototype][client_secret]=${wholeSecret}&client_id=post`],
    ['an object', 'form', `client_id=post&client_secret[$ne]=x`],
    ['an array', 'form', `client_id=post&client_secret[]=${wholeSecret}`],
    ['an indexed array', 'form', `client_id=post&client_secret[0]=${wholeSecret}`],
    ['inherited in JSON', 'json', `{"client_id":"post","__proto__":{"client_secret":${JSON.stringify(secret)}}}`],
    ['an object in JSON', 'json', '{"client_id":"post","client_secret":{"$gt":""}}'],
    ['an array in JSON', 'json', `{"client_id":["post"],"client_secret":[${JSON.stringify(secret)}]}`],
    ['true in JSON', 'json', '{"client_id":"post","client_secret":true}']
  ]
  const rows = parsers.flatMap(([parser, handler]) =>
    bodies.map(([name, type, body]) => ({ parser, handler, name, type, body }))
  )
  // Threat 10: arrays, objects, `__proto__`
  test.each(rows)('$name, after parser: $parser', async ({ handler, type, body }) => {
    const app = express()
    app.post('/token', handler, clientAuth({ issuer, getClient: clientsOf(...clients).getClient }), (_req, res) => {
      res.json({ let: 'in' })
    })
    const answer = await request(app).post('/token').type(type).send(body)
    expect([400, 401]).toContain(answer.status)
    expect(answer.body).toHaveProperty('error')
  })

  // Threat 10: a polluted prototype
  test('a polluted prototype supplies no credentials', async () => {
    const prototype = Object.prototype as Record<string, unknown>
    Object.assign(prototype, { client_id: 'post', client_secret: secret })
    try {
      await mustBeRefused({ grant_type: 'client_credentials' })
    } finally {
      delete prototype['client_id']
      delete prototype['client_secret']
    }
  })
})

describe('downgrade', () => {
  const keyMethod = { token_endpoint_auth_method: 'private_key_jwt' }
  const client: OAuthClient = { client_id: 'key', ...both, ...keyMethod }
  // Threat 15: a client registered for keys let in by anything else
  test.each<Attack>([
    ['Basic', () => '', { Authorization: basic('key', secret) }],
    ['post', () => ({ client_id: 'key', client_secret: secret })],
    ['HMAC', () => assertionForm(secretAssertion(secret, { clientId: 'key' }))],
    ['client_id alone', () => ({ client_id: 'key' })]
  ])('a client registered for its key is not let in by %s', async (_name, form, headers = {}) => {
    const methods: Options['methods'] = [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'none'
    ]
    const answer = await post(tokenServer({ methods }, client), form(), headers)
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
  })

  // Threat 15: a failing assertion that falls back to `client_id`
  test('a failing assertion does not fall back to anything', async () => {
    const app = tokenServer({}, ...clients)
    const form = {
      ...assertionForm(keyAssertion(attacker, { clientId: 'moving', header: { kid: key.kid } })),
      client_id: 'moving'
    }
    expect((await post(app, form)).status).toBe(401)
  })
})

// A rate limit by client id is not walked around.
import express from 'express'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { claimedClientId, clientAuth, createBrake } from '../../lib'
import { assertionForm, basic, issuer, keyAssertion } from '../support/assertions'
import { key, only, rawBasic, shop } from '../support/three-clients'
import { post } from '../support/token-server'

describe('a rate limit is not walked around', () => {
  const spellings = ['web-shop', '%77eb-shop', '%77%65b-shop', 'web%2Dshop', 'web%2dshop']

  function limited() {
    const app = express()
    const authenticate = clientAuth({ issuer, ...only(shop) })
    const limiter = new RateLimiterMemory({ points: 5, duration: 60 })
    app.post('/token', createBrake({ limiter }).over(authenticate), authenticate)
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
    [
      'sub of an assertion without iss',
      assertionForm(keyAssertion(key, { clientId: 'web-shop', claims: { iss: undefined } })),
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

// A keySets of the application's own.
import type express from 'express'
import type { JwkSet } from '../../../lib'
import { assertionForm, keyAssertion, makeKey } from '../../support/assertions'
import { post, tokenServer } from '../../support/token-server'

describe('a keySets of the application’s own that edits its set in place', () => {
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

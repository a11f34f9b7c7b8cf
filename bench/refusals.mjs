import { randomUUID, createHmac } from 'node:crypto'
import { authenticatorOf, bareVerification, headers } from './assertions.mjs'
import { assertionForm, basicHeader, makeAssertion, makeClient, secretClient } from './clients.mjs'
import { compare } from './measure.mjs'

const wrongBasic = `Basic ${Buffer.from(`client_secret_basic:${randomUUID()}${randomUUID()}`).toString('base64')}`

/** An assertion that expired an hour ago, signed by the client all the same. */
function expired({ client }) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const id = client.client_id
  const exp = Math.floor(Date.now() / 1000) - 3600
  const input = `${encode({ alg: 'HS256' })}.${encode({ iss: id, sub: id, aud: 'https://as.example.com', exp })}`
  return `${input}.${createHmac('sha256', client.client_secret).update(input).digest('base64url')}`
}

/** What an attacker's flood is made of: refusals a second. The last row refuses nothing: no verification costs less. */
export async function measureRefusals({ rounds, count, warmup }) {
  const es256 = makeClient('ES256')
  const hs256 = makeClient('HS256')
  const [byKey, bySecret] = await Promise.all([makeAssertion(es256), makeAssertion(hs256)])
  const basic = authenticatorOf(secretClient('client_secret_basic')).authenticate
  const known = authenticatorOf(hs256.client).authenticate
  const nobody = authenticatorOf(undefined).authenticate
  const refused =
    (authenticate, body, authorization, read = ({ reason }) => reason) =>
    async () => {
      const more = authorization === undefined ? {} : { authorization }
      const outcome = await authenticate({ headers: { ...headers, ...more }, body }).catch(read)
      if (typeof outcome !== 'string') throw new Error('not refused')
    }
  /** The facts are made only for who reads them, as a logger would. */
  const withDetail = ({ reason, detail }) => {
    if (detail?.secondsLate === undefined) throw new Error('no facts')
    return reason
  }
  const subjects = Object.entries({
    'no credentials': refused(basic, { grant_type: 'urn:example:bench' }),
    'wrong secret': refused(basic, {}, wrongBasic),
    'unknown client, Basic': refused(nobody, {}, basicHeader),
    'expired assertion': refused(known, assertionForm(expired(hs256))),
    'expired assertion, detail read': refused(known, assertionForm(expired(hs256)), undefined, withDetail),
    'unknown client, HS256': refused(nobody, assertionForm(bySecret)),
    'unknown client, ES256': refused(nobody, assertionForm(byKey)),
    'for comparison: ES256 by node:crypto alone': bareVerification(es256, [byKey])
  }).map(([name, op]) => ({ name, op, count, inFlight: 16 }))
  await compare(subjects, { rounds, warmup })
  return subjects
}

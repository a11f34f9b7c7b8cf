// Two published guides to signed assertions lead their readers astray. Each reader sends exactly what the guide
// says, is told what is wrong with it, and gets in once that is corrected.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { randomUUID } from 'node:crypto'
import type { OAuthClient } from '../../lib'
import { assertionForm, keyAssertion, keyFor, now, secretAssertion, JWT_BEARER } from '../support/assertions'
import { post, tokenServer } from '../support/token-server'

const key = keyFor('RS256')
const clientId = 'partner'
const signing: OAuthClient = {
  client_id: clientId,
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk] }
}
const longSecret = 'thirty-two octets are the minimum'
const shortSecret = 'eighteen octets...'
const sharing = (client_secret: string): OAuthClient => ({
  client_id: clientId,
  token_endpoint_auth_method: 'client_secret_jwt',
  client_secret
})

const grant = { grant_type: 'client_credentials' }
const assertion = (claims: Record<string, unknown> = {}) => keyAssertion(key, { clientId, claims })
const milliseconds = () => Date.now()

interface Reader {
  does: string
  client?: OAuthClient
  misled: Record<string, string>
  status: number
  error: string
  told: string | RegExp
  reason: string
  correctedClient?: OAuthClient
  corrected?: Record<string, string>
}

const readers: Reader[] = [
  {
    does: 'a value of its own for each request as sub',
    misled: { ...grant, ...assertionForm(assertion({ sub: randomUUID() })) },
    status: 401,
    error: 'invalid_client',
    told: /iss.*sub/,
    reason: 'assertion_subject'
  },
  {
    does: 'the JWT in the field assertion',
    misled: { ...grant, client_assertion_type: JWT_BEARER, assertion: assertion() },
    status: 400,
    error: 'invalid_request',
    told: `client_assertion_type=${JWT_BEARER} needs client_assertion: send the JWT in the parameter client_assertion.`,
    reason: 'assertion_missing'
  },
  {
    does: 'the JWT in the field assertion and no type',
    misled: { ...grant, assertion: assertion() },
    status: 400,
    error: 'invalid_request',
    told: 'send the JWT in the parameter client_assertion, with client_assertion_type',
    reason: 'assertion_parameter'
  },
  {
    does: 'no client_assertion_type',
    misled: { ...grant, client_assertion: assertion() },
    status: 400,
    error: 'invalid_request',
    told: `client_assertion_type=${JWT_BEARER}`,
    reason: 'assertion_type'
  },
  {
    does: 'the secret as well',
    client: { ...signing, client_secret: longSecret },
    misled: { ...grant, ...assertionForm(assertion()), client_id: clientId, client_secret: longSecret },
    status: 400,
    error: 'invalid_request',
    told: 'More than one client authentication mechanism',
    reason: 'multiple_mechanisms'
  },
  {
    does: 'an HS256 secret of 18 octets',
    client: sharing(shortSecret),
    misled: { ...grant, ...assertionForm(secretAssertion(shortSecret, { clientId })) },
    status: 401,
    error: 'invalid_client',
    told: 'The client secret is too short',
    reason: 'secret_too_short',
    correctedClient: sharing(longSecret),
    corrected: { ...grant, ...assertionForm(secretAssertion(longSecret, { clientId })) }
  },
  {
    does: 'iat and exp in milliseconds',
    misled: { ...grant, ...assertionForm(assertion({ iat: milliseconds(), exp: milliseconds() + 60_000 })) },
    status: 401,
    error: 'invalid_client',
    told: 'in milliseconds: use seconds since the epoch',
    reason: 'assertion_milliseconds'
  },
  {
    does: 'exp in seconds, iat in milliseconds',
    misled: { ...grant, ...assertionForm(assertion({ iat: milliseconds(), exp: now() + 60 })) },
    status: 401,
    error: 'invalid_client',
    told: 'in milliseconds: use seconds since the epoch',
    reason: 'assertion_milliseconds'
  }
]

const rejections: { reason: string }[] = []
const collect = (event: unknown) => void rejections.push(event as { reason: string })
beforeAll(() => {
  subscribe('oauth-client-auth:rejected', collect)
})
afterAll(() => unsubscribe('oauth-client-auth:rejected', collect))

describe.each(readers.map((reader) => [reader.does, reader] as const))('who sends %s', (_does, reader) => {
  const { client = signing, misled, correctedClient = client } = reader
  // Most are right once they send what the library's own guide says.
  const { corrected = { ...grant, ...assertionForm(assertion({ iat: now() })) } } = reader

  test('is told what is wrong', async () => {
    rejections.length = 0
    const { status, body } = await post(tokenServer({}, client), misled)
    expect([status, body.error]).toEqual([reader.status, reader.error])
    expect(body.error_description).toMatch(reader.told)
    expect(rejections).toEqual([expect.objectContaining({ reason: reader.reason })])
  })

  test('is let in once that is corrected', async () => {
    const { status, body } = await post(tokenServer({}, correctedClient), corrected)
    expect([status, body.client_id]).toEqual([200, clientId])
  })
})

test('what they are told never holds what they sent', async () => {
  for (const { client = signing, misled } of readers) {
    const { text } = await post(tokenServer({}, client), misled)
    for (const sent of [misled.client_assertion, misled.assertion, misled.client_secret]) {
      if (sent !== undefined) expect(text).not.toContain(sent)
    }
  }
})

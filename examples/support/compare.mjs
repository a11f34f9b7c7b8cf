// Sends the same requests to a server before and after its move, and compares what came back.
import { createHash, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { SignJWT } from 'jose'
import { bankKey, clientOf, clients, issuer, newSecret, redirectUri } from './clients.mjs'
import { listening } from './demonstrate.mjs'
import { postForm } from './requests.mjs'

const secretOf = (clientId) => clients.get(clientId).client_secret
export const verifier = newSecret()
const challenge = createHash('sha256').update(verifier).digest('base64url')

/** The ways in which the clients of the comparison present themselves: a header, or parameters of the form. */
export const byBasic = (clientId, secret = secretOf(clientId)) => ({
  headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` }
})
export const byPost = (client_id, client_secret = secretOf(client_id)) => ({ form: { client_id, client_secret } })
export const byId = (client_id) => ({ form: { client_id } })
export async function byKey() {
  const claims = { iss: 'partner-bank', sub: 'partner-bank', aud: issuer, jti: randomUUID() }
  const { kid, key } = bankKey
  const assertion = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).setExpirationTime('1m')
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return { form: { client_assertion_type, client_assertion: await assertion.sign(key) } }
}

/** What one server is asked. */
function visitor(url) {
  async function authorize(client_id, parameters = {}) {
    const query = { response_type: 'code', client_id, redirect_uri: redirectUri, state: 'state', ...parameters }
    const response = await fetch(`${url}/authorize?${new URLSearchParams(query)}`, { redirect: 'manual' })
    const text = await response.text()
    const { error, error_description: description } = text.startsWith('{') ? JSON.parse(text) : {}
    const location = response.headers.get('location')
    return { status: response.status, error, description, code: location && new URL(location).searchParams.get('code') }
  }
  return {
    authorize,
    token: ({ form, headers } = {}, parameters = {}) => postForm(`${url}/token`, { ...form, ...parameters }, headers),
    /** The parameters that redeem a code which the user of `clientId` has just brought back. */
    async code(clientId) {
      const { code } = await authorize(clientId, { code_challenge: challenge, code_challenge_method: 'S256' })
      return { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
    }
  }
}

/** An answer without what is new each time: a token is told by what it stands for, a lifetime to 10 s. */
async function essence({ status, error, description, challenge, body = {} }, meaningOf) {
  const { access_token, refresh_token, expires_in, ...rest } = body
  return {
    ...{ status, error, challenge: Boolean(challenge), ...rest }, // its realm is each server's own
    description: error === 'invalid_client' ? undefined : description,
    access_token: access_token && (await meaningOf(access_token)),
    refresh_token: refresh_token && 'a refresh token',
    expires_in: expires_in && Math.round(expires_in / 10) * 10
  }
}

const told = ({ status, error, challenge }) => [status, error, challenge && 'with challenge'].filter(Boolean).join(' ')

/**
 * The rows of one comparison. `requests` are `[what, must, send]`: `must` is what both servers answer, or a
 * list of what the old one and the new one answer. Where one answer is demanded of both, the two must be
 * equal in all that is not new each time: the token's owner and lifetime, the refresh token, every other field.
 */
export async function compare(before, after, requests, meaningOf = clientOf) {
  const servers = [await listening(before.listen(0, '127.0.0.1')), await listening(after.listen(0, '127.0.0.1'))]
  const visitors = servers.map(({ url }) => visitor(url))
  const rows = []
  for (const [what, must, send] of requests) {
    const answers = []
    for (const one of visitors) answers.push(await essence(await send(one, visitors[0]), meaningOf))
    const [was, is] = answers.map(told)
    const [mustWas, mustIs] = [must].flat().length === 2 ? must : [must, must]
    const equal = Array.isArray(must) || isDeepStrictEqual(answers[0], answers[1])
    const ok = was === mustWas && is === mustIs && equal
    rows.push({
      method: '',
      what,
      status: was === is ? `${is} twice` : `${was}, then ${is}`,
      before: was,
      after: is,
      ok
    })
    if (!ok) rows.at(-1).answers = answers
  }
  for (const { close } of servers) close()
  return rows
}

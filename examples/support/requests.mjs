// What a real client does: openid-client asks for a token, and tells what came back.
import { once } from 'node:events'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import * as openid from 'openid-client'

const { ClientSecretBasic, ClientSecretPost, ClientSecretJwt, PrivateKeyJwt } = openid

export const authentication = {
  client_secret_basic: ClientSecretBasic,
  client_secret_post: ClientSecretPost,
  client_secret_jwt: ClientSecretJwt,
  private_key_jwt: PrivateKeyJwt
}

/**
 * One token request. `server` is the authorization server's metadata (RFC 8414), `secretOrKey` what the
 * client proves itself with, `parameters` stand in the body as well, `fetch` may replace the real one.
 */
export async function requestToken(server, clientId, method, secretOrKey, { parameters, fetch } = {}) {
  const config = new openid.Configuration(server, clientId, undefined, authentication[method](secretOrKey))
  openid.allowInsecureRequests(config) // plain http, which is good enough for loopback only
  if (fetch) config[openid.customFetch] = fetch
  try {
    const { access_token } = await openid.clientCredentialsGrant(config, parameters)
    return { status: 200, token: access_token }
  } catch (error) {
    if (!error.status) throw error
    // With a challenge (401), openid-client leaves the body to be read.
    const { error: code, error_description: description } = error.error ? error : await error.response.json()
    return { status: error.status, error: code, description, challenge: error.response.headers.get('www-authenticate') }
  }
}

/** A form sent by hand, for what no honest client library sends; without a form, no body. */
export const postForm = (url, form, headers = {}, signal = undefined) =>
  post(url, { body: form && new URLSearchParams(form), headers, signal })

/** The same parameters as JSON, which no token endpoint may take. */
export const postJson = (url, parameters) =>
  post(url, { body: JSON.stringify(parameters), headers: { 'Content-Type': 'application/json' } })

async function post(url, init) {
  const response = await fetch(url, { method: 'POST', ...init })
  const text = await response.text()
  const { error, error_description: description, ...body } = text.startsWith('{') ? JSON.parse(text) : {}
  return { status: response.status, error, description, challenge: response.headers.get('www-authenticate'), body }
}

/** A fetch that sends every request twice, as a thief of a recorded request does. */
export const sendTwice = async (url, init) => {
  await fetch(url, init)
  return fetch(url, init)
}

/** A token request with two Authorization headers, which fetch cannot send. */
export async function postWithTwoHeaders(url) {
  const Authorization = ['web-shop', 'old-script'].map((clientId) => `Basic ${btoa(`${clientId}:secret`)}`)
  const headers = { Authorization, 'Content-Type': 'application/x-www-form-urlencoded' }
  const sent = request(url, { method: 'POST', headers, agent: false })
  sent.end('grant_type=client_credentials')
  const [response] = await once(sent, 'response')
  const { error, error_description: description } = await json(response)
  return { status: response.statusCode, error, description, challenge: response.headers['www-authenticate'] }
}

// Clients of an MCP server: two that nobody registered, each with a host for its document, and the SDK's own OAuth
// client that all of them run.
import { auth } from '@modelcontextprotocol/sdk/client/auth.js'
import { createPrivateKeyJwtAuth } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { exportPKCS8 } from 'jose'
import { newKey } from './clients.mjs'
import { serveDocuments } from './key-server.mjs'

export const redirectUrl = 'http://127.0.0.1:3334/callback'
const common = {
  redirect_uris: [redirectUrl],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code']
}

/** Signs, and prefers that: the form of ChatGPT's document. */
export async function startSigningApp() {
  const key = await newKey('chat-1', 'RS256')
  const server = await serveDocuments('chat.example.com', (path, origin) =>
    path === '/jwks.json'
      ? { keys: [key.jwk] }
      : {
          ...common,
          client_id: `${origin}/client.json`,
          client_name: 'A chat',
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
          token_endpoint_auth_signing_alg: 'RS256',
          jwks_uri: `${origin}/jwks.json`
        }
  )
  return { ...server, id: `${server.origin}/client.json`, key }
}

/** Proves nothing: the form of Claude's document. */
export async function startPublicApp() {
  const server = await serveDocuments('desktop.example.com', (_path, origin) => ({
    ...common,
    client_id: `${origin}/client.json`,
    client_name: 'A desktop app',
    token_endpoint_auth_method: 'none'
  }))
  return { ...server, id: `${server.origin}/client.json` }
}

/** As the SDK signs, for the `audience` alone. */
export const signWith = async ({ id, key: { key, jwk } }, audience) =>
  createPrivateKeyJwtAuth({ issuer: id, subject: id, alg: jwk.alg, privateKey: await exportPKCS8(key), audience })

/** A client that goes through the SDK's own flow. `location` is where it sends the browser of its user. */
export function sdkClient(id, addClientAuthentication) {
  const kept = {}
  return {
    kept,
    redirectUrl,
    clientMetadataUrl: id,
    clientMetadata: { redirect_uris: [redirectUrl], client_name: 'example' },
    state: () => 'a state',
    clientInformation: () => kept.information,
    saveClientInformation: (information) => void (kept.information = information),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    redirectToAuthorization: (url) => void (kept.location = url),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier,
    ...(addClientAuthentication && { addClientAuthentication })
  }
}

/** Runs `auth` of the SDK once, and tells what the token endpoint answered. */
async function run(client, options) {
  let answer = {}
  const fetchFn = async (url, init) => {
    const response = await fetch(url, init)
    if (init?.method === 'POST') {
      const { error, error_description: description } = await response.clone().json()
      answer = { status: response.status, error, description, challenge: response.headers.get('www-authenticate') }
    }
    return response
  }
  try {
    await auth(client, { ...options, fetchFn })
  } catch (error) {
    if (!answer.error) throw error
  }
  return { ...answer, token: client.tokens()?.access_token }
}

/** A token for the client itself, by a provider of the SDK for that. */
export const credentials = (client, serverUrl) => run(client, { serverUrl })

/** From the first request to a token: the user agrees at once. */
export async function authorize(client, serverUrl) {
  await run(client, { serverUrl })
  const answer = await fetch(client.kept.location, { redirect: 'manual' })
  const location = answer.headers.get('location')
  if (location === null) return { status: answer.status, ...(await answer.json()) }
  return run(client, { serverUrl, authorizationCode: new URL(location).searchParams.get('code') })
}

/** The SDK refreshes where it has a refresh token. */
export const refresh = credentials

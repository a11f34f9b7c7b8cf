// The MCP TypeScript SDK as authorization server, with clientAuth() ahead of its handlers. Its clients are the SDK's own:
// two that nobody registered (one signs, as ChatGPT does, one is public, as Claude is), and two that are registered.
import { AsyncLocalStorage } from 'node:async_hooks'
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import {
  InvalidClientError,
  InvalidClientMetadataError,
  TemporarilyUnavailableError
} from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { createOAuthMetadata, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js'
import cors from 'cors'
import express from 'express'
import { exportPKCS8 } from 'jose'
import { clientAuth, ClientAuthError, createClientDocuments, validateClientMetadata } from 'oauth-client-auth'
import { newKey, newSecret } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { onLoopback } from './support/key-server.mjs'
import {
  authorize,
  credentials,
  refresh,
  sdkClient,
  signWith,
  startPublicApp,
  startSigningApp
} from './support/mcp-clients.mjs'
import { createProvider } from './support/mcp-provider.mjs'
import { postForm, requestToken } from './support/requests.mjs'

const [chat, desktop] = [await startSigningApp(), await startPublicApp()]
const jobKey = await newKey('job-1')
const registered = new Map(
  [
    { client_id: 'report', client_secret: newSecret(), grant_types: ['client_credentials'] },
    {
      client_id: 'job',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jobKey.jwk] },
      grant_types: ['client_credentials']
    }
  ].map((client) => [client.client_id, client])
)

const app = express()
const { url, close } = await listening(app.listen(0, '127.0.0.1'))
const issuerUrl = new URL(url)
const allow = [chat.host, desktop.host]
const chatgpt = `${chat.origin}/`

// --- the clients
const methods = ['private_key_jwt', 'client_secret_basic', 'none']
const documents = createClientDocuments({
  allow,
  methods,
  ...onLoopback(chat, desktop)
})
const findClient = async (id) => (await registered.get(id)) ?? documents.get(id)

const authenticateClient = clientAuth({
  issuer: issuerUrl.href, // with the slash at its end, as the router publishes it
  methods,
  getClient: findClient,
  legacyAudiences: ({ client_id }) => (client_id.startsWith(chatgpt) ? [new URL('/token', issuerUrl).href] : [])
})
// --- the provider
const authentication = new AsyncLocalStorage()

/** For the SDK: without the secret, since it would ask for it again. Its own errors, or it answers 500. */
async function getClient(id) {
  try {
    const client = await findClient(id)
    return client && { redirect_uris: [], ...client, client_secret: undefined }
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error
    const SdkError = error.code === 'invalid_client' ? InvalidClientError : TemporarilyUnavailableError
    throw new SdkError(error.message)
  }
}
const clientsStore = { getClient }
const provider = createProvider(clientsStore, () => authentication.getStore()?.method)
// --- if clients may register
/** Anybody may call this. What `clientAuth` would refuse later is refused here. */
clientsStore.registerClient = async (asked) => {
  const client = { ...asked, grant_types: ['authorization_code', 'refresh_token'] } // and no other, whatever is asked
  try {
    validateClientMetadata(client, { methods: ['client_secret_basic', 'none'] })
  } catch (error) {
    throw error instanceof ClientAuthError ? new InvalidClientMetadataError(error.message) : error
  }
  await registered.set(client.client_id, client)
  return client
}
// --- the server
const metadata = {
  ...createOAuthMetadata({ provider, issuerUrl }),
  ...authenticateClient.metadata(),
  ...authenticateClient.metadata('revocation'),
  ...documents.metadata(),
  grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials']
}

/** The grant that the SDK does not know: for clients that are registered for it. */
function clientCredentials(req, res, next) {
  if (req.body.grant_type !== 'client_credentials') return next()
  res.set('Cache-Control', 'no-store')
  if (req.oauthClient.grant_types?.includes('client_credentials') && !documents.owns(req.oauthClient))
    return res.json(provider.issueFor(req.oauthClient))
  res.status(400).json({ error: 'unauthorized_client' })
}

app.get('/.well-known/oauth-authorization-server', cors(), (req, res) => res.json(metadata))
app.post(['/token', '/revoke'], cors(), authenticateClient, (req, res, next) => {
  authentication.run(req.oauthClientAuth, next)
})
app.post('/token', clientCredentials)
app.use(mcpAuthRouter({ provider, issuerUrl }))
// --- end

const signed = 'private_key_jwt'
const tokenEndpoint = new URL('/token', issuerUrl).href
const of = (client) => ({ client, clientOf: provider.clientOf })
const refused = (reason, error = 'invalid_client') => ({
  status: error === 'invalid_client' ? 401 : 400,
  error,
  reason
})

const unauthorized = refused(undefined, 'unauthorized_client')

const chatClient = sdkClient(chat.id, await signWith(chat, tokenEndpoint))
const thief = sdkClient(chat.id, await signWith({ ...chat, key: await newKey('chat-1', 'RS256') }, tokenEndpoint))
const desktopClient = sdkClient(desktop.id)
const reporter = new ClientCredentialsProvider({
  clientId: 'report',
  clientSecret: registered.get('report').client_secret,
  expectedIssuer: issuerUrl.href
})
const job = new PrivateKeyJwtProvider({
  clientId: 'job',
  privateKey: await exportPKCS8(jobKey.key),
  algorithm: 'ES256',
  expectedIssuer: issuerUrl.href
})
const bare = (client_id, more) => postForm(tokenEndpoint, { client_id, ...more })
async function register(metadata) {
  const response = await fetch(new URL('/register', issuerUrl), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://app.example/callback'], ...metadata })
  })
  return { status: response.status, ...(await response.json()) }
}
const newcomer = sdkClient()
const isNewcomer = {
  ...of(undefined),
  get client() {
    return newcomer.kept.information.client_id
  }
}
async function registerForClientCredentials() {
  const { client_id, client_secret } = await register({ grant_types: ['client_credentials'] })
  const server = { issuer: issuerUrl.href, token_endpoint: tokenEndpoint }
  return requestToken(server, client_id, 'client_secret_basic', client_secret)
}
const last = { grant_type: 'refresh_token', refresh_token: 'x' }

const rows = [
  await row(signed, 'a document: a code', of(chat.id), () => authorize(chatClient, issuerUrl)),
  await row(signed, 'a document: a refresh', of(chat.id), () => refresh(chatClient, issuerUrl)),
  await row(signed, 'another key', refused('signature_mismatch'), () => authorize(thief, issuerUrl)),
  await row('none', 'the id alone of who signs', refused('method_not_registered'), () => bare(chat.id, last)),
  await row('none', 'a document: a code', of(desktop.id), () => authorize(desktopClient, issuerUrl)),
  await row('none', 'a document: a refresh', of(desktop.id), () => refresh(desktopClient, issuerUrl)),
  await row('none', 'client_credentials', unauthorized, () => bare(desktop.id, { grant_type: 'client_credentials' })),
  await row('none', 'a URL that nobody lets in', refused('client_document_url'), () =>
    bare('https://evil.example/client.json', last)
  ),
  await row('client_secret_basic', 'ClientCredentialsProvider', of('report'), () => credentials(reporter, issuerUrl)),
  await row(signed, 'PrivateKeyJwtProvider', of('job'), () => credentials(job, issuerUrl)),
  await row('client_secret_basic', 'registers itself: a code', isNewcomer, () => authorize(newcomer, issuerUrl)),
  await row('client_secret_basic', 'registers itself: client_credentials', unauthorized, registerForClientCredentials),
  await row('client_secret_post', 'registers itself', refused(undefined, 'invalid_client_metadata'), () =>
    register({ token_endpoint_auth_method: 'client_secret_post' })
  )
]
report('MCP', rows)
close()

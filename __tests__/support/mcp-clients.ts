// Two clients of an MCP server that nobody registered: the SDK's own, and one by hand that does what ChatGPT does.
import { createHash, randomBytes, type KeyObject } from 'node:crypto'
import { auth, type AddClientAuthentication, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { createPrivateKeyJwtAuth } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import type { OAuthClientInformation, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { assertionForm, keyAssertion, type TestKey } from './assertions'

export const redirectUri = 'https://client.example/callback'

/** What an endpoint answered. */
export interface Answer {
  status: number
  error?: string | undefined
}

/** A client in the middle of its life. */
export interface McpClient {
  /** From the authorization endpoint to a token. */
  authorize: () => Promise<Answer>
  refresh: () => Promise<Answer>
  revoke: () => Promise<Answer>
  tokens: () => OAuthTokens | undefined
  /** What the client threw away, as the SDK told it to. */
  invalidated: string[]
}

interface Server {
  issuer: string
  tokenEndpoint: string
}

const answerOf = async (response: Response): Promise<Answer> => {
  const text = await response.clone().text()
  const { error } = (text.startsWith('{') ? JSON.parse(text) : {}) as { error?: string }
  return { status: response.status, error }
}

/** Goes where the browser of the user would; the user agrees at once. */
async function codeOf(url: URL): Promise<string | Answer> {
  const response = await fetch(url, { redirect: 'manual' })
  const location = response.headers.get('location') ?? 'about:blank'
  return new URL(location).searchParams.get('code') ?? answerOf(response)
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

/** The SDK's flow, with the SDK's own assertions: for the issuer. */
export function sdkClient({ issuer }: Server, id: string, key?: TestKey): McpClient {
  const kept: { information?: OAuthClientInformation; tokens?: OAuthTokens; verifier: string; location?: URL } = {
    verifier: ''
  }
  const invalidated: string[] = []
  const sign: AddClientAuthentication | undefined =
    key && createPrivateKeyJwtAuth({ issuer: id, subject: id, alg: key.alg, privateKey: pemOf(key.privateKey) })
  const provider: OAuthClientProvider = {
    redirectUrl: redirectUri,
    clientMetadataUrl: id,
    clientMetadata: { redirect_uris: [redirectUri] },
    clientInformation: () => kept.information,
    saveClientInformation: (information) => void (kept.information = information),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    redirectToAuthorization: (url) => void (kept.location = url),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier,
    invalidateCredentials: (scope) => void invalidated.push(scope),
    ...(sign === undefined ? {} : { addClientAuthentication: sign })
  }
  /** Runs the SDK's flow once, and tells the last answer of the token endpoint. */
  async function run(authorizationCode?: string): Promise<Answer> {
    let answer: Answer | undefined
    const fetchFn = async (url: string | URL, init?: RequestInit) => {
      const response = await fetch(url, init)
      if (init?.method === 'POST') answer = await answerOf(response)
      return response
    }
    const options = { serverUrl: issuer, fetchFn, ...(authorizationCode === undefined ? {} : { authorizationCode }) }
    await auth(provider, options).catch((error: unknown) => {
      if (answer?.error === undefined) throw error
    })
    return answer ?? { status: 0 }
  }
  return {
    invalidated,
    tokens: () => kept.tokens,
    async authorize() {
      delete kept.tokens
      await run()
      const code = await codeOf(kept.location!)
      return typeof code === 'string' ? run(code) : code
    },
    refresh: () => run(),
    async revoke() {
      const [headers, form] = [new Headers(), new URLSearchParams({ token: kept.tokens?.refresh_token ?? '' })]
      if (sign === undefined) form.set('client_id', id)
      else await sign(headers, form, `${issuer}token`, { issuer } as never)
      return answerOf(await fetch(`${issuer}revoke`, { method: 'POST', headers, body: form }))
    }
  }
}

/** By hand, with RS256 and the token endpoint as `aud`; without a key by its id alone. */
export function handWrittenClient({ issuer, tokenEndpoint }: Server, id: string, key?: TestKey): McpClient {
  let tokens: OAuthTokens | undefined
  const post = async (path: string, form: Record<string, string>): Promise<Answer> => {
    const parts = { clientId: id, claims: { aud: tokenEndpoint }, header: { typ: 'JWT' } }
    const proof = key === undefined ? {} : assertionForm(keyAssertion(key, parts))
    const body = new URLSearchParams({ ...form, client_id: id, ...proof })
    const response = await fetch(new URL(path, issuer), { method: 'POST', body })
    const answer = await answerOf(response)
    if (path === '/token' && response.ok) tokens = (await response.json()) as OAuthTokens
    return answer
  }
  return {
    invalidated: [],
    tokens: () => tokens,
    async authorize() {
      const verifier = randomBytes(32).toString('base64url')
      const url = new URL('/authorize', issuer)
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: id,
        redirect_uri: redirectUri,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256'
      }).toString()
      const code = await codeOf(url)
      if (typeof code !== 'string') return code
      return post('/token', {
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: redirectUri
      })
    },
    refresh: () => post('/token', { grant_type: 'refresh_token', refresh_token: tokens?.refresh_token ?? '' }),
    revoke: () => post('/revoke', { token: tokens?.refresh_token ?? '' })
  }
}

// Consent, codes and tokens in memory: what stands for an application's own OAuthServerProvider of the MCP SDK.
import { randomBytes } from 'node:crypto'
import { InvalidGrantError } from '@modelcontextprotocol/sdk/server/auth/errors.js'

const newToken = () => randomBytes(32).toString('base64url')

/** `currentMethod()` tells by which method the client of the request under way has authenticated. */
export function createProvider(clientsStore, currentMethod) {
  const [codes, refreshTokens, accessTokens] = [new Map(), new Map(), new Map()]

  /** What was issued to this client, and to no other. */
  function held(tokens, token, { client_id }) {
    const found = tokens.get(token)
    if (found?.client_id !== client_id) throw new InvalidGrantError('The code or token is not of this client.')
    return found
  }
  function issue(grant, mayRefresh = true) {
    const tokens = { access_token: newToken(), token_type: 'bearer', expires_in: 300 }
    accessTokens.set(tokens.access_token, grant)
    if (!mayRefresh) return tokens
    const refresh_token = newToken()
    refreshTokens.set(refresh_token, grant)
    return { ...tokens, refresh_token }
  }

  return {
    clientsStore,
    async authorize({ client_id }, { redirectUri, codeChallenge, state }, res) {
      // Here the user is asked. Show the hosts of client_id and redirectUri: nobody has checked the client's name.
      const code = newToken()
      codes.set(code, { client_id, redirectUri, codeChallenge })
      const to = new URL(redirectUri)
      to.searchParams.set('code', code)
      if (state !== undefined) to.searchParams.set('state', state)
      res.redirect(to.href)
    },
    challengeForAuthorizationCode: async (client, code) => held(codes, code, client).codeChallenge,
    async exchangeAuthorizationCode(client, code, _verifier, redirectUri) {
      const asked = held(codes, code, client)
      codes.delete(code)
      if (redirectUri !== asked.redirectUri) throw new InvalidGrantError('The code is for another redirect_uri.')
      return issue({ client_id: client.client_id, method: currentMethod() })
    },
    async exchangeRefreshToken(client, token) {
      const grant = held(refreshTokens, token, client)
      // A document may change from a key to none, and must not weaken what it got with the key
      if (grant.method !== currentMethod()) throw new InvalidGrantError('The grant was made by another method.')
      refreshTokens.delete(token)
      return issue(grant)
    },
    async revokeToken({ client_id }, { token }) {
      for (const tokens of [accessTokens, refreshTokens])
        if (tokens.get(token)?.client_id === client_id) tokens.delete(token)
    },
    verifyAccessToken: () => Promise.reject(new Error('this example has no MCP endpoint')),
    /** For `client_credentials`, which the SDK does not know. */
    issueFor: ({ client_id }) => issue({ client_id }, false),
    /** Which client a token was issued to. */
    clientOf: (token) => accessTokens.get(token)?.client_id
  }
}

// The repositories of @jmondi/oauth2-server, but for the clients, and the server's options. The move does not touch them.
import { AuthorizationServer, DateInterval } from '@jmondi/oauth2-server'
import { handleExpressError, handleExpressResponse, requestFromExpress } from '@jmondi/oauth2-server/express'
import { issueToken, newSecret } from '../support/clients.mjs'

const codes = new Map()
const refreshTokens = new Map()
const signingSecret = newSecret()
const user = { id: 'alice' }

const userRepository = { getUserByCredentials: async () => user }
const scopeRepository = { getAllByIdentifiers: async () => [], finalize: async (scopes) => scopes }
const tokenRepository = {
  issueToken: async (client, scopes, user) => ({
    accessToken: issueToken({ client_id: client.id }).access_token,
    accessTokenExpiresAt: new DateInterval('1h').getEndDate(),
    client,
    user,
    scopes
  }),
  async issueRefreshToken(token) {
    const refreshTokenExpiresAt = new DateInterval('1d').getEndDate()
    const issued = { ...token, refreshToken: newSecret(), refreshTokenExpiresAt }
    refreshTokens.set(issued.refreshToken, issued)
    return issued
  },
  async persist() {},
  getByRefreshToken: async (refreshToken) => refreshTokens.get(refreshToken),
  isRefreshTokenRevoked: async (token) => token === undefined,
  revoke: async ({ refreshToken }) => refreshTokens.delete(refreshToken)
}
const authCodeRepository = {
  getByIdentifier: async (code) => codes.get(code),
  issueAuthCode: (client, user, scopes) => ({ code: newSecret(), client, user, scopes }),
  async persist(code) {
    codes.set(code.code, code)
  },
  isRevoked: async (code) => !codes.has(code),
  revoke: async (code) => codes.delete(code)
}

/** The library's server over these repositories. */
export function createServer(clientRepository) {
  const server = new AuthorizationServer(clientRepository, tokenRepository, scopeRepository, signingSecret)
  server.enableGrantTypes(
    ['client_credentials', new DateInterval('15m')],
    [{ grant: 'authorization_code', userRepository, authCodeRepository }, new DateInterval('15m')],
    ['refresh_token', new DateInterval('15m')]
  )
  return server
}

const handled = (work) => async (req, res) => {
  try {
    handleExpressResponse(res, await work(requestFromExpress(req)))
  } catch (error) {
    handleExpressError(error, res)
  }
}

/** The two endpoints, for a user who is signed in and always agrees. */
export const endpoints = (server) => ({
  authorize: handled(async (request) => {
    const authorization = await server.validateAuthorizationRequest(request)
    Object.assign(authorization, { user, isAuthorizationApproved: true })
    return server.completeAuthorizationRequest(authorization)
  }),
  token: handled((request) => server.respondToAccessTokenRequest(request))
})
